package coretest

import (
	"errors"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var saleTests = []storeTest{
	{"a sale is written by whoever read it last", saleVersions},
	{"many writers of one new sale: one wins", saleRace},
	{"a platform's number names one sale", aliases},
	{"refunds replace themselves by number", refunds},
	{"a portion is accounted for once", covers},
	{"lists select and turn pages", saleLists},
	{"policies keep their first content", policies},
}

func (b *bench) saleRecord(name string) core.SaleRecord {
	return core.SaleRecord{ID: b.ids.New(), Instance: Instance, Name: name, Seller: "seller-a", Store: Store, HasSale: true, PaidAt: T0,
		FirstSeen: after(time.Second), Total: Yuan("119.50"), Class: core.ClassIssuing, Policy: "v1", RollOut: 80, Selected: true,
		BuyerTax: "tax-" + name, BuyerMobile: "mobile-" + name, BuyerEmail: "email-" + name, Body: sealed("sale %s", name)}
}

func (b *bench) putSale(r core.SaleRecord) core.SaleRecord {
	b.Helper()
	b.do(func(tx core.Tx) error { return tx.PutSale(r) })
	r.Version++
	return r
}

func saleVersions(b *bench) {
	want := b.putSale(b.saleRecord("SO-1"))
	sale := func() core.SaleRecord {
		return read(b, func(v core.View) (core.SaleRecord, error) { return v.Sale(want.ID) })
	}
	b.same("new sale", sale(), want)

	changed := core.SaleRecord{ID: want.ID, Instance: Instance, Name: "SO-1", Version: want.Version, Seller: "seller-b", Store: "S002",
		Total: Yuan("-0.01"), Class: core.ClassSettled}
	stale := changed
	changed = b.putSale(changed)
	b.same("changed sale", sale(), changed)
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutSale(stale) })

	again := b.saleRecord("SO-1") // another id, the same name
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutSale(again) })
	b.same("after both conflicts", sale(), changed)
	again.Instance = "shop-b"
	b.putSale(again)
	b.missing("sale", func(v core.View) error { _, err := v.FindSale(Instance, "none"); return err })
	b.missing("sale", func(v core.View) error { _, err := v.Sale("none"); return err })
}

func saleRace(b *bench) {
	const n = 32
	records := make([]core.SaleRecord, n)
	for i := range records {
		records[i] = b.saleRecord("SO-1")
	}
	won := 0
	for i, err := range b.race(n, func(i int, tx core.Tx) error { return tx.PutSale(records[i]) }) {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, core.ErrConflict):
			b.Errorf("writer %d: %v", i, err)
		}
	}
	if won != 1 {
		b.Errorf("%d writers inserted the same sale", won)
	}
}

func aliases(b *bench) {
	a := core.Alias{Platform: "taobao", Number: "98765"}
	b.missing("alias", func(v core.View) error { _, err := v.SaleByPlatform(a); return err })
	for _, test := range []struct{ sale, owner core.ID }{{"one", "one"}, {"one", "one"}, {"two", "one"}} {
		b.do(func(tx core.Tx) error {
			owner, err := tx.NameSale(test.sale, a)
			b.same("owner", owner, test.owner)
			return err
		})
	}
	b.same("owner", read(b, func(v core.View) (core.ID, error) { return v.SaleByPlatform(a) }), core.ID("one"))
	b.do(func(tx core.Tx) error {
		owner, err := tx.NameSale("two", core.Alias{Platform: "jd", Number: "98765"})
		b.same("the same number of another platform", owner, core.ID("two"))
		return err
	})
}

func refunds(b *bench) {
	first := Refund("R-2", "SO-1").Goods("1", "1.5", "20.00").State(core.RefundOpened, 1).Build()
	last := Refund("R-2", "SO-1").Goods("1", "1.5", "20.00").Shipping("6.50").State(core.RefundSucceeded, 2).Build()
	other := Refund("R-1", "SO-1").Money("1.00").Build()
	b.do(func(tx core.Tx) error {
		for _, r := range []core.Refund{first, last, other} {
			if err := tx.PutRefund("sale", r); err != nil {
				return err
			}
		}
		return tx.PutRefund("another sale", other)
	})
	b.same("refunds", read(b, func(v core.View) ([]core.Refund, error) { return v.Refunds("sale") }), []core.Refund{other, last})
}

