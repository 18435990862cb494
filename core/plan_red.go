package core

import "sort"

// reverse decides about a part whose blue is issued: whether the invoice is still right, and if not, which red comes
// next. One red at a time: what comes meanwhile is queued behind it.
func (p *planner) reverse(part int, lines []int, blue Document, reds []Document) Class {
	var issued []Invoice
	var flying *Document
	for i, r := range reds {
		if r.State == DocIssued {
			issued = append(issued, r.Content.inv)
		} else {
			flying = &reds[i]
		}
	}
	over := p.reversedTooMuch(part, blue, reds, issued)
	if flying != nil {
		if flying.Confirmation != nil && flying.Confirmation.State.Waiting() {
			return ClassWaitingBuyer
		}
		return ClassReversing
	}
	if !p.stillRight(lines, blue) || (over && p.story.Act == ActIssue) {
		if faults := p.successorFaults(lines); len(faults) > 0 {
			return p.held(faults) // nothing is taken back that could not be given anew
		}
		return p.red(part, blue, wholeRed(blue, issued))
	}
	if next, ok := p.refundRed(part, blue, issued); ok {
		return p.red(part, blue, next)
	}
	if over {
		return ClassHeld
	}
	return ClassSettled
}

// red asks for a red invoice, unless a person has to.
func (p *planner) red(part int, blue Document, next nextRed) Class {
	if !p.story.Policy.AutoRed && !p.story.RedApproved {
		p.problem(ProblemRedManual, string(blue.ID), "a refund or change calls for a red; automatic red flush is off")
		return ClassHeld
	}
	draft, faults := NewRed(next.in)
	if len(faults) > 0 {
		return p.held(faults)
	}
	dig := digest(draft)
	if problem, stop := p.deadRed(blue.ID, dig); stop {
		p.out.Problems = append(p.out.Problems, problem)
		return ClassHeld
	}
	p.out.New = append(p.out.New, NewDocument{Part: part, Draft: draft, Digest: dig, Original: blue.ID, Covers: next.covers})
	return ClassReversing
}

type nextRed struct {
	in     RedInput
	covers []PortionRef
}

// stillRight says whether the invoice has the amounts and the addressee that the sale has now: it was not edited, voided
// or addressed anew since.
func (p *planner) stillRight(lines []int, blue Document) bool {
	want := map[string]Yuan{}
	for _, i := range lines {
		want[p.amounts.lines[i].sale.No] = p.amounts.lines[i].inv
	}
	have := 0
	for _, b := range blue.Basis {
		if !want[b.Line].Equal(b.Invoiceable) {
			return false
		}
		if !b.Invoiceable.IsZero() {
			have++
		}
	}
	return have == len(want) && (blue.External || p.addressedTo(blue))
}

// addressedTo says whether the invoice's addressee and kind are still the wanted ones. A buyer who withdraws a request
// after its invoice was issued leaves the invoice as it is; only a new wish replaces it.
func (p *planner) addressedTo(blue Document) bool {
	s := p.story
	if s.buyer().SameAddressee(blue.Content.inv.Buyer) && s.kind() == blue.Kind {
		return true
	}
	if _, open := s.request(); open || s.BuyerOverride != nil || s.KindOverride != "" {
		return false
	}
	for _, r := range s.Requests {
		if r.State != RequestOver && r.Buyer.SameAddressee(blue.Content.inv.Buyer) {
			return true
		}
	}
	return false
}

// wholeRed takes back all that remains of an invoice that is wrong.
func wholeRed(blue Document, issued []Invoice) nextRed {
	reason := WrongData
	if len(issued) > 0 {
		reason = Allowance // wrong data reverses whole invoices only
	}
	return nextRed{in: RedInput{Blue: blue.Content.inv, Number: blue.Number, Before: issued, Reason: reason}}
}

