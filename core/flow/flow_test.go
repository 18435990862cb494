package flow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
)

// One paid order through everything: stored, mapped, issued, its files fetched, delivered.
func TestPaidOrderIsDelivered(t *testing.T) {
	w := newWorld(t)
	w.push("req-1", order("A-1", w.clock.Now(), 3, 29700, 26999, 1000))
	w.run(time.Minute)
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassSettled || len(docs) != 1 || len(problems) != 0 {
		t.Fatalf("class %s, %d documents, problems %v\n%s", rec.Class, len(docs), problems, w.log)
	}
	if docs[0].Gross.String() != "279.99" || len(docs[0].Number) != 20 {
		t.Errorf("invoice %s of %s", docs[0].Number, docs[0].Gross)
	}
	if len(w.mail.sent) != 1 || len(w.mail.sent[0].Files) != 3 || w.mail.sent[0].Email.Clear() != "zhang@example.com" {
		t.Fatalf("delivered %d parcels", len(w.mail.sent))
	}
	if _, ok := core.NormalPickUpCode(w.mail.sent[0].PickUp); !ok {
		t.Errorf("pick-up code %q", w.mail.sent[0].PickUp)
	}
}

func TestDuplicatesAndConflicts(t *testing.T) {
	w := newWorld(t)
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	if r := w.push("req-1", e); r.Result != flow.Stored {
		t.Fatalf("first: %s", r.Result)
	}
	if r := w.push("req-1", e); r.Result != flow.Duplicate {
		t.Errorf("the same again: %s", r.Result)
	}
	if r := w.push("req-2", e); r.Result != flow.Duplicate {
		t.Errorf("the same event in another delivery: %s", r.Result)
	}
	other := order("A-1", w.clock.Now(), 1, 9900, 9900, 0)
	if r := w.push("req-1", other); r.Result != flow.Conflict {
		t.Errorf("the same request id with other content: %s", r.Result)
	}
	w.clock.Advance(400 * 24 * time.Hour)
	if r := w.push("req-1", e); r.Result != flow.Duplicate {
		t.Errorf("400 days later: %s", r.Result)
	}
	w.run(time.Minute)
	if l := w.ledger(); len(l.Invoices) != 1 || l.Invoices[0].Gross != "50.00" {
		t.Errorf("the bureau has %v", l.Invoices)
	}
}

// Three partial refunds to zero end at zero gross and zero tax at the bureau.
func TestPartialRefundsToZero(t *testing.T) {
	w := newWorld(t)
	w.push("o", order("A-1", w.clock.Now(), 3, 29700, 26999, 1000))
	w.run(time.Minute)
	for i, a := range []int64{9000, 9000, 8999} {
		w.clock.Advance(time.Hour)
		portions := []core.Portion{pieces("1", 1, a)}
		if i == 2 {
			portions = append(portions, core.Portion{Kind: core.ShippingAmount, Amount: core.Fen(1000)})
		}
		w.push("r"+string(rune('0'+i)), refund("A-1", "R"+string(rune('0'+i)), w.clock.Now(), portions...))
		w.run(10 * time.Minute)
	}
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassNothing || len(problems) > 0 {
		t.Fatalf("class %s, problems %v\n%s", rec.Class, problems, w.log)
	}
	var gross, tax core.Yuan
	for _, i := range w.ledger().Invoices {
		g, _ := core.ParseYuan(i.Gross)
		x, _ := core.ParseYuan(i.Tax)
		gross, tax = gross.Add(g), tax.Add(x)
	}
	if !gross.IsZero() || !tax.IsZero() {
		t.Errorf("the bureau is left with %s gross and %s tax; documents %d", gross, tax, len(docs))
	}
}

func TestRefundBeforeOrder(t *testing.T) {
	w := newWorld(t)
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(time.Minute)
	w.clock.Advance(25 * time.Hour)
	w.run(time.Minute)
	if _, _, problems := w.sale("A-1"); len(problems) != 1 || problems[0].Code != core.ProblemWaitingForOrder {
		t.Fatalf("after a day: problems %v", problems)
	}
	w.push("o", order("A-1", w.clock.Now(), 3, 15000, 15000, 0))
	w.run(time.Minute)
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassSettled || len(problems) != 0 || len(docs) != 1 || docs[0].Gross.String() != "100.00" {
		t.Fatalf("class %s, documents %v, problems %v", rec.Class, docs, problems)
	}
}

