package flow_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// dying is a channel whose process is killed between the intent and the send, or right after the send.
type dying struct {
	core.Channels
	sends bool   // the request still leaves
	op    string // of the death; empty: it lives
}

func (d *dying) Channel(id core.ChannelID) (core.Channel, bool) {
	c, ok := d.Channels.Channel(id)
	c.Issuer, c.Reverser = dyingIssuer{c.Issuer, d}, dyingReverser{c.Reverser, d}
	return c, ok
}

// die dies in the channel's place; the hook has committed the intent by then.
func (d *dying) die(ctx context.Context, op core.Operation, before core.Before, send func()) {
	if d.op != string(op) {
		return
	}
	d.op = ""
	if d.sends {
		send()
	} else if err := before(ctx, core.Exchange{Operation: op}); err != nil {
		panic(err)
	}
	panic(killed{})
}

type dyingIssuer struct {
	core.Issuer
	d *dying
}

func (i dyingIssuer) Issue(ctx context.Context, o core.IssueOrder, before core.Before) (core.Answer, error) {
	i.d.die(ctx, core.OpIssue, before, func() { _, _ = i.Issuer.Issue(ctx, o, before) })
	return i.Issuer.Issue(ctx, o, before)
}

type dyingReverser struct {
	core.Reverser
	d *dying
}

func (r dyingReverser) Apply(ctx context.Context, o core.RedOrder, before core.Before) (core.ConfirmationAnswer, error) {
	r.d.die(ctx, core.OpApply, before, func() { _, _ = r.Reverser.Apply(ctx, o, before) })
	return r.Reverser.Apply(ctx, o, before)
}

func (r dyingReverser) IssueRed(ctx context.Context, o core.RedIssueOrder, before core.Before) (core.Answer, error) {
	r.d.die(ctx, core.OpIssueRed, before, func() { _, _ = r.Reverser.IssueRed(ctx, o, before) })
	return r.Reverser.IssueRed(ctx, o, before)
}

// Killed between the intent and the answer, before or after the bytes left: the bureau is asked first, and there is one
// invoice, one confirmation and one red (case N35). The bureau does not notice repeats here.
func TestKilledBetweenIntentAndAnswer(t *testing.T) {
	for _, op := range []core.Operation{core.OpIssue, core.OpApply, core.OpIssueRed} {
		for _, sends := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s sent %v", op, sends), func(t *testing.T) {
				w := newWorld(t)
				w.control("/sandbox/settings", map[string]any{"duplicate_detection": false})
				d := &dying{Channels: w.flow.Channels, sends: sends, op: string(op)}
				w.flow.Channels = d
				w.push("o", order("A-1", w.clock.Now(), 3, 15000, 15000, 0))
				w.run(time.Minute)
				w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
				w.run(time.Minute)
				if d.op != "" {
					t.Fatal("nobody was killed")
				}
				w.clock.Advance(2 * time.Minute) // the lease ends
				w.run(2 * time.Minute)
				w.clock.Advance(time.Minute)
				w.run(time.Hour)
				n, all := w.checkBooks(t, "A-1"), len(w.ledger().Invoices)
				if n != 2 || all != 2 {
					t.Errorf("%d invoices here, %d at the bureau, want the blue and its red", n, all)
				}
			})
		}
	}
}

// One order is larger than what is left of the quota: one problem stays open while the channel is probed; it closes when
// the order goes through.
func TestQuotaProblemDoesNotFlap(t *testing.T) {
	w := newWorld(t)
	seller := map[string]any{"tax_no": w.book.seller.TaxNo.Clear(), "type": "general", "quota": "10.00"}
	w.control("/sandbox/sellers", seller)
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(30 * time.Minute)
	if open, closed := w.problems(core.ProblemQuota), w.closed(core.ProblemQuota); len(open) != 1 || len(closed) != 0 {
		t.Fatalf("after 30 minutes: open %v, closed %v", open, closed)
	}
	seller["quota"] = "1000.00"
	w.control("/sandbox/sellers", seller)
	w.run(30 * time.Minute)
	w.checkBooks(t, "A-1")
	if open := w.problems(core.ProblemQuota); len(open) != 0 {
		t.Errorf("still open: %v", open)
	}
}

