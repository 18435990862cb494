package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

// Fixtures named N… are the nasty cases known from real shops.
func TestFixtures(t *testing.T) { sdktest.Run(t, newPlugin(), "testdata") }

var till = sdk.Caller{TerminalID: "T01", StoreCode: "S01"}

// read decodes a document as the plugin does, and gives its events.
func read(body []byte) ([]sdk.Event, error) {
	var d document
	if err := sdk.DecodeJSON(body, &d); err != nil {
		return nil, err
	}
	var r reader
	id := d.identify(&r, till)
	if r.Err() != nil {
		return nil, r.Err()
	}
	events := d.events(&r, id)
	return events, r.Err()
}

// Whatever rows, discounts and charges a receipt has: if its sums hold, what the rows paid sums to what is payable, no row
// pays less than nothing, and list amount less discounts is what was paid. The return of the same receipt is its mirror.
func TestWhatRowsPaidSumsToPayable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decimals := rapid.SampledFrom([]int32{2, 2, 3, 4}).Draw(t, "decimals")
		unit := func(n int64) sdk.Decimal { return mustNumber(fmt.Sprint(n)).Shift(-decimals) }
		total := sdk.Decimal{}
		var lines []map[string]any
		for i := range rapid.IntRange(1, 8).Draw(t, "rows") {
			gross := unit(rapid.Int64Range(0, 900_000).Draw(t, "gross"))
			discount := gross.Mul(mustNumber(fmt.Sprint(rapid.IntRange(0, 100).Draw(t, "percent")))).Shift(-2).Truncate(decimals)
			lines = append(lines, map[string]any{"line_no": fmt.Sprint(i), "name": "茶", "qty": "1", "gross": gross, "discount": discount})
			total = total.Add(gross).Sub(discount)
		}
		var adjusts []map[string]any
		add := func(kind string, amount sdk.Decimal) {
			adjusts = append(adjusts, map[string]any{"kind": kind, "amount": amount})
			total = total.Add(amount)
		}
		if rapid.Bool().Draw(t, "coupon") {
			add("COUPON_SHOP", total.Mul(mustNumber(fmt.Sprint(rapid.IntRange(0, 100).Draw(t, "share")))).Shift(-2).Truncate(2).Neg())
		}
		if rapid.Bool().Draw(t, "charge") && total.Sign() > 0 {
			add("SERVICE_CHARGE", unit(rapid.Int64Range(0, 9_000).Draw(t, "charge amount")))
		}
		if rapid.Bool().Draw(t, "tip") {
			add("TIP", mustNumber(fmt.Sprint(rapid.Int64Range(0, 90).Draw(t, "tip amount"))))
		}
		payable := total.Round(2)
		doc := map[string]any{"kind": "SALE", "business_day": "2026-11-22", "number": "1", "sold_at": "2026-11-22T10:00:00Z",
			"lines": lines, "adjustments": adjusts, "payable": payable}
		events, err := read(encode(t, doc))
		if err != nil {
			t.Fatal(err)
		}
		sale := events[0].Body.(sdk.SaleSnapshot)
		var paid []string
		for _, l := range sale.Lines {
			n, list := mustNumber(l.PaidAmount), mustNumber(l.ListAmount)
			if n.IsNegative() {
				t.Fatalf("row %s pays %s", l.LineNo, n)
			}
			for _, d := range l.Discounts {
				list = list.Sub(mustNumber(d.Amount))
			}
			if !list.Equal(n) {
				t.Fatalf("row %s: list less discounts is %s, paid is %s", l.LineNo, list, n)
			}
			paid = append(paid, l.PaidAmount)
		}
		if !mustNumber(sdk.Sum(paid...)).Equal(payable) || !mustNumber(sale.Total).Equal(payable) {
			t.Fatalf("rows paid %s, the sale says %s, payable is %s", sdk.Sum(paid...), sale.Total, payable)
		}

		doc["kind"], doc["payable"] = "POST_VOID", payable.Neg()
		for _, l := range lines {
			l["qty"], l["gross"], l["discount"] = "-1", l["gross"].(sdk.Decimal).Neg(), l["discount"].(sdk.Decimal).Neg()
		}
		for _, a := range adjusts {
			a["amount"] = a["amount"].(sdk.Decimal).Neg()
		}
		events, err = read(encode(t, doc))
		if err != nil {
			t.Fatal(err)
		}
		refund := events[0].Body.(sdk.Refund)
		back := map[string]string{}
		for _, p := range refund.Portions {
			back[p.LineNo] = p.Amount
		}
		for _, l := range sale.Lines {
			if back[l.LineNo] != l.PaidAmount {
				t.Fatalf("row %s paid %s, the void gives %s back", l.LineNo, l.PaidAmount, back[l.LineNo])
			}
		}
		if refund.Amount != sale.Total {
			t.Fatalf("the void gives %s back of %s", refund.Amount, sale.Total)
		}
	})
}

func encode(t *rapid.T, doc any) []byte {
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const coffee = `{"kind":"SALE","business_day":"2026-11-22","number":"000123","sold_at":"2026-11-22T17:59:30+08:00",
"lines":[{"line_no":"1","name":"拿铁","qty":"2","gross":"50.00","discount":"1"}],"adjustments":[{"kind":"ROUNDING","amount":"-0.01"}],
"tenders":[{"kind":"CASH","amount":"48.99"}],"payable":"48.99"}`

// A receipt's name can't be made to look like another's, whatever its parts hold.
func TestKeysAreUnambiguous(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"S", "T", "2026-11-22", "1"}, {"S/T", "2026-11-22", "1", ""}, {"S", "T/2026-11-22", "1", ""}, {"S", "T", "2026-11-22", "1#2"},
		{"S", "T", "2026-11-22", "1%232"}, {"S", "T", "2026-11-22", "01"}, {"S", "t", "2026-11-22", "1"},
	} {
		for epoch := range uint64(3) {
			k := key(parts[0], parts[1], parts[2], parts[3], epoch)
			if other, twice := seen[k]; twice {
				t.Errorf("%v and %v are both %s", other, parts, k)
			}
			seen[k] = append(parts, fmt.Sprint(epoch))
		}
	}
}

