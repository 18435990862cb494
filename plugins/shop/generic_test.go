package main

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

const paidOrder = `{"type":"order.paid","timestamp":"2026-11-22T08:00:00Z","data":{"order_no":"A1",
"updated_at":"2026-11-22T07:58:00Z","status":"paid","paid_at":"2026-11-22T07:58:00Z",
"lines":[{"line_no":"1","name":"茶","quantity":"1","paid_amount":"12.30"}],"total":"12.30"}}`

// N36: what a careless or hostile sender might write in the place of an amount.
func TestGenericHostileNumbers(t *testing.T) {
	s := services()
	if r := parseOne(t, s, genericShop, fromGeneric("msg_1", arrival, paidOrder)); r.GetVerdict() != pb.Verdict_VERDICT_ACCEPTED {
		t.Fatalf("the order as it should be: %v", r)
	}
	for _, token := range []string{
		`1e1000000000`, `"1e10"`, `"` + strings.Repeat("9", 1<<20) + `"`, strings.Repeat("9", 1<<20), `null`, `"NaN"`, `"1,000.00"`,
		`"１２.５"`, `"−5"`, `"0x10"`, `"12.345"`, `12.30`, `""`, `" 12.30"`, `"+12.30"`, `"1234567890123"`, `".5"`, `"5."`, `true`, `{}`,
	} {
		body := strings.Replace(paidOrder, `"total":"12.30"`, `"total":`+token, 1)
		r := parseOne(t, s, genericShop, fromGeneric("msg_1", arrival, body))
		if r.GetVerdict() != pb.Verdict_VERDICT_MALFORMED || !r.GetAuthentic() || r.GetReason() != "bad_number" ||
			!strings.Contains(r.GetDetail(), "data.total") || len(r.GetDetail()) > 200 {
			t.Errorf("total %.40s: %v", token, r)
		}
	}
}

// N1: one fact in two deliveries is one event. N3: so is the same snapshot that comes hours later.
func TestGenericOneFactIsOneEvent(t *testing.T) {
	s := services()
	first := parseOne(t, s, genericShop, fromGeneric("msg_1", arrival, paidOrder))
	late := strings.Replace(paidOrder, "T08:00:00Z", "T11:00:00Z", 1)
	again := parseOne(t, s, genericShop, fromGeneric("msg_2", arrival.Add(3*time.Minute), late))
	if len(first.GetEvents()) != 1 || len(again.GetEvents()) != 1 || !proto.Equal(first.GetEvents()[0], again.GetEvents()[0]) {
		t.Errorf("two deliveries of one fact differ:\n%v\n%v", first, again)
	}
	if first.GetRequestKey() == again.GetRequestKey() {
		t.Error("two deliveries have one request key")
	}
}

func TestGenericWindow(t *testing.T) {
	s := services()
	for after, want := range map[time.Duration]string{0: "", 300 * time.Second: "", -300 * time.Second: "", 301 * time.Second: "stale_timestamp", -301 * time.Second: "stale_timestamp"} {
		if r := parseOne(t, s, genericShop, fromGeneric("msg_1", arrival.Add(after), paidOrder)); r.GetReason() != want {
			t.Errorf("signed %s after the arrival: %v", after, r)
		}
	}
}

func TestGenericRepeatedHeaderIsForged(t *testing.T) {
	r := fromGeneric("msg_1", arrival, paidOrder)
	r.Headers = append(r.Headers, &pb.Header{Name: "Webhook-ID", Value: "msg_2"})
	if got := parseOne(t, services(), genericShop, r); got.GetVerdict() != pb.Verdict_VERDICT_FORGED {
		t.Errorf("two ids: %v", got)
	}
}

func FuzzGeneric(f *testing.F) {
	f.Add(paidOrder)
	f.Add(strings.Replace(paidOrder, "order.paid", "order.cancelled", 1))
	f.Add(`{"type":"refund.succeeded","data":{"refund_id":1,"order_no":2,"kind":"return","amount":"-1","updated_at":"2026-11-22T07:58:00Z","succeeded_at":"2026-11-22T07:58:00Z","portions":[{"kind":"money","amount":"-2"}]}}`)
	f.Add(`{"type":"invoice.requested","data":{"request_id":"","buyer":{"title_type":"COMPANY"}}}`)
	f.Add("{\"type\":\"order.paid\",\"data\":[[[\"\\ud800\"]]]}")
	s := services()
	f.Fuzz(func(t *testing.T, body string) {
		r := parseOne(t, s, genericShop, fromGeneric("msg_1", arrival, body))
		checkResult(t, r)
		if r.GetVerdict() == pb.Verdict_VERDICT_FORGED {
			t.Errorf("a signed request is forged: %v", r)
		}
		changed := fromGeneric("msg_1", arrival, body)
		changed.Body = append(changed.Body, 'x')
		if r := parseOne(t, s, genericShop, changed); r.GetVerdict() != pb.Verdict_VERDICT_FORGED {
			t.Errorf("a changed body is %v", r)
		}
	})
}

