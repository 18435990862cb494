package coretest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Spoiling is a way in which a bureau's double spoils its next answer.
type Spoiling string

// Spoilings. Those with "before" do nothing else; after the others the work is done, but nobody can know.
const (
	// SpoilBusy is a proper "busy, nothing taken".
	SpoilBusy          Spoiling = "busy"
	SpoilSilenceBefore Spoiling = "silence before"
	SpoilResetBefore   Spoiling = "reset before"
	SpoilSilence       Spoiling = "silence after"
	SpoilReset         Spoiling = "reset after"
	SpoilStatus        Spoiling = "server error after"
	SpoilGarbage       Spoiling = "something unreadable"
	SpoilForged        Spoiling = "a wrong signature"
	SpoilHalf          Spoiling = "half an answer"
	SpoilDoubt         Spoiling = "the bureau itself does not know"
	// SpoilFailure takes an invoice and fails it, for want of quota, when it should be issued.
	SpoilFailure Spoiling = "fails later"
)

// BureauControl steers the double behind a channel.
type BureauControl interface {
	// Seller is registered, may use a rate of 13 %, and has quota left; BookingBuyer's consent is needed for a red.
	Seller() core.Seller
	BookingBuyer() core.Buyer
	// Unreachable is the same kind of channel to a bureau that refuses connections.
	Unreachable() core.Channel
	// Spoil spoils the next exchange of an operation.
	Spoil(op core.Operation, how Spoiling)
	// Hide keeps what was taken from being shown, until told otherwise.
	Hide(on bool)
	// Delay makes the bureau accept now and issue when Settle lets time pass.
	Delay(on bool)
	Settle()
	// Agree is the buyer's consent to a confirmation.
	Agree(uuid string)
	// Requests counts the exchanges of an operation that reached the bureau; Taken the invoices under a serial.
	Requests(op core.Operation) int
	Taken(serial string) int
}

// BureauSuite proves that a channel keeps the promises of core's bureau ports: the hook comes first and once, nothing
// is claimed that is not known, and a serial is one invoice whatever happens on the wire.
func BureauSuite(t *testing.T, open func(t *testing.T) (core.Channel, BureauControl)) {
	for name, test := range map[string]func(b *bureauTest){
		"issue and query":          (*bureauTest).issueAndQuery,
		"the hook can stop a send": (*bureauTest).hookStops,
		"out of reach":             (*bureauTest).outOfReach,
		"busy":                     (*bureauTest).busy,
		"taken, nobody knows":      (*bureauTest).takenUnknown,
		"not taken, nobody knows":  (*bureauTest).notTakenUnknown,
		"spoiled questions":        (*bureauTest).spoiledQuestions,
		"other content":            (*bureauTest).otherContent,
		"hidden at first":          (*bureauTest).hidden,
		"accepted, then issued":    (*bureauTest).accepted,
		"accepted, then failed":    (*bureauTest).failed,
		"refused":                  (*bureauTest).refused,
		"quota":                    (*bureauTest).quota,
		"one serial, many senders": (*bureauTest).concurrent,
		"partial reds":             (*bureauTest).partialReds,
		"spoiled application":      (*bureauTest).spoiledApplication,
		"the buyer's consent":      (*bureauTest).consent,
		"withdrawal":               (*bureauTest).withdrawal,
		"files":                    (*bureauTest).files,
		"ledger":                   (*bureauTest).ledger,
		"void":                     (*bureauTest).void,
	} {
		t.Run(name, func(t *testing.T) {
			channel, control := open(t)
			test(&bureauTest{T: t, Channel: channel, control: control, ids: NewIDs(7)})
		})
	}
}

type bureauTest struct {
	*testing.T
	core.Channel
	control BureauControl
	ids     *IDs
	hooks   int
}

// hook counts and looks: when it is called, nothing of this exchange has reached the bureau.
func (b *bureauTest) hook() core.Before {
	called := false
	arrived := map[core.Operation]int{}
	for _, op := range []core.Operation{core.OpIssue, core.OpApply, core.OpIssueRed, core.OpWithdraw, core.OpVoid} {
		arrived[op] = b.control.Requests(op)
	}
	return func(_ context.Context, x core.Exchange) error {
		if called {
			b.Errorf("%s: the hook was called twice", x.Operation)
		}
		called = true
		b.hooks++
		if b.control.Requests(x.Operation) != arrived[x.Operation] {
			b.Errorf("%s: a request arrived before the hook was called", x.Operation)
		}
		if len(x.Request) == 0 || x.SentAt.IsZero() || x.Serial != "" && !strings.Contains(string(x.Request), x.Serial) {
			b.Errorf("%s: the hook was not shown the readable request", x.Operation)
		}
		return nil
	}
}