func (w *world) closed(code core.ProblemCode) (out []core.Problem) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(v core.View) (err error) {
		out, err = v.Problems(core.ProblemFilter{Code: code, Closed: true, Limit: 10})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// A red that the bureau does not take for long is told of, as a blue is, and goes through by itself.
func TestBusyRedIsToldOf(t *testing.T) {
	w := newWorld(t)
	w.push("o", order("A-1", w.clock.Now(), 3, 15000, 15000, 0))
	w.run(time.Minute)
	w.control("/sandbox/faults", map[string]any{"kind": "busy", "op": "red_apply", "times": 12})
	w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(40 * time.Minute)
	if _, _, problems := w.sale("A-1"); len(problems) != 1 || problems[0].Code != core.ProblemNotTaken {
		t.Fatalf("problems %v", problems)
	}
	w.run(2 * time.Hour)
	w.checkBooks(t, "A-1")
}

// A confirmation that waits is polled; its sale is looked at when something changes, not at each poll.
func TestWaitingConfirmationDoesNotStirItsSale(t *testing.T) {
	w := newWorld(t)
	company := w.book.seller.TaxNo.Clear()
	w.control("/sandbox/buyers", map[string]any{"tax_no": company, "books": true})
	e := order("A-1", w.clock.Now(), 3, 15000, 15000, 0)
	e.Sale.Buyer = core.Buyer{Title: "沙箱买方有限公司", TaxNo: core.TaxNo(company), Email: "fin@example.com"}
	w.push("o", e)
	w.run(time.Minute)
	w.push("r1", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
	w.run(10 * time.Minute)
	before, _, _ := w.sale("A-1")
	w.run(5 * time.Hour)
	if after, _, _ := w.sale("A-1"); after.Version != before.Version || after.Class != core.ClassWaitingBuyer {
		t.Errorf("class %s, written %d times while it waited", after.Class, after.Version-before.Version)
	}
}

// faulty is a channel whose queries fail by script before they are asked.
type faulty struct {
	core.Channels
	err error
}

func (f *faulty) Channel(id core.ChannelID) (core.Channel, bool) {
	c, ok := f.Channels.Channel(id)
	c.Issuer = faultyIssuer{c.Issuer, f}
	return c, ok
}

type faultyIssuer struct {
	core.Issuer
	f *faulty
}

func (i faultyIssuer) Query(ctx context.Context, s core.Seller, serial string) (core.Answer, error) {
	if i.f.err != nil {
		return core.Answer{}, i.f.err
	}
	return i.Issuer.Query(ctx, s, serial)
}

// A task that fails again and again is told of, once; when it works again the problem closes. What was only put off,
// as in a maintenance window, is no failure of the program.
func TestFailingTaskIsToldOfAndCloses(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{"broken": {errors.New("no such table for zhang@example.com"), 1}, "put off": {fmt.Errorf("closed for maintenance: %w", core.ErrUnavailable), 0}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mayFail = true
			channel := &faulty{w.flow.Channels, c.err}
			w.flow.Channels = channel
			w.control("/sandbox/faults", map[string]any{"kind": "reset_after", "op": "issue", "times": 1})
			w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
			w.run(time.Hour)
			open := w.problems(core.ProblemTask)
			if len(open) != c.want || len(w.failed) < 10 {
				t.Fatalf("after %d failures: problems %v", len(w.failed), open)
			}
			if len(open) > 0 && open[0].Detail != "query document "+open[0].Subject[len("query:"):]+": no such table for z***@example.com" {
				t.Errorf("detail %q", open[0].Detail)
			}
			channel.err = nil
			w.run(time.Hour)
			w.checkBooks(t, "A-1")
			if open := w.problems(core.ProblemTask); len(open) != 0 {
				t.Errorf("it works, and still open: %v", open)
			}
		})
	}
}

