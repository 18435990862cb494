package core_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/core"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// bench applies decisions as a bureau that says yes at once would.
type bench struct {
	t     testing.TB
	story core.Story
	ids   uint64
}

func newBench(t testing.TB) *bench {
	p := core.DefaultPolicy()
	p.Issue = core.OnPaid
	return &bench{t: t, story: core.Story{ID: "SALE", Name: "A-1", Policy: p, Selected: true, FirstSeen: noon,
		Seller: core.Seller{ID: "s", Name: "沙箱商店", TaxNo: "91000000MAKP000145", Type: core.GeneralTaxpayer, Channel: "gm"},
		Mapped: map[string]core.Mapped{}, Covered: map[core.Cover]core.ID{}}}
}

func (b *bench) id() core.ID { b.ids++; return core.MakeID(noon, b.ids) }

// settle decides and executes until there is nothing left to do.
func (b *bench) settle() core.Decision {
	for range 50 {
		d := core.Decide(b.story, noon)
		if len(d.New)+len(d.Drop)+len(d.Nothing) == 0 {
			return d
		}
		b.apply(d)
	}
	b.t.Fatalf("the planner never comes to rest")
	return core.Decision{}
}

func (b *bench) apply(d core.Decision) {
	for _, id := range d.Drop {
		for i := range b.story.Documents {
			if b.story.Documents[i].ID == id {
				b.story.Documents[i].State = core.DocDropped
			}
		}
		for c, by := range b.story.Covered {
			if by == id {
				delete(b.story.Covered, c)
			}
		}
	}
	for _, n := range d.New {
		doc := core.Document{ID: b.id(), Part: n.Part, Color: n.Draft.Invoice().Color, Kind: n.Draft.Invoice().Kind, State: core.DocIssued,
			Number: fmt.Sprintf("%020d", b.ids), Content: n.Draft, Digest: n.Digest, Basis: n.Basis, Original: n.Original}
		b.story.Documents = append(b.story.Documents, doc)
		for _, ref := range n.Covers {
			c := core.Cover{Part: n.Part, PortionRef: ref}
			if by, ok := b.story.Covered[c]; ok {
				b.t.Fatalf("portion %s is covered twice (by %s)", c, by)
			}
			b.story.Covered[c] = doc.ID
		}
	}
	for _, c := range d.Nothing {
		b.story.Covered[c] = ""
	}
}

// left sums blue − red per sale line: gross and tax.
func (b *bench) left() map[string][2]core.Yuan {
	out := map[string][2]core.Yuan{}
	for _, d := range b.story.Documents {
		if d.State != core.DocIssued {
			continue
		}
		for _, l := range d.Content.Invoice().Lines {
			v := out[l.SaleLine]
			out[l.SaleLine] = [2]core.Yuan{v[0].Add(l.Gross), v[1].Add(l.Tax)}
		}
	}
	return out
}

func saleOf(lines ...core.SaleLine) *core.Sale {
	s := &core.Sale{Number: "A-1", Store: "S1", Kind: core.Order, Status: core.Paid, Currency: "CNY", PaidAt: noon, Lines: lines,
		Revision: core.Revision{At: noon}}
	for _, l := range lines {
		s.Total = s.Total.Add(l.Paid)
	}
	return s
}

func goods(no string, pieces int64, list, paid int64) core.SaleLine {
	return core.SaleLine{No: no, Kind: core.Goods, Name: "保温杯", Unit: "个", Quantity: core.Pieces(pieces), List: core.Fen(list), Paid: core.Fen(paid)}
}

func (b *bench) mapAll(rate int64) {
	for _, l := range b.story.Sale.Lines {
		b.story.Mapped[l.No] = core.Mapped{Code: "1070601000000000000", ShortName: "日用杂品", Rate: core.Percent(rate)}
	}
}