// blue makes an invoice of two lines, one with a discount, for 113.00 and the given amount.
func (b *bureauTest) blue(buyer core.Buyer, second string) core.Invoice {
	b.Helper()
	policy := core.DefaultPolicy()
	policy.StrictTaxNo = false
	mapped := core.Mapped{Code: "1030201020000000000", ShortName: "谷物", Rate: core.Percent(13)}
	draft, faults := core.NewDraft(core.DraftInput{Kind: core.GeneralInvoice, Seller: b.control.Seller(), Buyer: buyer, Policy: policy,
		Lines: []core.DraftLine{
			{Sale: core.SaleLine{No: "1", Name: "燕麦", Unit: "袋"}, Gross: Yuan("113.00"), List: Yuan("120.00"), Quantity: core.Pieces(3), Mapped: mapped},
			{Sale: core.SaleLine{No: "2", Name: "大米", Unit: "袋"}, Gross: Yuan(second), List: Yuan(second), Quantity: core.Pieces(1), Mapped: mapped},
		}})
	if len(faults) > 0 {
		b.Fatalf("the suite's own invoice is wrong: %v", faults)
	}
	return draft.Invoice()
}

func (b *bureauTest) order() core.IssueOrder {
	b.Helper()
	return core.IssueOrder{Serial: string(b.ids.New()), Invoice: b.blue(Person(), "56.50"), At: T0}
}

func (b *bureauTest) send(o core.IssueOrder) core.Answer {
	b.Helper()
	before := b.hooks
	a, err := b.Issuer.Issue(b.Context(), o, b.hook())
	if err != nil {
		b.Fatalf("issue: %v", err)
	}
	if b.hooks != before+1 {
		b.Errorf("issue: the hook was called %d times", b.hooks-before)
	}
	return a
}

// want checks an answer; what is issued has a number and a time.
func (b *bureauTest) want(a core.Answer, o core.Outcome) core.Answer {
	b.Helper()
	if a.Outcome != o {
		b.Fatalf("%s: %s, code %q, %q; want %s", a.Exchange.Operation, a.Outcome, a.Code, a.Message, o)
	}
	if issued := o == core.OutcomeIssued; issued != (a.Number != "") || issued == a.IssuedAt.IsZero() {
		b.Errorf("%s: %s with number %q at %s", a.Exchange.Operation, a.Outcome, a.Number, a.IssuedAt)
	}
	if (o == core.OutcomeRefused || o == core.OutcomeNotTaken) != (a.Refusal != "") && o != core.OutcomeUnsure {
		b.Errorf("%s: %s with the refusal %q", a.Exchange.Operation, a.Outcome, a.Refusal)
	}
	return a
}

func (b *bureauTest) query(serial string, o core.Outcome) core.Answer {
	b.Helper()
	a, err := b.Issuer.Query(b.Context(), b.control.Seller(), serial)
	if err != nil {
		b.Fatalf("query: %v", err)
	}
	b.want(a, o)
	if shown := o == core.OutcomeIssued || o == core.OutcomeAccepted || o == core.OutcomeRefused; shown != (a.Found != nil) {
		b.Fatalf("query: %s with found %+v", o, a.Found)
	}
	return a
}

func (b *bureauTest) wantFound(a core.Answer, inv core.Invoice) {
	b.Helper()
	f := a.Found
	if f == nil {
		b.Fatal("the answer does not show the invoice")
	}
	if f.Color != inv.Color || f.Kind != inv.Kind || f.BuyerName != inv.Buyer.Title || f.BuyerTaxNo != inv.Buyer.TaxNo ||
		!f.Net.Equal(inv.Net) || !f.Tax.Equal(inv.Tax) || !f.Gross.Equal(inv.Gross) {
		b.Errorf("the bureau shows a %s %s of %s + %s = %s, sent was a %s %s of %s + %s = %s", f.Kind, f.Color, f.Net, f.Tax, f.Gross,
			inv.Kind, inv.Color, inv.Net, inv.Tax, inv.Gross)
	}
}