// successorFaults says why the invoice that would follow a reversed one can't be made; none if none is to follow.
func (p *planner) successorFaults(lines []int) []Fault {
	all := p.amounts.take(p.portions)
	if p.remaining(lines, all).Sign() <= 0 {
		return nil
	}
	if len(p.hold) > 0 {
		return p.hold
	}
	_, _, faults := p.draft(lines, all)
	return faults
}

// reversedTooMuch finds and tells that the invoice was made without, or its reds took, more than refunds take now: one
// was taken back or lowered after it was accounted for. A person decides; the act to issue reverses the rest and issues
// anew.
func (p *planner) reversedTooMuch(part int, blue Document, reds []Document, issued []Invoice) bool {
	t, done := p.amounts.take(p.portions), reversedOf(blue, issued)
	for _, b := range blue.Basis {
		i, ok := p.amounts.index[b.Line]
		if !ok || t.gross[i].Cmp(b.Reduced.Add(done[b.Line].Gross)) >= 0 {
			continue
		}
		by := map[ID]bool{blue.ID: true}
		for _, r := range reds {
			by[r.ID] = true
		}
		gone := p.withdrawn(part, by)
		if len(gone) == 0 {
			p.problem(ProblemRefundWithdrawn, string(blue.ID), "more is reversed than the refunds come to now")
		}
		p.tellWithdrawn(gone)
		return true
	}
	return false
}

// withdrawn lists the refunds that documents account for and that count no more, though they are not set aside.
func (p *planner) withdrawn(part int, by map[ID]bool) []string {
	known := map[string]bool{}
	for _, q := range p.portions {
		known[q.ref.Refund] = true
	}
	for _, f := range p.aside {
		known[f.Pointer] = true
	}
	var out []string
	for c, id := range p.story.Covered {
		if c.Part == part && by[id] && !known[c.Refund] {
			known[c.Refund] = true
			out = append(out, c.Refund)
		}
	}
	sort.Strings(out)
	return out
}

func (p *planner) tellWithdrawn(refunds []string) {
	for _, no := range refunds {
		p.problem(ProblemRefundWithdrawn, no, "refund %s is reversed, but it was taken back since", clip(no, 64))
	}
}

// issuedOf names the issued documents of a part.
func (p *planner) issuedOf(part int) map[ID]bool {
	out := map[ID]bool{}
	for _, d := range p.story.Documents {
		if d.Part == part && d.State == DocIssued {
			out[d.ID] = true
		}
	}
	return out
}

// refundRed finds what refunds take from the invoice beyond what it was made without and what its reds took: the next
// group of portions that no document accounts for, those of one reason.
func (p *planner) refundRed(part int, blue Document, issued []Invoice) (nextRed, bool) {
	var covered, open []refPortion
	for _, q := range p.portions {
		if _, ok := p.story.Covered[Cover{part, q.ref}]; ok {
			covered = append(covered, q)
		} else {
			open = append(open, q)
		}
	}
	all := p.difference(blue, issued, p.portions)
	if nothing(all) {
		p.needNothing(part, open)
		return nextRed{}, false
	}
	in := RedInput{Blue: blue.Content.inv, Number: blue.Number, Before: issued, Reason: p.fullReason(open, blue)}
	switch {
	case p.story.Policy.Refunds == FullRedAndReissue: // the new blue accounts for the portions
	case len(issued) == 0 && p.zeroAfter(blue):
		return nextRed{in: in.fitted(), covers: refsOf(open)}, true
	default:
		for len(open) > 0 {
			var group, later []refPortion
			in.Reason = p.reason(open[0], blue)
			for _, q := range open {
				if p.reason(q, blue) == in.Reason {
					group = append(group, q)
				} else {
					later = append(later, q)
				}
			}
			covered = append(covered, group...)
			if in.Take = p.difference(blue, issued, covered); !nothing(in.Take) {
				return nextRed{in: in.fitted(), covers: refsOf(group)}, true
			}
			p.needNothing(part, group)
			open = later
		}
		in.Take, in.Reason = all, Allowance // a refund that is accounted for has grown, or counts again
	}
	return nextRed{in: in.fitted()}, true
}