// checkResult holds what is true of every answer, whatever came in.
func checkResult(t *testing.T, r *pb.ParseResult) {
	t.Helper()
	switch r.GetVerdict() {
	case pb.Verdict_VERDICT_UNSPECIFIED:
		t.Errorf("no verdict: %v", r)
	case pb.Verdict_VERDICT_ACCEPTED:
		for _, e := range r.GetEvents() {
			if e.GetId() == "" || e.GetBody() == nil {
				t.Errorf("event without id or body: %v", e)
			}
			if sale := e.GetSale(); sale != nil && (sale.GetOrderNo() == "" || sale.GetRevisionTime() == nil) {
				t.Errorf("sale without number or revision: %v", sale)
			}
			if refund := e.GetRefund(); refund != nil && (refund.GetOrderNo() == "" || refund.GetRefundNo() == "") {
				t.Errorf("refund without number or order: %v", refund)
			}
		}
	default:
		if r.GetReason() == "" {
			t.Errorf("no reason: %v", r)
		}
	}
}

// Each fault is kept for a person, with the place where it is.
func TestGenericFaultsNameTheirPlace(t *testing.T) {
	s := services()
	refund := `{"type":"refund.succeeded","data":{"refund_id":"R1","order_no":"A1","kind":"return","amount":"5.00","updated_at":"2026-11-22T07:58:00Z","succeeded_at":"2026-11-22T07:58:00Z","portions":[{"kind":"goods_quantity","line_no":"1","quantity":"1","amount":"5.00"}]}}`
	wish := `{"type":"invoice.requested","data":{"request_id":"Q1","order_no":"A1","buyer":{"title":"甲"},"requested_at":"2026-11-22T07:58:00Z","updated_at":"2026-11-22T07:58:00Z"}}`
	for _, c := range []struct{ body, old, with, reason, place string }{
		{paidOrder, `"type":"order.paid",`, ``, "missing_field", "type"},
		{paidOrder, `"timestamp":"2026-11-22T08:00:00Z"`, `"timestamp":"yesterday"`, "bad_time", "timestamp"},
		{paidOrder, `"order_no":"A1"`, `"order_no":""`, "missing_field", "data.order_no"},
		{paidOrder, `"order_no":"A1"`, `"order_no":"A1","buyer":7`, "bad_field", "data.buyer"},
		{paidOrder, `"order_no":"A1"`, `"order_no":"A1","revision":"1.5"`, "bad_field", "data.revision"},
		{paidOrder, `"updated_at":"2026-11-22T07:58:00Z"`, `"updated_at":"2026-11-22 07:58:00"`, "bad_time", "data.updated_at"},
		{paidOrder, `"status":"paid"`, `"status":"PAID"`, "bad_field", "data.status"},
		{paidOrder, `"paid_at":"2026-11-22T07:58:00Z",`, ``, "missing_field", "data.paid_at"},
		{paidOrder, `"line_no":"1",`, ``, "missing_field", "data.lines.0.line_no"},
		{paidOrder, `"paid_amount":"12.30"`, `"paid_amount":"12.30","discounts":[{"amount":"1.00"}]`, "missing_field", "data.lines.0.discounts.0.funded_by"},
		{paidOrder, `"paid_amount":"12.30"`, `"paid_amount":"12.30","list_amount":null`, "bad_number", "data.lines.0.list_amount"},
		{refund, `"succeeded_at":"2026-11-22T07:58:00Z",`, ``, "missing_field", "data.succeeded_at"},
		{refund, `"line_no":"1",`, ``, "missing_field", "data.portions.0.line_no"},
		{refund, `"quantity":"1",`, ``, "missing_field", "data.portions.0.quantity"},
		{refund, `"kind":"return"`, `"kind":"return","tender":"gold"`, "bad_field", "data.tender"},
		{wish, `"buyer":{"title":"甲"},`, ``, "missing_field", "data.buyer"},
		{wish, `"requested_at":"2026-11-22T07:58:00Z",`, ``, "missing_field", "data.requested_at"},
	} {
		body := strings.Replace(c.body, c.old, c.with, 1)
		r := parseOne(t, s, genericShop, fromGeneric("msg_1", arrival, body))
		if body == c.body || !r.GetAuthentic() || r.GetReason() != c.reason || !strings.Contains(r.GetDetail()+" ", c.place) {
			t.Errorf("%s for %s: %v, want %s at %s", c.with, c.old, r, c.reason, c.place)
		}
	}
	r := parseOne(t, s, genericShop, fromGeneric("msg_1", arrival, `{"type":"order.paid","data":null}`))
	if r.GetReason() != "missing_field" || !strings.Contains(r.GetDetail(), "data") {
		t.Error(r)
	}
}
