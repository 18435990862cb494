package main

import (
	"fmt"
	"strconv"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// adjust is an adjustment with its figure turned to the bill's direction: discounts are negative.
type adjust struct {
	kind     string
	exact    sdk.Decimal
	fundedBy sdk.FundedBy
}

var one = mustNumber("1")

func mustNumber(s string) sdk.Decimal {
	d, err := sdk.Number("constant", s)
	if err != nil {
		panic(err)
	}
	return d
}

// adjustmentKinds say who bears an adjustment when the till doesn't.
var adjustmentKinds = map[string]sdk.FundedBy{
	"ORDER_DISCOUNT": sdk.ByShop, "COUPON_SHOP": sdk.ByShop, "COUPON_PLATFORM": sdk.ByPlatform, "POINTS": sdk.ByShop,
	"ROUNDING": sdk.ByShop, "SERVICE_CHARGE": sdk.ByShop, "TIP": sdk.ByOther, "MIN_SPEND": sdk.ByShop,
}

var funders = map[string]sdk.FundedBy{"SHOP": sdk.ByShop, "PLATFORM": sdk.ByPlatform, "CUSTOMER": sdk.ByOther}

func readAdjustments(r *reader, in []adjustment, way direction) []adjust {
	out := make([]adjust, len(in))
	for i, a := range in {
		path := fmt.Sprintf("adjustments.%d.", i)
		by := oneOf(r, path+"kind", a.Kind, adjustmentKinds)
		if a.FundedBy != "" {
			by = oneOf(r, path+"funded_by", a.FundedBy, funders)
		}
		out[i] = adjust{kind: a.Kind, exact: way.turn(r.figure(path+"amount", a.Amount)), fundedBy: by}
	}
	return out
}

// settle spreads everything that changes the whole receipt over its rows, so that what they paid sums to what is payable;
// in an exchange, to that and the worth of what came back.
func (b *bill) settle(r *reader, adjusts []adjust, exchange bool) {
	if len(b.rows) > 0 && b.rows[0].given {
		adjusts = nil // contained in what the till says that each row paid
	}
	for i, a := range adjusts {
		if a.kind == "TIP" {
			b.rows = append(b.rows, row{
				line: line{LineNo: sdk.Text("tip-" + strconv.Itoa(i+1)), Name: "小费", Flags: []string{"TIP"}}, qty: one, paid: round(a.exact),
			})
		}
	}
	total := b.payable
	for _, x := range b.minus {
		if exchange {
			total += round(x.net).abs()
			continue
		}
		b.apply(round(x.net), "NEGATIVE_ITEM", sdk.ByShop, x.has("DEPOSIT"))
	}
	for _, a := range adjusts {
		if a.kind != "TIP" {
			b.apply(round(a.exact), a.kind, a.fundedBy, false)
		}
	}
	// What is left comes from rounding rows and adjustments of more than two decimals.
	b.apply(total-sum(b.weights(all)), "ROUNDING", sdk.ByShop, false)
	if got := sum(b.weights(all)); got != total {
		r.Fail(sumsDiffer, "payable", "rows take "+got.String()+" of "+total.String())
	}
}

func all(row) bool        { return true }
func deposits(x row) bool { return x.has("DEPOSIT") }
func goods(x row) bool    { return !x.has("DEPOSIT") && !x.has("TIP") }

func (b *bill) weights(counts func(row) bool) []fen {
	out := make([]fen, len(b.rows))
	for i, x := range b.rows {
		if counts(x) {
			out[i] = x.paid
		}
	}
	return out
}

// apply spreads an amount over the goods, or over the deposits if it is one; over all rows where those can't take it. No
// row falls below nothing: what rows of fractions of a fen can't take is left to the last rounding.
func (b *bill) apply(amount fen, kind string, by sdk.FundedBy, deposit bool) {
	weights := b.weights(goods)
	if deposit {
		weights = b.weights(deposits)
	}
	if most := sum(weights); most == 0 || most < -amount {
		weights = b.weights(all)
	}
	most := sum(weights)
	if most == 0 && amount > 0 && len(weights) > 0 {
		weights[0], most = 1, 1 // rows of nothing: the first takes the charge
	}
	amount = max(amount, -most)
	if amount == 0 || most == 0 {
		return
	}
	for i, share := range spread(amount, weights) {
		b.rows[i].paid += share
		b.rows[i].discount(-share, by, kind)
	}
}