func refsOf(portions []refPortion) []PortionRef {
	var out []PortionRef
	for _, q := range portions {
		out = append(out, q.ref)
	}
	return out
}

// needNothing accounts for portions that take nothing from this part.
func (p *planner) needNothing(part int, portions []refPortion) {
	for _, q := range portions {
		p.out.Nothing = append(p.out.Nothing, Cover{part, q.ref})
	}
}

// difference is what portions take from the blue's lines beyond what it was made without and what reds took since,
// never less than nothing.
func (p *planner) difference(blue Document, issued []Invoice, portions []refPortion) map[string]Take {
	t, done := p.amounts.take(portions), reversedOf(blue, issued)
	out := map[string]Take{}
	for _, b := range blue.Basis {
		i, ok := p.amounts.index[b.Line]
		if !ok {
			continue
		}
		take := Take{
			Gross:    t.gross[i].Sub(b.Reduced).Sub(done[b.Line].Gross),
			Quantity: t.qty[i].Sub(b.ReducedQuantity).Sub(done[b.Line].Quantity),
		}
		if take.Gross.Sign() > 0 {
			out[b.Line] = take
		}
	}
	return out
}

// reversedOf sums, per sale line, what reds took from a blue.
func reversedOf(blue Document, issued []Invoice) map[string]Reversed {
	byNo, out := ReversedBy(issued), map[string]Reversed{}
	for _, m := range blue.Content.inv.mergedLines() {
		out[m.line.SaleLine] = byNo[m.line.No]
	}
	return out
}

// zeroAfter says that refunds take all of the invoice.
func (p *planner) zeroAfter(blue Document) bool {
	all := p.amounts.take(p.portions)
	for _, b := range blue.Basis {
		if i, ok := p.amounts.index[b.Line]; !ok || !all.gross[i].Equal(b.Invoiceable) {
			return false
		}
	}
	return true
}

// reason is the table of red reasons: goods returned, service stopped, allowance.
func (p *planner) reason(q refPortion, blue Document) RedReason {
	switch q.Kind {
	case ShippingAmount:
		return p.story.Policy.ShippingReason
	case GoodsQuantity:
		if q.Quantity.IsZero() {
			return Allowance
		}
		if q.refund.Service {
			return ServiceStopped
		}
		for _, l := range blue.Content.inv.Lines {
			if l.SaleLine == q.Line && l.Service {
				return ServiceStopped
			}
		}
		return GoodsReturned
	}
	return Allowance
}

// fullReason is the one reason of a red that takes everything back at once.
func (p *planner) fullReason(open []refPortion, blue Document) RedReason {
	best := Allowance
	for _, q := range open {
		switch p.reason(q, blue) {
		case GoodsReturned:
			return GoodsReturned
		case ServiceStopped:
			best = ServiceStopped
		}
	}
	return best
}

// deadRed finds earlier reds of the same content that came to nothing. One expired confirmation is applied for once
// more; everything else needs a person.
func (p *planner) deadRed(blue ID, dig string) (Problem, bool) {
	expired := 0
	for _, d := range p.story.Documents {
		if d.Original != blue || d.State != DocRefused || d.Digest != dig || d.Cleared {
			continue
		}
		problem := Problem{Scope: ScopePlan, Code: ProblemRedRefused, Sale: p.story.ID, Document: d.ID, Subject: string(d.ID),
			Detail: "the bureau refused this red; the same is not sent again"}
		if c := d.Confirmation; c != nil && c.State.Dead() && c.State != ConfRejected {
			problem.Code, problem.Detail = ProblemConfirmationDead, "the red confirmation ended in state "+string(c.State)
			if c.State == ConfExpired {
				if expired++; expired < 2 {
					continue
				}
				problem.Code, problem.Detail = ProblemConfirmationExpired, "the red confirmation expired twice"
			}
		}
		return problem, true
	}
	return Problem{}, false
}

func nothing(take map[string]Take) bool { return len(take) == 0 }