func (b *bureauTest) wantTaken(serial string, n int) {
	b.Helper()
	if got := b.control.Taken(serial); got != n {
		b.Errorf("the bureau has %d invoices under the serial, want %d", got, n)
	}
}

func (b *bureauTest) issueAndQuery() {
	o := b.order()
	b.query(o.Serial, core.OutcomeNotFound)
	issued := b.want(b.send(o), core.OutcomeIssued)
	if x := issued.Exchange; x.Operation != core.OpIssue || x.Serial != o.Serial || len(x.Response) == 0 || x.AnsweredAt.IsZero() {
		b.Errorf("the exchange is incomplete: %s %q, %d bytes answered", x.Operation, x.Serial, len(x.Response))
	}
	shown := b.query(o.Serial, core.OutcomeIssued)
	b.wantFound(shown, o.Invoice)
	if shown.Number != issued.Number || !shown.IssuedAt.Equal(issued.IssuedAt) {
		b.Errorf("issued as %s, shown as %s", issued.Number, shown.Number)
	}
	again := b.want(b.send(o), core.OutcomeIssued) // a duplicate is told from a second invoice
	b.wantFound(again, o.Invoice)
	if again.Number != issued.Number {
		b.Errorf("issued as %s, again as %s", issued.Number, again.Number)
	}
	b.wantTaken(o.Serial, 1)
}

func (b *bureauTest) hookStops() {
	full := errors.New("disk full")
	stop := func(context.Context, core.Exchange) error { return full }
	o := b.order()
	_, issue := b.Issuer.Issue(b.Context(), o, stop)
	red := b.red(b.blueIssued(Person()), "11.30", core.Allowance)
	_, apply := b.Reverser.Apply(b.Context(), red, stop)
	conf := b.apply(red, core.OutcomeAccepted)
	_, issueRed := b.Reverser.IssueRed(b.Context(), b.redOrder(red, conf), stop)
	_, withdraw := b.Reverser.Withdraw(b.Context(), b.control.Seller(), conf.UUID, stop)
	for name, err := range map[string]error{"issue": issue, "apply": apply, "issue red": issueRed, "withdraw": withdraw} {
		if !errors.Is(err, full) {
			b.Errorf("%s: %v, want the hook's error", name, err)
		}
	}
	for op, n := range map[core.Operation]int{core.OpIssue: 1, core.OpApply: 1, core.OpIssueRed: 0, core.OpWithdraw: 0} {
		if got := b.control.Requests(op); got != n {
			b.Errorf("%s reached the bureau %d times, want %d", op, got, n)
		}
	}
}

func (b *bureauTest) outOfReach() {
	o := b.order()
	away := bureauTest{T: b.T, Channel: b.control.Unreachable(), control: b.control, ids: b.ids}
	away.want(away.send(o), core.OutcomeNotTaken)
	away.query(o.Serial, core.OutcomeUnsure) // the question was not taken; of the invoice nothing is known
	b.want(b.send(o), core.OutcomeIssued)
}

func (b *bureauTest) busy() {
	o := b.order()
	b.control.Spoil(core.OpIssue, SpoilBusy)
	if a := b.want(b.send(o), core.OutcomeNotTaken); a.Refusal != core.RefusedBusy {
		b.Errorf("busy is classed %q", a.Refusal)
	}
	b.wantTaken(o.Serial, 0)
	b.want(b.send(o), core.OutcomeIssued)
	b.wantTaken(o.Serial, 1)
}

func (b *bureauTest) takenUnknown() {
	for _, how := range []Spoiling{SpoilSilence, SpoilReset, SpoilStatus, SpoilGarbage, SpoilForged, SpoilHalf, SpoilDoubt} {
		o := b.order()
		b.control.Spoil(core.OpIssue, how)
		if a := b.send(o); a.Outcome != core.OutcomeUnsure {
			b.Errorf("%s: %s, want unsure", how, a.Outcome)
		}
		b.wantFound(b.query(o.Serial, core.OutcomeIssued), o.Invoice)
		b.wantFound(b.want(b.send(o), core.OutcomeIssued), o.Invoice)
		b.wantTaken(o.Serial, 1)
	}
}

