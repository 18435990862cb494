package flow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
)

// again is an order's snapshot of a later revision.
func again(e core.Event, later time.Duration, change func(*core.Sale)) core.Event {
	s := *e.Sale
	s.Lines = append([]core.SaleLine(nil), s.Lines...)
	s.Revision.At = s.Revision.At.Add(later)
	change(&s)
	return core.Event{Key: fmt.Sprintf("order:%s@%d", s.Number, s.Revision.At.Unix()), Kind: core.EventSale, OccurredAt: s.Revision.At, Sale: &s}
}

// resize makes the first line of a snapshot so many pieces of so many fen in all.
func resize(pieces, fen int64) func(*core.Sale) {
	return func(s *core.Sale) {
		s.Total = s.Total.Sub(s.Lines[0].Paid).Add(core.Fen(fen))
		s.Lines[0].Quantity, s.Lines[0].Paid, s.Lines[0].List = core.Pieces(pieces), core.Fen(fen), core.Fen(fen)
	}
}

// One refund of several portions: goods, shipping and goodwill. One red for each reason, each portion in one of them.
func TestPortionsOfSeveralReasons(t *testing.T) {
	w := newWorld(t)
	w.push("o", order("A-1", w.clock.Now(), 3, 29700, 26999, 1000))
	w.run(time.Minute)
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 9000), core.Portion{Kind: core.ShippingAmount, Amount: core.Fen(500)},
		core.Portion{Kind: core.MoneyOnly, Amount: core.Fen(333)}))
	w.run(time.Hour)
	w.checkBooks(t, "A-1")
	_, docs, _ := w.sale("A-1")
	reasons := map[string]string{}
	for _, d := range docs[1:] {
		reasons[string(w.content(d).Reason)] = d.Gross.String()
	}
	if fmt.Sprint(reasons) != "map[allowance:-8.33 goods_returned:-90.00]" {
		t.Errorf("reds %v", reasons)
	}
}

// content opens a stored document as the test's vault sealed it.
func (w *world) content(d core.DocumentRecord) core.Invoice {
	w.t.Helper()
	plain, err := plainVault{}.Open(core.Place{Table: "document", Row: string(d.ID), Column: "body"}, d.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var body struct{ Content core.Draft }
	if err := json.Unmarshal(plain, &body); err != nil {
		w.t.Fatal(err)
	}
	return body.Content.Invoice()
}

// A refund that comes while the bureau is still at it is reversed right after the invoice is there (case N12).
func TestRefundWhileIssuing(t *testing.T) {
	w := newWorld(t)
	w.control("/sandbox/settings", map[string]any{"asynchronous": true, "latency": "1h"})
	w.push("o", order("A-1", w.clock.Now(), 3, 15000, 15000, 0))
	w.run(time.Minute)
	if _, docs, _ := w.sale("A-1"); docs[0].State != core.DocAccepted {
		t.Fatalf("document is %s", docs[0].State)
	}
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(time.Minute)
	if rec, docs, _ := w.sale("A-1"); rec.Class != core.ClassIssuing || len(docs) != 1 {
		t.Fatalf("class %s, %d documents while it is issuing", rec.Class, len(docs))
	}
	w.control("/sandbox/settings", map[string]any{"asynchronous": false, "latency": "0s"})
	w.control("/sandbox/clock", map[string]any{"advance": "2h"})
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 2 {
		t.Errorf("%d invoices, want the blue and its red", n)
	}
}

// Edited after its invoice (case N23), then refunded: the old one is reversed, one new one issued and reversed in part.
func TestOrderEditedAfterIssue(t *testing.T) {
	w := newWorld(t)
	e := order("A-1", w.clock.Now(), 3, 58970, 58970, 0)
	w.push("o", e)
	w.run(time.Minute)
	w.push("e", again(e, time.Hour, resize(2, 42200)))
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 3 {
		t.Fatalf("%d invoices, want blue, red, blue", n)
	}
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 21100)))
	w.run(time.Hour)
	w.checkBooks(t, "A-1")
}

// Late repeats after a full refund, the same payload or an older state of the order, issue nothing again (case N3).
func TestLateRepeatsAfterFullRefund(t *testing.T) {
	w := newWorld(t)
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	w.push("o", again(e, time.Hour, func(*core.Sale) {}))
	w.run(time.Minute)
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(time.Hour)
	w.clock.Advance(3 * time.Hour)
	if r := w.push("late", again(e, time.Hour, func(*core.Sale) {})); r.Result != flow.Duplicate {
		t.Errorf("the same payload in another delivery: %s", r.Result)
	}
	w.push("older", e)
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 2 {
		t.Errorf("%d invoices, want the blue and its red", n)
	}
}

