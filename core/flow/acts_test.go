package flow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
)

// Two snapshots claim one revision: the first holds until a person says otherwise.
func TestConflictingSnapshots(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	other := again(e, 0, resize(1, 4000))
	other.Key = "other"
	w.push("o", e)
	w.run(time.Minute)
	w.push("c", other)
	stranger := order("A-2", w.clock.Now(), 1, 7000, 7000, 0)
	w.push("x", stranger)
	w.run(time.Minute)
	rec, docs, problems := w.sale("A-1")
	if len(docs) != 1 || len(problems) != 1 || problems[0].Code != core.ProblemRevisionConflict {
		t.Fatalf("%d documents, problems %v", len(docs), problems)
	}
	var strange core.EventRecord
	err := w.store.View(ctx, func(v core.View) (err error) { strange, err = v.EventByKey("web", stranger.Key); return err })
	if err != nil {
		t.Fatal(err)
	}
	if err := w.flow.AcceptSnapshot(ctx, "tester", rec.ID, strange.ID); err == nil {
		t.Error("another order's snapshot was accepted")
	}
	if err := w.flow.AcceptSnapshot(ctx, "tester", rec.ID, core.ID(problems[0].Subject)); err != nil {
		t.Fatal(err)
	}
	w.run(time.Hour)
	if n := w.checkBooks(t, "A-1"); n != 3 {
		t.Errorf("%d invoices, want the first, its red and the accepted one", n)
	}
}

// The same snapshot, once with the store named and once without, is no conflict.
func TestSnapshotWithoutStoreIsTheSame(t *testing.T) {
	w := newWorld(t)
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	nameless := again(e, 0, func(s *core.Sale) { s.Store = "" })
	nameless.Key = "nameless"
	w.push("o", e)
	w.run(time.Minute)
	w.push("n", nameless)
	w.run(time.Minute)
	w.checkBooks(t, "A-1")
}

// One platform order from two sources: the first invoices it, the second asks until a person answers.
func TestOneOrderFromTwoSources(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	named := func(name string) core.Event {
		e := order(name, w.clock.Now(), 1, 5000, 5000, 0)
		e.Sale.Aliases = []core.Alias{{Platform: "taobao", Number: "T-1"}}
		return e
	}
	w.push("o", named("A-1"))
	w.run(time.Minute)
	w.pushTo("pos", "p", named("P-1"))
	w.run(time.Minute)
	rec, docs, problems := w.saleOf("pos", "P-1")
	if rec.Class != core.ClassHeld || len(docs) != 0 || len(problems) != 1 || problems[0].Code != core.ProblemAliasConflict {
		t.Fatalf("class %s, %d documents, problems %v", rec.Class, len(docs), problems)
	}
	if err := w.flow.Decide(ctx, "tester", rec.ID, core.ActElsewhere); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	if rec, docs, problems = w.saleOf("pos", "P-1"); rec.Class != core.ClassElsewhere || len(docs)+len(problems) != 0 {
		t.Errorf("after the answer: class %s, %d documents, problems %v", rec.Class, len(docs), problems)
	}
	w.checkBooks(t, "A-1")
	if l := w.ledger(); len(l.Invoices) != 1 {
		t.Errorf("the bureau has %d invoices", len(l.Invoices))
	}
}