func (b *bureauTest) notTakenUnknown() {
	for _, how := range []Spoiling{SpoilSilenceBefore, SpoilResetBefore} {
		o := b.order()
		b.control.Spoil(core.OpIssue, how)
		if a := b.send(o); a.Outcome != core.OutcomeUnsure {
			b.Errorf("%s: %s, want unsure", how, a.Outcome)
		}
		b.query(o.Serial, core.OutcomeNotFound)
		b.want(b.send(o), core.OutcomeIssued)
		b.wantTaken(o.Serial, 1)
	}
}

func (b *bureauTest) spoiledQuestions() {
	o := b.order()
	b.want(b.send(o), core.OutcomeIssued)
	for _, how := range []Spoiling{SpoilBusy, SpoilReset, SpoilStatus, SpoilGarbage, SpoilForged, SpoilDoubt} {
		b.control.Spoil(core.OpQuery, how)
		a, err := b.Issuer.Query(b.Context(), b.control.Seller(), o.Serial)
		if err != nil || a.Outcome != core.OutcomeUnsure || a.Found != nil {
			b.Errorf("a query spoiled by %s: %s, %v (%v), want unsure", how, a.Outcome, a.Found, err)
		}
	}
	b.query(o.Serial, core.OutcomeIssued)
}

func (b *bureauTest) otherContent() {
	o := b.order()
	b.want(b.send(o), core.OutcomeIssued)
	other := o
	other.Invoice = b.blue(Person(), "22.60")
	if a := b.send(other); a.Outcome == core.OutcomeIssued && (a.Found == nil || a.Found.Gross.Equal(other.Invoice.Gross)) ||
		a.Outcome == core.OutcomeNotTaken || a.Outcome == core.OutcomeAccepted {
		b.Errorf("other content under a known serial: %s", a.Outcome)
	}
	b.wantFound(b.query(o.Serial, core.OutcomeIssued), o.Invoice)
	b.wantTaken(o.Serial, 1)
}

func (b *bureauTest) hidden() {
	o := b.order()
	b.control.Hide(true)
	b.control.Spoil(core.OpIssue, SpoilReset)
	b.want(b.send(o), core.OutcomeUnsure)
	b.query(o.Serial, core.OutcomeNotFound)
	b.control.Hide(false)
	b.wantFound(b.query(o.Serial, core.OutcomeIssued), o.Invoice)
}

func (b *bureauTest) accepted() {
	o := b.order()
	b.control.Delay(true)
	b.want(b.send(o), core.OutcomeAccepted)
	b.wantFound(b.query(o.Serial, core.OutcomeAccepted), o.Invoice)
	b.wantFound(b.want(b.send(o), core.OutcomeAccepted), o.Invoice)
	b.control.Settle()
	b.wantFound(b.query(o.Serial, core.OutcomeIssued), o.Invoice)
	b.wantTaken(o.Serial, 1)
}

func (b *bureauTest) failed() {
	o := b.order()
	b.control.Delay(true)
	b.control.Spoil(core.OpIssue, SpoilFailure)
	b.want(b.send(o), core.OutcomeAccepted)
	b.control.Settle()
	if a := b.query(o.Serial, core.OutcomeRefused); a.Code == "" || a.Message == "" {
		b.Errorf("failed without a reason: code %q, %q", a.Code, a.Message)
	}
	// The serial is spent: a class for which others wait with the same serial would never end.
	if a := b.want(b.send(o), core.OutcomeRefused); a.Refusal != core.RefusedParameter {
		b.Errorf("an invoice that failed is refused as %q", a.Refusal)
	}
}

func (b *bureauTest) refused() {
	o := b.order()
	for i := range o.Invoice.Lines { // 13 % of nothing is a rate that no rule allows
		o.Invoice.Lines[i].Rate = core.Percent(98)
	}
	if a := b.want(b.send(o), core.OutcomeRefused); a.Refusal != core.RefusedParameter || a.Code == "" || a.Message == "" {
		b.Errorf("refused as %q, code %q, %q", a.Refusal, a.Code, a.Message)
	}
	b.query(o.Serial, core.OutcomeNotFound)
}

