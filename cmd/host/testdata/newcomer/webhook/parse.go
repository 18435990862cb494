package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// parse takes Acme's notices: hex HMAC-SHA256 over time, newline and body; amounts in fen; times in Unix seconds.
func parse(_ context.Context, c config, r sdk.Request) (sdk.Parsed, error) {
	at, err := sdk.UnixTime("X-Acme-Time", r.Header("X-Acme-Time"))
	if err != nil || !sdk.Fresh(r.ReceivedAt, at, 5*time.Minute) {
		return sdk.Forged(sdk.StaleTimestamp, "X-Acme-Time is missing, or too far from now"), nil
	}
	if !sdk.HMACSHA256Hex(c.Secret, append([]byte(r.Header("X-Acme-Time")+"\n"), r.Body...), r.Header("X-Acme-Sign")) {
		return sdk.Forged(sdk.BadSignature, "X-Acme-Sign does not match"), nil
	}
	var n notice
	if err := sdk.DecodeJSON(r.Body, &n); err != nil {
		return sdk.MalformedAuthentic(err).Reply(200, "OK"), nil
	}
	if n.Event != "PAID" {
		return sdk.Ignored(sdk.UnknownTopic).Reply(200, "OK"), nil
	}
	event, err := n.event(c)
	if err != nil {
		return sdk.MalformedAuthentic(err).Reply(200, "OK"), nil
	}
	return sdk.Accepted(event).Key(string(n.NoticeID)).Reply(200, "OK"), nil
}

type notice struct {
	NoticeID sdk.Text    `json:"notice_id"`
	Event    string      `json:"event"`
	OrderID  sdk.Text    `json:"order_id"`
	PaidTime sdk.Text    `json:"paid_time"`
	Payment  json.Number `json:"payment"`
	Title    string      `json:"title"`
	Items    []struct {
		ID      sdk.Text    `json:"id"`
		Title   string      `json:"title"`
		Num     json.Number `json:"num"`
		Payment json.Number `json:"payment"`
	} `json:"items"`
}

func (n notice) event(c config) (sdk.Event, error) {
	var check sdk.Check
	paid := check.UnixTime("paid_time", string(n.PaidTime))
	sale := sdk.SaleSnapshot{
		OrderNo: check.Required("order_id", string(n.OrderID)), Kind: sdk.Order, Status: sdk.Paid, Revision: string(n.PaidTime), RevisionTime: paid,
		PaidAt: paid, Total: check.Fen("payment", n.Payment), Buyer: sdk.Buyer{TitleType: sdk.Personal, Title: n.Title}, InvoiceRequested: true,
	}
	for _, i := range n.Items {
		sale.Lines = append(sale.Lines, sdk.Line{LineNo: check.Required("items.id", string(i.ID)), Name: i.Title, Unit: "个",
			Quantity: check.Amount("items.num", i.Num), PaidAmount: check.Fen("items.payment", i.Payment), TaxCodeHint: c.TaxCode})
	}
	return sdk.Event{ID: "sale/" + sale.OrderNo + "/" + sale.Revision, OccurredAt: paid, Body: sale}, check.Err()
}
