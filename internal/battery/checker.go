package battery

import (
	"fmt"
	"maps"
	"sort"
)

// halfUp is a/b rounded half up, for a ≥ 0 and b > 0.
func halfUp(a, b int64) int64 { return (2*a + b) / (2 * b) }

// spread splits fen over weights by largest remainder; ties go to the larger weight, then to the earlier line.
func spread(total int64, weights []int64) []int64 {
	shares, order, sum, left := make([]int64, len(weights)), []int{}, int64(0), total
	for _, w := range weights {
		sum += w
	}
	for i, w := range weights {
		shares[i], order = total*w/sum, append(order, i)
		left -= shares[i]
	}
	sort.SliceStable(order, func(a, b int) bool {
		i, j := order[a], order[b]
		if ri, rj := total*weights[i]%sum, total*weights[j]%sum; ri != rj {
			return ri > rj
		}
		return weights[i] > weights[j]
	})
	for i := int64(0); i < left; i++ {
		shares[order[i]]++
	}
	return shares
}

// Remaining is what is left of each line after the refunds. What goes beyond a line is taken from the others in order.
func (o Order) Remaining() []int64 {
	n := len(o.Lines)
	left, paid, charges, charged, extra := make([]int64, n), make([]int64, n), make([]int64, n), false, int64(0)
	for i, l := range o.Lines {
		left[i], paid[i] = l.Paid, l.Paid
		if !l.Goods {
			charges[i], charged = l.Paid, charged || l.Paid > 0
		}
	}
	for _, p := range o.Refunded {
		weights := paid
		if p.Shipping && charged {
			weights = charges
		}
		if p.Line != "" {
			weights = make([]int64, n)
			for i, l := range o.Lines {
				if l.No == p.Line {
					weights[i] = 1
				}
			}
		}
		for i, share := range spread(p.Amount, weights) {
			left[i] -= share
		}
	}
	for i := range left {
		extra, left[i] = extra-min(left[i], 0), max(left[i], 0)
	}
	for i := range left {
		cut := min(extra, left[i])
		extra, left[i] = extra-cut, left[i]-cut
	}
	return left
}

// Check recomputes, from the traffic alone, what must remain invoiced of each order (blue − red, gross, tax and net) and
// compares it with our ledger and with the bureau's. It returns one sentence for each thing that is wrong. Of the bureau's
// ledger it believes only what a blue line's gross was when it was issued; every tax is worked out anew.
func Check(orders []Order, ours, bureau []Invoice) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	own, blues, reds := map[string]Invoice{}, map[string][]Invoice{}, map[string][]Invoice{}
	for _, i := range ours {
		own[i.Number] = i
	}
	for _, i := range bureau {
		if o, known := own[i.Number]; !known {
			say("invoice %s of order %q: the bureau has it, we do not", i.Number, i.Order)
		} else if o.Order != i.Order || o.Net != i.Net || o.Tax != i.Tax || o.Gross != i.Gross {
			say("invoice %s: our row says order %s, %d + %d = %d fen, the bureau's %s, %d + %d = %d", i.Number, o.Order, o.Net, o.Tax, o.Gross, i.Order, i.Net, i.Tax, i.Gross)
		}
		delete(own, i.Number)
		if i.Blue != "" {
			reds[i.Blue] = append(reds[i.Blue], i)
		} else {
			blues[i.Order] = append(blues[i.Order], i)
		}
	}
	for number, i := range own {
		say("invoice %s of order %s: we have it, the bureau does not", number, i.Order)
	}
	for _, o := range orders {
		var gross, tax, net, wantGross, wantTax, live int64
		lines, want := map[string]Line{}, map[string]int64{}
		for i, left := range o.Remaining() {
			lines[o.Lines[i].Name] = o.Lines[i]
			if o.Asked {
				want[o.Lines[i].Name], wantGross = left, wantGross+left
			}
		}
		for _, blue := range blues[o.No] {
			ownTax, blueGross, cut, names := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[int]string{}
			for _, l := range blue.Lines {
				right := halfUp(max(l.Gross, -l.Gross)*lines[l.Name].Rate, 100+lines[l.Name].Rate)
				if l.Discount {
					right, cut[l.Name] = -right, -l.Gross
				}
				if l.Tax != right || l.Net != l.Gross-l.Tax {
					say("order %s, invoice %s, line %q: %d fen with a tax of %d, right is %d", o.No, blue.Number, l.Name, l.Gross, l.Tax, right)
				}
				names[l.No], ownTax[l.Name], blueGross[l.Name] = l.Name, ownTax[l.Name]+right, blueGross[l.Name]+l.Gross
			}
			gross, tax, net = gross+blue.Gross, tax+blue.Tax, net+blue.Net
			rest, left := blue.Gross, maps.Clone(blueGross)
			for _, red := range reds[blue.Number] {
				gross, tax, net, rest = gross+red.Gross, tax+red.Tax, net+red.Net, rest+red.Gross
				for _, l := range red.Lines {
					left[names[l.BlueNo]] += l.Gross
				}
			}
			if rest == 0 { // reversed as a whole: its sums must be gone too
				continue
			}
			live++
			for name, g := range blueGross {
				if left[name] != want[name] {
					say("order %s, invoice %s, line %q: %d fen remain invoiced, the traffic says %d", o.No, blue.Number, name, left[name], want[name])
				}
				if l := lines[name]; cut[name] != halfUp((l.List-l.Paid)*g, max(l.Paid, 1)) {
					say("order %s, invoice %s, line %q: a discount of %d fen is not the shop's", o.No, blue.Number, name, cut[name])
				}
				wantTax += ownTax[name] - halfUp(ownTax[name]*(g-want[name]), g)
			}
		}
		if live > 1 {
			say("order %s: %d live blue invoices", o.No, live)
		}
		if gross != wantGross || tax != wantTax || net != wantGross-wantTax {
			say("order %s: net %d + tax %d = %d fen remain invoiced, the traffic says %d + %d = %d", o.No, net, tax, gross, wantGross-wantTax, wantTax, wantGross)
		}
	}
	sort.Strings(wrong)
	return wrong
}
