package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kaipiao/kaipiao/internal/storage"
)

func TestReadAfterCloseIsRefused(t *testing.T) {
	db, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "closed.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Read(t.Context(), func(storage.Querier) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestReadersTakeTurns(t *testing.T) {
	db := openTest(t, Options{Readers: 2})
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('a')`)
	var open, most atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			err := db.Read(t.Context(), func(q storage.Querier) error {
				for n := open.Add(1); n > most.Load(); {
					most.Store(n)
				}
				defer open.Add(-1)
				var name string
				return q.QueryRow(`SELECT name FROM item`).Scan(&name)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() > 2 {
		t.Errorf("%d reads at a time, want 2", most.Load())
	}
}

func TestReadGivesUpWaitingForAReader(t *testing.T) {
	db := openTest(t, Options{Readers: 1})
	err := db.Read(t.Context(), func(storage.Querier) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return db.Read(ctx, func(storage.Querier) error { return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the caller's context", err)
	}
}

// BenchmarkRead measures a view of three rows, as the use cases read them, from eight goroutines.
func BenchmarkRead(b *testing.B) {
	db := openBench(b)
	for i := range int64(100) {
		if err := ingest(db, i, make([]byte, benchRecord)); err != nil {
			b.Fatal(err)
		}
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	cpu := processCPU()
	b.ResetTimer()
	for range 8 {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				err := db.Read(b.Context(), func(q storage.Querier) error {
					for i := range 3 {
						var body []byte
						if err := q.QueryRow(`SELECT body FROM raw WHERE id = ?`, i+1).Scan(&body); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((processCPU()-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
}
