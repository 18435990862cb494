package flow

import (
	"context"
	"errors"
	"sync"

	"github.com/kaipiao/kaipiao/core"
)

// loudAfter is how many failures in a row of one task open a problem; patience is the same for what was only put off,
// such as a question in a maintenance window: some five hours.
const (
	loudAfter = 5
	patience  = 60
)

// failures counts how often tasks failed in a row. A restart forgets it: what goes on failing is told again.
type failures struct {
	mu sync.Mutex
	of map[string]int
}

func (c *failures) add(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[key]++
	return c.of[key]
}

// end forgets a task and says how often it had failed.
func (c *failures) end(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[key]
	delete(c.of, key)
	return n
}

// Failed puts a task back whose handler returned an error. The error concerns this program or its configuration, not
// the trade; after several in a row a person is told, and the task goes on being tried.
func (f *Flow) Failed(ctx context.Context, task core.Task, cause error) error {
	at := f.now().Add(f.Schedule.BusyWait(task.Attempt, task.Key))
	limit := loudAfter
	if errors.Is(cause, core.ErrUnavailable) {
		limit = patience
	}
	loud := f.failing.add(task.Key) >= limit
	return f.Store.Do(ctx, "failed", func(tx core.Tx) error {
		if loud {
			p := core.Problem{ID: f.IDs.New(), Scope: core.ScopeFeed, Code: core.ProblemTask, Subject: task.Key, Store: task.Store,
				Detail: core.MaskText(cause.Error()), OpenedAt: f.now()}
			if err := tx.OpenProblem(p); err != nil {
				return err
			}
		}
		return tx.Retry(task, at)
	})
}

// worked closes what Failed told of a task, this time or before a restart.
func (f *Flow) worked(ctx context.Context, task core.Task) {
	if f.failing.end(task.Key) < loudAfter && task.Attempt < loudAfter {
		return
	}
	err := f.Store.Do(ctx, "worked", func(tx core.Tx) error {
		return tx.CloseProblem(core.ScopeFeed, core.ProblemTask, task.Key, f.now())
	})
	if err != nil {
		f.Log.Warn("close the problem of a task that works again", "key", task.Key, "error", err)
	}
}

// Handlers are the use cases by the kind of task they work.
func (f *Flow) Handlers() map[core.TaskKind]func(context.Context, core.Task) error {
	out := map[core.TaskKind]func(context.Context, core.Task) error{
		core.TaskSettle: f.Settle, core.TaskIssue: f.Issue, core.TaskQuery: f.Query, core.TaskApply: f.Apply,
		core.TaskConfirm: f.Confirm, core.TaskFiles: f.Files, core.TaskTrack: f.Track, core.TaskFetch: f.Fetch,
		core.TaskPull: f.Pull, core.TaskProbe: f.Probe, core.TaskReconcile: f.ReconcileTask,
	}
	for kind, handle := range out {
		out[kind] = func(ctx context.Context, task core.Task) error {
			err := handle(ctx, task)
			if err == nil {
				f.worked(ctx, task)
			}
			return err
		}
	}
	return out
}
