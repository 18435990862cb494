package core

import "fmt"

// amounts are the invoiceable amounts of a sale's lines, in the sale's order.
type amounts struct {
	lines []lineAmount
	index map[string]int
}

type lineAmount struct {
	sale SaleLine
	// paid takes part in refunds; inv is what of it is invoiced to the buyer.
	paid, inv Yuan
}

// invoiceable works out what each line is invoiced with, or why that can't be said.
func (s Story) invoiceable() (amounts, []Fault) {
	a := amounts{index: map[string]int{}}
	faults := s.checkSale()
	excluded, asks := s.tenders()
	faults = append(faults, asks...)
	var weights []Yuan
	for _, l := range s.Sale.Lines {
		la := lineAmount{sale: l, paid: l.Paid}
		w := l.Paid
		if l.Has(Gift) || l.Has(Tip) || l.Has(Deposit) || s.Sale.Kind == NonSale || s.Sale.Status == Voided {
			w = Yuan{}
		}
		weights = append(weights, w)
		a.index[l.No] = len(a.lines)
		a.lines = append(a.lines, la)
	}
	sum := SumYuan(weights...)
	left := sum.Sub(MinYuan(excluded, sum))
	for i, share := range Allocate(left, weights) {
		a.lines[i].inv = share
	}
	return a, faults
}

func (s Story) checkSale() []Fault {
	var out []Fault
	add := func(code ProblemCode, pointer, format string, args ...any) {
		out = append(out, Fault{"I1", code, pointer, fmt.Sprintf(format, args...)})
	}
	sale := s.Sale
	if sale.Currency != "" && sale.Currency != "CNY" {
		add(ProblemCurrency, "/currency", "the sale is in %s", clip(sale.Currency, 8))
	}
	seen := map[string]bool{}
	var sum Yuan
	for _, l := range sale.Lines {
		if seen[l.No] {
			add(ProblemSumsDiffer, "/lines", "line number %q occurs twice", clip(l.No, 32))
		}
		seen[l.No] = true
		if l.Paid.Sign() < 0 || l.Quantity.Sign() < 0 {
			add(ProblemSumsDiffer, "/lines/"+clip(l.No, 32), "negative amount or quantity")
		}
		sum = sum.Add(l.Paid)
	}
	if !sum.Equal(sale.Total) {
		add(ProblemSumsDiffer, "/total", "lines sum to %s, the sale says %s", sum, sale.Total)
	}
	return out
}

// tenders sums what was paid by means that are not invoiced again, and asks about those nobody decided.
func (s Story) tenders() (excluded Yuan, asks []Fault) {
	for _, t := range s.Sale.Tenders {
		switch s.tender(t.Kind) {
		case TenderExcluded:
			excluded = excluded.Add(t.Amount)
		case TenderAsks:
			if t.Amount.Sign() > 0 {
				asks = append(asks, Fault{"I1", ProblemTender, "/tenders/" + string(t.Kind),
					fmt.Sprintf("%s yuan were paid by %s; no rule says whether they are invoiced", t.Amount, t.Kind)})
			}
		}
	}
	return excluded, asks
}

// refPortion is a portion with its refund. side is what the rule of the tender that it came from says, if the platform
// names that tender: TenderCounts takes from what is invoiced first, TenderExcluded from what is not, anything else
// pro rata.
type refPortion struct {
	ref    PortionRef
	refund Refund
	side   TenderRule
	Portion
}

// taken is what refunds take from each line: gross by its invoiceable share, and quantity.
type taken struct {
	gross []Yuan
	qty   []Quantity
}

// take adds portions up per line. The result does not depend on the order of the portions, and no line's value
// shrinks when a portion is added: so whatever the order of arrival, reds are differences of growing totals.
// A portion without a line is spread by the lines' paid amounts; what exceeds a line spills to the others in order.
func (a amounts) take(portions []refPortion) taken {
	t := taken{gross: make([]Yuan, len(a.lines)), qty: make([]Quantity, len(a.lines))}
	used, named := make([]Yuan, len(a.lines)), make([]sides, len(a.lines))
	for _, p := range portions {
		if i, ok := a.index[p.Line]; ok && p.Line != "" {
			used[i] = used[i].Add(p.Amount)
			named[i].add(p.side, p.Amount)
			t.qty[i] = t.qty[i].Add(p.Quantity)
			continue
		}
		for i, share := range Allocate(p.Amount, a.weights(p.Kind)) {
			used[i] = used[i].Add(share)
			named[i].add(p.side, share)
		}
	}
	var over Yuan
	for i, l := range a.lines {
		if extra := used[i].Sub(l.paid); extra.Sign() > 0 {
			over, used[i] = over.Add(extra), l.paid
		}
	}
	for i, l := range a.lines {
		fill := MinYuan(over, l.paid.Sub(used[i]))
		used[i], over = used[i].Add(fill), over.Sub(fill)
		if q := l.sale.Quantity; t.qty[i].Cmp(q) > 0 {
			t.qty[i] = q
		}
		t.gross[i] = named[i].invoiced(l, used[i])
	}
	return t
}