// The answer is lost after the bureau has issued: the query finds the invoice, and there is one.
func TestTimeoutAfterIssue(t *testing.T) {
	w := newWorld(t)
	w.control("/sandbox/settings", map[string]any{"duplicate_detection": false})
	w.control("/sandbox/faults", map[string]any{"kind": "timeout_after", "op": "issue", "times": 1, "hold": "10s"})
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(time.Minute)
	rec, docs, _ := w.sale("A-1")
	if rec.Class != core.ClassSettled || docs[0].State != core.DocIssued {
		t.Fatalf("class %s, document %s", rec.Class, docs[0].State)
	}
	if l := w.ledger(); len(l.Invoices) != 1 {
		t.Fatalf("the bureau has %d invoices", len(l.Invoices))
	}
}

// Nothing was taken, but nobody knows: only after two "not found" and the grace is the same serial sent again.
func TestTimeoutBeforeIssue(t *testing.T) {
	w := newWorld(t)
	w.control("/sandbox/faults", map[string]any{"kind": "timeout_before", "op": "issue", "times": 1, "hold": "10s"})
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(5 * time.Minute)
	if _, docs, _ := w.sale("A-1"); docs[0].State != core.DocUnsure {
		t.Fatalf("within the grace the document is %s", docs[0].State)
	}
	w.run(15 * time.Minute)
	if _, docs, _ := w.sale("A-1"); len(docs) != 1 || docs[0].State != core.DocIssued {
		t.Fatalf("after the grace: %v", docs)
	}
	if l := w.ledger(); len(l.Invoices) != 1 {
		t.Fatalf("the bureau has %d invoices", len(l.Invoices))
	}
}

func TestBusyIsTriedAgainWithTheSameSerial(t *testing.T) {
	w := newWorld(t)
	w.control("/sandbox/faults", map[string]any{"kind": "busy", "op": "issue", "times": 4})
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(time.Hour)
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassSettled || len(docs) != 1 || len(problems) != 0 {
		t.Fatalf("class %s, %d documents, problems %v", rec.Class, len(docs), problems)
	}
}

func TestUnmappedProductIsHeldAndReleased(t *testing.T) {
	w := newWorld(t)
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	e.Sale.Lines[0].SKU, e.Sale.Lines[0].Name = "MYSTERY", "某某未知商品"
	w.push("o", e)
	w.run(time.Minute)
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassHeld || len(docs) != 0 || len(problems) != 1 || problems[0].Code != core.ProblemUnmapped {
		t.Fatalf("class %s, %d documents, problems %v", rec.Class, len(docs), problems)
	}
	n, err := w.flow.AnswerReview(context.Background(), "tester", core.ID(problems[0].Subject), "1060512990000000000", "")
	if err != nil || n != 1 {
		t.Fatalf("answer released %d sales, %v", n, err)
	}
	w.run(time.Minute)
	if rec, _, problems = w.sale("A-1"); rec.Class != core.ClassSettled || len(problems) != 0 {
		t.Fatalf("after the answer: class %s, problems %v", rec.Class, problems)
	}
}

func TestWrongTaxNumberIsHeldAndCorrected(t *testing.T) {
	w := newWorld(t)
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	e.Sale.Buyer = core.Buyer{Title: "杭州某某有限公司", TaxNo: "91000000MAKP000146", Email: "fin@example.com"}
	w.push("o", e)
	w.run(time.Minute)
	rec, _, problems := w.sale("A-1")
	if rec.Class != core.ClassHeld || len(problems) != 1 || problems[0].Code != core.ProblemBadTaxNo {
		t.Fatalf("class %s, problems %v", rec.Class, problems)
	}
	if strings.Contains(problems[0].Detail, "91000000MAKP000146") {
		t.Error("the problem shows the tax number in clear")
	}
	if err := w.flow.SetBuyer(context.Background(), "tester", rec.ID, flow.BuyerChange{TaxNo: w.book.seller.TaxNo.Clear()}); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if rec, _, _ = w.sale("A-1"); rec.Class != core.ClassSettled {
		t.Fatalf("after the correction: %s", rec.Class)
	}
}