// An authentic request that can't be read is kept; after the plugin is mended its replay issues, once. A source that
// can't sign is believed about references only, also in a replay; a day close comes through.
func TestReplayOfParkedRequest(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	r, err := w.flow.Ingest(ctx, "web", []flow.Inbound{{Raw: core.RawRequest{Method: "POST", Path: "/hooks/x", Body: []byte(`{"odd":1}`), ReceivedAt: w.clock.Now()},
		Parsed: core.Parsed{Verdict: core.Malformed, Authentic: true, RequestKey: "k", Code: "bad_event", Reason: "the total of 13800138000 is odd"}}})
	if err != nil || r[0].Result != flow.Stored {
		t.Fatalf("%v, %v", r, err)
	}
	w.run(time.Minute)
	open := w.problems(core.ProblemMalformed)
	if len(open) != 1 || open[0].Subject != string(r[0].Request) || open[0].Detail != "bad_event: the total of 138****8000 is odd" {
		t.Fatalf("problems %v", open)
	}
	w.source.parse = core.Parsed{Verdict: core.Malformed}
	if _, err := w.flow.Replay(ctx, "tester", r[0].Request); err == nil {
		t.Error("a request that is still malformed was replayed")
	}
	w.source.parse = core.Parsed{Verdict: core.Unverified, Events: []core.Event{order("A-9", w.clock.Now(), 1, 5000, 5000, 0)}}
	if _, err := w.flow.Replay(ctx, "tester", r[0].Request); err != nil {
		t.Fatal(err)
	}
	w.source.parse = core.Parsed{Verdict: core.Accepted, Events: []core.Event{order("A-1", w.clock.Now(), 1, 5000, 5000, 0),
		{Key: "z", Kind: core.EventDayClose, DayClose: &core.DayClose{Store: "S01", BusinessDay: "2026-11-25", Sales: 1, Gross: core.Fen(5000)}}}}
	for range 2 {
		if _, err := w.flow.Replay(ctx, "tester", r[0].Request); err != nil {
			t.Fatal(err)
		}
		w.run(time.Minute)
	}
	w.checkBooks(t, "A-1")
	if l := w.ledger(); len(l.Invoices) != 1 || len(w.problems(core.ProblemMalformed)) != 0 {
		t.Errorf("%d invoices, problems %v", len(l.Invoices), w.problems(core.ProblemMalformed))
	}
	err = w.store.View(ctx, func(v core.View) error {
		if closes, err := v.DayCloses("S01", "2026-11-25"); err != nil || len(closes) != 1 {
			t.Errorf("day closes %v, %v", closes, err)
		}
		if _, err := v.FindSale("web", "A-9"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("an unsigned order became a sale: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A day close under a known id with other numbers is a conflict and changes nothing.
func TestDayCloseConflictChangesNothing(t *testing.T) {
	w := newWorld(t)
	z := func(fen int64) core.Event {
		return core.Event{Key: "z", Kind: core.EventDayClose, DayClose: &core.DayClose{Store: "S01", BusinessDay: "2026-11-25", Gross: core.Fen(fen), Revision: 1}}
	}
	w.push("z1", z(100))
	if r := w.push("z2", z(900)); r.Result != flow.Conflict {
		t.Errorf("other numbers: %s", r.Result)
	}
	err := w.store.View(context.Background(), func(v core.View) error {
		closes, err := v.DayCloses("S01", "2026-11-25")
		if err == nil && (len(closes) != 1 || !closes[0].Gross.Equal(core.Fen(100))) {
			t.Errorf("day closes %+v", closes)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whether points are invoiced is a person's decision; the sale waits for it.
func TestPointsAreAsked(t *testing.T) {
	for rule, want := range map[core.TenderRule]string{core.TenderCounts: "50.00", core.TenderExcluded: "40.00"} {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t)
			e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
			e.Sale.Tenders = []core.Tender{{Kind: core.Cash, Amount: core.Fen(4000)}, {Kind: core.Points, Amount: core.Fen(1000)}}
			w.push("o", e)
			w.run(time.Minute)
			rec, docs, problems := w.sale("A-1")
			if rec.Class != core.ClassHeld || len(docs) != 0 || len(problems) != 1 || problems[0].Code != core.ProblemTender {
				t.Fatalf("class %s, %d documents, problems %v", rec.Class, len(docs), problems)
			}
			if err := w.flow.SetTender(context.Background(), "tester", rec.ID, core.Points, rule); err != nil {
				t.Fatal(err)
			}
			w.run(time.Minute)
			w.checkBooks(t, "A-1")
			if _, docs, _ = w.sale("A-1"); docs[0].Gross.String() != want {
				t.Errorf("invoiced %s, want %s", docs[0].Gross, want)
			}
		})
	}
}

// With a share of 0 every sale is left to a person; the draw is kept, and raising the share touches no earlier sale.
func TestRollOutLeavesSalesToAPerson(t *testing.T) {
	w := newWorld(t)
	w.book.policy.RollOut, w.book.policy.Version = 0, "v0"
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(time.Minute)
	w.book.policy.RollOut, w.book.policy.Version = 100, "v100"
	w.push("r", refund("A-1", "R1", w.clock.Now(), core.Portion{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(500)}))
	w.run(time.Minute)
	rec, docs, problems := w.sale("A-1")
	if rec.Class != core.ClassManual || len(docs)+len(problems) != 0 {
		t.Fatalf("class %s, %d documents, problems %v", rec.Class, len(docs), problems)
	}
	if err := w.flow.Decide(context.Background(), "tester", rec.ID, core.ActIssue); err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	w.checkBooks(t, "A-1")
}

// The policy of the day of payment holds: what was looked at unpaid is fixed when it is paid.
func TestPolicyIsFixedWhenPaid(t *testing.T) {
	w := newWorld(t)
	e := order("A-1", w.clock.Now(), 1, 5000, 5000, 0)
	w.push("o", again(e, 0, func(s *core.Sale) { s.Status, s.PaidAt = core.Unpaid, time.Time{} }))
	w.run(time.Minute)
	if rec, _, _ := w.sale("A-1"); rec.Class != core.ClassUnpaid || rec.Policy != "" {
		t.Fatalf("class %s, policy %q while unpaid", rec.Class, rec.Policy)
	}
	w.book.policy.Issue, w.book.policy.Version = core.OnRequest, "v2"
	w.push("p", again(e, time.Hour, func(*core.Sale) {}))
	w.run(time.Minute)
	w.book.policy.Issue, w.book.policy.Version = core.OnPaid, "v3"
	w.push("q", again(e, 2*time.Hour, func(s *core.Sale) { s.Status = core.Completed }))
	w.run(time.Minute)
	if rec, _, _ := w.sale("A-1"); rec.Class != core.ClassNotAsked || rec.Policy != "v2" {
		t.Errorf("class %s by policy %q, want not_asked by v2", rec.Class, rec.Policy)
	}
}

// A person may change a sale while it is looked at all the time, and a buyer who asked on the page is found by contact.
func TestAmendMeetsOtherWriters(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.book.policy.Issue = core.OnRequest
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.push("q", core.Event{Key: "q", Kind: core.EventRequest, Request: &core.InvoiceRequest{ID: "Q1", Sale: "A-1", State: core.Requested, At: w.clock.Now(),
		Buyer: core.Buyer{Title: "王五", Mobile: "13800138000"}}})
	w.run(time.Minute)
	rec, _, _ := w.sale("A-1")
	if rec.BuyerMobile != "mobile:13800138000" {
		t.Errorf("mobile index %q", rec.BuyerMobile)
	}
	meddled := false
	err := w.flow.Amend(ctx, "tester", "note", "", rec.ID, func(*core.SaleBody) error {
		if meddled {
			return nil
		}
		meddled = true
		return w.flow.Touch(ctx, "other", rec.ID)
	})
	if err != nil {
		t.Error(err)
	}
	if err := w.flow.SetBuyer(ctx, "tester", rec.ID, flow.BuyerChange{Title: "赵六"}); err != nil {
		t.Fatal(err)
	}
	w.run(time.Hour)
	w.checkBooks(t, "A-1")
	_, docs, _ := w.sale("A-1")
	if last := w.content(docs[len(docs)-1]); last.Buyer.Title != "赵六" || last.Buyer.Mobile.Clear() != "13800138000" {
		t.Errorf("the last invoice is addressed to %s", last.Buyer.Title)
	}
}
