package core

import "fmt"

// Reversed is what reds (issued or on their way) already took from one blue line.
type Reversed struct {
	Gross, Tax Yuan
	Quantity   Quantity
}

// ReversedBy sums, per blue line number, what reds took. All values are positive.
func ReversedBy(reds []Invoice) map[int]Reversed {
	out := map[int]Reversed{}
	for _, red := range reds {
		for _, l := range red.Lines {
			r := out[l.BlueNo]
			r.Gross, r.Tax = r.Gross.Sub(l.Gross), r.Tax.Sub(l.Tax)
			r.Quantity = r.Quantity.Sub(l.Quantity)
			out[l.BlueNo] = r
		}
	}
	return out
}

// Take is what a red shall take from the blue lines that print one sale line.
type Take struct {
	Gross    Yuan
	Quantity Quantity
}

// RedInput is everything that a red invoice is made of.
type RedInput struct {
	Blue   Invoice
	Number string // of the blue invoice
	Before []Invoice
	// Take says per sale line what is reversed; nil reverses all that remains.
	Take   map[string]Take
	Reason RedReason
	Remark string
}

// NewRed makes a red invoice by cumulative differences: with X and G the blue line's own tax and gross (its discount
// line folded in), a red that brings the refunded gross from a to b has the tax T(b) − T(a), T(g) =
// round_half_up(X·g/G, 2). It returns faults when it would take more than remains or nothing.
func NewRed(in RedInput) (Draft, []Fault) {
	red := Invoice{Color: Red, Kind: in.Blue.Kind, Seller: in.Blue.Seller, Buyer: in.Blue.Buyer, Original: in.Number,
		Reason: in.Reason, Remark: in.Remark}
	before := ReversedBy(in.Before)
	var faults []Fault
	for _, m := range in.Blue.mergedLines() {
		done := before[m.line.No]
		take := Take{m.gross.Sub(done.Gross), m.line.Quantity.Sub(done.Quantity)}
		if in.Take != nil {
			take = in.Take[m.line.SaleLine]
		}
		if take.Gross.IsZero() {
			continue
		}
		after := done.Gross.Add(take.Gross)
		if take.Gross.Sign() < 0 || after.Cmp(m.gross) > 0 {
			faults = append(faults, Fault{"R22", ProblemRefundExceeds, fmt.Sprintf("/lines/%d", m.line.No),
				fmt.Sprintf("reversing %s more than the %s that remain of the line", take.Gross, m.gross.Sub(done.Gross))})
			continue
		}
		red.Lines = append(red.Lines, redLine(m, done, take, in.Reason))
	}
	red.total()
	if len(red.Lines) == 0 && len(faults) == 0 {
		faults = append(faults, Fault{"R22", ProblemRefundExceeds, "/lines", "nothing remains to be reversed"})
	}
	if in.Reason == WrongData && !red.Gross.Neg().Equal(in.Blue.Gross) {
		faults = append(faults, Fault{"R23", ProblemRedReason, "/reason", "wrong data reverses the whole invoice only"})
	}
	faults = append(faults, proveSums(red)...)
	if len(faults) > 0 {
		return Draft{}, faults
	}
	return Draft{red}, nil
}

// fitted returns the input with the reason that the law allows for it: a return of goods names a quantity on each line
// that has one; where it can't, the red is an allowance.
func (in RedInput) fitted() RedInput {
	draft, faults := NewRed(in)
	if in.Reason != GoodsReturned || len(faults) > 0 {
		return in
	}
	counted := map[int]bool{}
	for _, l := range in.Blue.Lines {
		counted[l.No] = !l.Quantity.IsZero()
	}
	for _, l := range draft.inv.Lines {
		if counted[l.BlueNo] && l.Quantity.IsZero() {
			in.Reason = Allowance
			break
		}
	}
	return in
}

func redLine(m merged, done Reversed, take Take, reason RedReason) InvoiceLine {
	l := m.line
	after := done.Gross.Add(take.Gross)
	l.BlueNo, l.Nature = m.line.No, Normal
	tax := Cumulative(m.tax, m.gross, after).Sub(done.Tax)
	if seededLastRedRemainder() {
		if tax = TaxFromGross(take.Gross, l.Rate); after.Equal(m.gross) {
			tax = m.tax.Sub(done.Tax)
		}
	}
	l.Gross, l.Tax = take.Gross.Neg(), tax.Neg()
	l.Net = l.Gross.Sub(l.Tax)
	l.Quantity, l.Price = Quantity{}, Price{}
	// Only a return of goods or a stopped service has a quantity; an allowance changes the price, not the count.
	if q := take.Quantity; reason != Allowance && q.Sign() > 0 && !m.line.Quantity.IsZero() && q.Cmp(m.line.Quantity.Sub(done.Quantity)) <= 0 {
		l.Quantity, l.Price = q.Neg(), priceOf(l.Net, q)
		if l.Price.IsZero() || !within(l, DefaultTolerances().Price) {
			l.Quantity, l.Price = Quantity{}, Price{}
		}
	}
	return l
}