// A feed that can't be pulled is one problem of its instance, which closes when it can.
func TestPullProblemCloses(t *testing.T) {
	w := newWorld(t)
	info, _ := w.book.Instance("web")
	pull := func() {
		err := w.store.Do(context.Background(), "tick", func(tx core.Tx) error { return tx.Enqueue(w.flow.PullTask(info)) })
		if err != nil {
			t.Fatal(err)
		}
	}
	pull()
	w.run(time.Hour)
	if open := w.problems(core.ProblemFetch); len(open) != 1 || open[0].Subject != "web" {
		t.Fatalf("problems %v", open)
	}
	changed := order("A-1", w.clock.Now(), 1, 4000, 4000, 0)
	w.source.page = &core.Page{Events: []core.Event{order("A-1", w.clock.Now(), 1, 5000, 5000, 0)}, Cursor: []byte("1")}
	w.run(time.Hour)
	if open := w.problems(core.ProblemFetch); len(open) != 0 {
		t.Errorf("still open: %v", open)
	}
	w.source.page.Events = []core.Event{changed} // the same id with other content, on each overlapping page
	for range 3 {
		pull()
		w.run(time.Minute)
	}
	err := w.store.View(context.Background(), func(v core.View) error {
		events, err := v.EventsOf("web", "A-1")
		if len(events) != 2 {
			t.Errorf("%d events stored, want 2", len(events))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A parcel that can't be opened does not hold up the others of its batch.
func TestUnreadableParcelGoesAlone(t *testing.T) {
	w := newWorld(t)
	w.mayFail = true
	var tasks []core.Task
	w.push("o1", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.push("o2", order("A-2", w.clock.Now(), 1, 5000, 5000, 0))
	w.mail.answer = func(core.Parcel) core.DeliveryReceipt {
		return core.DeliveryReceipt{Outcome: core.DeliveryRetry, RetryAfter: time.Hour}
	}
	w.run(30 * time.Minute)
	w.clock.Advance(2 * time.Hour)
	w.mail.answer, w.mail.sent = nil, nil
	_, docs, _ := w.sale("A-1")
	w.flow.Vault = blindVault{w.flow.Vault, string(docs[0].ID)}
	err := w.store.Do(context.Background(), "claim", func(tx core.Tx) (err error) {
		tasks, err = tx.Claim(core.Claimant{Owner: "test", Now: w.clock.Now(), Lease: time.Minute, Max: 10})
		return err
	})
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	if err := w.flow.Deliver(context.Background(), tasks); err != nil {
		t.Fatal(err)
	}
	if len(w.mail.sent) != 1 || w.mail.sent[0].Order != "A-2" {
		t.Errorf("sent %d parcels, want that of A-2", len(w.mail.sent))
	}
}

// blindVault can't open the files of one document.
type blindVault struct {
	core.Vault
	document string
}

func (v blindVault) Open(p core.Place, s core.Sealed) ([]byte, error) {
	if p.Table == "file" && p.Row[:len(v.document)] == v.document {
		return nil, errors.New("the key is gone")
	}
	return v.Vault.Open(p, s)
}

// Sent again by hand to the address that has it already: it goes out once more.
func TestResendToTheSameAddress(t *testing.T) {
	w := newWorld(t)
	w.push("o", order("A-1", w.clock.Now(), 1, 5000, 5000, 0))
	w.run(time.Minute)
	_, docs, _ := w.sale("A-1")
	for i, to := range []string{"zhang@example.com", "zhang@example.com", "li@example.com"} {
		if n, err := w.flow.Resend(context.Background(), "tester", docs[0].ID, to); err != nil || n != 1 {
			t.Fatalf("resend: %d, %v", n, err)
		}
		w.run(time.Minute)
		if len(w.mail.sent) != i+2 || w.mail.sent[i+1].Email.Clear() != to {
			t.Fatalf("%d parcels sent after resend %d", len(w.mail.sent), i)
		}
	}
}

// Two invoices of one sale wait for a busy bureau: the one that goes through closes its own problem, not the other's.
func TestProblemsOfTwoInvoicesAreApart(t *testing.T) {
	w := newWorld(t)
	w.book.policy.MaxGross = core.Fen(10000)
	e := order("A-1", w.clock.Now(), 1, 9000, 9000, 0)
	second := e.Sale.Lines[0]
	second.No, second.Paid, second.List = "2", core.Fen(8000), core.Fen(8000)
	e.Sale.Lines, e.Sale.Total = append(e.Sale.Lines, second), core.Fen(17000)
	w.control("/sandbox/faults", map[string]any{"kind": "busy", "op": "issue", "gross": "90.00", "times": 1000})
	w.control("/sandbox/faults", map[string]any{"kind": "busy", "op": "issue", "gross": "80.00", "times": 12})
	w.push("o", e)
	w.run(3 * time.Hour)
	_, docs, open := w.sale("A-1")
	if len(docs) != 2 || docs[1].State != core.DocIssued || len(open) != 1 || open[0].Document != docs[0].ID {
		t.Fatalf("%d documents, open problems %v", len(docs), open)
	}
	if closed := w.closed(core.ProblemNotTaken); len(closed) != 1 || closed[0].Document != docs[1].ID {
		t.Errorf("closed problems %v", closed)
	}
}

// changing is a channel that lets something happen between the reading of a document and its intent.
type changing struct {
	core.Channels
	happens func()
}

func (c *changing) Channel(id core.ChannelID) (core.Channel, bool) {
	found, ok := c.Channels.Channel(id)
	found.Issuer = changingIssuer{found.Issuer, c}
	return found, ok
}

type changingIssuer struct {
	core.Issuer
	c *changing
}

func (i changingIssuer) Issue(ctx context.Context, o core.IssueOrder, before core.Before) (core.Answer, error) {
	if happens := i.c.happens; happens != nil {
		i.c.happens = nil
		happens()
	}
	return i.Issuer.Issue(ctx, o, before)
}

// A document that is dropped just before its send is not sent, and its task does not hold the lane for a lease.
func TestDroppedJustBeforeTheSend(t *testing.T) {
	w := newWorld(t)
	w.flow.Channels = &changing{w.flow.Channels, func() {
		w.push("r", refund("A-1", "R1", w.clock.Now(), pieces("1", 1, 5000)))
		w.run(0) // the look that the refund calls for
	}}
	w.push("o", order("A-1", w.clock.Now(), 3, 15000, 15000, 0))
	w.run(time.Minute)
	if n := w.checkBooks(t, "A-1"); n != 1 {
		t.Errorf("%d invoices, want one that leaves the refund out", n)
	}
	err := w.store.View(context.Background(), func(v core.View) error {
		lanes, err := v.Lanes()
		for _, l := range lanes {
			if l.Running > 0 {
				t.Errorf("lane %s: %d tasks still run", l.Lane, l.Running)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
