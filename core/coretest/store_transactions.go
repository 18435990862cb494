package coretest

import (
	"errors"

	"github.com/kaipiao/kaipiao/core"
)

var transactionTests = []storeTest{
	{"an error undoes everything", errorUndoes},
	{"a panic undoes everything", panicUndoes},
	{"a use case sees its own writes, others see them after the commit", visibility},
	{"a view does not move", viewStands},
	{"a failed use case leaves its neighbours alone", neighbours},
	{"a cancelled caller stores nothing", cancelledCaller},
}

var errOwn = errors.New("the use case's own error")

// writeABit writes to several tables.
func (b *bench) writeABit(tx core.Tx) error {
	if _, err := tx.Remember(core.DedupeRequest, Instance, "key", "hash"); err != nil {
		return err
	}
	if err := tx.PutSale(b.saleRecord("SO-1")); err != nil {
		return err
	}
	return tx.Enqueue(b.task("a", "lane", Store))
}

// nothingStored checks that nothing of writeABit is there.
func (b *bench) nothingStored() {
	b.Helper()
	b.missing("sale", func(v core.View) error { _, err := v.FindSale(Instance, "SO-1"); return err })
	if n := read(b, func(v core.View) (int, error) { return v.TaskCount(core.TaskSettle) }); n != 0 {
		b.Errorf("%d tasks are left", n)
	}
	b.do(func(tx core.Tx) error {
		seen, err := tx.Remember(core.DedupeRequest, Instance, "key", "hash")
		b.same("the key", seen, core.SeenFresh)
		return err
	})
}

func errorUndoes(b *bench) {
	b.fails(errOwn, func(tx core.Tx) error {
		if err := b.writeABit(tx); err != nil {
			return err
		}
		return errOwn
	})
	b.nothingStored()
}

func panicUndoes(b *bench) {
	func() {
		defer func() { _ = recover() }() // an engine may hand the panic on or make an error of it
		err := b.store.Do(b.Context(), "test", func(tx core.Tx) error {
			if err := b.writeABit(tx); err != nil {
				return err
			}
			panic("in the use case")
		})
		if err == nil {
			b.Error("a use case that panicked was called stored")
		}
	}()
	b.nothingStored()
}

func visibility(b *bench) {
	record := b.saleRecord("SO-1")
	b.do(func(tx core.Tx) error {
		if err := tx.PutSale(record); err != nil {
			return err
		}
		if id, err := tx.FindSale(Instance, "SO-1"); err != nil || id != record.ID {
			b.Errorf("the use case reads %q, %v of its own sale", id, err)
		}
		b.missing("a sale before its commit", func(v core.View) error { _, err := v.FindSale(Instance, "SO-1"); return err })
		return nil
	})
	if id := read(b, func(v core.View) (core.ID, error) { return v.FindSale(Instance, "SO-1") }); id != record.ID {
		b.Errorf("found sale %q, want %q", id, record.ID)
	}
}

func viewStands(b *bench) {
	b.view(func(v core.View) error {
		if _, err := v.FindSale(Instance, "SO-1"); !errors.Is(err, core.ErrNotFound) {
			b.Errorf("before the commit: %v", err)
		}
		b.do(func(tx core.Tx) error { return tx.PutSale(b.saleRecord("SO-1")) })
		if _, err := v.FindSale(Instance, "SO-1"); !errors.Is(err, core.ErrNotFound) {
			b.Errorf("a view that began before the commit sees it: %v", err)
		}
		return nil
	})
}

func neighbours(b *bench) {
	const n = 40
	errs := b.race(n, func(i int, tx core.Tx) error {
		if _, err := tx.Remember(core.DedupeRequest, Instance, numbered("key", i), "hash"); err != nil {
			return err
		}
		if i%2 == 1 {
			return errOwn
		}
		return nil
	})
	for i, err := range errs {
		if want := i%2 == 1; errors.Is(err, errOwn) != want || (!want && err != nil) {
			b.Errorf("use case %d ended with %v", i, err)
		}
		want := core.SeenSame
		if i%2 == 1 {
			want = core.SeenFresh
		}
		b.do(func(tx core.Tx) error {
			seen, err := tx.Remember(core.DedupeRequest, Instance, numbered("key", i), "hash")
			b.same(numbered("key", i), seen, want)
			return err
		})
	}
}

func cancelledCaller(b *bench) {
	ctx, cancel := contextOf(b)
	cancel()
	if err := b.store.Do(ctx, "test", b.writeABit); err == nil {
		b.Error("a use case of a cancelled caller was called stored")
	}
	b.nothingStored()
}