// Cancelled is not refunded: before the invoice it waits, after it nothing is reversed.
func TestCancelWithoutRefund(t *testing.T) {
	w := newWorld(t)
	cancel := func(s *core.Sale) { s.Status = core.Cancelled }
	w.push("o1", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(time.Minute)
	w.push("c1", again(order("A-1", w.clock.Now(), 1, 5000, 5000, 0), time.Hour, cancel))
	w.push("c2", again(order("A-2", w.clock.Now(), 1, 5000, 5000, 0), time.Hour, cancel))
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 1 {
		t.Errorf("%d invoices of the order that was cancelled after its invoice, want 1", n)
	}
	if rec, docs, _ := w.sale("A-2"); rec.Class != core.ClassCancelled || len(docs) != 0 {
		t.Errorf("cancelled before: class %s, %d documents", rec.Class, len(docs))
	}
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 2 {
		t.Errorf("%d invoices after its refund, want 2", n)
	}
}

// An invoice made at the bureau's counter, registered here: its order's refunds are reversed through the channel.
func TestRefundOfExternalInvoice(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.book.policy.GoLive = w.clock.Now().Add(time.Hour)
	e := order("A-1", w.clock.Now(), 1, 11300, 11300, 0)
	w.push("o", e)
	w.push("r", refund("A-1", "R1", w.clock.Now(), core.Portion{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(1300)}))
	w.run(time.Minute)
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassElsewhere || len(docs) != 0 || len(problems) != 1 || problems[0].Code != core.ProblemRefundElsewhere {
		t.Fatalf("class %s, %d documents, problems %v", rec.Class, len(docs), problems)
	}
	mapped, err := w.flow.Mapper.Map(ctx, core.MapQuery{Seller: "main", Type: core.GeneralTaxpayer, Store: "S01", Date: w.clock.Now(), Item: core.ItemOf(e.Sale.Lines[0])})
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ Number string }
	err = json.Unmarshal(w.control("/sandbox/invoices", map[string]any{"kind": "02", "drawer": "李四", "net": "100.00", "tax": "13.00", "gross": "113.00",
		"seller": map[string]any{"name": "沙箱商店", "tax_no": w.book.seller.TaxNo.Clear()}, "buyer": map[string]any{"name": "张三", "natural_person": "Y"},
		"lines": []any{map[string]any{"no": 1, "nature": "00", "name": "不锈钢保温杯", "short_name": mapped.Mapped.ShortName, "code": mapped.Mapped.Code,
			"unit": "个", "quantity": "1", "price": "100.00", "net": "100.00", "rate": "0.13", "tax": "13.00", "gross": "113.00"}}}), &made)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.flow.RegisterExternal(ctx, "tester", rec.ID, flow.External{Number: made.Number, IssuedAt: w.clock.Now(), Gross: core.Fen(9900)}); err == nil {
		t.Error("an invoice of another amount was registered")
	}
	if err := w.flow.RegisterExternal(ctx, "tester", rec.ID, flow.External{Number: made.Number, IssuedAt: w.clock.Now(), Gross: core.Fen(11300)}); err != nil {
		t.Fatal(err)
	}
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 2 {
		t.Errorf("%d invoices, want the external one and its red", n)
	}
	w.push("r2", refund("A-1", "R2", w.clock.Now(), core.Portion{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(10000)}))
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 3 {
		t.Errorf("%d invoices after all was refunded, want 3", n)
	}
}

// A refund is taken back after its red: a person is told, and the act to issue makes the books right.
func TestRefundTakenBackAndIssuedAnew(t *testing.T) {
	w := newWorld(t)
	w.push("o", order("A-1", w.clock.Now(), 3, 15000, 15000, 0))
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(time.Hour)
	w.clock.Advance(time.Hour)
	deleted := refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000))
	deleted.Key, deleted.Refund.State = "refund:R1:deleted", core.RefundDeleted
	w.push("d", deleted)
	w.run(time.Hour)
	rec, _, problems := w.sale("A-1")
	if rec.Class != core.ClassHeld || len(problems) != 1 || problems[0].Code != core.ProblemRefundWithdrawn {
		t.Fatalf("class %s, problems %v", rec.Class, problems)
	}
	if err := w.flow.Decide(context.Background(), "tester", rec.ID, core.ActIssue); err != nil {
		t.Fatal(err)
	}
	w.run(time.Hour)
	w.checkBooks(t, "A-1")
}

