package coretest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var inboxTests = []storeTest{
	{"a key is fresh once", rememberOnce},
	{"keys of kinds, instances and lengths are apart", rememberApart},
	{"many senders of one key: one is fresh", rememberRace},
	{"requests come back as stored", requests},
	{"events are listed by sale and found by id and key", events},
	{"the first event under a key is the one found", eventKeys},
	{"cursors", cursors},
	{"day closes come newest revision first", dayCloses},
}

func contextOf(b *bench) (context.Context, context.CancelFunc) {
	return context.WithCancel(b.Context())
}

func numbered(s string, i int) string { return fmt.Sprintf("%s-%03d", s, i) }

func rememberOnce(b *bench) {
	for _, test := range []struct {
		hash string
		want core.Seen
	}{{"one", core.SeenFresh}, {"one", core.SeenSame}, {"two", core.SeenOther}, {"one", core.SeenSame}} {
		b.do(func(tx core.Tx) error {
			seen, err := tx.Remember(core.DedupeEvent, Instance, "key", test.hash)
			b.same("hash "+test.hash, seen, test.want)
			return err
		})
	}
	b.do(func(tx core.Tx) error {
		for _, want := range []core.Seen{core.SeenFresh, core.SeenSame} {
			seen, err := tx.Remember(core.DedupeEvent, Instance, "twice in one transaction", "one")
			if err != nil {
				return err
			}
			b.same("within a transaction", seen, want)
		}
		return nil
	})
}

func rememberApart(b *bench) {
	long := strings.Repeat("长", 100)
	keys := []string{"a", "A", "a ", strings.Repeat("k", 64), strings.Repeat("k", 65), long + "1", long + "2", "a\x00b", "a\x00c", "\xff", "\xfe", ""}
	b.do(func(tx core.Tx) error {
		for _, instance := range []core.InstanceID{"shop-a", "shop-b"} {
			for _, kind := range []core.Dedupe{core.DedupeRequest, core.DedupeEvent} {
				for _, key := range keys {
					seen, err := tx.Remember(kind, instance, key, "hash")
					if err != nil {
						return err
					}
					b.same(fmt.Sprintf("%s %s %q", kind, instance, key), seen, core.SeenFresh)
				}
			}
		}
		return nil
	})
	b.do(func(tx core.Tx) error {
		for _, key := range keys {
			seen, err := tx.Remember(core.DedupeEvent, "shop-b", key, "hash")
			if err != nil {
				return err
			}
			b.same(fmt.Sprintf("%q again", key), seen, core.SeenSame)
		}
		return nil
	})
}

func rememberRace(b *bench) {
	const n = 64
	seen := make([]core.Seen, n)
	for i, err := range b.race(n, func(i int, tx core.Tx) (err error) {
		seen[i], err = tx.Remember(core.DedupeRequest, Instance, "key", numbered("hash", i%2))
		return err
	}) {
		if err != nil {
			b.Fatalf("sender %d: %v", i, err)
		}
	}
	counts := map[core.Seen]int{}
	for _, s := range seen {
		counts[s]++
	}
	b.same("answers", counts, map[core.Seen]int{core.SeenFresh: 1, core.SeenSame: n/2 - 1, core.SeenOther: n / 2})
}

func requests(b *bench) {
	r := core.RequestRecord{ID: b.ids.New(), Instance: Instance, Seller: "seller-a", Key: "wh-1", At: after(123456 * time.Microsecond), Raw: sealed("body")}
	empty := core.RequestRecord{ID: "no-time-inside", Instance: Instance}
	b.do(func(tx core.Tx) error {
		if err := tx.PutRequest(empty); err != nil {
			return err
		}
		return tx.PutRequest(r)
	})
	for _, want := range []core.RequestRecord{r, empty} {
		got := read(b, func(v core.View) (core.RequestRecord, error) { return v.Request(want.ID) })
		if len(got.Raw) == 0 {
			got.Raw = nil
		}
		b.same("request", got, want)
	}
	b.missing("request", func(v core.View) error { _, err := v.Request(b.ids.New()); return err })
}