func TestSpreadOfLargeAmounts(t *testing.T) {
	shares := spread(99_999_999_999_999, []fen{99_999_999_999_999, 99_999_999_999_999, 1})
	if sum(shares) != 99_999_999_999_999 || shares[0] < 0 || shares[2] < 0 {
		t.Error(shares)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(coffee))
	f.Add([]byte(`{"kind":"EXCHANGE","business_day":"2026-11-22","number":1,"sold_at":"2026-11-22 10:00:00","payable":"-1","lines":[{"line_no":1,"name":"a","qty":-1,"gross":-3},{"line_no":2,"name":"b","qty":1,"gross":2}],"tenders":[{"kind":"CASH","amount":"-1"}]}`))
	f.Add([]byte(`{"kind":"RETURN","business_day":"2026-11-22","number":1,"sold_at":"2026-11-22 10:00:00","payable":"-1","links":[{"type":"RETURN_OF","number":9}]}`))
	f.Add([]byte(`{"kind":"DAY_CLOSE","business_day":"2026-11-22","day_close":{"gross":1,"net":1,"count_sales":-1}}`))
	f.Add([]byte(`{"kind":"SALE","business_day":"2026-11-22","number":"1","sold_at":"2026-11-22T10:00:00Z","payable":"0.00","lines":[{"line_no":"1","name":"a","qty":"1","gross":"0.004","flags":["DEPOSIT"]},{"line_no":"2","name":"a","qty":"-1","gross":"-0.004","flags":["DEPOSIT","VOID"]}]}`))
	p := sdk.Request{ReceivedAt: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Caller: till}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := p
		r.Body = body
		if _, err := parse(t.Context(), config{}, r); err != nil {
			t.Fatal(err)
		}
		events, err := read(body)
		if err != nil {
			return
		}
		for _, e := range events {
			if e.ID == "" {
				t.Error("an event without id")
			}
			switch b := e.Body.(type) {
			case sdk.SaleSnapshot:
				var paid []string
				for _, l := range b.Lines {
					paid = append(paid, l.PaidAmount)
					if mustNumber(l.PaidAmount).IsNegative() {
						t.Errorf("row %s pays %s", l.LineNo, l.PaidAmount)
					}
				}
				if !mustNumber(b.Total).Equal(mustNumber(sdk.Sum(append(paid, "0")...))) {
					t.Errorf("rows paid %v, the sale says %s", paid, b.Total)
				}
			case sdk.Refund:
				amounts := []string{"0"}
				for _, p := range b.Portions {
					amounts = append(amounts, p.Amount)
					if mustNumber(p.Amount).IsNegative() {
						t.Errorf("a portion of %s", p.Amount)
					}
				}
				if !mustNumber(b.Amount).Equal(mustNumber(sdk.Sum(amounts...))) {
					t.Errorf("portions %v, the refund says %s", amounts, b.Amount)
				}
			}
		}
	})
}

// Each fault is kept for a person, with the place where it is.
func TestFaultsNameTheirPlace(t *testing.T) {
	for _, c := range []struct{ old, with, want string }{
		{`"number":"000123",`, ``, "missing_field at number"},
		{`"business_day":"2026-11-22"`, `"business_day":"22.11.2026"`, "bad_time at business_day"},
		{`"number":"000123"`, `"number":"000123","terminal":"T02"`, "not_ours at terminal"},
		{`"number":"000123"`, `"number":"000123","epoch":4294967296`, "bad_number at epoch"},
		{`"number":"000123"`, `"number":"000123","revision":-1`, "bad_number at revision"},
		{`"number":"000123"`, `"number":"000123","status":"DONE"`, "bad_field at status"},
		{`"sold_at":"2026-11-22T17:59:30+08:00"`, `"sold_at":"9530"`, "bad_time at sold_at"},
		{`"line_no":"1",`, ``, "missing_field at lines.0.line_no"},
		{`"discount":"1"}`, `"discount":"1"},{"line_no":"1","name":"茶","qty":"1","gross":"0"}`, "bad_field at lines.1.line_no"},
		{`"discount":"1"}`, `"discount":"1","paid_amount":"49.00"},{"line_no":"2","name":"茶","qty":"1","gross":"0"}`, "bad_field at lines: "},
		{`"discount":"1"`, `"discount":"1","flags":["LOST"]`, "bad_field at lines.0.flags"},
		{`"kind":"ROUNDING"`, `"kind":"LUCK"`, "bad_field at adjustments.0.kind"},
		{`"kind":"CASH"`, `"kind":""`, "missing_field at tenders.0.kind"},
		{`"kind":"SALE"`, `"kind":"SALE","links":[{"type":"COUSIN","number":"1"}]`, "bad_field at links.0.type"},
		{`"kind":"SALE"`, `"kind":"DAY_CLOSE"`, "missing_field at day_close"},
		{`"qty":"2","gross":"50.00"`, `"qty":"-2","gross":"50.00"`, "sign_differs at lines.0.qty"},
	} {
		body := strings.Replace(coffee, c.old, c.with, 1)
		if _, err := read([]byte(body)); body == coffee || err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s for %s: %v, want %s", c.with, c.old, err, c.want)
		}
	}
}
