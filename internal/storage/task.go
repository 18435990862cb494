package storage

import (
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/fault"
)

// States of a task's row.
const (
	taskReady   = "ready"
	taskWaiting = "waiting"
	taskRunning = "running"
)

// bucket is the grain of waiting: times that scatter would cost an index page each.
const bucket = 100 * time.Millisecond

// dueAt is when a task that waits until a time becomes ready: never before it, and at most a bucket later.
func dueAt(at time.Time) int64 {
	const grain = int64(bucket / time.Microsecond)
	n := micros(at)
	if rest := n % grain; rest > 0 {
		n += grain - rest
	}
	return n
}

// Enqueue adds a task, or merges it with the one that has its key: a waiting one runs at the earlier of both times, a
// running one runs once more afterwards.
//
// A task's turn (fair_at) is one after the last turn of its store, but never before the lane's clock, so that stores
// take turns however much each of them has waiting.
func (t transaction) Enqueue(task core.Task) error {
	what := fmt.Sprintf("enqueue %s task", task.Kind)
	if err := t.takeTurn(task.Lane, task.Store); err != nil {
		return err
	}
	state, due := taskReady, int64(0)
	if task.RunAt.After(task.EnqueuedAt) {
		state, due = taskWaiting, dueAt(task.RunAt)
	}
	fresh, err := t.exec(what, `INSERT INTO task (key, id, kind, lane, subject, name, store, run_at, priority, enqueued_at, attempt, state, due, fair_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT last FROM turn WHERE lane = ? AND store = ?)) ON CONFLICT DO NOTHING`,
		task.Key, task.ID, task.Kind, task.Lane, task.Subject, task.Name, task.Store, micros(task.RunAt), int(task.Priority),
		micros(task.EnqueuedAt), task.Attempt, state, due, task.Lane, task.Store)
	if err != nil || fresh == 1 {
		return err
	}
	if err := t.do(what, `UPDATE turn SET last = last - 1 WHERE lane = ? AND store = ?`, task.Lane, task.Store); err != nil {
		return err
	}
	return t.mergeTask(what, task)
}

// takeTurn moves a store's last turn in a lane on. It is an update first, and not an insert that finds a conflict, for
// SQLite then needs no journal for the statement.
func (t transaction) takeTurn(l core.Lane, store core.StoreCode) error {
	n, err := t.exec("take turn", `UPDATE turn SET last = (SELECT CASE WHEN turn.last > v THEN turn.last ELSE v END + 1 FROM lane WHERE name = turn.lane)
		WHERE lane = ? AND store = ?`, l, store)
	if err != nil || n == 1 {
		return err
	}
	if err := t.makeLane(l); err != nil {
		return err
	}
	return t.do("take first turn", `INSERT INTO turn (lane, store, last) VALUES (?, ?, (SELECT v + 1 FROM lane WHERE name = ?))
		ON CONFLICT (lane, store) DO UPDATE SET last = turn.last + 1`, l, store, l)
}

// mergeTask merges a task with the one that has its key.
func (t transaction) mergeTask(what string, task core.Task) error {
	var state string
	var runAt int64
	if err := t.q.QueryRow(`SELECT state, run_at FROM task WHERE key = ?`, task.Key).Scan(&state, &runAt); err != nil {
		return fmt.Errorf("%s: look at the one with its key: %w", what, err)
	}
	at := micros(task.RunAt)
	switch {
	case state == taskRunning:
		return t.do(what, `UPDATE task SET again = 1 WHERE key = ?`, task.Key)
	case state == taskReady || at >= runAt:
		return nil
	case task.RunAt.After(task.EnqueuedAt):
		return t.do(what, `UPDATE task SET run_at = ?, due = ? WHERE key = ?`, at, dueAt(task.RunAt), task.Key)
	}
	return t.do(what, `UPDATE task SET run_at = ?, state = 'ready', due = 0 WHERE key = ?`, at, task.Key)
}

// held is the condition that a task is still its owner's: the same claim, not only the same owner.
func held(task core.Task) (condition string, args []any) {
	condition, args = ` WHERE key = ? AND id = ?`, []any{task.Key, task.ID}
	if !fault.Bug(fault.BugMissingLeaseCheck) {
		condition, args = condition+` AND state = 'running' AND owner = ? AND due = ?`, append(args, task.Owner, micros(task.LeaseUntil))
	}
	return condition, args
}

// What a run leaves of the count of attempts.
const (
	attemptNone  = "0"
	attemptSame  = "attempt"
	attemptCount = "attempt + 1"
)

// Finish ends a running task.
func (t transaction) Finish(task core.Task) error {
	condition, args := held(task)
	n, err := t.exec("finish task", `DELETE FROM task`+condition+` AND again = 0`, args...)
	if err != nil || n == 1 {
		return err
	}
	return t.runAgain("finish", task, attemptNone)
}

// Retry puts a running task back for a later time and counts the attempt.
func (t transaction) Retry(task core.Task, at time.Time) error {
	return t.putBack("retry", task, at, attemptCount)
}

// Release puts a running task back without counting the attempt.
func (t transaction) Release(task core.Task, at time.Time) error {
	return t.putBack("release", task, at, attemptSame)
}

func (t transaction) putBack(verb string, task core.Task, at time.Time, attempt string) error {
	condition, args := held(task)
	n, err := t.exec(verb+" task", `UPDATE task SET state = 'waiting', run_at = ?, due = ?, owner = '', attempt = `+attempt+condition+` AND again = 0`,
		append([]any{micros(at), dueAt(at)}, args...)...)
	if err != nil || n == 1 {
		return err
	}
	return t.runAgain(verb, task, attempt)
}

// runAgain makes a task ready that was enqueued again while it ran, whatever its run came to: what it was enqueued for
// must not wait until the time it was put back for. It takes a new turn, as a new task would.
func (t transaction) runAgain(verb string, task core.Task, attempt string) error {
	if err := t.takeTurn(task.Lane, task.Store); err != nil {
		return err
	}
	condition, args := held(task)
	n, err := t.exec(verb+" task", `UPDATE task SET state = 'ready', due = 0, again = 0, owner = '',
		fair_at = (SELECT last FROM turn WHERE turn.lane = task.lane AND turn.store = task.store), attempt = `+attempt+condition, args...)
	if err == nil && n == 0 && !fault.Bug(fault.BugMissingLeaseCheck) {
		err = fmt.Errorf("%s %s task: %w", verb, task.Kind, core.ErrLeaseLost)
	}
	return err
}

// AbandonTasks gives every running task back at once. It is right only where no other host can be at work, such as at
// the start of the one host that holds the lock of its database: what the process before it had in hand need not wait
// for the end of its leases.
func AbandonTasks(q Querier) error {
	return transaction{view{q}}.do("abandon tasks", `UPDATE task SET state = 'waiting', due = 1, owner = '', again = 0 WHERE state = 'running'`)
}