func (b *bench) event(sale, key string, at time.Duration) core.EventRecord {
	id := b.ids.New()
	return core.EventRecord{ID: id, Request: "request", Instance: Instance, Seller: "seller-a", Key: key, Hash: "hash of " + key,
		Kind: core.EventSale, SaleName: sale, At: after(at), State: core.EventNew, Body: sealed("%s %s", sale, key)}
}

func events(b *bench) {
	second, first := b.event("SO-1", "k2", time.Minute), b.event("SO-1", "k1", 0)
	other := b.event("SO-2", "k3", 0)
	elsewhere := b.event("SO-1", "k1", 0)
	elsewhere.Instance = "shop-b"
	b.do(func(tx core.Tx) error {
		for _, e := range []core.EventRecord{second, first, other, elsewhere} {
			if _, err := tx.Remember(core.DedupeEvent, e.Instance, e.Key, e.Hash); err != nil {
				return err
			}
			if err := tx.PutEvent(e); err != nil {
				return err
			}
		}
		return tx.MarkEvents(core.EventParked)
	})
	list := func(name string) []core.EventRecord {
		return read(b, func(v core.View) ([]core.EventRecord, error) { return v.NewEvents(Instance, name) })
	}
	b.same("new events, oldest first", list("SO-1"), []core.EventRecord{first, second})
	b.same("event by key", read(b, func(v core.View) (core.EventRecord, error) { return v.EventByKey("shop-b", "k1") }), elsewhere)

	b.do(func(tx core.Tx) error { return tx.MarkEvents(core.EventApplied, first.ID, other.ID) })
	first.State = core.EventApplied
	b.same("what is left", list("SO-1"), []core.EventRecord{second})
	b.same("another sale", list("SO-2"), []core.EventRecord(nil))
	b.same("event", read(b, func(v core.View) (core.EventRecord, error) { return v.Event(first.ID) }), first)
	b.same("all events", read(b, func(v core.View) ([]core.EventRecord, error) { return v.EventsOf(Instance, "SO-1") }), []core.EventRecord{first, second})
	b.missing("event", func(v core.View) error { _, err := v.Event("none"); return err })
	b.missing("event by key", func(v core.View) error { _, err := v.EventByKey(Instance, "none"); return err })
}

func eventKeys(b *bench) {
	key := strings.Repeat("long key ", 20)
	first, conflict := b.event("SO-1", key, 0), b.event("SO-1", key, time.Second)
	conflict.State, conflict.Hash = core.EventConflict, "other"
	for _, e := range []core.EventRecord{first, conflict} {
		b.do(func(tx core.Tx) error {
			if _, err := tx.Remember(core.DedupeEvent, Instance, key, e.Hash); err != nil {
				return err
			}
			return tx.PutEvent(e)
		})
	}
	b.same("event by key", read(b, func(v core.View) (core.EventRecord, error) { return v.EventByKey(Instance, key) }), first)
}

func cursors(b *bench) {
	cursor := func() []byte { return read(b, func(v core.View) ([]byte, error) { return v.Cursor(Instance) }) }
	if c := cursor(); len(c) != 0 {
		b.Errorf("cursor before the first pull is %q", c)
	}
	for _, c := range []string{"page 1", "page\x002"} {
		b.do(func(tx core.Tx) error { return tx.SetCursor(Instance, []byte(c)) })
		b.same("cursor", string(cursor()), c)
	}
}

func dayCloses(b *bench) {
	d := core.DayClose{Store: Store, Terminal: "T1", BusinessDay: "2026-11-01", Number: "1", Sales: 3, Gross: Yuan("300.00"), Net: Yuan("300.00"), Revision: 1}
	newer := d
	newer.Revision, newer.Gross = 2, Yuan("310.00")
	otherDay := d
	otherDay.BusinessDay = "2026-11-02"
	b.do(func(tx core.Tx) error {
		for _, c := range []core.DayClose{d, newer, otherDay, d} {
			if err := tx.PutDayClose(Instance, c); err != nil {
				return err
			}
		}
		return nil
	})
	got := read(b, func(v core.View) ([]core.DayClose, error) { return v.DayCloses(Store, "2026-11-01") })
	b.same("day closes", got, []core.DayClose{newer, d})
}
