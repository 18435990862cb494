package woocommerce

import (
	"fmt"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/shop/fen"
)

// bill turns an order's lines into lines whose paid amounts sum to the total, to the fen. The shop rounds net and tax of
// each line by itself, and the total once more, so the plain sum may be some fen off.
type bill struct {
	r       *reader
	entries []entry
	// minus is the sum of negative lines: how plugins for conditional discounts write a discount.
	minus fen.Amount
	seen  int
}

type entry struct {
	line     sdk.Line
	paid     fen.Amount
	coupon   fen.Amount
	feeShare fen.Amount
}

// gross is net and tax of a line, rounded once. The detailed taxes[] have more decimals and would overshoot.
func (b *bill) gross(path string, net, tax sdk.Text) fen.Amount {
	return fen.Round(b.r.figure(path+"total", net).Add(b.r.optional(path+"total_tax", tax)))
}

func (b *bill) goods(list string, items []item) {
	for i, it := range items {
		path := fmt.Sprintf("%s.%d.", list, i)
		paid := b.gross(path, it.Total, it.TotalTax)
		before := fen.Round(b.r.optional(path+"subtotal", it.Subtotal).Add(b.r.optional(path+"subtotal_tax", it.SubtotalTax)))
		b.add(entry{paid: paid, coupon: max(0, before-paid), line: sdk.Line{
			LineNo: b.r.Required(path+"id", string(it.ID)), Kind: sdk.Goods, SKU: string(it.SKU), Name: b.r.Required(path+"name", it.Name),
			Quantity: b.r.figure(path+"quantity", it.Quantity).String(),
		}})
	}
}

func (b *bill) charges(list string, items []item, kind sdk.LineKind) {
	for i, it := range items {
		path := fmt.Sprintf("%s.%d.", list, i)
		name := it.Name
		if name == "" {
			name = it.MethodTitle
		}
		b.add(entry{paid: b.gross(path, it.Total, it.TotalTax), line: sdk.Line{
			LineNo: b.r.Required(path+"id", string(it.ID)), Kind: kind, Name: b.r.Required(path+"name", name), Quantity: "1",
		}})
	}
}

func (b *bill) add(e entry) {
	b.seen++
	if e.paid < 0 {
		b.minus -= e.paid
		return
	}
	b.entries = append(b.entries, e)
}

// settle spreads negative lines over the goods, over all lines where goods don't reach, and then the fen that rounding
// left. A difference beyond one fen a line is not rounding.
func (b *bill) settle(total fen.Amount) error {
	gap := total - (b.sum() - b.minus)
	if gap.Abs() > fen.Amount(max(1, b.seen)) || total < 0 {
		return &sdk.Fault{Reason: sumsDiffer, Path: "total", Detail: fmt.Sprintf("lines sum to %s, the order says %s", b.sum()-b.minus, total)}
	}
	goods := b.weights(func(e entry) bool { return e.line.Kind == sdk.Goods })
	if fen.Sum(goods) < b.minus {
		goods = b.weights(func(entry) bool { return true })
	}
	for i, share := range fen.Spread(min(b.minus, fen.Sum(goods)), goods) {
		b.entries[i].paid -= share
		b.entries[i].feeShare += share
	}
	all := b.weights(func(entry) bool { return true })
	for i, share := range fen.Spread(total-b.sum(), all) {
		b.entries[i].paid += share
	}
	if b.sum() != total {
		return &sdk.Fault{Reason: sumsDiffer, Path: "total", Detail: "no line can take the rounding"}
	}
	return nil
}

func (b *bill) sum() fen.Amount {
	var total fen.Amount
	for _, e := range b.entries {
		total += e.paid
	}
	return total
}

func (b *bill) weights(counts func(entry) bool) []fen.Amount {
	out := make([]fen.Amount, len(b.entries))
	for i, e := range b.entries {
		if counts(e) {
			out[i] = e.paid
		}
	}
	return out
}

func (b *bill) lines() []sdk.Line {
	out := make([]sdk.Line, len(b.entries))
	for i, e := range b.entries {
		l := e.line
		l.PaidAmount, l.ListAmount = e.paid.String(), (e.paid + e.coupon + e.feeShare).String()
		if e.coupon > 0 {
			l.Discounts = append(l.Discounts, sdk.Discount{Amount: e.coupon.String(), FundedBy: sdk.ByShop, Kind: "coupon"})
		}
		if e.feeShare > 0 {
			l.Discounts = append(l.Discounts, sdk.Discount{Amount: e.feeShare.String(), FundedBy: sdk.ByShop, Kind: "negative fee"})
		}
		out[i] = l
	}
	return out
}
