package core

import (
	"fmt"
	"time"
)

// part decides one invoiceable part: the lines (by index) that one blue invoice holds.
func (p *planner) part(part int, lines []int) {
	blue, reds := p.live(part)
	switch {
	case blue == nil:
		p.classes = append(p.classes, p.issue(part, lines, nil))
	case blue.State == DocDraft || blue.State == DocReady:
		p.classes = append(p.classes, p.issue(part, lines, blue))
	case blue.State.OnItsWay():
		p.classes = append(p.classes, ClassIssuing)
	default:
		p.classes = append(p.classes, p.reverse(part, lines, *blue, reds))
	}
}

// live finds the part's live blue document and its live reds. A blue that issued reds take back to zero is over.
func (p *planner) live(part int) (*Document, []Document) {
	for i := range p.story.Documents {
		d := p.story.Documents[i]
		if d.Part != part || d.Color != Blue || !d.State.Live() {
			continue
		}
		var reds []Document
		reversed := Yuan{}
		for _, r := range p.story.Documents {
			if r.Original == d.ID && r.State.Live() {
				reds = append(reds, r)
				if r.State == DocIssued {
					reversed = reversed.Sub(r.Content.inv.Gross)
				}
			}
		}
		if d.State == DocIssued && reversed.Equal(d.Content.inv.Gross) {
			continue
		}
		return &d, reds
	}
	return nil, nil
}

// issue decides about a part without an invoice: a new blue, none, or one that is ready and perhaps no longer right.
func (p *planner) issue(part int, lines []int, ready *Document) Class {
	drop := func() {
		if ready != nil {
			p.out.Drop = append(p.out.Drop, ready.ID)
		}
	}
	if len(lines) == 0 && part > 0 { // an edit left this part without lines
		drop()
		return ClassNothing
	}
	all := p.amounts.take(p.portions)
	remaining := p.remaining(lines, all)
	class := p.waits()
	switch empty := remaining.Sign() <= 0; {
	case class == ClassElsewhere || class == ClassUnpaid || (class != "" && !empty):
		drop()
		return class
	case class == "" && len(p.hold) > 0:
		drop()
		return p.held(p.hold)
	case empty: // there is nothing to wait for either
		drop()
		p.accountForNothing(part)
		return ClassNothing
	}
	draft, basis, faults := p.draft(lines, all)
	if len(faults) > 0 {
		drop()
		return p.held(faults)
	}
	if p.elsewhereInvoiced(part, lines) {
		drop()
		return ClassReversing
	}
	if gone := p.withdrawn(part, p.issuedOf(part)); len(gone) > 0 && p.story.Act != ActIssue {
		drop()
		p.tellWithdrawn(gone)
		return ClassHeld
	}
	dig := digest(draft)
	if ready != nil && ready.Digest == dig {
		return ClassIssuing
	}
	drop()
	if d, ok := p.refused(Blue, part, dig); ok {
		p.out.Problems = append(p.out.Problems, Problem{Scope: ScopePlan, Code: ProblemRefused, Sale: p.story.ID, Document: d.ID,
			Subject: string(d.ID), Detail: "the bureau refused this invoice; the same is not sent again"})
		return ClassHeld
	}
	p.out.New = append(p.out.New, NewDocument{Part: part, Draft: draft, Digest: dig, Basis: basis, Covers: p.uncovered(part, ready)})
	return ClassIssuing
}

// remaining is what is left to invoice of lines after refunds.
func (p *planner) remaining(lines []int, all taken) Yuan {
	var sum Yuan
	for _, i := range lines {
		sum = sum.Add(p.amounts.lines[i].inv.Sub(all.gross[i]))
	}
	return sum
}

// elsewhereInvoiced says that an edit moved a line here from a part whose invoice still holds it: that one is reversed
// first, for a line belongs to one live invoice.
func (p *planner) elsewhereInvoiced(part int, lines []int) bool {
	mine := map[string]bool{}
	for _, i := range lines {
		mine[p.amounts.lines[i].sale.No] = true
	}
	for _, d := range p.story.Documents {
		if d.Part == part || d.Color != Blue || !(d.State == DocIssued || d.State.OnItsWay()) {
			continue
		}
		if blue, _ := p.live(d.Part); blue == nil || blue.ID != d.ID {
			continue
		}
		for _, b := range d.Basis {
			if mine[b.Line] && !b.Invoiceable.IsZero() {
				return true
			}
		}
	}
	return false
}

// waits says what the part waits for before a blue may be made, or "". A registered external invoice was the first of
// this sale: what replaces it waits for nothing.
func (p *planner) waits() Class {
	s, sale := p.story, p.story.Sale
	registered := p.registered()
	switch {
	case !registered && (s.Act == ActElsewhere || sale.InvoicedElsewhere != "" || p.beforeGoLive()):
		told := map[string]bool{}
		for _, q := range p.portions {
			if !told[q.ref.Refund] {
				told[q.ref.Refund] = true
				p.problem(ProblemRefundElsewhere, q.ref.Refund, "refunded, but its invoice was issued elsewhere and is not registered here")
			}
		}
		return ClassElsewhere
	case sale.Status == Unpaid || sale.PaidAt.IsZero():
		return ClassUnpaid
	case s.Act == ActIssue || registered:
		return ""
	case sale.Status == Cancelled:
		return ClassCancelled
	}
	if _, asked := s.request(); asked {
		return ""
	}
	if !s.Selected {
		return ClassManual
	}
	return p.timing()
}

