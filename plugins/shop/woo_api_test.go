package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// wooRefunded has goods of 200.00 and 30.00, shipping of 20.00 and a fee of 10.00.
const wooRefunded = `{"id":963,"number":"963","status":"completed","currency":"CNY","date_modified_gmt":"2026-11-22T07:55:00",
"date_paid_gmt":"2026-11-22T07:00:00","date_completed_gmt":"2026-11-22T07:30:00","total":"260.00","payment_method":"alipay","line_items":[
{"id":11,"name":"龙井茶","quantity":2,"subtotal":"200.00","total":"200.00","total_tax":"0.00"},
{"id":12,"name":"茶杯","quantity":1,"subtotal":"30.00","total":"30.00","total_tax":"0.00"}],
"shipping_lines":[{"id":13,"method_title":"顺丰","total":"20.00","total_tax":"0.00"}],
"fee_lines":[{"id":14,"name":"包装","total":"10.00","total_tax":"0.00"}],"refunds":[{"id":1,"total":"-1.00"},{"id":0,"total":"-0.00"}]}`

func refundLine(of int, quantity, total, tax string) string {
	return fmt.Sprintf(`{"id":9,"quantity":%s,"total":"%s","total_tax":"%s","meta_data":[{"key":"_refunded_item_id","value":"%d"}]}`, quantity, total, tax, of)
}

func TestWooRefundShapes(t *testing.T) {
	for name, c := range map[string]struct{ refund, want string }{
		"goods come back": {
			`"amount":"100.00","line_items":[` + refundLine(11, "-1", "-90.00", "-10.00") + `]`,
			"SUCCEEDED RETURN 100.00 [11 GOODS_QUANTITY 1 100.00]"},
		"N9 quantity 0 lowers the price": {
			`"amount":"5.00","line_items":[` + refundLine(11, "0", "-5.00", "0.00") + `]`,
			"SUCCEEDED AMOUNT_ONLY 5.00 [11 GOODS_AMOUNT  5.00]"},
		"N10 money only": {`"amount":"10.00","line_items":[]`, "SUCCEEDED AMOUNT_ONLY 10.00 [ MONEY  10.00]"},
		"N10 shipping only": {
			`"amount":"20.00","shipping_lines":[` + refundLine(13, "0", "-20.00", "0.00") + `]`,
			"SUCCEEDED AMOUNT_ONLY 20.00 [13 SHIPPING  20.00]"},
		"a fee": {
			`"amount":"10.00","fee_lines":[` + refundLine(14, "0", "-10.00", "0.00") + `]`,
			"SUCCEEDED AMOUNT_ONLY 10.00 [14 SHIPPING  10.00]"},
		"the amount wins over greater lines": {
			`"amount":"27.00","line_items":[` + refundLine(11, "-1", "-100.00", "0.00") + `,` + refundLine(12, "-1", "-30.00", "0.00") + `]`,
			"SUCCEEDED RETURN 27.00 [11 GOODS_QUANTITY 1 20.77] [12 GOODS_QUANTITY 1 6.23]"},
		"the amount wins over smaller lines": {
			`"amount":"40.00","line_items":[` + refundLine(12, "-1", "-30.00", "0.00") + `]`,
			"SUCCEEDED RETURN 40.00 [12 GOODS_QUANTITY 1 30.00] [ MONEY  10.00]"},
		"rounding goes to the lines": {
			`"amount":"30.01","line_items":[` + refundLine(12, "-1", "-30.00", "0.00") + `]`,
			"SUCCEEDED RETURN 30.01 [12 GOODS_QUANTITY 1 30.01]"},
		"a discount is taken back with its goods": {
			`"amount":"90.00","line_items":[` + refundLine(11, "-1", "-100.00", "0.00") + `],"fee_lines":[` + refundLine(15, "0", "10.00", "0.00") + `]`,
			"SUCCEEDED RETURN 90.00 [11 GOODS_QUANTITY 1 90.00]"},
		"a line that the order no longer has": {
			`"amount":"3.00","line_items":[` + refundLine(99, "-1", "-3.00", "0.00") + `]`,
			"SUCCEEDED AMOUNT_ONLY 3.00 [ MONEY  3.00]"},
		"bookkeeping only": {`"amount":"3.00","refunded_payment":false,"line_items":[]`, "OPENED AMOUNT_ONLY 3.00 [ MONEY  3.00]"},
		"by the gateway":   {`"amount":"3.00","refunded_payment":true,"line_items":[]`, "SUCCEEDED AMOUNT_ONLY 3.00 [ MONEY  3.00]"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newWooDouble(t)
			d.put(wooRefunded)
			d.refunds["963"] = []any{json.RawMessage(`{"id":1,"date_created_gmt":"2026-11-22T07:40:00","reason":"少发",` + c.refund + `}`)}
			out := fetchOne(t, d.shop(), "963")
			if len(out.GetFailures()) > 0 || len(out.GetEvents()) != 2 {
				t.Fatal(out)
			}
			if got := showRefund(out.GetEvents()[1].GetRefund()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if id := out.GetEvents()[1].GetId(); !strings.HasPrefix(id, "refund/1/") || out.GetEvents()[1].GetRefund().GetOrderNo() != "963" {
				t.Errorf("event %s of order %s", id, out.GetEvents()[1].GetRefund().GetOrderNo())
			}
		})
	}
}

