//go:build linux

package bench

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/storage/sqlite"
)

// storeLayer measures the transaction of one accepted webhook without anything around it, in turns with the bare writer.
func (r *run) storeLayer(ctx context.Context) (err error) {
	r.report.section("store layer alone: one accepted webhook of 2 KB with its event, keys and task, 64 producers")
	db, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(r.dir, "store", "store.db")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store, err := sqlite.OpenStore(ctx, db)
	if err != nil {
		return err
	}
	bare, err := newBareWriter(filepath.Join(r.dir, "bare"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	disk, err := r.probe()
	if err != nil {
		return err
	}
	var rates, limits, ratios []float64
	ingested := newIngested()
	for range r.rounds {
		if err := r.measureBare(bare); err != nil {
			return err
		}
		d, err := drive(producers, until(time.Now().Add(r.transaction)), func(int) (func(int64) error, error) {
			return func(int64) error { return ingested.store(ctx, store) }, nil
		})
		if err != nil {
			return err
		}
		limits, rates, ratios = append(limits, r.bareRate), append(rates, d.rate()), append(ratios, d.rate()/r.bareRate)
	}
	stats := db.Stats()
	r.bareRate = median(limits)
	r.report.add(figure{name: "bare grouped writer, preallocated file", value: r.bareRate, unit: "/s", note: disk})
	r.report.add(figure{name: "ingest transaction", value: median(rates), unit: "/s",
		note: fmt.Sprintf("%s, %.0f in a commit", disk, float64(stats.Stored)/float64(stats.Commits))})
	r.report.add(figure{name: "of the bare grouped writer", value: 100 * median(ratios), decimals: 1, unit: " %", goal: goal{atLeast, 12}})
	return nil
}

func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[len(s)/2]
}

// ingested makes the rows of accepted webhooks, of the sizes that sealed ones have.
type ingested struct {
	n         atomic.Int64
	at        time.Time
	raw, body []byte
}

func newIngested() *ingested {
	g := &ingested{at: time.Now(), raw: make([]byte, eventSize), body: make([]byte, 1536)}
	_, _ = rand.Read(g.raw) // never fails
	_, _ = rand.Read(g.body)
	return g
}

func (g *ingested) id() core.ID {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return core.MakeID(time.Now(), binary.BigEndian.Uint64(b[:]))
}

// store does what the use case Ingest does with the store.
func (g *ingested) store(ctx context.Context, s core.Store) error {
	const instance, seller, shop = "web", "seller", "S1"
	name := fmt.Sprintf("B%09d", g.n.Add(1))
	request := core.RequestRecord{ID: g.id(), Instance: instance, Seller: seller, Key: "msg_" + name, At: g.at, Raw: g.raw}
	event := core.EventRecord{ID: g.id(), Request: request.ID, Instance: instance, Seller: seller, Key: "order/" + name + "/1",
		Hash: "00112233445566778899aabbccddeeff", Kind: core.EventSale, SaleName: name, At: g.at, State: core.EventNew, Body: g.body}
	task := core.Task{ID: g.id(), Kind: core.TaskSettle, Lane: core.LanePrepare, Key: core.SettleKey(instance, name), Subject: instance,
		Name: name, Store: shop, RunAt: g.at, EnqueuedAt: g.at}
	return s.Do(ctx, "ingest", func(tx core.Tx) error {
		if _, err := tx.Remember(core.DedupeRequest, instance, request.Key, event.Hash); err != nil {
			return err
		}
		if err := tx.PutRequest(request); err != nil {
			return err
		}
		if _, err := tx.Remember(core.DedupeEvent, instance, event.Key, event.Hash); err != nil {
			return err
		}
		if err := tx.PutEvent(event); err != nil {
			return err
		}
		return tx.Enqueue(task)
	})
}
