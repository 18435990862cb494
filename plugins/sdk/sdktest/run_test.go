package sdktest_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

type config struct {
	Secret string `json:"secret" secret:"true"`
}

type message struct {
	Order string      `json:"order"`
	Paid  json.Number `json:"paid"`
	At    string      `json:"at"`
}

func parse(_ context.Context, c config, r sdk.Request) (sdk.Parsed, error) {
	at, err := sdk.UnixTime("X-Acme-Timestamp", r.Header("X-Acme-Timestamp"))
	if err != nil || !sdk.Fresh(r.ReceivedAt, at, 5*time.Minute) {
		return sdk.Forged(sdk.StaleTimestamp, "X-Acme-Timestamp is missing or too old"), nil
	}
	signed := append([]byte(r.Header("X-Acme-Timestamp")+"."), r.Body...)
	if !sdk.HMACSHA256(c.Secret, signed, r.Header("X-Acme-Sign")) {
		return sdk.Forged(sdk.BadSignature, "X-Acme-Sign does not match"), nil
	}
	var m message
	if err := sdk.DecodeJSON(r.Body, &m); err != nil {
		return sdk.MalformedAuthentic(err).Reply(200, `{"code":0}`), nil
	}
	var check sdk.Check
	sale := sdk.SaleSnapshot{
		OrderNo: check.Required("order", m.Order), Kind: sdk.Order, Status: sdk.Paid,
		Revision: m.At, RevisionTime: check.Time("at", time.DateTime, m.At),
		Total: check.Amount("paid", m.Paid),
		Lines: []sdk.Line{{LineNo: "1", Name: "茶", Quantity: "1", PaidAmount: check.Amount("paid", m.Paid)}},
	}
	if err := check.Err(); err != nil {
		return sdk.MalformedAuthentic(err).Reply(200, `{"code":0}`), nil
	}
	event := sdk.Event{ID: "sale/" + m.Order + "/" + m.At, OccurredAt: sale.RevisionTime, Body: sale}
	return sdk.Accepted(event).Key(m.Order).Reply(200, `{"code":0}`), nil
}

func TestRun(t *testing.T) {
	sdktest.Run(t, sdk.New("acme-shop", "1.0.0", sdk.Webhook(parse)), "testdata/acme")
}
