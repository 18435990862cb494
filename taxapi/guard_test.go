package taxapi_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/taxapi"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	zone   = time.FixedZone("CST", 8*60*60)
	start  = time.Date(2026, 11, 25, 9, 0, 0, 0, zone)
	acme   = core.Seller{ID: "acme", TaxNo: "91310000MA1TEST01X"}
	other  = core.Seller{ID: "other", TaxNo: "91310000MA1TEST02Y"}
	serial = "01KAV3XTM00000000001"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// bureau is a channel that answers what it is told to and counts its calls.
type bureau struct {
	outcome core.Outcome
	refusal core.Refusal
	err     error
	panics  bool
	calls   map[core.Operation]int
}

func newBureau() *bureau {
	return &bureau{outcome: core.OutcomeIssued, calls: map[core.Operation]int{}}
}

func (b *bureau) channel() core.Channel {
	return core.Channel{ID: "bureau", Issuer: b, Reverser: b, Files: b, Quotas: b, Ledger: b, Voider: b}
}

func (b *bureau) answer(op core.Operation) (core.Answer, error) {
	b.calls[op]++
	if b.panics {
		panic("channel")
	}
	return core.Answer{Outcome: b.outcome, Refusal: b.refusal}, b.err
}

func (b *bureau) confirmation(op core.Operation) (core.ConfirmationAnswer, error) {
	a, err := b.answer(op)
	return core.ConfirmationAnswer{Outcome: a.Outcome, Refusal: a.Refusal}, err
}

func (b *bureau) Issue(ctx context.Context, o core.IssueOrder, before core.Before) (core.Answer, error) {
	if before != nil {
		if err := before(ctx, core.Exchange{}); err != nil {
			return core.Answer{}, err
		}
	}
	return b.answer(core.OpIssue)
}
func (b *bureau) Query(context.Context, core.Seller, string) (core.Answer, error) {
	return b.answer(core.OpQuery)
}
func (b *bureau) Apply(context.Context, core.RedOrder, core.Before) (core.ConfirmationAnswer, error) {
	return b.confirmation(core.OpApply)
}
func (b *bureau) QueryConfirmation(context.Context, core.Seller, string) (core.ConfirmationAnswer, error) {
	return b.confirmation(core.OpConfirm)
}
func (b *bureau) Withdraw(context.Context, core.Seller, string, core.Before) (core.ConfirmationAnswer, error) {
	return b.confirmation(core.OpWithdraw)
}
func (b *bureau) IssueRed(context.Context, core.RedIssueOrder, core.Before) (core.Answer, error) {
	return b.answer(core.OpIssueRed)
}
func (b *bureau) Void(context.Context, core.Seller, string, core.Before) (core.Answer, error) {
	return b.answer(core.OpVoid)
}
func (b *bureau) File(context.Context, core.Seller, string, core.FileFormat) (core.File, bool, error) {
	_, err := b.answer(core.OpFiles)
	return core.File{Name: "a.pdf"}, true, err
}
func (b *bureau) Quota(context.Context, core.Seller) (core.Quota, error) {
	_, err := b.answer(core.OpQuota)
	return core.Quota{Month: "2026-11"}, err
}
func (b *bureau) List(context.Context, core.Seller, time.Time, time.Time, string) ([]core.Listed, string, bool, error) {
	_, err := b.answer(core.OpList)
	return []core.Listed{{Serial: serial}}, "next", true, err
}

// acts calls every port of a channel for a seller; sends tell their outcome, questions their error.
type acts struct {
	sends     map[core.Operation]func() (core.Outcome, core.Refusal, string, error)
	questions map[core.Operation]func() error
}

