// Package worker claims tasks by lane and runs the use cases on them. One claimer feeds goroutines; it never polls
// while there is nothing to do: a commit that enqueues wakes it, and it sleeps until the next task's time.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Handler works one task. It ends the task itself, in the transaction of its result.
type Handler func(ctx context.Context, task core.Task) error

// BatchHandler works several tasks of one lane in one go.
type BatchHandler func(ctx context.Context, tasks []core.Task) error

// Options configure a Worker.
type Options struct {
	Store core.Store
	Clock core.Clock
	Log   *slog.Logger
	// Owner names this process among the hosts of one database; it must be new at every start.
	Owner string
	Lease time.Duration
	// Slots bounds the tasks in work at once.
	Slots    int
	Handlers map[core.TaskKind]Handler
	Batches  map[core.TaskKind]BatchHandler
	// MaxBatch bounds the tasks of one batch.
	MaxBatch int
	// Failed puts a task back whose handler returned an error or panicked.
	Failed func(ctx context.Context, task core.Task, cause error) error
	// Poll bounds how long the worker sleeps; other hosts' tasks are found by it.
	Poll time.Duration
}

// Worker runs tasks until its context ends.
type Worker struct {
	Options
	wake    chan struct{}
	done    chan int // slots given back
	running sync.WaitGroup
}

// New makes a Worker.
func New(o Options) *Worker {
	if o.Slots == 0 {
		o.Slots = 64
	}
	if o.MaxBatch == 0 {
		o.MaxBatch = 32
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	return &Worker{Options: o, wake: make(chan struct{}, 1), done: make(chan int, o.Slots)}
}

// Wake says that there may be something to do. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run claims and works tasks until the context ends, then waits for what is in work. Tasks in work get no new
// context: each has its own deadline, well inside its lease.
func (w *Worker) Run(ctx context.Context) {
	free := w.Slots
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			w.running.Wait()
			return
		case n := <-w.done:
			free += n
		case <-w.wake:
		case <-timer.C:
		}
		free += w.drain()
		if free <= 0 {
			continue
		}
		tasks, next := w.claim(ctx, free)
		free -= len(tasks)
		w.start(tasks)
		timer.Reset(next)
	}
}

// drain takes the slots that were given back meanwhile, so that one claim serves them all.
func (w *Worker) drain() int {
	n := 0
	for {
		select {
		case k := <-w.done:
			n += k
		default:
			return n
		}
	}
}

// claim leases tasks and says how long to sleep if nothing else happens.
func (w *Worker) claim(ctx context.Context, free int) ([]core.Task, time.Duration) {
	var tasks []core.Task
	var now, next time.Time
	err := w.Store.Do(ctx, "claim", func(tx core.Tx) (err error) {
		now, next = w.Clock.Now(), time.Time{}
		tasks, err = tx.Claim(core.Claimant{Owner: w.Owner, Now: now, Lease: w.Lease, Max: free})
		if err != nil || len(tasks) > 0 {
			return err
		}
		next, err = tx.NextTask()
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			w.Log.Error("claim tasks", "error", err)
		}
		return nil, w.Poll
	}
	if !next.After(now) {
		return tasks, w.Poll // what was due and not claimed waits for room in its lane: the end of another wakes us
	}
	return tasks, min(w.Poll, max(next.Sub(w.Clock.Now()), time.Millisecond))
}

// start hands tasks to goroutines, batches by kind and lane.
func (w *Worker) start(tasks []core.Task) {
	type key struct {
		kind core.TaskKind
		lane core.Lane
	}
	batches := map[key][]core.Task{}
	for _, t := range tasks {
		if _, ok := w.Batches[t.Kind]; !ok {
			w.launch([]core.Task{t})
			continue
		}
		k := key{t.Kind, t.Lane}
		if batches[k] = append(batches[k], t); len(batches[k]) == w.MaxBatch {
			w.launch(batches[k])
			batches[k] = nil
		}
	}
	for _, batch := range batches {
		if len(batch) > 0 {
			w.launch(batch)
		}
	}
}

func (w *Worker) launch(tasks []core.Task) {
	w.running.Add(1)
	go func() {
		defer w.running.Done()
		w.work(tasks)
		w.done <- len(tasks)
	}()
}

// work runs the handler with a deadline inside the lease, and puts the tasks back if it fails.
func (w *Worker) work(tasks []core.Task) {
	ctx, cancel := context.WithTimeout(context.Background(), w.Lease*5/6)
	defer cancel()
	err := w.handle(ctx, tasks)
	if err == nil || errors.Is(err, core.ErrLeaseLost) {
		return
	}
	for _, t := range tasks { // the error may repeat what a plugin or a bureau said of a buyer
		w.Log.Warn("task failed", "kind", t.Kind, "key", t.Key, "attempt", t.Attempt, "error", core.MaskText(err.Error()))
		if ferr := w.Failed(context.Background(), t, err); ferr != nil && !errors.Is(ferr, core.ErrLeaseLost) {
			w.Log.Error("put task back; its lease will end by itself", "key", t.Key, "error", ferr)
		}
	}
}

func (w *Worker) handle(ctx context.Context, tasks []core.Task) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("handler of %s panicked: %v", tasks[0].Kind, r)
			w.Log.Error("handler panicked", "kind", tasks[0].Kind, "panic", core.MaskText(fmt.Sprint(r)), "stack", string(debug.Stack()))
		}
	}()
	kind := tasks[0].Kind
	if batch, ok := w.Batches[kind]; ok {
		return batch(ctx, tasks)
	}
	h, ok := w.Handlers[kind]
	if !ok {
		return fmt.Errorf("no handler for tasks of kind %s", kind)
	}
	return h(ctx, tasks[0])
}
