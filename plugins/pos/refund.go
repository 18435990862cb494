package main

import (
	"strconv"
	"strings"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// returnEvents decodes a return or a post void: a refund of the receipt that its link names. Without a link the refund
// names itself as its order: no such sale will come, so the host keeps it as waiting for its order until a person says
// what it belongs to.
func (d *document) returnEvents(r *reader, id identity) []sdk.Event {
	linkType, reason := sdk.ReturnOf, "return"
	if d.Kind == "POST_VOID" {
		linkType, reason = sdk.Voids, "post void"
	}
	orderNo, originalLine := d.target(r, id, linkType)
	f := sdk.Refund{Kind: sdk.Return, OrderNo: orderNo, Reason: reason}
	if len(d.Lines) == 0 {
		amount := -r.money("payable", d.Payable)
		if amount < 0 {
			r.Fail(signDiffers, "payable", "")
		}
		f.Amount, f.Portions = amount.String(), []sdk.RefundPortion{{Kind: sdk.Money, Amount: amount.String()}}
		if d.Kind == "RETURN" {
			f.Kind = sdk.AmountOnly
		}
	} else {
		b := newBill(r, d, gives, false)
		f.Amount, f.Portions = b.payable.String(), d.portions(b.rows, originalLine)
	}
	return []sdk.Event{d.refundEvent(r, id, f)}
}

// exchangeEvents decodes an exchange: what came back is a refund of the receipt it came from, what went out is a sale. They
// are never netted, since the first may be invoiced already. Without a link both are of this one receipt, so that what is
// left of it can be invoiced.
func (d *document) exchangeEvents(r *reader, id identity) []sdk.Event {
	orderNo, originalLine := d.target(r, id, sdk.ReturnOf)
	b := newBill(r, d, sells, true)
	if r.Err() != nil {
		return nil
	}
	var events []sdk.Event
	if len(b.minus) > 0 {
		var amount fen
		for i := range b.minus {
			x := &b.minus[i]
			x.paid, x.qty = round(x.net).abs(), x.qty.Abs()
			amount += x.paid
		}
		events = append(events, d.refundEvent(r, id, sdk.Refund{
			Kind: sdk.ExchangeRefund, OrderNo: orderNo, Reason: "exchange", Amount: amount.String(), Portions: d.portions(b.minus, originalLine),
		}))
	}
	if len(b.rows) > 0 {
		tenders := d.readTenders(r, "tenders", d.Tenders)
		events = append(events, d.saleEvent(r, id, sdk.Exchange, b.rows, paidWithGoods(tenders, sum(b.weights(all)))))
	}
	if len(events) == 0 {
		r.Fail(sdk.MissingField, "lines", "an exchange without rows")
	}
	return events
}

// paidWithGoods completes the tenders of an exchange by the worth of what came back.
func paidWithGoods(tenders []sdk.Tender, total fen) []sdk.Tender {
	var out []sdk.Tender
	for _, t := range tenders {
		n, err := sdk.Number("tender", t.Amount)
		if err != nil || strings.HasPrefix(t.Amount, "-") {
			continue
		}
		out, total = append(out, t), total-round(n)
	}
	if total > 0 {
		out = append(out, sdk.Tender{Kind: sdk.OtherTender, Amount: total.String()})
	}
	return out
}

func (d *document) refundEvent(r *reader, id identity, f sdk.Refund) sdk.Event {
	sold, changed := d.changed(r)
	f.RefundNo, f.State, f.SucceededAt = id.key, sdk.RefundSucceeded, sold
	if f.OrderNo == "" {
		f.OrderNo, f.Reason = id.key, f.Reason+" without link"
	}
	if d.Status == "REVERSED" {
		f.State = sdk.RefundDeleted
	}
	if back := d.readTenders(r, "tenders", d.Tenders); len(back) == 1 {
		f.Tender = back[0].Kind
	}
	eventID := "refund/" + id.key + "/" + string(f.State) + "/r" + strconv.FormatUint(id.revision, 10)
	return sdk.Event{ID: eventID, OccurredAt: changed, Body: f}
}

// portions names the original's lines. A post void repeats the receipt's own numbers; a return says them, on each row or,
// if it has one row, in its link.
func (d *document) portions(rows []row, linked string) []sdk.RefundPortion {
	var out []sdk.RefundPortion
	for _, x := range rows {
		p := sdk.RefundPortion{LineNo: string(x.OriginalLine), Kind: sdk.GoodsQuantity, Quantity: x.qty.String(), Amount: x.paid.String()}
		switch {
		case p.LineNo == "" && d.Kind == "POST_VOID":
			p.LineNo = string(x.LineNo)
		case p.LineNo == "" && len(rows) == 1:
			p.LineNo = linked
		}
		switch {
		case p.LineNo == "" && x.paid == 0:
			continue
		case p.LineNo == "":
			p.Kind, p.Quantity = sdk.Money, ""
		case x.qty.IsZero():
			p.Kind, p.Quantity = sdk.GoodsAmount, ""
		}
		out = append(out, p)
	}
	return out
}
