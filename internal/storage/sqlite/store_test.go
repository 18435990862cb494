package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
)

func TestStore(t *testing.T) {
	coretest.StoreSuite(t, func(t *testing.T) core.Store { return openStore(t) })
}

func openStore(tb testing.TB) Store {
	tb.Helper()
	db, err := Open(tb.Context(), Options{Path: filepath.Join(tb.TempDir(), "store.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	s, err := OpenStore(tb.Context(), db)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// What a killed process had in hand is given back at the start of the next one, long before its lease ends.
func TestAbandonGivesBackWhatWasInHand(t *testing.T) {
	ctx, store := t.Context(), openStore(t)
	claim := func() (tasks []core.Task) {
		err := store.Do(ctx, "claim", func(tx core.Tx) (err error) {
			tasks, err = tx.Claim(core.Claimant{Owner: "host", Now: coretest.T0, Lease: time.Hour, Max: 8})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return tasks
	}
	err := store.Do(ctx, "enqueue", func(tx core.Tx) error {
		return tx.Enqueue(core.Task{ID: "T1", Kind: core.TaskIssue, Lane: "lane", Key: "issue:1", RunAt: coretest.T0, EnqueuedAt: coretest.T0})
	})
	if err != nil {
		t.Fatal(err)
	}
	if first, second := claim(), claim(); len(first) != 1 || len(second) != 0 {
		t.Fatalf("claimed %d, then %d", len(first), len(second))
	}
	if err := store.Abandon(ctx); err != nil {
		t.Fatal(err)
	}
	if again := claim(); len(again) != 1 || again[0].Key != "issue:1" {
		t.Fatalf("after the take-over: %v", again)
	}
}