func showRefund(r *pb.Refund) string {
	out := fmt.Sprintf("%s %s %s", strings.TrimPrefix(r.GetState().String(), "REFUND_STATE_"), strings.TrimPrefix(r.GetKind().String(), "REFUND_KIND_"), r.GetAmount())
	for _, p := range r.GetPortions() {
		out += fmt.Sprintf(" [%s %s %s %s]", p.GetLineNo(), strings.TrimPrefix(p.GetKind().String(), "PORTION_KIND_"), p.GetQuantity(), p.GetAmount())
	}
	return out
}

// N6: ten lines are refunded one by one and add up to a fen more than the order. N8: so may amounts without lines.
func TestWooRefundsEndAtTheTotal(t *testing.T) {
	d := newWooDouble(t)
	d.put(strings.Replace(wooRefunded, `"260.00"`, `"259.99"`, 1))
	amounts := []string{"200.00", "30.00", "20.00", "10.00"}
	for i, a := range amounts {
		d.refunds["963"] = append(d.refunds["963"], json.RawMessage(fmt.Sprintf(
			`{"id":%d,"date_created_gmt":"2026-11-22T07:4%d:00","amount":"%s","line_items":[%s]}`, 9+i, i, a, refundLine(11+i, "-1", "-"+a, "0"))))
	}
	slices.Reverse(d.refunds["963"]) // the shop lists the newest first
	out := fetchOne(t, d.shop(), "963")
	var got []string
	for _, e := range out.GetEvents()[1:] {
		got = append(got, e.GetRefund().GetAmount())
	}
	if strings.Join(got, " ") != "200.00 30.00 20.00 9.99" || sdk.Sum(got...) != "259.99" {
		t.Errorf("refunds of %v, order of 259.99", got)
	}
}

func TestWooFetchReadsAllPagesOfRefunds(t *testing.T) {
	d := newWooDouble(t)
	d.put(wooRefunded)
	for i := range 230 {
		d.refunds["963"] = append(d.refunds["963"], json.RawMessage(fmt.Sprintf(`{"id":%d,"date_created_gmt":"2026-11-22T07:40:00","amount":"0.01"}`, i)))
	}
	if out := fetchOne(t, d.shop(), "963"); len(out.GetEvents()) != 1+229 { // id 0 is the ghost of a deleted refund
		t.Errorf("%d events, %v", len(out.GetEvents()), out.GetFailures())
	}
}

