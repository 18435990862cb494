package main

import (
	"fmt"
	"slices"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// bill is a receipt's rows on the way to what each of them paid. Amounts are positive in the bill's direction: what a sale
// sells, and what a return gives back. Rows of the other direction are minus.
type bill struct {
	rows    []row
	minus   []row
	payable fen
}

// row is a line with its figures, turned to the bill's direction.
type row struct {
	line
	path      string
	qty, net  sdk.Decimal
	paid      fen
	given     bool // the till has spread everything itself
	discounts []sdk.Discount
}

// Reasons of this plugin.
const (
	// sumsDiffer: rows, adjustments and payable don't add up.
	sumsDiffer sdk.Reason = "sums_differ"
	// signDiffers: a return with positive amounts, a sale with negative ones, or a row whose quantity and amount disagree.
	// Such a document is not turned round by guessing.
	signDiffers sdk.Reason = "sign_differs"
)

// direction is the sign in which a kind of document writes what it is about.
type direction int

const (
	sells direction = 1
	gives direction = -1
)

func (d direction) turn(n sdk.Decimal) sdk.Decimal {
	if d == gives {
		return n.Neg()
	}
	return n
}

// newBill works out what each row paid. An exchange keeps its minus rows, which go back to the receipt they came from; in
// other documents they lower the other rows.
func newBill(r *reader, d *document, way direction, exchange bool) bill {
	b := bill{payable: r.money("payable", d.Payable) * fen(way)}
	payable := way.turn(r.figure("payable", d.Payable))
	rows, adjusts := readRows(r, d.Lines, way), readAdjustments(r, d.Adjustments, way)
	if r.Err() != nil {
		return b
	}
	rows, ok := onePriceLevel(dropVoided(rows), adjusts, payable)
	if !ok {
		r.Fail(sumsDiffer, "payable", fmt.Sprintf("rows and adjustments don't sum to %s", d.Payable))
		return b
	}
	for _, x := range rows {
		if x.net.IsNegative() {
			b.minus = append(b.minus, x)
			continue
		}
		x.paid = round(x.net)
		b.rows = append(b.rows, x)
	}
	if b.checkSigns(r, exchange); r.Err() == nil {
		b.settle(r, adjusts, exchange)
	}
	return b
}

func readRows(r *reader, lines []line, way direction) []row {
	out := make([]row, len(lines))
	seen := map[sdk.Text]bool{}
	given := 0
	for i, l := range lines {
		path := fmt.Sprintf("lines.%d.", i)
		r.Required(path+"line_no", string(l.LineNo))
		r.Required(path+"name", l.Name)
		if seen[l.LineNo] {
			r.Fail(sdk.BadField, path+"line_no", "occurs twice")
		}
		seen[l.LineNo] = true
		r.optional(path+"tax_rate", l.TaxRate)
		for _, f := range l.Flags {
			oneOf(r, path+"flags", f, flags)
		}
		gross, discount := way.turn(r.figure(path+"gross", l.Gross)), way.turn(r.optional(path+"discount", l.Discount))
		x := row{line: l, path: path, qty: way.turn(r.figure(path+"qty", l.Qty)), net: gross.Sub(discount)}
		kind := "LINE"
		if l.PaidAmount != "" {
			given++
			x.given, x.net = true, way.turn(r.figure(path+"paid_amount", l.PaidAmount))
			discount, kind = gross.Sub(x.net), "SHARE"
		}
		x.discount(round(discount), sdk.ByShop, kind)
		out[i] = x
	}
	if given != 0 && given != len(lines) {
		r.Fail(sdk.BadField, "lines", "paid_amount must stand on every line or on none")
	}
	return out
}

func (x *row) discount(amount fen, by sdk.FundedBy, kind string) {
	if amount > 0 {
		x.discounts = append(x.discounts, sdk.Discount{Amount: amount.String(), FundedBy: by, Kind: kind})
	}
}

func (x *row) has(flag string) bool { return slices.Contains(x.Flags, flag) }

// dropVoided takes voided rows out. Tills write them in two ways: the row itself is marked, or a second row with negative
// figures takes back the last one of the same article and quantity.
func dropVoided(rows []row) []row {
	dropped := make([]bool, len(rows))
	for i, x := range rows {
		if !x.has("VOID") {
			continue
		}
		if !x.net.IsNegative() {
			dropped[i] = true
			continue
		}
		for k := i - 1; k >= 0; k-- {
			y := rows[k]
			if !dropped[k] && !y.has("VOID") && y.SKU == x.SKU && (x.SKU != "" || y.Name == x.Name) && y.qty.Equal(x.qty.Neg()) {
				dropped[i], dropped[k] = true, true
				break
			}
		}
	}
	var out []row
	for i, x := range rows {
		if !dropped[i] {
			out = append(out, x)
		}
	}
	return out
}

// onePriceLevel finds the rows that make up the bill. The parts of a set may carry prices beside the set's own; they are
// counted when the bill needs them, and otherwise one level is left out: the one without which the sum is right.
func onePriceLevel(rows []row, adjusts []adjust, payable sdk.Decimal) ([]row, bool) {
	parents := map[sdk.Text]bool{}
	for _, x := range rows {
		if x.ParentLineNo != "" {
			parents[x.ParentLineNo] = true
		}
	}
	for _, leaveOut := range []func(row) bool{
		func(row) bool { return false },
		func(x row) bool { return x.ParentLineNo != "" },
		func(x row) bool { return parents[x.LineNo] },
	} {
		level := slices.DeleteFunc(slices.Clone(rows), leaveOut)
		if adds(level, adjusts, payable) {
			return level, true
		}
	}
	return nil, false
}

// adds says whether rows and adjustments sum to what is payable. Tills that keep three or four decimals round at the end,
// which is less than one fen; with two decimals nothing but equality is left.
func adds(rows []row, adjusts []adjust, payable sdk.Decimal) bool {
	total, given := sdk.Decimal{}, false
	for _, x := range rows {
		total, given = total.Add(x.net), given || x.given
	}
	if !given {
		for _, a := range adjusts {
			total = total.Add(a.exact)
		}
	}
	return total.Sub(payable).Abs().Shift(2).LessThan(one)
}

// checkSigns refuses documents that follow another convention of signs.
func (b *bill) checkSigns(r *reader, exchange bool) {
	for _, x := range slices.Concat(b.rows, b.minus) {
		if x.qty.Sign()*x.net.Sign() < 0 {
			r.Fail(signDiffers, x.path+"qty", "quantity and amount have different signs")
		}
	}
	for _, x := range b.minus {
		if !exchange && !x.has("NEGATIVE_ITEM") && !x.has("DEPOSIT") {
			r.Fail(signDiffers, x.path+"gross", "the sign of the other direction, without NEGATIVE_ITEM")
		}
	}
	if b.payable < 0 && !exchange {
		r.Fail(signDiffers, "payable", "")
	}
}
