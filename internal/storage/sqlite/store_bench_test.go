package sqlite

import (
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
)

// BenchmarkStoreIngest measures the transaction of one accepted webhook with one event from 64 producers: two keys,
// the sealed request of 2 KB, the sealed event of 600 bytes, and a task.
func BenchmarkStoreIngest(b *testing.B) {
	s := openStore(b)
	ids := coretest.NewIDs(1)
	raw, body := make([]byte, 2048), make([]byte, 600)
	_, _ = rand.Read(raw)
	_, _ = rand.Read(body)
	var n atomic.Int64
	var wg sync.WaitGroup
	cpu := processCPU()
	b.ResetTimer()
	for range benchProducers {
		wg.Go(func() {
			for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
				if err := ingestOne(b, s, ids, i, raw, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	stats := s.db.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64((processCPU()-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(stats.Stored)/float64(stats.Commits), "tx/commit")
}

func ingestOne(b *testing.B, s Store, ids *coretest.IDs, i int64, raw, body []byte) error {
	name, key := fmt.Sprintf("SO%012d", i), fmt.Sprintf("msg_%020x", i*0x9E3779B97F4A7C)
	request := core.RequestRecord{ID: ids.New(), Instance: coretest.Instance, Seller: "seller-a", Key: key, At: coretest.T0, Raw: raw}
	event := core.EventRecord{ID: ids.New(), Request: request.ID, Instance: coretest.Instance, Seller: "seller-a", Key: "sale:" + name + ":1",
		Hash: "00112233445566778899aabbccddeeff", Kind: core.EventSale, SaleName: name, At: coretest.T0, State: core.EventNew, Body: body}
	task := core.Task{ID: ids.New(), Kind: core.TaskSettle, Lane: core.LanePrepare, Key: core.SettleKey(coretest.Instance, name),
		Subject: string(coretest.Instance), Name: name, Store: coretest.Store, RunAt: coretest.T0, EnqueuedAt: coretest.T0}
	return s.Do(b.Context(), "ingest", func(tx core.Tx) error {
		if _, err := tx.Remember(core.DedupeRequest, request.Instance, request.Key, event.Hash); err != nil {
			return err
		}
		if err := tx.PutRequest(request); err != nil {
			return err
		}
		if _, err := tx.Remember(core.DedupeEvent, event.Instance, event.Key, event.Hash); err != nil {
			return err
		}
		if err := tx.PutEvent(event); err != nil {
			return err
		}
		return tx.Enqueue(task)
	})
}

// BenchmarkStoreClaim measures a claim of eight tasks from one of twenty lanes, and their end, with a million ready
// tasks, with a million that wait for a later time, and with next to none. The three should cost the same.
func BenchmarkStoreClaim(b *testing.B) {
	for _, backlog := range []struct {
		name  string
		tasks int
		delay time.Duration
	}{{"empty", 0, 0}, {"ready", 1_000_000, 0}, {"delayed", 1_000_000, time.Hour}} {
		b.Run(backlog.name, func(b *testing.B) {
			s, ids := openStore(b), coretest.NewIDs(1)
			fill(b, s, ids, backlog.tasks, backlog.delay)
			now := coretest.T0.Add(time.Minute)
			for b.Loop() {
				if backlog.tasks == 0 || backlog.delay > 0 {
					b.StopTimer()
					fill(b, s, ids, 8, 0)
					b.StartTimer()
				}
				now = now.Add(time.Millisecond)
				err := s.Do(b.Context(), "work", func(tx core.Tx) error {
					tasks, err := tx.Claim(core.Claimant{Owner: "host", Now: now, Lease: time.Minute, Max: 8})
					if err == nil && len(tasks) != 8 {
						err = fmt.Errorf("claimed %d tasks", len(tasks))
					}
					for i := 0; err == nil && i < len(tasks); i++ {
						err = tx.Finish(tasks[i])
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func fill(b *testing.B, s Store, ids *coretest.IDs, n int, delay time.Duration) {
	for start := 0; start < n; start += 200 {
		err := s.Do(b.Context(), "fill", func(tx core.Tx) error {
			for i := start; i < min(n, start+200); i++ {
				id := ids.New()
				err := tx.Enqueue(core.Task{ID: id, Kind: core.TaskSettle, Lane: core.Lane(fmt.Sprintf("lane-%02d", i%20)), Key: "settle:" + string(id),
					Store: core.StoreCode(fmt.Sprintf("store-%03d", i%100)), EnqueuedAt: coretest.T0,
					RunAt: coretest.T0.Add(delay + time.Duration(i%3600)*time.Second*time.Duration(min(delay, 1)))})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