// With a plugin for sequential numbers, an order's number may be the id of another order.
func TestWooFetchByNumber(t *testing.T) {
	d := newWooDouble(t)
	d.put(strings.NewReplacer(`"id":963`, `"id":500`, `"number":"963"`, `"number":"1001"`, `"refunds":[{"id":1`, `"refunds":[{"id":0`).Replace(wooRefunded))
	d.put(strings.NewReplacer(`"id":963`, `"id":1001`, `"number":"963"`, `"number":"1502"`, `"refunds":[{"id":1`, `"refunds":[{"id":0`).Replace(wooRefunded))
	for asked, want := range map[string]string{"1001": "500", "1502": "1001", "500": "500"} {
		out := fetchOne(t, d.shop(), asked)
		if len(out.GetEvents()) != 1 || out.GetEvents()[0].GetSale().GetOrderUid() != want {
			t.Errorf("order %s: %v, want id %s", asked, out, want)
		}
	}
}

func TestWooFetchFailures(t *testing.T) {
	for script, want := range map[string]struct {
		permanent bool
		after     time.Duration
	}{
		"GET 401": {permanent: true}, "GET 403": {permanent: true}, "GET 400": {permanent: true},
		"GET 302": {permanent: true}, // never followed: the consumer secret would go along
		"GET 429": {after: 7 * time.Second}, "GET 500": {after: 30 * time.Second}, "GET 503": {after: 30 * time.Second},
	} {
		d := newWooDouble(t)
		d.put(wooRefunded)
		d.script = []string{script}
		out := fetchOne(t, d.shop(), "963")
		f := out.GetFailures()
		if len(f) != 1 || f[0].GetPermanent() != want.permanent || f[0].GetRetryAfter().AsDuration() != want.after || len(d.calls) != 1 {
			t.Errorf("%s: %v after %v", script, out, d.calls)
			continue
		}
		if strings.Contains(f[0].GetReason(), "constructed") {
			t.Errorf("%s: the reason tells a secret: %s", script, f[0].GetReason())
		}
	}
	d := newWooDouble(t)
	if f := fetchOne(t, d.shop(), "963").GetFailures(); len(f) != 1 || !f[0].GetPermanent() {
		t.Errorf("unknown order: %v", f)
	}
	d.server.Close()
	if f := fetchOne(t, d.shop(), "963").GetFailures(); len(f) != 1 || f[0].GetPermanent() {
		t.Errorf("no connection: %v", f)
	}
	if f := fetchOne(t, wooShop, "963").GetFailures(); len(f) != 1 || !f[0].GetPermanent() {
		t.Errorf("no REST access: %v", f)
	}
}

