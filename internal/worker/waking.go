package worker

import (
	"context"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Waking returns a store that calls wake after each commit that may have made a task ready, so that a worker in the
// same process need not poll.
func Waking(store core.Store, wake func()) core.Store { return wakingStore{store, wake} }

type wakingStore struct {
	core.Store
	wake func()
}

// Do runs the use case and wakes the worker if it left something to do.
func (s wakingStore) Do(ctx context.Context, name string, fn func(core.Tx) error) error {
	woken := false
	err := s.Store.Do(ctx, name, func(tx core.Tx) error {
		w := wakingTx{tx, false}
		err := fn(&w)
		woken = w.ready
		return err
	})
	if err == nil && woken {
		s.wake()
	}
	return err
}

type wakingTx struct {
	core.Tx
	ready bool
}

func (t *wakingTx) Enqueue(task core.Task) error {
	t.ready = true
	return t.Tx.Enqueue(task)
}

func (t *wakingTx) Release(task core.Task, at time.Time) error {
	t.ready = true
	return t.Tx.Release(task, at)
}

func (t *wakingTx) ResumeLane(l core.Lane) error {
	t.ready = true
	return t.Tx.ResumeLane(l)
}
