package main

import (
	"strconv"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

var dayCloseStatuses = map[string]sdk.DayCloseStatus{
	"": sdk.DayClosed, "OPEN": sdk.DayOpen, "CLOSING": sdk.DayClosing, "CLOSED": sdk.DayClosed, "CHANGED": sdk.DayChanged,
}

// dayCloseEvents decodes a closing report (Z). It is only compared with the receipts, never a source of invoices.
func (d *document) dayCloseEvents(r *reader, id identity) []sdk.Event {
	z := d.DayClose
	revision := strconv.FormatUint(id.revision, 10)
	out := sdk.DayClose{
		StoreCode: id.store, Terminal: id.terminal, BusinessDay: id.day, ZNumber: string(z.ZNumber),
		OpenedAt: r.moment("day_close.opened_at", z.OpenedAt), ClosedAt: r.moment("day_close.closed_at", z.ClosedAt),
		CountSales:   int64(r.count("day_close.count_sales", z.CountSales, 0)),
		CountReturns: int64(r.count("day_close.count_returns", z.CountReturns, 0)),
		CountVoid:    int64(r.count("day_close.count_void", z.CountVoid, 0)),
		Gross:        r.money("day_close.gross", z.Gross).String(),
		Discount:     r.optionalMoney("day_close.discount", z.Discount),
		Returns:      r.optionalMoney("day_close.returns", z.Returns),
		Net:          r.money("day_close.net", z.Net).String(),
		ByTender:     d.readTenders(r, "day_close.by_tender", z.ByTender),
		FirstNo:      string(z.FirstNo), LastNo: string(z.LastNo), Revision: revision,
		Status: oneOf(r, "day_close.status", z.Status, dayCloseStatuses),
	}
	return []sdk.Event{{ID: "dayclose/" + id.key + "/r" + revision, OccurredAt: out.ClosedAt, Body: out}}
}

func (r *reader) optionalMoney(path string, raw sdk.Text) string {
	if raw == "" {
		return ""
	}
	return r.money(path, raw).String()
}