func fetchOne(t *testing.T, shop *pb.Instance, no string) *pb.FetchResponse {
	t.Helper()
	out, err := services().source.Fetch(t.Context(), &pb.FetchRequest{Instance: shop, OrderNos: []string{no}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// N22: orders that change while pages are read move to the end; none of the others may slip through.
func TestWooPullMissesNothing(t *testing.T) {
	d := newWooDouble(t)
	at := func(minute int) string {
		return time.Now().UTC().Add(time.Duration(minute-60) * time.Minute).Format("2006-01-02T15:04:05")
	}
	add := func(id, minute int) {
		d.put(fmt.Sprintf(`{"id":%d,"number":"%d","status":"processing","date_modified_gmt":"%s","date_paid_gmt":"2026-11-22T07:00:00","total":"0.00","line_items":[]}`, id, id, at(minute)))
	}
	for id := range 25 {
		add(100+id, id/3) // several orders share a date of change
	}
	seen := map[string]bool{}
	var cursor []byte
	for turn := range 40 {
		page, err := services().source.Pull(t.Context(), &pb.PullRequest{Instance: d.shop(), Cursor: cursor, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			seen[e.GetSale().GetOrderNo()] = true
		}
		if cursor = page.GetCursor(); !page.GetMore() {
			break
		}
		add(100+turn, 50) // an order that was read already changes and moves to the end
	}
	if len(seen) != 25 {
		t.Errorf("read %d of 25 orders: %v", len(seen), slices.Sorted(maps.Keys(seen)))
	}
	// The next reading goes on from there, with an overlap, and repeats are the same events.
	add(200, 55)
	page, err := services().source.Pull(t.Context(), &pb.PullRequest{Instance: d.shop(), Cursor: cursor, Limit: 100})
	if err != nil || page.GetMore() || page.GetNextAfter().AsDuration() != 10*time.Minute {
		t.Fatalf("%v, %v", page, err)
	}
	ids := map[string]bool{}
	for _, e := range page.GetEvents() {
		ids[e.GetSale().GetOrderNo()] = true
	}
	if !ids["200"] || len(ids) == 26 {
		t.Errorf("the next reading has %v", ids)
	}
}

func TestWooPullKeepsItsPlace(t *testing.T) {
	d := newWooDouble(t)
	d.put(wooRefunded)
	d.script = []string{"GET 429", "GET 401"}
	page, err := services().source.Pull(t.Context(), &pb.PullRequest{Instance: d.shop(), Cursor: []byte(`{}`), Limit: 100})
	if err != nil || string(page.GetCursor()) != `{}` || page.GetNextAfter().AsDuration() != 7*time.Second {
		t.Errorf("busy shop: %v, %v", page, err)
	}
	if _, err := services().source.Pull(t.Context(), &pb.PullRequest{Instance: d.shop(), Limit: 100}); err == nil {
		t.Error("a refused key is no error")
	}
	if page, err := services().source.Pull(t.Context(), &pb.PullRequest{Instance: genericShop, Cursor: []byte("x")}); err != nil || string(page.GetCursor()) != "x" {
		t.Errorf("a shop that only pushes: %v, %v", page, err)
	}
}

func parcel() *pb.Parcel {
	return &pb.Parcel{
		Id: "p1", Recipient: &pb.Recipient{To: &pb.Recipient_Order{Order: &pb.OrderAddress{OrderNo: "963", OrderUid: "963"}}},
		Invoice: &pb.Invoice{
			Number: "26332000000000000001", Color: pb.InvoiceColor_INVOICE_COLOR_BLUE, Kind: pb.InvoiceKind_INVOICE_KIND_GENERAL,
			Gross: "260.00", IssuedAt: timestamppb.New(arrival), PageUrl: "https://invoice.example.com/i/abc",
		},
		Language: "zh-CN",
	}
}

func TestWooDeliverOnce(t *testing.T) {
	d := newWooDouble(t)
	d.put(wooRefunded)
	red := parcel()
	red.Invoice.Number, red.Invoice.OriginalNumber, red.Invoice.Gross = "26332000000000000002", "26332000000000000001", "-100.00"
	red.Invoice.Color, red.Language = pb.InvoiceColor_INVOICE_COLOR_RED, "en"
	for range 2 {
		for _, p := range []*pb.Parcel{parcel(), red} {
			if r := deliverOne(t, d.shop(), p); r.GetOutcome() != pb.Outcome_OUTCOME_SENT {
				t.Fatal(r)
			}
		}
	}
	if n := len(d.notes["963"]); n != 2 {
		t.Errorf("%d notes for two invoices: %v", n, d.notes["963"])
	}
	want := "电子发票已于 2026-11-22 开具，发票号码 26332000000000000001，金额 260.00 元。查看与下载：https://invoice.example.com/i/abc"
	if note := d.notes["963"][0]; note["note"] != want || note["customer_note"] != true {
		t.Errorf("note %v", note)
	}
	meta := fmt.Sprint(d.orders["963"]["meta_data"])
	for _, part := range []string{"_kaipiao_invoice_number value:26332000000000000001]", "_kaipiao_red_invoice_number value:26332000000000000002]", "_kaipiao_invoice_url"} {
		if !strings.Contains(meta, part) {
			t.Errorf("meta data %s lacks %s", meta, part)
		}
	}
}

// Whichever call fails, before or after it took effect: what Track says next is true, and delivering again tells the
// buyer once.
func TestWooDeliverAfterFailures(t *testing.T) {
	for script, want := range map[string]pb.Outcome{
		"GET 500": pb.Outcome_OUTCOME_RETRY, "GET 429": pb.Outcome_OUTCOME_RETRY, "GET 404": pb.Outcome_OUTCOME_REJECTED,
		"GET 401": pb.Outcome_OUTCOME_REJECTED, "PUT 403": pb.Outcome_OUTCOME_REJECTED, "PUT 429": pb.Outcome_OUTCOME_RETRY,
		"PUT 500": pb.Outcome_OUTCOME_UNKNOWN, "PUT after-500": pb.Outcome_OUTCOME_UNKNOWN,
		"POST 502": pb.Outcome_OUTCOME_UNKNOWN, "POST after-502": pb.Outcome_OUTCOME_UNKNOWN,
	} {
		d := newWooDouble(t)
		d.put(wooRefunded)
		d.script = []string{script}
		r := deliverOne(t, d.shop(), parcel())
		if r.GetOutcome() != want || strings.Contains(r.GetReason(), "cs_constructed") {
			t.Errorf("%s: %v", script, r)
		}
		state := trackOne(t, d.shop())
		if done := len(d.notes["963"]) == 1; done != (state == pb.TrackState_TRACK_STATE_DELIVERED) || !done && state != pb.TrackState_TRACK_STATE_NOT_SENT {
			t.Errorf("%s: track says %s, notes %v", script, state, d.notes["963"])
		}
		if r := deliverOne(t, d.shop(), parcel()); r.GetOutcome() != pb.Outcome_OUTCOME_SENT || len(d.notes["963"]) != 1 {
			t.Errorf("%s: again: %v, %d notes", script, r, len(d.notes["963"]))
		}
		if state := trackOne(t, d.shop()); state != pb.TrackState_TRACK_STATE_DELIVERED {
			t.Errorf("%s: track says %s in the end", script, state)
		}
	}
}

func deliverOne(t *testing.T, shop *pb.Instance, p *pb.Parcel) *pb.Receipt {
	t.Helper()
	out, err := services().delivery.Deliver(t.Context(), &pb.DeliverRequest{Instance: shop, Parcels: []*pb.Parcel{p}})
	if err != nil {
		t.Fatal(err)
	}
	return out.GetReceipts()[0]
}

func trackOne(t *testing.T, shop *pb.Instance) pb.TrackState {
	t.Helper()
	p := parcel()
	ref := &pb.ParcelRef{ParcelId: p.GetId(), Recipient: p.GetRecipient(), InvoiceNumber: p.GetInvoice().GetNumber()}
	out, err := services().delivery.Track(t.Context(), &pb.TrackRequest{Instance: shop, Parcels: []*pb.ParcelRef{ref}})
	if err != nil {
		t.Fatal(err)
	}
	return out.GetStandings()[0].GetState()
}

func TestGenericHasNoOrderPage(t *testing.T) {
	if r := deliverOne(t, genericShop, parcel()); r.GetOutcome() != pb.Outcome_OUTCOME_REJECTED {
		t.Error(r)
	}
}

// N31: a webhook that WooCommerce switched off is found by the probe.
func TestWooProbe(t *testing.T) {
	d := newWooDouble(t)
	probe := func(shop *pb.Instance) string {
		out, err := services().plugin.Validate(t.Context(), &pb.ValidateRequest{Instance: shop, Probe: true})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(out.GetProblems())
	}
	shop := d.shop()
	if got := probe(shop); got != "[]" {
		t.Error(got)
	}
	shop.ConfigJson = []byte(strings.Replace(string(shop.GetConfigJson()), `"url"`, `"webhook_id":3,"url"`, 1))
	if got := probe(shop); !strings.Contains(got, "not active") {
		t.Error(got)
	}
	shop.Secrets["woocommerce.api.key"] = "ck_wrong"
	if got := probe(shop); !strings.Contains(got, "401") {
		t.Error(got)
	}
	if got := probe(wooShop); !strings.Contains(got, "warning:true") {
		t.Error(got)
	}
}