func actsOf(t *testing.T, c core.Channel, s core.Seller, before core.Before) acts {
	ctx := t.Context()
	inv := core.Invoice{Seller: s}
	answer := func(a core.Answer, err error) (core.Outcome, core.Refusal, string, error) {
		return a.Outcome, a.Refusal, a.Message, err
	}
	confirmation := func(a core.ConfirmationAnswer, err error) (core.Outcome, core.Refusal, string, error) {
		return a.Outcome, a.Refusal, a.Message, err
	}
	type send = func() (core.Outcome, core.Refusal, string, error)
	return acts{
		sends: map[core.Operation]func() (core.Outcome, core.Refusal, string, error){
			core.OpIssue: send(func() (core.Outcome, core.Refusal, string, error) {
				return answer(c.Issuer.Issue(ctx, core.IssueOrder{Serial: serial, Invoice: inv}, before))
			}),
			core.OpApply: func() (core.Outcome, core.Refusal, string, error) {
				return confirmation(c.Reverser.Apply(ctx, core.RedOrder{Invoice: inv}, before))
			},
			core.OpWithdraw: func() (core.Outcome, core.Refusal, string, error) {
				return confirmation(c.Reverser.Withdraw(ctx, s, "uuid", before))
			},
			core.OpIssueRed: func() (core.Outcome, core.Refusal, string, error) {
				return answer(c.Reverser.IssueRed(ctx, core.RedIssueOrder{Serial: serial, Invoice: inv}, before))
			},
			core.OpVoid: func() (core.Outcome, core.Refusal, string, error) {
				return answer(c.Voider.Void(ctx, s, "number", before))
			},
		},
		questions: map[core.Operation]func() error{
			core.OpQuery:   func() error { _, err := c.Issuer.Query(ctx, s, serial); return err },
			core.OpConfirm: func() error { _, err := c.Reverser.QueryConfirmation(ctx, s, "application"); return err },
			core.OpFiles:   func() error { _, _, err := c.Files.File(ctx, s, "number", core.PDF); return err },
			core.OpQuota:   func() error { _, err := c.Quotas.Quota(ctx, s); return err },
			core.OpList:    func() error { _, _, _, err := c.Ledger.List(ctx, s, start, start, ""); return err },
		},
	}
}

func TestTheGuardPassesEverythingOn(t *testing.T) {
	b := newBureau()
	c := taxapi.Guard(b.channel(), taxapi.Limits{}, &clock{start})
	a := actsOf(t, c, acme, nil)
	for op, send := range a.sends {
		if outcome, _, _, err := send(); err != nil || outcome != core.OutcomeIssued || b.calls[op] != 1 {
			t.Errorf("%s: %s (%v), %d calls", op, outcome, err, b.calls[op])
		}
	}
	for op, ask := range a.questions {
		if err := ask(); err != nil || b.calls[op] != 1 {
			t.Errorf("%s: %v, %d calls", op, err, b.calls[op])
		}
	}
	if f, ready, _ := c.Files.File(t.Context(), acme, "number", core.PDF); f.Name != "a.pdf" || !ready {
		t.Errorf("file %+v, %v", f, ready)
	}
	if rows, next, more, _ := c.Ledger.List(t.Context(), acme, start, start, ""); len(rows) != 1 || next != "next" || !more {
		t.Errorf("list %v, %q, %v", rows, next, more)
	}
}

func TestTheGuardKeepsCapabilities(t *testing.T) {
	b := newBureau()
	c := taxapi.Guard(core.Channel{ID: "bureau", Issuer: b, Reverser: b}, taxapi.Limits{}, &clock{start})
	if c.Files != nil || c.Quotas != nil || c.Ledger != nil || c.Voider != nil || c.ID != "bureau" {
		t.Errorf("a channel that can only issue and reverse became %+v", c)
	}
}

func TestMaintenanceHoldsEverything(t *testing.T) {
	window, err := taxapi.ParseWindow("08:30-09:30")
	if err != nil {
		t.Fatal(err)
	}
	b, now := newBureau(), &clock{start}
	c := taxapi.Guard(b.channel(), taxapi.Limits{Closed: []taxapi.Window{window}}, now)
	hooked := 0
	a := actsOf(t, c, acme, func(context.Context, core.Exchange) error { hooked++; return nil })
	for op, send := range a.sends {
		outcome, refusal, message, err := send()
		if err != nil || outcome != core.OutcomeNotTaken || refusal != core.RefusedBusy || !strings.Contains(message, "2026-11-25T09:30:00+08:00") {
			t.Errorf("%s: %s %s %q (%v)", op, outcome, refusal, message, err)
		}
	}
	for op, ask := range a.questions {
		var held *taxapi.HeldError
		if err := ask(); !errors.As(err, &held) || !held.Until.Equal(start.Add(30*time.Minute)) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if hooked != 0 || len(b.calls) != 0 {
		t.Errorf("the hook was called %d times, the bureau %v", hooked, b.calls)
	}
	now.now = start.Add(30 * time.Minute)
	if outcome, _, _, err := a.sends[core.OpIssue](); err != nil || outcome != core.OutcomeIssued {
		t.Errorf("afterwards: %s (%v)", outcome, err)
	}
}

// sleeping is the clock of a synctest bubble.
type sleeping struct{}

func (sleeping) Now() time.Time { return time.Now() }

func TestTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBureau()
		c := taxapi.Guard(b.channel(), taxapi.Limits{Every: time.Second, Burst: 2, MaxWait: 1500 * time.Millisecond}, sleeping{})
		began := time.Now()
		issue := actsOf(t, c, acme, nil).sends[core.OpIssue]
		for range 3 { // two at once, the third waits for its turn
			if outcome, _, _, err := issue(); err != nil || outcome != core.OutcomeIssued {
				t.Fatalf("%s (%v)", outcome, err)
			}
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("three sends took %s, want 1s", waited)
		}
		if err := actsOf(t, c, other, nil).questions[core.OpQuery](); err != nil || time.Since(began) != time.Second {
			t.Errorf("another taxpayer waited: %v", err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		a, err := c.Issuer.Issue(ctx, core.IssueOrder{Serial: serial, Invoice: core.Invoice{Seller: acme}}, nil)
		if err != nil || a.Outcome != core.OutcomeNotTaken || a.Refusal != core.RefusedBusy || a.Exchange.Serial != serial {
			t.Errorf("ended while waiting: %+v (%v)", a, err)
		}

		turns := make(chan error, 3)
		for range 3 { // the first two turns come within MaxWait or not at all
			go func() { turns <- actsOf(t, c, acme, nil).questions[core.OpQuery]() }()
		}
		held := 0
		for range 3 {
			var e *taxapi.HeldError
			if err := <-turns; errors.As(err, &e) {
				held++
			} else if err != nil {
				t.Error(err)
			}
		}
		if held != 2 {
			t.Errorf("%d of 3 questions were held, want 2", held)
		}
	})
}

