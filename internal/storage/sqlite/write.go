package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"
)

// job is one use case on its way through the writer.
type job struct {
	name  string
	fn    func(Tx) error
	state atomic.Int32 // waiting, then started or abandoned
	done  chan struct{}

	err     error    // read after done is closed
	after   []func() // run if the job is committed
	replied bool     // used by the writer alone
}

const (
	waiting int32 = iota
	started
	abandoned
)

// Write runs fn in the writer's transaction and returns nil once that is committed and synced.
// An error or a panic of fn undoes what fn did and nothing else, and is returned.
//
// ctx bounds the wait before fn begins; from then on Write waits for the outcome, since a
// caller that goes away early would not know it. ErrBusy means that fn was not started,
// ErrNotStored that its effects must be presumed lost; the caller may call Write again. name
// tells the use case in logs and failpoints; it must not hold data.
func (db *DB) Write(ctx context.Context, name string, fn func(Tx) error) error {
	j := &job{name: name, fn: fn, done: make(chan struct{})}
	if err := db.enqueue(ctx, j); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.state.CompareAndSwap(waiting, abandoned) {
			return fmt.Errorf("write %s: gave up waiting for its turn: %w", name, context.Cause(ctx))
		}
		<-j.done
	}
	return j.err
}

func (db *DB) enqueue(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return ErrClosed
	}
	select {
	case db.queue <- j:
		return nil
	default:
		db.counts.refused.Add(1)
		return ErrBusy
	}
}