// The buyer changes the title after the invoice, twice in a row (case N24): red and blue each time.
func TestTitleChangesAfterIssue(t *testing.T) {
	w := newWorld(t)
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(time.Minute)
	change := func(title string) core.Event {
		w.clock.Advance(time.Hour)
		return core.Event{Key: "title:" + title, Kind: core.EventRequest, OccurredAt: w.clock.Now(), Request: &core.InvoiceRequest{ID: "Q1", Sale: "A-1",
			State: core.TitleChanged, Buyer: core.Buyer{Title: title}}}
	}
	w.push("t1", change("王五"))
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 3 {
		t.Fatalf("%d invoices, want 3", n)
	}
	w.push("t2", change("赵六"))
	w.push("t3", change("孙七")) // before anything was done about the second
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 5 {
		t.Fatalf("%d invoices, want 5", n)
	}
	_, docs, _ := w.sale("A-1")
	if last := w.content(docs[4]); last.Buyer.Title != "孙七" || last.Buyer.Email != "zhang@example.com" {
		t.Errorf("the last invoice is addressed to %s", last.Buyer.Title)
	}
}

// A confirmation that nobody answers within 72 hours is applied for once more; when that expires too, a person is told.
func TestConfirmationExpires(t *testing.T) {
	w := newWorld(t)
	company := w.book.seller.TaxNo.Clear()
	w.control("/sandbox/buyers", map[string]any{"tax_no": company, "books": true})
	e := order("A-1", w.clock.Now(), 3, 15000, 15000, 0)
	e.Sale.Buyer = core.Buyer{Title: "沙箱买方有限公司", TaxNo: core.TaxNo(company), Email: "fin@example.com"}
	w.push("o", e)
	w.run(time.Minute)
	w.push("r1", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	for round, want := range []core.Class{core.ClassWaitingBuyer, core.ClassWaitingBuyer, core.ClassHeld} {
		w.run(20 * time.Minute)
		rec, docs, problems := w.sale("A-1")
		if rec.Class != want || (want == core.ClassHeld) != (len(problems) == 1) || len(docs) != min(round, 1)+2 {
			t.Fatalf("round %d: class %s, %d documents, problems %v", round, rec.Class, len(docs), problems)
		}
		if len(problems) == 1 && problems[0].Code != core.ProblemConfirmationExpired {
			t.Fatalf("problem %s", problems[0].Code)
		}
		w.control("/sandbox/clock", map[string]any{"advance": "73h"})
	}
	rec, _, _ := w.sale("A-1")
	if err := w.flow.Retry(context.Background(), "tester", rec.ID); err != nil {
		t.Fatal(err)
	}
	w.run(20 * time.Minute)
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassWaitingBuyer || len(docs) != 4 || len(problems) != 0 {
		t.Fatalf("after the retry: class %s, %d documents, problems %v", rec.Class, len(docs), problems)
	}
	w.control("/sandbox/confirmations/"+docs[3].Confirmation.UUID, map[string]any{"act": "agree"})
	w.run(20 * time.Minute)
	w.checkBooks(t, "A-1")
}

// The bureau refuses a red: a problem, nothing is sent again, and a person's retry sends it under new ids.
func TestRedRefused(t *testing.T) {
	for _, op := range []string{"red_apply", "red_issue"} {
		t.Run(op, func(t *testing.T) {
			w := newWorld(t)
			w.push("o", order("A-1", w.clock.Now(), 3, 15000, 15000, 0))
			w.run(time.Minute)
			w.control("/sandbox/faults", map[string]any{"kind": "code", "op": op, "code": "6003", "message": "确认单状态不符 13800138000", "times": 1})
			w.push("r1", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
			w.run(time.Hour)
			rec, docs, problems := w.sale("A-1")
			if rec.Class != core.ClassHeld || len(docs) != 2 || len(problems) != 1 || problems[0].Code != core.ProblemRedRefused {
				t.Fatalf("class %s, %d documents, problems %v", rec.Class, len(docs), problems)
			}
			if docs[1].Note != "确认单状态不符 138****8000" {
				t.Errorf("note %q", docs[1].Note)
			}
			if op == "red_issue" { // the confirmation of the refused red still holds its amounts
				w.control("/sandbox/confirmations/"+docs[1].Confirmation.UUID, map[string]any{"act": "withdraw"})
			}
			if err := w.flow.Retry(context.Background(), "tester", rec.ID); err != nil {
				t.Fatal(err)
			}
			w.run(time.Hour)
			w.checkBooks(t, "A-1")
		})
	}
}
