package coretest

import (
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// issuedBlue is a blue invoice with its number.
type issuedBlue struct {
	invoice core.Invoice
	number  string
	reds    []core.Invoice
}

func (b *bureauTest) blueIssued(buyer core.Buyer) *issuedBlue {
	b.Helper()
	o := b.order()
	o.Invoice = b.blue(buyer, "56.50")
	return &issuedBlue{invoice: o.Invoice, number: b.want(b.send(o), core.OutcomeIssued).Number}
}

// red makes the application for a red that takes an amount of the first line; "" takes all that remains.
func (b *bureauTest) red(blue *issuedBlue, gross string, why core.RedReason) core.RedOrder {
	b.Helper()
	in := core.RedInput{Blue: blue.invoice, Number: blue.number, Before: blue.reds, Reason: why}
	if gross != "" {
		in.Take = map[string]core.Take{"1": {Gross: Yuan(gross), Quantity: core.Pieces(1)}}
	}
	draft, faults := core.NewRed(in)
	if len(faults) > 0 {
		b.Fatalf("the suite's own red invoice is wrong: %v", faults)
	}
	return core.RedOrder{Application: string(b.ids.New()), Invoice: draft.Invoice()}
}

func (b *bureauTest) redOrder(o core.RedOrder, a core.ConfirmationAnswer) core.RedIssueOrder {
	return core.RedIssueOrder{Serial: string(b.ids.New()), Invoice: o.Invoice, At: T0,
		Confirmation: core.Confirmation{Application: o.Application, State: a.State, UUID: a.UUID, Number: a.Number, ExpiresAt: a.ExpiresAt}}
}

func (b *bureauTest) apply(o core.RedOrder, want core.Outcome) core.ConfirmationAnswer {
	b.Helper()
	before := b.hooks
	a, err := b.Reverser.Apply(b.Context(), o, b.hook())
	if err != nil || b.hooks != before+1 {
		b.Fatalf("apply: %v, the hook was called %d times", err, b.hooks-before)
	}
	return b.wantConfirmation(a, want)
}

func (b *bureauTest) wantConfirmation(a core.ConfirmationAnswer, want core.Outcome) core.ConfirmationAnswer {
	b.Helper()
	if a.Outcome != want {
		b.Fatalf("%s: %s, code %q, %q; want %s", a.Exchange.Operation, a.Outcome, a.Code, a.Message, want)
	}
	if known := want == core.OutcomeAccepted; known != (a.State != "") || known != (a.UUID != "") {
		b.Errorf("%s: %s in state %q", a.Exchange.Operation, a.Outcome, a.State)
	}
	return a
}

func (b *bureauTest) queryConfirmation(application string, want core.Outcome) core.ConfirmationAnswer {
	b.Helper()
	a, err := b.Reverser.QueryConfirmation(b.Context(), b.control.Seller(), application)
	if err != nil {
		b.Fatalf("query confirmation: %v", err)
	}
	return b.wantConfirmation(a, want)
}

func (b *bureauTest) sendRed(o core.RedIssueOrder, want core.Outcome) core.Answer {
	b.Helper()
	before := b.hooks
	a, err := b.Reverser.IssueRed(b.Context(), o, b.hook())
	if err != nil || b.hooks != before+1 {
		b.Fatalf("issue red: %v, the hook was called %d times", err, b.hooks-before)
	}
	return b.want(a, want)
}

// partialReds takes three parts of a blue, by goods, by allowance and by all that remains, until nothing remains.
func (b *bureauTest) partialReds() {
	blue := b.blueIssued(Person())
	for _, part := range []struct {
		gross string
		why   core.RedReason
	}{{"37.67", core.GoodsReturned}, {"0.01", core.Allowance}, {"", core.Allowance}} {
		o := b.red(blue, part.gross, part.why)
		applied := b.apply(o, core.OutcomeAccepted)
		if !applied.State.Usable() {
			b.Fatalf("the red needs nobody's consent, but is in state %s", applied.State)
		}
		if again := b.apply(o, core.OutcomeAccepted); again.UUID != applied.UUID {
			b.Errorf("the same application is two confirmations, %s and %s", applied.UUID, again.UUID)
		}
		if shown := b.queryConfirmation(o.Application, core.OutcomeAccepted); shown.UUID != applied.UUID || shown.State != applied.State {
			b.Errorf("applied as %s in %s, shown as %s in %s", applied.UUID, applied.State, shown.UUID, shown.State)
		}
		red := b.redOrder(o, applied)
		issued := b.sendRed(red, core.OutcomeIssued)
		b.wantFound(b.query(red.Serial, core.OutcomeIssued), o.Invoice)
		b.wantFound(b.sendRed(red, core.OutcomeIssued), o.Invoice)
		b.wantTaken(red.Serial, 1)
		if shown := b.queryConfirmation(o.Application, core.OutcomeAccepted); shown.RedNumber != issued.Number {
			b.Errorf("the red is %s, its confirmation shows %q", issued.Number, shown.RedNumber)
		}
		second := red
		second.Serial = string(b.ids.New())
		if a := b.sendRed(second, core.OutcomeRefused); a.Refusal != core.RefusedRedState {
			b.Errorf("a second red under one confirmation is refused as %q", a.Refusal)
		}
		blue.reds = append(blue.reds, o.Invoice)
	}
	rest := blue.invoice.Gross
	for _, red := range blue.reds {
		rest = rest.Add(red.Gross)
	}
	if !rest.IsZero() {
		b.Fatalf("%s remain", rest)
	}
	blue.reds = nil
	if a := b.apply(b.red(blue, "0.01", core.Allowance), core.OutcomeRefused); a.Refusal != core.RefusedRedState {
		b.Errorf("more than remains is refused as %q", a.Refusal)
	}
}

func (b *bureauTest) spoiledApplication() {
	blue := b.blueIssued(Person())
	o := b.red(blue, "11.30", core.Allowance)
	b.queryConfirmation(o.Application, core.OutcomeNotFound)
	b.control.Spoil(core.OpApply, SpoilBusy)
	if a := b.apply(o, core.OutcomeNotTaken); a.Refusal != core.RefusedBusy {
		b.Errorf("busy is classed %q", a.Refusal)
	}
	b.queryConfirmation(o.Application, core.OutcomeNotFound)
	b.control.Spoil(core.OpApply, SpoilReset)
	b.apply(o, core.OutcomeUnsure)
	b.control.Spoil(core.OpConfirm, SpoilForged)
	b.queryConfirmation(o.Application, core.OutcomeUnsure)
	found := b.queryConfirmation(o.Application, core.OutcomeAccepted)
	if again := b.apply(o, core.OutcomeAccepted); again.UUID != found.UUID {
		b.Errorf("the same application is two confirmations, %s and %s", found.UUID, again.UUID)
	}
	other := b.red(blue, "22.60", core.Allowance)
	other.Application = o.Application
	b.apply(other, core.OutcomeUnsure)

	red := b.redOrder(o, found)
	b.control.Spoil(core.OpIssueRed, SpoilGarbage)
	b.sendRed(red, core.OutcomeUnsure)
	b.wantFound(b.query(red.Serial, core.OutcomeIssued), o.Invoice)
	b.wantTaken(red.Serial, 1)
}

func (b *bureauTest) consent() {
	blue := b.blueIssued(b.control.BookingBuyer())
	o := b.red(blue, "", core.WrongData)
	waiting := b.apply(o, core.OutcomeAccepted)
	if waiting.State != core.ConfWaitsForBuyer || waiting.ExpiresAt.IsZero() {
		b.Fatalf("state %s until %s, want to wait for the buyer", waiting.State, waiting.ExpiresAt)
	}
	if a := b.sendRed(b.redOrder(o, waiting), core.OutcomeRefused); a.Refusal != core.RefusedRedState {
		b.Errorf("a red without consent is refused as %q", a.Refusal)
	}
	b.control.Agree(waiting.UUID)
	agreed := b.queryConfirmation(o.Application, core.OutcomeAccepted)
	if agreed.State != core.ConfConfirmed {
		b.Fatalf("state %s after consent", agreed.State)
	}
	b.sendRed(b.redOrder(o, agreed), core.OutcomeIssued)
}

func (b *bureauTest) withdrawal() {
	blue := b.blueIssued(b.control.BookingBuyer())
	o := b.red(blue, "11.30", core.Allowance)
	waiting := b.apply(o, core.OutcomeAccepted)
	a, err := b.Reverser.Withdraw(b.Context(), b.control.Seller(), waiting.UUID, b.hook())
	if err != nil {
		b.Fatal(err)
	}
	if b.wantConfirmation(a, core.OutcomeAccepted); a.State != core.ConfWithdrawn {
		b.Errorf("state %s after the withdrawal", a.State)
	}
	b.apply(b.red(blue, "", core.WrongData), core.OutcomeAccepted) // its amount is free again
	a, err = b.Reverser.Withdraw(b.Context(), b.control.Seller(), strings.Repeat("0", len(waiting.UUID)), b.hook())
	if err != nil || a.Outcome != core.OutcomeRefused || a.Refusal != core.RefusedRedState {
		b.Errorf("withdrawal of what is not there: %s %q (%v)", a.Outcome, a.Refusal, err)
	}
}