// Three discounted pieces with shipping, refunded one after the other to zero: the tax ends at exactly zero.
func TestThreePartialRefundsToZero(t *testing.T) {
	b := newBench(t)
	ship := core.SaleLine{No: "ship", Kind: core.Shipping, Name: "运费", List: core.Fen(1000), Paid: core.Fen(1000)}
	b.story.Sale = saleOf(goods("1", 3, 29700, 26999), ship)
	b.mapAll(13)
	b.settle()
	amounts := []int64{9000, 9000, 8999}
	for i, a := range amounts {
		r := core.Refund{No: fmt.Sprint(i), State: core.RefundSucceeded, At: noon.Add(time.Duration(i) * time.Hour), Amount: core.Fen(a),
			Portions: []core.Portion{{Line: "1", Kind: core.GoodsQuantity, Quantity: core.Pieces(1), Amount: core.Fen(a)}}}
		if i == 2 {
			r.Amount = core.Fen(a + 1000)
			r.Portions = append(r.Portions, core.Portion{Kind: core.ShippingAmount, Amount: core.Fen(1000)})
		}
		b.story.Refunds = append(b.story.Refunds, r)
		if d := b.settle(); len(d.Problems) > 0 {
			t.Fatalf("refund %d: problems %v", i, d.Problems)
		}
	}
	for line, v := range b.left() {
		if !v[0].IsZero() || !v[1].IsZero() {
			t.Errorf("line %s: %s gross and %s tax are left, want zero", line, v[0], v[1])
		}
	}
	if n := len(b.story.Documents); n != 5 { // blue, two goods, the third goods and its shipping with another reason
		t.Errorf("%d documents, want 5", n)
	}
}

func TestFullRefundIsOneRed(t *testing.T) {
	b := newBench(t)
	b.story.Sale = saleOf(goods("1", 2, 5000, 5000), goods("2", 1, 990, 990))
	b.mapAll(13)
	b.settle()
	b.story.Refunds = []core.Refund{{No: "r", State: core.RefundSucceeded, At: noon, Amount: core.Fen(5990), Portions: []core.Portion{
		{Line: "1", Kind: core.GoodsQuantity, Quantity: core.Pieces(2), Amount: core.Fen(5000)},
		{Line: "2", Kind: core.GoodsQuantity, Quantity: core.Pieces(1), Amount: core.Fen(990)}}}}
	d := b.settle()
	if d.Class != core.ClassNothing || len(b.story.Documents) != 2 {
		t.Fatalf("class %s with %d documents, want nothing_to_invoice with 2", d.Class, len(b.story.Documents))
	}
	if r := b.story.Documents[1].Content.Invoice().Reason; r != core.GoodsReturned {
		t.Errorf("reason %s, want goods_returned", r)
	}
}

// An edit after the invoice replaces it: the whole is reversed, then one smaller blue follows (case N23).
func TestEditAfterIssueReplaces(t *testing.T) {
	b := newBench(t)
	b.story.Sale = saleOf(goods("1", 3, 58970, 58970))
	b.mapAll(13)
	b.settle()
	b.story.Sale = saleOf(goods("1", 1, 21100, 21100))
	if d := b.settle(); d.Class != core.ClassSettled {
		t.Fatalf("class %s, problems %v", d.Class, d.Problems)
	}
	if n := len(b.story.Documents); n != 3 {
		t.Fatalf("%d documents, want blue, red, blue", n)
	}
	if got := b.left()["1"][0]; !got.Equal(core.Fen(21100)) {
		t.Errorf("%s left, want 211.00", got)
	}
	if r := b.story.Documents[1].Content.Invoice().Reason; r != core.WrongData {
		t.Errorf("reason %s, want wrong_data", r)
	}
}

