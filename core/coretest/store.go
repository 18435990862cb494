package coretest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/core"
)

// StoreSuite tests the promises of core.Store on any engine. open returns an empty store that lives as long as its test.
func StoreSuite(t *testing.T, open func(t *testing.T) core.Store) {
	groups := []struct {
		name string
		runs []storeTest
	}{
		{"transactions", transactionTests},
		{"inbox", inboxTests},
		{"sales", saleTests},
		{"documents", documentTests},
		{"deliveries", deliveryTests},
		{"problems", problemTests},
		{"reviews", reviewTests},
		{"tasks", taskTests},
		{"access", accessTests},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, test := range g.runs {
				t.Run(test.name, func(t *testing.T) {
					test.run(&bench{T: t, store: open(t), clock: NewClock(T0), ids: NewIDs(1)})
				})
			}
		})
	}
}

type storeTest struct {
	name string
	run  func(b *bench)
}

// bench is a store under test.
type bench struct {
	*testing.T
	store core.Store
	clock *Clock
	ids   *IDs
}

// do runs a use case that has to succeed.
func (b *bench) do(fn func(tx core.Tx) error) {
	b.Helper()
	if err := b.store.Do(b.Context(), "test", fn); err != nil {
		b.Fatal(err)
	}
}

// fails runs a use case that has to fail with an error.
func (b *bench) fails(want error, fn func(tx core.Tx) error) {
	b.Helper()
	if err := b.store.Do(b.Context(), "test", fn); !errors.Is(err, want) {
		b.Fatalf("got error %v, want one that is %q", err, want)
	}
}

// view reads what is committed.
func (b *bench) view(fn func(v core.View) error) {
	b.Helper()
	if err := b.store.View(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
}

// missing checks that a read finds nothing.
func (b *bench) missing(what string, read func(v core.View) error) {
	b.Helper()
	if err := b.store.View(b.Context(), read); !errors.Is(err, core.ErrNotFound) {
		b.Errorf("read %s: got error %v, want one that is %q", what, err, core.ErrNotFound)
	}
}

// race runs the same use case in many goroutines and returns their errors.
func (b *bench) race(n int, fn func(i int, tx core.Tx) error) []error {
	errs := make([]error, n)
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			errs[i] = b.store.Do(context.WithoutCancel(b.Context()), "race", func(tx core.Tx) error { return fn(i, tx) })
		})
	}
	done.Wait()
	return errs
}

// same compares two values that went through the store.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	quantities := cmp.Comparer(func(x, y core.Quantity) bool { return x.Cmp(y) == 0 })
	drafts := cmp.Comparer(func(x, y core.Draft) bool { return x.IsZero() && y.IsZero() })
	if d := cmp.Diff(want, got, quantities, drafts); d != "" {
		b.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// read runs one reading method on a snapshot.
func read[T any](b *bench, fn func(v core.View) (T, error)) (out T) {
	b.Helper()
	b.view(func(v core.View) (err error) {
		out, err = fn(v)
		return err
	})
	return out
}

// idsOf lists the ids of rows.
func idsOf[T any](rows []T, id func(T) core.ID) []core.ID {
	var out []core.ID
	for _, r := range rows {
		out = append(out, id(r))
	}
	return out
}

// pages reads a list page by page and returns the ids in the order they came.
func pages[T any](b *bench, limit int, list func(v core.View, after core.ID, limit int) ([]T, error), id func(T) core.ID) []core.ID {
	b.Helper()
	var out []core.ID
	var after core.ID
	for {
		rows := read(b, func(v core.View) ([]T, error) { return list(v, after, limit) })
		if len(rows) > limit {
			b.Fatalf("a page of %d rows, want at most %d", len(rows), limit)
		}
		out = append(out, idsOf(rows, id)...)
		if len(rows) < limit {
			return out
		}
		after = out[len(out)-1]
	}
}

// newestFirst turns ids, made in order, around.
func newestFirst(ids []core.ID) []core.ID {
	out := make([]core.ID, 0, len(ids))
	for i := len(ids) - 1; i >= 0; i-- {
		out = append(out, ids[i])
	}
	return out
}

// sealed makes a value that looks like ciphertext.
func sealed(format string, args ...any) core.Sealed {
	return core.Sealed("\x00\xff" + fmt.Sprintf(format, args...))
}

// after is a time in a test.
func after(d time.Duration) time.Time { return T0.Add(d) }