func covers(b *bench) {
	doc := b.document("sale", 0, core.Red)
	cover := func(part int, refund string, index int, document core.ID) core.CoverRecord {
		return core.CoverRecord{Cover: core.Cover{Part: part, PortionRef: core.PortionRef{Refund: refund, Index: index}}, Document: document}
	}
	mine, nothing, others := cover(0, "R-1", 0, doc.ID), cover(0, "R-1", 1, ""), cover(1, "R-1", 0, "other document")
	b.do(func(tx core.Tx) error {
		if err := tx.PutDocument(doc); err != nil {
			return err
		}
		return tx.PutCovers("sale", []core.CoverRecord{mine, nothing, others})
	})
	list := func() []core.CoverRecord {
		return read(b, func(v core.View) ([]core.CoverRecord, error) { return v.Covers("sale") })
	}
	b.same("covers", list(), []core.CoverRecord{mine, nothing, others})
	b.do(func(tx core.Tx) error { return tx.PutCovers("sale", []core.CoverRecord{mine, nothing}) })
	b.fails(core.ErrConflict, func(tx core.Tx) error {
		return tx.PutCovers("sale", []core.CoverRecord{cover(0, "R-1", 0, "third document")})
	})
	b.do(func(tx core.Tx) error { return tx.Uncover(doc.ID) })
	b.same("after uncovering", list(), []core.CoverRecord{nothing, others})
	b.do(func(tx core.Tx) error {
		return tx.PutCovers("sale", []core.CoverRecord{cover(0, "R-1", 0, "third document")})
	})
}

func saleLists(b *bench) {
	var ids []core.ID
	var records []core.SaleRecord
	for i := range 23 {
		r := b.saleRecord(numbered("SO", i))
		if i%2 == 1 {
			r.Store = "S002"
		}
		if i%3 == 0 {
			r.Class = core.ClassHeld
		}
		if i%5 == 0 {
			r.BuyerMobile = "the person"
		}
		if i == 7 {
			r.BuyerTax, r.Instance = "the person", "shop-b"
		}
		records, ids = append(records, b.putSale(r)), append(ids, r.ID)
	}
	list := func(f core.SaleFilter) []core.ID {
		return pages(b, 4, func(v core.View, after core.ID, limit int) ([]core.SaleRecord, error) {
			f.After, f.Limit = after, limit
			return v.Sales(f)
		}, func(r core.SaleRecord) core.ID { return r.ID })
	}
	selected := func(keep func(i int) bool) []core.ID {
		var out []core.ID
		for i, id := range ids {
			if keep(i) {
				out = append(out, id)
			}
		}
		return newestFirst(out)
	}
	b.same("all", list(core.SaleFilter{}), newestFirst(ids))
	b.same("by store", list(core.SaleFilter{Store: "S002"}), selected(func(i int) bool { return i%2 == 1 }))
	b.same("by class", list(core.SaleFilter{Class: core.ClassHeld}), selected(func(i int) bool { return i%3 == 0 }))
	b.same("by instance", list(core.SaleFilter{Instance: "shop-b"}), []core.ID{ids[7]})
	b.same("by person", list(core.SaleFilter{Person: "the person"}), selected(func(i int) bool { return i%5 == 0 || i == 7 }))
	b.same("by both", list(core.SaleFilter{Store: Store, Class: core.ClassHeld}), selected(func(i int) bool { return i%6 == 0 }))
	b.same("by name", list(core.SaleFilter{Name: "SO-011"}), []core.ID{ids[11]})
	b.same("by a name nobody has", list(core.SaleFilter{Name: "SO"}), []core.ID(nil))
	b.do(func(tx core.Tx) error {
		_, err := tx.NameSale(ids[11], core.Alias{Platform: "taobao", Number: "98765"})
		return err
	})
	b.same("by a platform's name", list(core.SaleFilter{Name: "98765"}), []core.ID{ids[11]})
	whole := read(b, func(v core.View) ([]core.SaleRecord, error) { return v.Sales(core.SaleFilter{Name: "SO-011"}) })
	b.same("a whole record", whole, records[11:12])
}

func policies(b *bench) {
	b.missing("policy", func(v core.View) error { _, err := v.PolicyJSON("v1"); return err })
	for range 2 {
		b.do(func(tx core.Tx) error { return tx.PutPolicy("v1", []byte(`{"issue":"on_paid"}`)) })
	}
	b.same("policy", string(read(b, func(v core.View) ([]byte, error) { return v.PolicyJSON("v1") })), `{"issue":"on_paid"}`)
}