func TestHeldSales(t *testing.T) {
	cases := []struct {
		name   string
		change func(*bench)
		class  core.Class
		code   core.ProblemCode
	}{
		{"unmapped", func(b *bench) { b.story.Mapped = nil; b.story.Unmapped = []core.Unmapped{{Line: "1", Review: "1"}} }, core.ClassHeld, core.ProblemUnmapped},
		{"wrong tax number", func(b *bench) {
			b.story.Sale.Buyer = core.Buyer{Title: "杭州某某有限公司", TaxNo: "91000000MAKP000146"}
		}, core.ClassHeld, core.ProblemBadTaxNo},
		{"company without tax number", func(b *bench) { b.story.Sale.Buyer = core.Buyer{Kind: core.Company, Title: "某某公司"} }, core.ClassHeld, core.ProblemBadTaxNo},
		{"emoji in the title", func(b *bench) { b.story.Sale.Buyer.Title = "小明😀" }, core.ClassHeld, core.ProblemBadTitle},
		{"bidi override in the title", func(b *bench) { b.story.Sale.Buyer.Title = "abc\u202e" }, core.ClassHeld, core.ProblemBadTitle},
		{"sums differ", func(b *bench) { b.story.Sale.Total = core.Fen(1) }, core.ClassHeld, core.ProblemSumsDiffer},
		{"foreign money", func(b *bench) { b.story.Sale.Currency = "USD" }, core.ClassHeld, core.ProblemCurrency},
		{"points", func(b *bench) { b.story.Sale.Tenders = []core.Tender{{Kind: core.Points, Amount: core.Fen(100)}} }, core.ClassHeld, core.ProblemTender},
		{"unpaid", func(b *bench) { b.story.Sale.PaidAt = time.Time{} }, core.ClassUnpaid, ""},
		{"cancelled", func(b *bench) { b.story.Sale.Status = core.Cancelled }, core.ClassCancelled, ""},
		{"on request", func(b *bench) { b.story.Policy.Issue = core.OnRequest }, core.ClassNotAsked, ""},
		{"not selected", func(b *bench) { b.story.Selected = false }, core.ClassManual, ""},
		{"voided", func(b *bench) { b.story.Sale.Status = core.Voided }, core.ClassNothing, ""},
		{"issued elsewhere", func(b *bench) { b.story.Sale.InvoicedElsewhere = "12345678901234567890" }, core.ClassElsewhere, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.story.Sale = saleOf(goods("1", 1, 990, 990))
			b.mapAll(13)
			c.change(b)
			d := core.Decide(b.story, noon)
			if d.Class != c.class || len(d.New) != 0 {
				t.Fatalf("class %s with %d new documents, want %s with none", d.Class, len(d.New), c.class)
			}
			if c.code != "" && (len(d.Problems) == 0 || d.Problems[0].Code != c.code) {
				t.Fatalf("problems %v, want %s", d.Problems, c.code)
			}
		})
	}
}

// Whatever the order in which refunds and edits come, and whatever the bureau had issued meanwhile, the same is left
// per line, every portion is covered once, and nothing is negative.
func TestAnyOrderGivesTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(rt, "lines")
		var lines []core.SaleLine
		for i := range n {
			paid := rapid.Int64Range(1, 99999).Draw(rt, "paid")
			list := paid + rapid.Int64Range(0, 5000).Draw(rt, "discount")
			lines = append(lines, goods(fmt.Sprint(i), rapid.Int64Range(1, 9).Draw(rt, "pieces"), list, paid))
		}
		rate := rapid.SampledFrom([]int64{13, 9, 6, 3, 1, 0}).Draw(rt, "rate")
		refunds := drawRefunds(rt, lines)
		var want map[string][2]core.Yuan
		for range 3 {
			b := newBench(t)
			sale := saleOf(lines...)
			order := rapid.Permutation(refunds).Draw(rt, "order")
			saleAt := rapid.IntRange(0, len(order)).Draw(rt, "sale at")
			for i := 0; i <= len(order); i++ {
				if i == saleAt {
					b.story.Sale = sale
					b.mapAll(rate)
				}
				if rapid.Bool().Draw(rt, "look") {
					b.settle()
				}
				if i < len(order) {
					b.story.Refunds = append(b.story.Refunds, order[i])
				}
			}
			d := b.settle()
			if len(d.Problems) > 0 {
				rt.Fatalf("problems: %v", d.Problems)
			}
			balance := core.BalanceOf(b.story)
			if !balance.Expected().Equal(balance.Actual()) {
				rt.Fatalf("expected %s, actual %s", balance.Expected(), balance.Actual())
			}
			got := b.left()
			for line, v := range got {
				if v[0].Sign() < 0 || v[1].Sign() < 0 || (v[0].IsZero() && !v[1].IsZero()) {
					rt.Fatalf("line %s: %s gross, %s tax left", line, v[0], v[1])
				}
			}
			if want == nil {
				want = got
			}
			for _, l := range lines {
				if !want[l.No][0].Equal(got[l.No][0]) {
					rt.Fatalf("line %s: %s left in one order, %s in another", l.No, want[l.No][0], got[l.No][0])
				}
			}
		}
	})
}

