package woocommerce

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/shop/fen"
)

// pushed makes events of an order as a webhook or a list brings it. An order with refunds is only pointed at, where it can
// be fetched: its snapshot alone would have an order invoiced whose refunds are not known yet.
func (c *Config) pushed(o order) ([]sdk.Event, error) {
	live := o.liveRefunds()
	if len(live) > 0 && c.client != nil && o.ID != "" && o.Modified != "" {
		return []sdk.Event{{ID: "ref/" + string(o.ID) + "/" + o.revision(), Body: sdk.OrderRef{OrderNo: o.no()}}}, nil
	}
	sale, err := c.sale(o)
	if err != nil {
		return nil, err
	}
	events := []sdk.Event{saleEvent(sale)}
	for i, r := range live {
		refund, err := shortRefund(i, r, sale)
		if err != nil {
			return nil, err
		}
		events = append(events, refundEvent(refund, time.Time{}))
	}
	return events, nil
}

func saleEvent(s sdk.SaleSnapshot) sdk.Event {
	return sdk.Event{ID: "order/" + s.OrderUID + "/" + s.Revision, OccurredAt: s.RevisionTime, Body: s}
}

func refundEvent(r sdk.Refund, at time.Time) sdk.Event {
	return sdk.Event{ID: "refund/" + r.RefundNo + "/" + string(r.State), OccurredAt: at, Body: r}
}

// reader collects the first fault of a document.
type reader struct{ sdk.Check }

// figure reads a number; the shop may keep more than two decimals.
func (r *reader) figure(path string, raw sdk.Text) sdk.Decimal {
	return r.Number(path, json.Number(raw))
}

// optional reads a number that older versions or fee lines leave out.
func (r *reader) optional(path string, raw sdk.Text) sdk.Decimal {
	if raw == "" {
		return sdk.Decimal{}
	}
	return r.figure(path, raw)
}

// money reads an amount of at most two decimals.
func (r *reader) money(path string, raw sdk.Text) fen.Amount {
	n := r.figure(path, raw)
	if !n.Equal(n.Round(2)) {
		r.Fail(sdk.BadNumber, path, "more than two decimals")
	}
	return fen.Round(n)
}

// moment reads a time of the *_gmt fields, which is written without zone.
func (r *reader) moment(path, raw string) time.Time {
	if raw == "" {
		return time.Time{}
	}
	return r.Time(path, time.RFC3339, strings.TrimSuffix(raw, "Z")+"Z")
}

// sale makes the snapshot. Its total is what the buyer owed before gift cards: a card pays, it doesn't make cheaper.
func (c *Config) sale(o order) (sdk.SaleSnapshot, error) {
	var r reader
	s := sdk.SaleSnapshot{
		OrderNo: r.Required("number", o.no()), OrderUID: r.Required("id", string(o.ID)), Kind: sdk.Order,
		Revision: o.revision(), RevisionTime: r.moment("date_modified_gmt", r.Required("date_modified_gmt", o.Modified)),
		Status: o.status(), Currency: o.Currency,
		PaidAt: r.moment("date_paid_gmt", o.Paid), CompletedAt: r.moment("date_completed_gmt", o.Completed),
		Buyer: o.buyer(c), InvoiceRequested: o.askedFor(c),
	}
	r.Required("status", o.Status)
	due := r.money("total", o.Total)
	total := due
	var cards fen.Amount
	for i, g := range o.GiftCards {
		cards += r.money(fmt.Sprintf("gift_cards.%d.amount", i), g.Amount)
	}
	total += cards
	b := bill{r: &r}
	b.goods("line_items", o.Lines)
	b.charges("shipping_lines", o.Shipping, sdk.Shipping)
	b.charges("fee_lines", o.Fees, sdk.Fee)
	if err := r.Err(); err != nil {
		return sdk.SaleSnapshot{}, err
	}
	if err := b.settle(total); err != nil {
		return sdk.SaleSnapshot{}, err
	}
	s.Lines, s.Total = b.lines(), total.String()
	if cards != 0 {
		s.Tenders = append(s.Tenders, sdk.Tender{Kind: sdk.PrepaidCard, Amount: cards.String()})
	}
	if due != 0 && o.Paid != "" {
		s.Tenders = append(s.Tenders, sdk.Tender{Kind: o.tender(), Amount: due.String(), TransactionNo: string(o.TransactionID)})
	}
	return s, nil
}
