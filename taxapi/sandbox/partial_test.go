package sandbox

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// Partial reds whose tax is the difference of T(g) = round(X·g/G) over the cumulative gross g, X and G being the blue
// line's tax and gross with its discount merged, are taken for any line the bureau took, and end at exactly zero.
func TestCumulativePartsAreTaken(t *testing.T) {
	tolerance := defaultSettings().LineTolerance
	cents := func(n int64) yuan { return yuan{decimal.New(n, -2)} }
	rapid.Check(t, func(t *rapid.T) {
		vat := rate{decimal.New(rapid.SampledFrom([]int64{13, 9, 6, 3, 1}).Draw(t, "rate"), -2)}
		priced := func(name string, net, off int64) line {
			n := cents(net)
			tax := yuan{n.Mul(vat.Decimal).Round(2)}.plus(cents(off))
			return line{Name: name, ShortName: "谷物加工品", Code: goodsCode, Net: n, Rate: vat, Tax: tax, Gross: n.plus(tax)}
		}
		first := priced("燕麦片", rapid.Int64Range(700, 1_000_000).Draw(t, "net"), rapid.Int64Range(-6, 6).Draw(t, "off"))
		first.No, first.Nature = 1, natureNormal
		original := &invoice{Color: blue, Lines: []line{first}, Gross: first.Gross}
		if rapid.Bool().Draw(t, "discounted") {
			d := priced("燕麦片", -rapid.Int64Range(1, 600).Draw(t, "discount"), 0)
			d.No, d.Nature = 2, natureDiscount
			original.Lines[0].Nature = natureDiscounted
			original.Lines = append(original.Lines, d)
		}
		whole := sharesOf(original)[1]
		if whole.tax.IsNegative() {
			t.Skip("a discount of more tax than its line has is refused as 1105")
		}
		taxOf := func(gross int64) yuan {
			return yuan{whole.tax.Mul(decimal.New(gross, -2)).DivRound(whole.gross.Decimal, 2)}
		}
		total := whole.gross.Shift(2).IntPart()
		var earlier []*confirmation
		for done := int64(0); done < total; {
			step := min(rapid.Int64Range(1, max(1, total/3)).Draw(t, "step"), total-done)
			l := original.Lines[0]
			l.BlueNo, l.Nature = 1, natureNormal
			l.Tax = taxOf(done).minus(taxOf(done + step))
			l.Gross = cents(-step)
			l.Net = l.Gross.minus(l.Tax)
			draft := &confirmation{State: confirmNotNeeded, Reason: reasonAllowance, Lines: []line{l}, Gross: l.Gross}
			if refused := checkRed(draft, original, earlier, tolerance); refused != nil {
				t.Fatalf("%s of %s after %d cents: %v", l.Gross, whole.gross, done, refused)
			}
			earlier = append(earlier, draft)
			done += step
		}
		left := sharesOf(original)[1]
		for _, c := range earlier {
			left.add(c.Lines[0])
		}
		if !left.used() {
			t.Fatalf("left: net %s, tax %s, gross %s", left.net, left.tax, left.gross)
		}
	})
}