// drawRefunds draws refunds of all four shapes that together do not exceed the sale.
func drawRefunds(rt *rapid.T, lines []core.SaleLine) []core.Refund {
	left := int64(0)
	room := map[string]int64{}
	for _, l := range lines {
		left += l.Paid.Fen()
		room[l.No] = l.Paid.Fen()
	}
	var out []core.Refund
	for i := range rapid.IntRange(0, 4).Draw(rt, "refunds") {
		r := core.Refund{No: fmt.Sprint("r", i), State: core.RefundSucceeded, At: noon.Add(time.Duration(i) * time.Minute)}
		for range rapid.IntRange(1, 2).Draw(rt, "portions") {
			if left == 0 {
				break
			}
			l := rapid.SampledFrom(lines).Draw(rt, "line")
			kind := rapid.SampledFrom([]core.PortionKind{core.GoodsQuantity, core.GoodsAmount, core.MoneyOnly}).Draw(rt, "kind")
			p := core.Portion{Line: l.No, Kind: kind}
			limit := min(left, room[l.No])
			if kind == core.MoneyOnly {
				p.Line, limit = "", left
			}
			if limit == 0 {
				continue
			}
			a := rapid.Int64Range(1, limit).Draw(rt, "amount")
			if kind == core.GoodsQuantity {
				p.Quantity = core.Pieces(1)
			}
			p.Amount = core.Fen(a)
			left -= a
			if p.Line != "" {
				room[l.No] -= a
			}
			r.Portions, r.Amount = append(r.Portions, p), r.Amount.Add(p.Amount)
		}
		if len(r.Portions) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// 9.90 yuan at 13 % refunded in thirty steps of 0.33: rounding each red by itself would give back more tax than the
// invoice has at step 29.
func TestManySmallRefundsNeverOvershoot(t *testing.T) {
	b := newBench(t)
	b.story.Sale = saleOf(goods("1", 1, 990, 990))
	b.mapAll(13)
	b.settle()
	for i := range 30 {
		b.story.Refunds = append(b.story.Refunds, core.Refund{No: fmt.Sprintf("%02d", i), State: core.RefundSucceeded,
			At: noon.Add(time.Duration(i) * time.Minute), Amount: core.Fen(33), Portions: []core.Portion{{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(33)}}})
		if d := b.settle(); len(d.Problems) > 0 {
			t.Fatalf("step %d: %v", i+1, d.Problems)
		}
		left := b.left()["1"]
		want := core.Fen(114).Sub(core.Cumulative(core.Fen(114), core.Fen(990), core.Fen(33*int64(i+1))))
		if !left[1].Equal(want) {
			t.Fatalf("step %d: %s tax left of %s gross, want %s", i+1, left[1], left[0], want)
		}
	}
	if left := b.left()["1"]; !left[0].IsZero() || !left[1].IsZero() {
		t.Fatalf("%s gross and %s tax are left", left[0], left[1])
	}
}
