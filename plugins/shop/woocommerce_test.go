package main

import (
	"fmt"
	"strings"
	"testing"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const wooOrder = `{"id":963,"number":"963","status":"processing","currency":"CNY","date_modified_gmt":"2026-11-22T07:55:00",
"date_paid_gmt":"2026-11-22T07:55:00","total":"88.00","payment_method":"alipay","line_items":[
{"id":11,"name":"茶具","quantity":1,"subtotal":"100.00","subtotal_tax":"10.00","total":"80.00","total_tax":"8.00"}]}`

// An order that is paid in the second of its creation gives two events, and the later one is the newer revision.
func TestWooTwoChangesInOneSecond(t *testing.T) {
	s := services()
	unpaid := strings.NewReplacer(`"processing"`, `"pending"`, `"date_paid_gmt":"2026-11-22T07:55:00"`, `"date_paid_gmt":null`).Replace(wooOrder)
	before := parseOne(t, s, wooShop, fromWoo(unpaid)).GetEvents()[0]
	after := parseOne(t, s, wooShop, fromWoo(wooOrder)).GetEvents()[0]
	if before.GetId() == after.GetId() || before.GetSale().GetRevision() >= after.GetSale().GetRevision() {
		t.Errorf("unpaid is %s, paid is %s", before.GetId(), after.GetId())
	}
}

func TestWooRefusesUnsafeConfigurations(t *testing.T) {
	s := services()
	for name, c := range map[string]struct {
		shop *pb.Instance
		want string
	}{
		"empty secret":               {instance(`{"platform":"woocommerce","woocommerce":{}}`, "woocommerce.secret", ""), "secret is empty"},
		"no section":                 {instance(`{"platform":"woocommerce"}`), "needs its settings"},
		"no platform":                {instance(`{"platform":"magento"}`), "must be one of"},
		"plain http":                 {wooWithAPI("http://shop.example.com"), "https"},
		"credentials in the address": {wooWithAPI("https://u:p@shop.example.com"), "must be like"},
		"no host":                    {wooWithAPI("https://"), "must be like"},
		"good":                       {wooWithAPI("https://shop.example.com"), ""},
		"this machine":               {wooWithAPI("http://127.0.0.1:8080"), ""},
	} {
		out, err := s.plugin.Validate(t.Context(), &pb.ValidateRequest{Instance: c.shop})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(out.GetProblems())
		if (c.want == "") != (len(out.GetProblems()) == 0) || !strings.Contains(got, c.want) || strings.Contains(got, wooSecret) {
			t.Errorf("%s: problems %s, want %q", name, got, c.want)
		}
	}
}

func wooWithAPI(url string) *pb.Instance {
	return instance(`{"platform":"woocommerce","woocommerce":{"api":{"url":"`+url+`"}}}`, "woocommerce.secret", wooSecret,
		"woocommerce.api.key", "ck_constructed", "woocommerce.api.secret", "cs_constructed")
}

func FuzzWooCommerce(f *testing.F) {
	f.Add(wooOrder)
	f.Add(strings.Replace(wooOrder, `"line_items"`, `"refunds":[{"id":"7","total":"-1.00"}],"fee_lines":[{"id":12,"name":"折扣","total":"-9.99"}],"line_items"`, 1))
	f.Add(`{"id":963}`)
	f.Add(`{"code":"woocommerce_rest_cannot_view"}`)
	f.Add(`webhook_id=3`)
	s := services()
	f.Fuzz(func(t *testing.T, body string) {
		r := parseOne(t, s, wooShop, fromWoo(body))
		checkResult(t, r)
		if r.GetVerdict() == pb.Verdict_VERDICT_FORGED {
			t.Errorf("a signed request is forged: %v", r)
		}
		for _, e := range r.GetEvents() {
			sale := e.GetSale()
			if sale == nil {
				continue
			}
			amounts := []string{}
			for _, l := range sale.GetLines() {
				if strings.HasPrefix(l.GetPaidAmount(), "-") {
					t.Errorf("line %s pays %s", l.GetLineNo(), l.GetPaidAmount())
				}
				amounts = append(amounts, l.GetPaidAmount())
			}
			if total, err := sdk.Number("total", sale.GetTotal()); err != nil || sdk.Yuan(total) != sale.GetTotal() {
				t.Errorf("total %q", sale.GetTotal())
			} else if sum, err := sdk.Number("sum", sdk.Sum(amounts...)); err != nil || !sum.Equal(total) {
				t.Errorf("lines sum to %s, the sale says %s", sdk.Sum(amounts...), total)
			}
		}
	})
}