// A company that books its invoices must agree to the red: it waits, and a second refund is queued behind it.
func TestRedWaitsForBuyer(t *testing.T) {
	w := newWorld(t)
	company := w.book.seller.TaxNo.Clear()
	w.control("/sandbox/buyers", map[string]any{"tax_no": company, "books": true})
	e := order("A-1", w.clock.Now(), 3, 15000, 15000, 0)
	e.Sale.Buyer = core.Buyer{Title: "沙箱买方有限公司", TaxNo: core.TaxNo(company), Email: "fin@example.com"}
	w.push("o", e)
	w.run(time.Minute)
	w.push("r1", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(10 * time.Minute)
	rec, docs, _ := w.sale("A-1")
	if rec.Class != core.ClassWaitingBuyer || len(docs) != 2 || docs[1].Confirmation.State != core.ConfWaitsForBuyer {
		t.Fatalf("class %s, documents %d", rec.Class, len(docs))
	}
	w.push("r2", refund("A-1", "R2", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(10 * time.Minute)
	if _, docs, _ = w.sale("A-1"); len(docs) != 2 {
		t.Fatalf("the second refund was not queued: %d documents", len(docs))
	}
	w.control("/sandbox/confirmations/"+docs[1].Confirmation.UUID, map[string]any{"act": "agree"})
	w.run(30 * time.Minute)
	_, docs, _ = w.sale("A-1")
	if docs[1].State != core.DocIssued || len(docs) != 3 {
		t.Fatalf("after the buyer agreed: %s, %d documents", docs[1].State, len(docs))
	}
	w.control("/sandbox/confirmations/"+docs[2].Confirmation.UUID, map[string]any{"act": "refuse"})
	w.run(30 * time.Minute)
	if rec, _, problems := w.sale("A-1"); rec.Class != core.ClassHeld || len(problems) != 1 || problems[0].Code != core.ProblemConfirmationDead {
		t.Fatalf("after the buyer refused: class %s, problems %v", rec.Class, problems)
	}
}

func TestEmailFailsAndSMSTakesOver(t *testing.T) {
	w := newWorld(t)
	w.mail.answer = func(p core.Parcel) core.DeliveryReceipt {
		if p.Email != "" {
			return core.DeliveryReceipt{Outcome: core.DeliveryRejected, Reason: "no such user"}
		}
		return core.DeliveryReceipt{Outcome: core.DeliverySent}
	}
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	e.Sale.Buyer.Mobile = "+86 138-0013-8000"
	w.push("o", e)
	w.run(time.Minute)
	if len(w.mail.sent) != 2 || w.mail.sent[1].Mobile.Clear() != "13800138000" || len(w.mail.sent[1].Files) != 0 {
		t.Fatalf("sent %d parcels", len(w.mail.sent))
	}
}

func TestUnknownDeliveryIsTrackedBeforeAnyResend(t *testing.T) {
	for _, c := range []struct {
		track core.Tracking
		sends int
		code  core.ProblemCode
	}{{core.TrackSent, 1, ""}, {core.TrackNotSent, 2, ""}, {core.TrackUnknown, 1, core.ProblemDeliveryUnknown}} {
		t.Run(string(c.track), func(t *testing.T) {
			w := newWorld(t)
			w.mail.track = c.track
			first := true
			w.mail.answer = func(core.Parcel) core.DeliveryReceipt {
				if first {
					first = false
					return core.DeliveryReceipt{Outcome: core.DeliveryUnknown}
				}
				return core.DeliveryReceipt{Outcome: core.DeliverySent}
			}
			e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
			e.Sale.Buyer.Email, e.Sale.Buyer.Mobile = "", "13800138000"
			w.push("o", e)
			w.run(2 * time.Hour)
			_, _, problems := w.sale("A-1")
			if len(w.mail.sent) != c.sends {
				t.Errorf("%d sends, want %d", len(w.mail.sent), c.sends)
			}
			if (c.code == "") != (len(problems) == 0) || (c.code != "" && problems[0].Code != c.code) {
				t.Errorf("problems %v, want %q", problems, c.code)
			}
		})
	}
}

func TestQuotaPausesTheSellerOnly(t *testing.T) {
	w := newWorld(t)
	seller := map[string]any{"tax_no": w.book.seller.TaxNo.Clear(), "type": "general", "quota": "10.00"}
	w.control("/sandbox/sellers", seller)
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(10 * time.Second)
	if _, docs, _ := w.sale("A-1"); docs[0].State != core.DocReady {
		t.Fatalf("document is %s", docs[0].State)
	}
	open := w.problems(core.ProblemQuota)
	if len(open) != 1 {
		t.Fatalf("problems %v", open)
	}
	seller["quota"] = "100000.00"
	w.control("/sandbox/sellers", seller)
	w.run(10 * time.Minute)
	if _, docs, _ := w.sale("A-1"); docs[0].State != core.DocIssued || len(w.problems(core.ProblemQuota)) != 0 {
		t.Fatalf("after more quota: %s", docs[0].State)
	}
}

func (w *world) problems(code core.ProblemCode) (out []core.Problem) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(v core.View) (err error) {
		out, err = v.Problems(core.ProblemFilter{Code: code, Limit: 10})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestReconcileNamesAnInvoiceMadeAtTheBureau(t *testing.T) {
	w := newWorld(t)
	w.push("o", order("A-1", w.clock.Now(), 1, 11300, 11300, 0))
	w.run(time.Minute)
	r, err := w.flow.Reconcile(context.Background(), w.clock.Now().AddDate(0, 0, -35), true)
	if err != nil || len(r.Differences) != 0 || r.Ledger != 1 {
		t.Fatalf("books differ from the start: %+v, %v", r, err)
	}
}

// A day close is compared with the receipts of its till and store; a late receipt makes it agree.
func TestDayCloseIsCompared(t *testing.T) {
	w := newWorld(t)
	receipt := func(n string) core.Event {
		e := order("S01/T1/2026-11-25/"+n, w.clock.Now(), 1, 5000, 5000, 0)
		e.Sale.Kind, e.Sale.Receipt = core.Receipt, &core.ReceiptRef{Terminal: "T1", BusinessDay: "2026-11-25", Number: n}
		return e
	}
	w.push("r1", receipt("1"))
	w.push("z", core.Event{Key: "z1", Kind: core.EventDayClose, DayClose: &core.DayClose{Store: "S01", Terminal: "T1", BusinessDay: "2026-11-25",
		Sales: 2, Gross: core.Fen(10000), Net: core.Fen(10000), Revision: 1}})
	w.run(time.Minute)
	for _, want := range []int{1, 0} {
		r, err := w.flow.Reconcile(context.Background(), w.clock.Now().AddDate(0, 0, -35), false)
		if err != nil || len(r.Differences) != want || len(w.problems(core.ProblemDayClose)) != want {
			t.Fatalf("want %d differences: %+v, problems %v, %v", want, r.Differences, w.problems(core.ProblemDayClose), err)
		}
		w.push("r2", receipt("2"))
		w.run(time.Minute)
	}
}

// A refund that was fetched and that a later fetch no longer brings was deleted (case N11). What was reversed for it
// is a problem, never silence; a fetch that says nothing new stores nothing.
func TestRefundVanishesAtThePlatform(t *testing.T) {
	w := newWorld(t)
	at := w.clock.Now()
	fetchedAt := func() time.Time { return w.clock.Now() }
	withRefund := true
	w.source.fetch = func(string) core.Fetched {
		e := order("A-1", at, 3, 15000, 15000, 0)
		e.Sale.Revision.Fetched = fetchedAt()
		out := core.Fetched{Events: []core.Event{e}}
		if withRefund {
			r := refund("A-1", "R1", at, pieces("1", 1, 5000))
			r.Refund.Revision.Fetched = fetchedAt()
			out.Events = append(out.Events, r)
		}
		return out
	}
	fetch := func(key string) {
		w.push(key, core.Event{Key: key, Kind: core.EventRef, OrderNo: "A-1"})
		w.run(10 * time.Minute)
		w.clock.Advance(time.Hour)
	}
	fetch("ref-1")
	withRefund = true
	fetch("ref-2")
	events := func() (n int) {
		err := w.store.View(context.Background(), func(v core.View) error {
			all, err := v.EventsOf("web", "A-1")
			for _, e := range all {
				if e.Kind != core.EventRef {
					n++
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := events(); n != 2 {
		t.Errorf("two fetches of the same stored %d events, want 2", n)
	}
	withRefund = false
	fetch("ref-3")
	if _, _, problems := w.sale("A-1"); len(problems) != 1 || problems[0].Code != core.ProblemRefundWithdrawn {
		t.Fatalf("problems %v, want refund_withdrawn_after_red", problems)
	}
}

// The nightly comparison keeps its place: with a lease that is over at once it takes a turn for each page, and still
// ends and finds what differs.
func TestNightlyComparisonTakesTurns(t *testing.T) {
	w := newWorld(t)
	w.flow.Schedule.Lease = 0
	for i := range 250 {
		w.push(fmt.Sprint("o", i), order(fmt.Sprint("A-", i), w.clock.Now(), 1, 5000, 5000, 0))
	}
	w.book.policy.Issue = core.OnRequest
	w.run(time.Minute)
	enqueue := core.Task{ID: "NIGHT", Kind: core.TaskReconcile, Lane: core.LaneSystem, Key: "cron:reconcile", RunAt: w.clock.Now(), EnqueuedAt: w.clock.Now()}
	if err := w.store.Do(context.Background(), "tick", func(tx core.Tx) error { return tx.Enqueue(enqueue) }); err != nil {
		t.Fatal(err)
	}
	turns := 0
	for {
		var tasks []core.Task
		err := w.store.Do(context.Background(), "claim", func(tx core.Tx) (err error) {
			tasks, err = tx.Claim(core.Claimant{Owner: "test", Now: w.clock.Now(), Lease: time.Minute, Max: 1})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(tasks) == 0 {
			break
		}
		if turns++; turns > 10 {
			t.Fatal("the comparison never ends")
		}
		w.clock.Advance(time.Second)
		if err := w.flow.ReconcileTask(context.Background(), tasks[0]); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Second)
	}
	if turns != 2 {
		t.Errorf("%d turns for 250 sales, want 2", turns)
	}
}
