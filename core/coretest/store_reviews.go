package coretest

import (
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var reviewTests = []storeTest{
	{"sales wait for one review of a product", reviewWaits},
	{"a product is its SKU, else its name and spec", reviewIdentity},
	{"rules and their version", rules},
	{"acts are kept in order", acts},
}

func (b *bench) review(item core.Item) core.Review {
	return core.Review{ID: b.ids.New(), Seller: "seller-a", Store: Store, Item: item, Why: "no rule",
		Candidates: []core.Candidate{{Code: "1060512990000000000", Name: "茶杯", ShortName: "日用杂品", Rate: "0.13", Reason: "name"}}, CreatedAt: T0}
}

func (b *bench) putReview(r core.Review, sale core.ID) (id core.ID) {
	b.Helper()
	b.do(func(tx core.Tx) (err error) {
		id, err = tx.PutReview(r, sale)
		return err
	})
	return id
}

func reviewWaits(b *bench) {
	r := b.review(core.Item{SKU: "cup", Name: "茶杯", Kind: core.Goods})
	id := b.putReview(r, "sale 2")
	b.same("id of the first", id, r.ID)
	b.same("id of the next", b.putReview(b.review(r.Item), "sale 1"), id)
	b.same("id of a repeat", b.putReview(b.review(r.Item), "sale 1"), id)
	lonely := b.review(core.Item{SKU: "pot"})
	lonely.Candidates = nil
	b.putReview(lonely, "sale 3")

	r.Waiting, lonely.Waiting = 2, 1
	b.same("review", read(b, func(v core.View) (core.Review, error) { return v.Review(id) }), r)
	list := func(open bool, limit int) []core.Review {
		return read(b, func(v core.View) ([]core.Review, error) { return v.Reviews(open, limit) })
	}
	b.same("open ones, most awaited first", list(true, 10), []core.Review{r, lonely})
	b.same("one of them", list(true, 1), []core.Review{r})

	var waited []core.ID
	b.do(func(tx core.Tx) (err error) {
		waited, err = tx.AnswerReview(id, "1060512990000000000", "王会计", after(time.Hour))
		return err
	})
	b.same("who waited", waited, []core.ID{"sale 1", "sale 2"})
	r.Answer, r.AnsweredBy, r.AnsweredAt, r.Waiting = "1060512990000000000", "王会计", after(time.Hour), 0
	b.same("answered", list(false, 10), []core.Review{r})
	b.same("open", list(true, 10), []core.Review{lonely})
	answer := func(id core.ID) func(core.Tx) error {
		return func(tx core.Tx) error { _, err := tx.AnswerReview(id, "1", "x", T0); return err }
	}
	b.fails(core.ErrConflict, answer(id))
	b.fails(core.ErrNotFound, answer("none"))

	fresh := b.review(r.Item) // the rule was taken away: a new question
	b.same("id of a later question", b.putReview(fresh, "sale 4"), fresh.ID)
}

func reviewIdentity(b *bench) {
	items := []core.Item{{SKU: "a"}, {SKU: "b", Name: "x"}, {Name: "a"}, {Name: "a", Spec: "红"}, {Name: "a红"}}
	seen := map[core.ID]bool{}
	for _, item := range items {
		seen[b.putReview(b.review(item), "sale")] = true
	}
	otherSeller := b.review(items[0])
	otherSeller.Seller = "seller-b"
	seen[b.putReview(otherSeller, "sale")] = true
	if len(seen) != len(items)+1 {
		b.Errorf("%d reviews for %d products", len(seen), len(items)+1)
	}
	renamed := core.Item{SKU: "b", Name: "y", Spec: "other"}
	if id := b.putReview(b.review(renamed), "sale"); !seen[id] {
		b.Error("the same SKU under another name opened a second review")
	}
}

func rules(b *bench) {
	version := func() int64 { return read(b, func(v core.View) (int64, error) { return v.RulesVersion() }) }
	before := version()
	r := core.MapRule{ID: b.ids.New(), Seller: "seller-a", Store: Store, By: "sku", Value: "cup", Code: "1060512990000000000", Preference: core.Exempt,
		From: T0, To: after(time.Hour), Author: "王会计", Confirmed: true, CreatedAt: T0}
	other := core.MapRule{ID: b.ids.New(), Seller: "seller-b"}
	b.do(func(tx core.Tx) error {
		if err := tx.PutRule(r); err != nil {
			return err
		}
		return tx.PutRule(other)
	})
	if version() <= before {
		b.Error("the version did not grow")
	}
	list := func() []core.MapRule {
		return read(b, func(v core.View) ([]core.MapRule, error) { return v.Rules("seller-a") })
	}
	b.same("rules", list(), []core.MapRule{r})
	before = version()
	r.Value, r.To = "pot", time.Time{}
	b.do(func(tx core.Tx) error { return tx.PutRule(r) })
	b.same("changed rule", list(), []core.MapRule{r})
	if version() <= before {
		b.Error("the version did not grow with a change")
	}
}

func acts(b *bench) {
	one := core.ActRecord{ID: b.ids.New(), At: T0, Who: "王会计", Verb: "orders.issue", Subject: "sale", Detail: "detail"}
	two := core.ActRecord{ID: b.ids.New(), At: after(time.Hour), Who: "李主管", Verb: "orders.elsewhere", Subject: "sale"}
	other := core.ActRecord{ID: b.ids.New(), Subject: "another sale"}
	b.do(func(tx core.Tx) error {
		for _, a := range []core.ActRecord{two, other, one} {
			if err := tx.PutAct(a); err != nil {
				return err
			}
		}
		return nil
	})
	b.same("acts", read(b, func(v core.View) ([]core.ActRecord, error) { return v.Acts("sale") }), []core.ActRecord{one, two})
	if err := b.store.Do(b.Context(), "test", func(tx core.Tx) error { return tx.PutAct(one) }); err == nil {
		b.Error("an act was written twice")
	}
}
