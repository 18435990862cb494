package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// reconcileDays is how far back the nightly comparison with the bureau's ledger goes.
const reconcileDays = 35

// reconcileCursor keeps how far a nightly comparison has come. No source can have this name.
const reconcileCursor = core.InstanceID("~reconcile")

// ReconcileTask compares the books, as the nightly tick asks. However many sales there are, it stays within its lease:
// it works for a quarter of it, keeps its place and goes on in its next turn. Day closes need all receipts at once; a
// comparison that took several turns leaves them to kaipiao reconcile.
func (f *Flow) ReconcileTask(ctx context.Context, task core.Task) error {
	var cursor []byte
	err := f.Store.View(ctx, func(v core.View) (err error) {
		if cursor, err = v.Cursor(reconcileCursor); errors.Is(err, core.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("nightly comparison: %w", err)
	}
	a := audit{flow: f, after: core.ID(cursor), sums: map[core.Class]*ClassSum{}, days: dayBook{}}
	begun := f.now()
	done, err := a.sales(ctx, func() bool { return f.now().Sub(begun) >= f.Schedule.Lease/4 })
	if err != nil {
		return fmt.Errorf("nightly comparison: %w", err)
	}
	if !done {
		return f.Store.Do(ctx, "reconcile.part", func(tx core.Tx) error {
			if err := tx.SetCursor(reconcileCursor, []byte(a.after)); err != nil {
				return err
			}
			return tx.Release(task, f.now())
		})
	}
	if len(cursor) > 0 {
		a.days = dayBook{}
	}
	if _, err := a.close(ctx, f.now().AddDate(0, 0, -reconcileDays)); err != nil {
		return fmt.Errorf("nightly comparison: %w", err)
	}
	return f.Store.Do(ctx, "reconcile.done", func(tx core.Tx) error {
		if err := tx.SetCursor(reconcileCursor, nil); err != nil {
			return err
		}
		return tx.Finish(task)
	})
}