func (p *planner) beforeGoLive() bool {
	paid := p.story.Sale.PaidAt
	return p.story.Act != ActIssue && !paid.IsZero() && paid.Before(p.story.Policy.GoLive)
}

func (p *planner) registered() bool {
	for _, d := range p.story.Documents {
		if d.External && d.State == DocIssued {
			return true
		}
	}
	return false
}

func (p *planner) timing() Class {
	s, sale := p.story, p.story.Sale
	done := sale.Status == Completed || sale.Status == Closed
	switch s.Policy.Issue {
	case OnPaid:
		return ""
	case WhenNamed:
		if sale.Buyer.Named() || s.BuyerOverride != nil {
			return ""
		}
		return ClassNotAsked
	case OnCompleted:
		if done {
			return ""
		}
		return ClassNotYet
	case AfterSale:
		if sale.Status == Closed || (!sale.ClosedAt.IsZero() && !p.now.Before(sale.ClosedAt)) {
			return ""
		}
		p.wake(sale.ClosedAt)
		return ClassNotYet
	}
	return ClassNotAsked
}

func (p *planner) wake(at time.Time) {
	if !at.IsZero() && (p.out.Wake.IsZero() || at.Before(p.out.Wake)) {
		p.out.Wake = at
	}
}

func (p *planner) held(faults []Fault) Class {
	for _, f := range faults {
		subject := f.Pointer
		if f.Code == ProblemUnmapped {
			subject = f.Detail
		}
		p.problem(f.Code, subject, "%s: %s", f.Rule, f.Detail)
	}
	return ClassHeld
}

// draft makes the blue of what remains of the lines.
func (p *planner) draft(lines []int, all taken) (Draft, []BasisLine, []Fault) {
	s := p.story
	var faults []Fault
	var basis []BasisLine
	in := DraftInput{Kind: s.kind(), Seller: s.Seller, Buyer: s.buyer(), Policy: s.Policy, Remark: remark(s)}
	unmapped := map[string]Unmapped{}
	for _, u := range s.Unmapped {
		unmapped[u.Line] = u
	}
	for _, i := range lines {
		la := p.amounts.lines[i]
		gross := la.inv.Sub(all.gross[i])
		basis = append(basis, BasisLine{la.sale.No, la.inv, all.gross[i], all.qty[i]})
		if gross.Sign() <= 0 {
			continue
		}
		m, ok := s.Mapped[la.sale.No]
		if !ok {
			faults = append(faults, Fault{"R06", ProblemUnmapped, "/lines/" + la.sale.No, unmapped[la.sale.No].Review})
			continue
		}
		list := gross
		if la.sale.List.Cmp(la.sale.Paid) > 0 {
			list = gross.Add(la.sale.List.Sub(la.sale.Paid).share(gross, la.sale.Paid))
		}
		in.Lines = append(in.Lines, DraftLine{Sale: la.sale, Gross: gross, List: list,
			Quantity: la.sale.Quantity.Sub(all.qty[i]), Mapped: m})
	}
	if len(faults) > 0 {
		return Draft{}, nil, faults
	}
	d, faults := NewDraft(in)
	return d, basis, faults
}

func remark(s Story) string { return fit("订单号:"+s.Name, maxRemark) }

// refused finds a refused document of the same content that no person has cleared.
func (p *planner) refused(c Color, part int, dig string) (Document, bool) {
	for _, d := range p.story.Documents {
		if d.Color == c && d.Part == part && d.State == DocRefused && d.Digest == dig && !d.Cleared {
			return d, true
		}
	}
	return Document{}, false
}

// uncovered lists the portions that no other document accounts for; those of a document about to be dropped are free.
func (p *planner) uncovered(part int, dropped *Document) []PortionRef {
	var out []PortionRef
	for _, q := range p.portions {
		by, ok := p.story.Covered[Cover{part, q.ref}]
		if !ok || (dropped != nil && by == dropped.ID) {
			out = append(out, q.ref)
		}
	}
	return out
}

func (p *planner) accountForNothing(part int) {
	for _, q := range p.portions {
		c := Cover{part, q.ref}
		if by, ok := p.story.Covered[c]; !ok || p.dropping(by) {
			p.out.Nothing = append(p.out.Nothing, c)
		}
	}
}

func (p *planner) dropping(id ID) bool {
	for _, d := range p.out.Drop {
		if d == id && id != "" {
			return true
		}
	}
	return false
}

// String names a cover for messages.
func (c Cover) String() string { return fmt.Sprintf("%s/%d in part %d", c.Refund, c.Index, c.Part) }