func TestTheCircuitBreaker(t *testing.T) {
	b, now := newBureau(), &clock{start}
	c := taxapi.Guard(b.channel(), taxapi.Limits{Failures: 3, Rest: 30 * time.Second}, now)
	a := actsOf(t, c, acme, nil)
	issue := func() core.Outcome {
		t.Helper()
		outcome, _, _, err := a.sends[core.OpIssue]()
		if err != nil && b.err == nil {
			t.Fatal(err)
		}
		return outcome
	}
	say := func(o core.Outcome, r core.Refusal) { b.outcome, b.refusal, b.err = o, r, nil }

	say(core.OutcomeUnsure, "")
	issue()
	issue()
	say(core.OutcomeRefused, core.RefusedParameter) // a bureau that says no is well
	issue()
	say(core.OutcomeNotTaken, core.RefusedQuota)
	issue()
	b.err = errors.New("hook") // nothing was sent: neither good nor bad
	issue()
	say(core.OutcomeUnsure, "")
	issue()
	issue()
	say(core.OutcomeNotTaken, core.RefusedBusy)
	issue()
	before := b.calls[core.OpIssue]
	if o := issue(); o != core.OutcomeNotTaken || b.calls[core.OpIssue] != before {
		t.Fatalf("after three failures in a row: %s, the bureau was called %d times more", o, b.calls[core.OpIssue]-before)
	}
	if err := a.questions[core.OpQuery](); err != nil {
		t.Errorf("a query is stopped by the breaker: %v", err)
	}
	if o, _, _, err := actsOf(t, c, other, nil).sends[core.OpIssue](); err != nil || o != b.outcome || b.calls[core.OpIssue] == before {
		t.Errorf("another taxpayer is stopped: %s (%v)", o, err)
	}

	now.now = now.now.Add(30 * time.Second)
	before = b.calls[core.OpIssue]
	issue() // the trial fails
	issue()
	if got := b.calls[core.OpIssue] - before; got != 1 {
		t.Errorf("%d sends after the rest, want a single trial", got)
	}
	now.now = now.now.Add(30 * time.Second)
	b.panics = true
	func() {
		defer func() { _ = recover() }()
		issue()
	}()
	b.panics = false
	say(core.OutcomeIssued, "")
	for range 3 {
		if o := issue(); o != core.OutcomeIssued {
			t.Errorf("after a good trial: %s", o)
		}
	}
}

func TestRegistry(t *testing.T) {
	b := newBureau()
	r, err := taxapi.NewRegistry(b.channel())
	if err != nil {
		t.Fatal(err)
	}
	var _ core.Channels = r
	if c, ok := r.Channel("bureau"); !ok || c.ID != "bureau" {
		t.Errorf("bureau: %+v, %v", c, ok)
	}
	if _, ok := r.Channel("nowhere"); ok {
		t.Error("a channel nowhere was found")
	}
	for name, bad := range map[string][]core.Channel{
		"twice":      {b.channel(), b.channel()},
		"no id":      {{Issuer: b, Reverser: b}},
		"no issuer":  {{ID: "x", Reverser: b}},
		"no reverse": {{ID: "x", Issuer: b}},
	} {
		if _, err := taxapi.NewRegistry(bad...); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