func (b *bureauTest) quota() {
	if b.Quotas == nil {
		b.Log("left out: the channel tells no quota")
		return
	}
	q, err := b.Quotas.Quota(b.Context(), b.control.Seller())
	if err != nil || q.Available.Sign() <= 0 || !q.Total.Sub(q.Used).Equal(q.Available) {
		b.Fatalf("quota %+v (%v)", q, err)
	}
	o := b.order()
	b.want(b.send(o), core.OutcomeIssued)
	after, err := b.Quotas.Quota(b.Context(), b.control.Seller())
	if err != nil || !q.Available.Sub(after.Available).Equal(o.Invoice.Net) {
		b.Errorf("%s were available, then %s (%v), after an invoice of %s", q.Available, after.Available, err, o.Invoice.Net)
	}
	big := b.order()
	big.Invoice = b.blue(Person(), after.Available.Add(after.Available).String())
	a := b.send(big)
	if a.Refusal != core.RefusedQuota || a.Outcome != core.OutcomeNotTaken && a.Outcome != core.OutcomeRefused {
		b.Errorf("beyond the quota: %s %q", a.Outcome, a.Refusal)
	}
	b.query(big.Serial, core.OutcomeNotFound)
}

func (b *bureauTest) concurrent() {
	o := b.order()
	answers := make([]core.Answer, 16)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			a, err := b.Issuer.Issue(b.Context(), o, func(context.Context, core.Exchange) error { return nil })
			if err != nil {
				b.Error(err)
			}
			answers[i] = a
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.Outcome != core.OutcomeIssued || a.Number != answers[0].Number {
			b.Errorf("%s as %q, the first was %q", a.Outcome, a.Number, answers[0].Number)
		}
	}
	b.wantTaken(o.Serial, 1)
}

func (b *bureauTest) files() {
	if b.Files == nil {
		b.Log("left out: the channel has no files")
		return
	}
	a := b.want(b.send(b.order()), core.OutcomeIssued)
	for _, format := range []core.FileFormat{core.PDF, core.OFD, core.XML} {
		f, ready, err := b.Files.File(b.Context(), b.control.Seller(), a.Number, format)
		if err != nil || !ready || len(f.Content) == 0 || f.Name == "" || f.Format != format {
			b.Errorf("%s: ready %v, %d bytes called %q (%v)", format, ready, len(f.Content), f.Name, err)
		}
	}
	if _, ready, err := b.Files.File(b.Context(), b.control.Seller(), strings.Repeat("9", len(a.Number)), core.PDF); ready || err == nil {
		b.Errorf("a file of no invoice: ready %v, error %v", ready, err)
	}
}

func (b *bureauTest) ledger() {
	if b.Ledger == nil {
		b.Log("left out: the channel has no ledger")
		return
	}
	want := map[string]core.IssueOrder{}
	var last core.Answer
	for range 3 {
		o := b.order()
		last = b.want(b.send(o), core.OutcomeIssued)
		want[last.Number] = o
	}
	cursor := ""
	for more := true; more; {
		rows, next, again, err := b.Ledger.List(b.Context(), b.control.Seller(), last.IssuedAt.Add(-time.Hour), last.IssuedAt.Add(time.Hour), cursor)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range rows {
			o, ok := want[r.Number]
			if !ok || r.Serial != o.Serial || r.Color != core.Blue || !r.Gross.Equal(o.Invoice.Gross) || !r.Net.Add(r.Tax).Equal(r.Gross) {
				b.Errorf("row %+v is not what was issued, or comes twice", r)
			}
			delete(want, r.Number)
		}
		cursor, more = next, again
	}
	if len(want) > 0 {
		b.Errorf("%d invoices are not listed", len(want))
	}
	rows, _, _, err := b.Ledger.List(b.Context(), b.control.Seller(), last.IssuedAt.Add(-2*time.Hour), last.IssuedAt.Add(-time.Hour), "")
	if err != nil || len(rows) > 0 {
		b.Errorf("%d rows of an hour before (%v)", len(rows), err)
	}
}

func (b *bureauTest) void() {
	if b.Voider == nil {
		b.Log("left out: the channel does not void")
		return
	}
	a := b.want(b.send(b.order()), core.OutcomeIssued)
	v, err := b.Voider.Void(b.Context(), b.control.Seller(), a.Number, b.hook())
	if err != nil || v.Outcome != core.OutcomeRefused || v.Refusal != core.RefusedSupport {
		b.Errorf("void of a digital invoice: %s %q (%v)", v.Outcome, v.Refusal, err)
	}
}
