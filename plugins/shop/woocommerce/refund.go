package woocommerce

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/shop/fen"
)

// fullRefund is a refund of the REST interface. Its lines are negative and name the order's line in their meta data.
type fullRefund struct {
	ID      sdk.Text `json:"id"`
	Created string   `json:"date_created_gmt"`
	Amount  sdk.Text `json:"amount"`
	Reason  string   `json:"reason"`
	// Paid says whether the gateway carried the refund out; versions that don't tell leave it out.
	Paid     *bool  `json:"refunded_payment"`
	Lines    []item `json:"line_items"`
	Shipping []item `json:"shipping_lines"`
	Fees     []item `json:"fee_lines"`
}

// refundedItem is the meta key by which a refund's line names the order's line.
var refundedItem = []string{"_refunded_item_id"}

// refund decodes a refund of a sale. Its amount wins over its lines, whatever they sum to.
func (c *Config) refund(f fullRefund, s sdk.SaleSnapshot) (sdk.Refund, error) {
	var r reader
	amount := r.money("amount", f.Amount).Abs()
	out := sdk.Refund{
		RefundNo: r.Required("id", string(f.ID)), OrderNo: s.OrderNo, State: sdk.RefundSucceeded, Kind: sdk.AmountOnly,
		Amount: amount.String(), SucceededAt: f.created(&r), Reason: f.Reason,
	}
	p := portions{r: &r, sale: s}
	p.goods(f.Lines)
	p.charges("shipping_lines", f.Shipping)
	p.charges("fee_lines", f.Fees)
	if err := r.Err(); err != nil {
		return sdk.Refund{}, err
	}
	if slices.ContainsFunc(p.list, func(p portion) bool { return p.kind == sdk.GoodsQuantity }) {
		out.Kind = sdk.Return
	}
	if f.Paid != nil && !*f.Paid && c.ManualRefunds != "count" {
		out.State, out.SucceededAt = sdk.RefundOpened, time.Time{}
		out.Reason = strings.TrimSpace("booked by hand, not paid out by the gateway (refunded_payment is false). " + f.Reason)
	}
	out.Portions = p.settle(amount)
	return out, nil
}

func (f fullRefund) created(r *reader) time.Time {
	return r.moment("date_created_gmt", r.Required("date_created_gmt", f.Created))
}

// shortRefund takes what an order says of a refund where nothing can be fetched: an amount that names no line. When it was
// made is not told, and the order's own date would make a new refund of it with each change.
func shortRefund(i int, f refunds, s sdk.SaleSnapshot) (sdk.Refund, error) {
	var r reader
	amount := r.money(fmt.Sprintf("refunds.%d.total", i), f.Total).Abs().String()
	return sdk.Refund{
		RefundNo: string(f.ID), OrderNo: s.OrderNo, State: sdk.RefundSucceeded, Kind: sdk.AmountOnly, Amount: amount,
		Portions: []sdk.RefundPortion{{Kind: sdk.Money, Amount: amount}},
	}, r.Err()
}

// portions collects a refund's lines.
type portions struct {
	r    *reader
	sale sdk.SaleSnapshot
	list []portion
	// over is the sum of lines that raise an amount again, such as a discount that is taken back with its goods.
	over fen.Amount
	seen int
}

type portion struct {
	line     string
	kind     sdk.PortionKind
	quantity string
	amount   fen.Amount
}

func (p *portions) goods(items []item) {
	for i, it := range items {
		path := fmt.Sprintf("line_items.%d.", i)
		quantity := p.r.optional(path+"quantity", it.Quantity).Abs()
		kind, text := sdk.GoodsQuantity, quantity.String()
		if quantity.IsZero() {
			kind, text = sdk.GoodsAmount, ""
		}
		p.add(path, it, portion{kind: kind, quantity: text})
	}
}

func (p *portions) charges(list string, items []item) {
	for i, it := range items {
		p.add(fmt.Sprintf("%s.%d.", list, i), it, portion{kind: sdk.ShippingRefund})
	}
}

func (p *portions) add(path string, it item, q portion) {
	p.seen++
	net, tax := p.r.figure(path+"total", it.Total), p.r.optional(path+"total_tax", it.TotalTax)
	q.amount = -fen.Round(net.Add(tax))
	if q.amount < 0 {
		p.over -= q.amount
		return
	}
	if q.amount == 0 && q.quantity == "" {
		return
	}
	q.line = it.Meta.first(refundedItem)
	known := slices.ContainsFunc(p.sale.Lines, func(l sdk.Line) bool { return l.LineNo == q.line })
	if !known { // a line that was taken out of the order since, or a discount line
		q.line, q.quantity = "", ""
		if q.kind != sdk.ShippingRefund {
			q.kind = sdk.Money
		}
	}
	p.list = append(p.list, q)
}

// settle makes the portions sum to the amount: lines that sum to more, or to less by no more than rounding, are scaled;
// what is left beyond that is money that names no line.
func (p *portions) settle(amount fen.Amount) []sdk.RefundPortion {
	weights := make([]fen.Amount, len(p.list))
	for i, q := range p.list {
		weights[i] = q.amount
	}
	sum, spread := fen.Sum(weights), amount
	if amount-(sum-p.over) > fen.Amount(p.seen) {
		spread = min(sum, amount)
	}
	if sum == 0 {
		spread = 0
	}
	var out []sdk.RefundPortion
	for i, share := range fen.Spread(spread, weights) {
		q := p.list[i]
		out = append(out, sdk.RefundPortion{LineNo: q.line, Kind: q.kind, Quantity: q.quantity, Amount: share.String()})
	}
	if rest := amount - spread; rest > 0 {
		out = append(out, sdk.RefundPortion{Kind: sdk.Money, Amount: rest.String()})
	}
	return out
}

// capRefunds lowers the last refunds by the fen that rounding line by line brought beyond the order's total. What exceeds
// it by more stays for the host to hold.
func capRefunds(refunds []sdk.Refund, s sdk.SaleSnapshot) ([]sdk.Refund, error) {
	var r reader
	left := r.money("total", sdk.Text(s.Total))
	for i, f := range refunds {
		amount := r.money("amount", sdk.Text(f.Amount))
		if f.State != sdk.RefundSucceeded {
			continue
		}
		excess := amount - left
		if excess > 0 && excess <= fen.Amount(len(s.Lines)) && excess < amount {
			refunds[i] = lowered(f, amount-excess)
			amount -= excess
		}
		left -= amount
	}
	return refunds, r.Err()
}

// lowered spreads a smaller amount over the portions of a refund.
func lowered(f sdk.Refund, amount fen.Amount) sdk.Refund {
	var r reader
	weights := make([]fen.Amount, len(f.Portions))
	for i, p := range f.Portions {
		weights[i] = r.money("portion", sdk.Text(p.Amount))
	}
	f.Amount, f.Portions = amount.String(), slices.Clone(f.Portions)
	for i, share := range fen.Spread(amount, weights) {
		f.Portions[i].Amount = share.String()
	}
	return f
}