// sides is what refunds of named tenders take from a line: from what is invoiced and from what is not.
type sides struct{ counted, excluded Yuan }

func (s *sides) add(side TenderRule, amount Yuan) {
	switch side {
	case TenderCounts:
		s.counted = s.counted.Add(amount)
	case TenderExcluded:
		s.excluded = s.excluded.Add(amount)
	}
}

// invoiced is what of a line's refunded amount was invoiced. It grows with every portion, and is exactly the line's
// invoiceable amount when all is refunded.
func (s sides) invoiced(l lineAmount, used Yuan) Yuan {
	if used.Equal(l.paid) {
		return l.inv
	}
	counted, excluded := MinYuan(s.counted, l.inv), MinYuan(s.excluded, l.paid.Sub(l.inv))
	rest, room := used.Sub(counted).Sub(excluded), l.paid.Sub(counted).Sub(excluded)
	return counted.Add(l.inv.Sub(counted).share(rest, room))
}

// weights are the paid amounts of the lines that a portion without a line falls on.
func (a amounts) weights(kind PortionKind) []Yuan {
	out := make([]Yuan, len(a.lines))
	found := false
	if kind == ShippingAmount {
		for i, l := range a.lines {
			if l.sale.Kind != Goods {
				out[i] = l.paid
				found = found || l.paid.Sign() > 0
			}
		}
	}
	if !found {
		for i, l := range a.lines {
			out[i] = l.paid
		}
	}
	return out
}

// portions lists the portions that count, in canonical order, and sets aside refunds that can't be right: portions
// that do not sum, and what goes beyond the sale.
func (s Story) portions(a amounts) ([]refPortion, []Fault) {
	var out []refPortion
	var faults []Fault
	var paid, sum Yuan
	for _, l := range a.lines {
		paid = paid.Add(l.paid)
	}
	covered := map[string]bool{}
	for c := range s.Covered {
		covered[c.Refund] = true
	}
	refunds := s.refunds()
	for pass := range 2 { // what documents account for already comes first
		for _, r := range refunds {
			if covered[r.No] != (pass == 0) {
				continue
			}
			if f, bad := checkRefund(r, a); bad {
				faults = append(faults, f)
				continue
			}
			if sum.Add(r.Amount).Cmp(paid) > 0 {
				faults = append(faults, Fault{"R22", ProblemRefundExceeds, r.No,
					fmt.Sprintf("refund of %s brings the refunds to %s, the sale is %s", r.Amount, sum.Add(r.Amount), paid)})
				continue
			}
			sum = sum.Add(r.Amount)
			var side TenderRule
			if r.Tender != "" {
				side = s.tender(r.Tender)
			}
			for i, p := range r.Portions {
				out = append(out, refPortion{PortionRef{r.No, i}, r, side, p})
			}
		}
	}
	return out, faults
}

func checkRefund(r Refund, a amounts) (Fault, bool) {
	var sum Yuan
	for _, p := range r.Portions {
		if p.Amount.Sign() < 0 || p.Quantity.Sign() < 0 {
			return Fault{"I3", ProblemRefundSums, r.No, "a portion is negative"}, true
		}
		if _, ok := a.index[p.Line]; p.Line != "" && !ok {
			return Fault{"I3", ProblemRefundSums, r.No, "a portion names a line that the sale does not have"}, true
		}
		sum = sum.Add(p.Amount)
	}
	if !sum.Equal(r.Amount) {
		return Fault{"I3", ProblemRefundSums, r.No, fmt.Sprintf("portions sum to %s, the refund says %s", sum, r.Amount)}, true
	}
	return Fault{}, false
}
