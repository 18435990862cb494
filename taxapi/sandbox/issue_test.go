package sandbox

import (
	"strings"
	"testing"
	"time"
)

func TestIssueAndQuery(t *testing.T) {
	b := newBench(t)
	r := b.sale("100.00", "50.00")
	number := b.issue(r)
	if !strings.HasPrefix(number, "26002") || len(number) != 20 {
		t.Errorf("number %s is not 20 digits of year 26, area 00, channel 2", number)
	}
	var q described
	b.call("query", queryRequest{Serial: r.Serial}, codeDone, &q)
	if q.Number != number || q.State != stateIssued || q.Color != blue || q.Gross.String() != "169.50" ||
		q.IssuedAt != "2026-11-25T09:00:00.000+08:00" || q.SellerTaxNo != sellerNo {
		t.Errorf("query: %+v", q)
	}
	b.call("query", queryRequest{Serial: b.nextSerial()}, codeNotFound, nil)
}

func TestIssueChecks(t *testing.T) {
	edit := func(i int, f func(*wireLine)) func(*issueRequest) {
		return func(r *issueRequest) { f(&r.Lines[i]); total(r) }
	}
	discounted := func(f func(of, l *wireLine)) func(*issueRequest) {
		return func(r *issueRequest) {
			r.Lines[0].Nature = natureDiscounted
			l := addLine(r, r.Lines[0].Name, r.Lines[0].ShortName, goodsCode, "", "-10.00", "0.13")
			l.Nature = natureDiscount
			f(&r.Lines[0], l)
			total(r)
		}
	}
	tests := []struct {
		name  string
		edit  func(*issueRequest)
		want  code
		field string
	}{
		{"as it is", func(*issueRequest) {}, codeDone, ""},
		{"T01 net and tax from gross 100.00", edit(0, func(l *wireLine) {
			l.Net, l.Tax, l.Gross, l.Quantity, l.Price = "88.50", "11.50", "100.00", "", ""
		}), codeDone, ""},
		{"T02 tax off by 0.06", edit(0, func(l *wireLine) { l.Tax, l.Gross = "13.06", "113.06" }), codeDone, ""},
		{"T03 tax off by 0.07", edit(0, func(l *wireLine) { l.Tax, l.Gross = "13.07", "113.07" }), codeAmounts, "lines[1].tax"},
		{"T04 net+tax is not gross", edit(0, func(l *wireLine) { l.Gross = "113.01" }), codeAmounts, "lines[1].gross"},
		{"sum of nets", func(r *issueRequest) { r.Net = "100.01" }, codeAmounts, "net"},
		{"sum of taxes", func(r *issueRequest) { r.Tax = "13.01" }, codeAmounts, "tax"},
		{"total gross", func(r *issueRequest) { r.Gross = "113.01" }, codeAmounts, "gross"},
		{"quantity times price 0.01 off", edit(0, func(l *wireLine) { l.Price = "100.01" }), codeDone, ""},
		{"quantity times price 0.02 off", edit(0, func(l *wireLine) { l.Price = "100.02" }), codeAmounts, "lines[1].price"},
		{"price without quantity", edit(0, func(l *wireLine) { l.Quantity = "" }), codeField, "lines[1].quantity"},
		{"zero line", edit(0, func(l *wireLine) {
			l.Net, l.Tax, l.Gross, l.Quantity, l.Price = "0.00", "0.00", "0.00", "", ""
		}), codeAmounts, "lines[1].net"},
		{"three decimals", edit(0, func(l *wireLine) { l.Net = "100.000" }), codeField, "lines[1].net"},
		{"exponent", func(r *issueRequest) { r.Gross = "1e9" }, codeField, "gross"},
		{"nine decimals of quantity", edit(0, func(l *wireLine) { l.Quantity = "1.000000001" }), codeField, "lines[1].quantity"},
		{"rate with percent", edit(0, func(l *wireLine) { l.Rate = "13%" }), codeField, "lines[1].rate"},
		{"kind", func(r *issueRequest) { r.Kind = "03" }, codeField, "kind"},
		{"no lines", func(r *issueRequest) { r.Lines = nil }, codeField, "lines"},
		{"line number", edit(0, func(l *wireLine) { l.No = 2 }), codeField, "lines[1].no"},
		{"request time", func(r *issueRequest) { r.RequestTime = "2026-11-25" }, codeField, "request_time"},
		{"no drawer", func(r *issueRequest) { r.Drawer = "" }, codeField, "drawer"},
		{"prefixed name", edit(0, func(l *wireLine) { l.Name = "*谷物*燕麦" }), codeField, "lines[1].name"},
		{"control character", func(r *issueRequest) { r.Remark = "a\x00b" }, codeField, "remark"},
		{"seller's name", func(r *issueRequest) { r.Seller.Name = "别的公司" }, codeField, "seller.name"},
		{"seller unknown", func(r *issueRequest) { r.Seller.TaxNo = "910000000000000000" }, codeSeller, ""},
		{"serial", func(r *issueRequest) { r.Serial = "lower" }, codeField, "serial"},
		{"T05 discount", discounted(func(of, l *wireLine) {}), codeDone, ""},
		{"T05 discount first", func(r *issueRequest) { r.Lines[0].Nature = natureDiscount }, codeDiscount, "lines[1].nature"},
		{"T05 pair missing", func(r *issueRequest) { r.Lines[0].Nature = natureDiscounted }, codeDiscount, "lines[1].nature"},
		{"T05 other rate", discounted(func(of, l *wireLine) { l.Rate, l.Tax, l.Gross = "0.06", "-0.60", "-10.60" }),
			codeDiscount, "lines[2].rate"},
		{"T05 other name", discounted(func(of, l *wireLine) { l.Name = "别的" }), codeDiscount, "lines[2].name"},
		{"T05 bigger than line", discounted(func(of, l *wireLine) { l.Net, l.Tax, l.Gross = "-110.00", "-14.30", "-124.30" }),
			codeDiscount, "lines[2].net"},
		{"T05 discount with quantity", discounted(func(of, l *wireLine) { l.Quantity, l.Price = "1", "10.00" }),
			codeDiscount, "lines[2].quantity"},
		{"discount tax off by 0.02", discounted(func(of, l *wireLine) { l.Tax, l.Gross = "-1.32", "-11.32" }),
			codeAmounts, "lines[2].tax"},
		{"everything discounted away", discounted(func(of, l *wireLine) { l.Net, l.Tax, l.Gross = "-100.00", "-13.00", "-113.00" }),
			codeAmounts, "gross"},
		{"T09 tax of nothing", edit(0, func(l *wireLine) {
			l.Net, l.Tax, l.Gross, l.Price = "0.03", "0.00", "0.03", "0.03"
		}), codeDone, ""},
		{"T10 large", edit(0, func(l *wireLine) {
			l.Net, l.Tax, l.Gross, l.Price = "99999999.99", "13000000.00", "112999999.99", "99999999.99"
		}), codeDone, ""},
		{"T12 exempt with rate", edit(0, func(l *wireLine) { l.Policy = policyExempt }), codeRate, "lines[1].rate"},
		{"rate of small sellers", edit(0, func(l *wireLine) { l.Rate, l.Tax, l.Gross = "0.01", "1.00", "101.00" }),
			codeRate, "lines[1].rate"},
		{"T15 special without tax number", func(r *issueRequest) { r.Kind = kindSpecial }, codeBuyer, "buyer.tax_no"},
		{"special to a company", func(r *issueRequest) { r.Kind, r.Buyer = kindSpecial, party{Name: "甲公司", TaxNo: companyNo} },
			codeDone, ""},
		{"special to a person", func(r *issueRequest) {
			r.Kind, r.Buyer = kindSpecial, party{Name: "李四", TaxNo: companyNo, NaturalPerson: "Y"}
		}, codeBuyer, "buyer.natural_person"},
		{"T16 tax number of 16", func(r *issueRequest) { r.Buyer.TaxNo = "9110000000000000" }, codeBuyer, "buyer.tax_no"},
		{"no buyer's name", func(r *issueRequest) { r.Buyer.Name = " " }, codeField, "buyer.name"},
		{"code of 18", edit(0, func(l *wireLine) { l.Code = goodsCode[1:] }), codeClassification, "lines[1].code"},
		{"code of chapter 9", edit(0, func(l *wireLine) { l.Code = "9" + goodsCode[1:] }), codeClassification, "lines[1].code"},
		{"no short name", edit(0, func(l *wireLine) { l.ShortName = "" }), codeClassification, "lines[1].short_name"},
	}
	b := newBench(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := b.sale("100.00")
			tt.edit(&r)
			got, message, _, err := b.client.call("issue", r)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want || (tt.field != "" && !strings.HasPrefix(message, tt.field+"：")) {
				t.Errorf("got %s %q, want %s naming %q", got, message, tt.want, tt.field)
			}
			if want := btoi(tt.want == codeDone); countSerial(b.ledger(), r.Serial) != want {
				t.Errorf("the ledger does not hold %d invoices of this serial", want)
			}
		})
	}
}

func countSerial(l testLedger, serial string) (n int) {
	for _, i := range l.Invoices {
		if i.Serial == serial {
			n++
		}
	}
	return n
}

// T06: the unrounded sum may differ from the total tax by 1.27 and no more.
func TestAccumulatedTax(t *testing.T) {
	b := newBench(t)
	for lines, want := range map[int]code{300: codeDone, 21: codeDone, 22: codeAmounts} {
		r := b.sale()
		for range lines {
			l := addLine(&r, "燕麦片", "谷物加工品", goodsCode, "", "100.00", "0.13")
			switch lines {
			case 300: // from gross 10.00: 8.85 + 1.15, exact tax 1.1505
				l.Net, l.Tax, l.Gross = "8.85", "1.15", "10.00"
			default: // each line 0.06 off: 21 make 1.26, 22 make 1.32
				l.Tax, l.Gross = "13.06", "113.06"
			}
		}
		total(&r)
		b.call("issue", r, want, nil)
	}
	r := b.sale()
	for range maxLines + 1 {
		r.Lines = append(r.Lines, wireLine{})
	}
	b.call("issue", r, codeField, nil)
}

func TestSmallSellerAndRegistrations(t *testing.T) {
	b := newBench(t)
	small := func(vat, policy string) issueRequest {
		r := b.sale()
		r.Seller = party{Name: "任意名称", TaxNo: smallNo}
		addLine(&r, "燕麦片", "谷物加工品", goodsCode, "1", "100.00", vat).Policy = policy
		return r
	}
	b.call("issue", small("0.01", ""), codeDone, nil)
	b.call("issue", small("0.03", ""), codeDone, nil)
	b.call("issue", small("0.00", policyExempt), codeDone, nil)
	b.call("issue", small("0.00", ""), codeRate, nil)
	b.call("issue", small("0.13", ""), codeRate, nil)
	special := small("0.00", policyExempt)
	special.Kind, special.Buyer = kindSpecial, party{Name: "甲公司", TaxNo: companyNo}
	b.call("issue", special, codeRate, nil)

	b.control("POST", "/sandbox/sellers", map[string]any{"tax_no": smallNo, "type": "small", "rates": []string{"0.13"}}, nil)
	b.call("issue", small("0.13", ""), codeDone, nil)
	b.call("issue", small("0.01", ""), codeRate, nil)

	b.control("POST", "/sandbox/codes", map[string]any{"code": goodsCode, "short_name": "谷物加工品"}, nil)
	b.call("issue", b.sale("1.00"), codeDone, nil)
	other := b.sale("1.00")
	other.Lines[0].ShortName = "乳制品"
	b.call("issue", other, codeClassification, nil)
	b.set(map[string]any{"strict_codes": true, "strict_tax_no": true})
	unknown := b.sale()
	addLine(&unknown, "安装", "安装服务", serviceCod, "", "1.00", "0.09")
	b.call("issue", unknown, codeClassification, nil)
	strict := b.sale("1.00")
	strict.Buyer = party{Name: "甲公司", TaxNo: companyNo}
	b.call("issue", strict, codeBuyer, nil)
	strict.Serial, strict.Buyer.TaxNo = b.nextSerial(), "91350100M000100Y43" // the example of GB 32100-2015
	b.call("issue", strict, codeDone, nil)

	b.control("POST", "/sandbox/buyers", map[string]any{"tax_no": "91350100M000100Y43", "name": "乙公司"}, nil)
	strict.Serial = b.nextSerial()
	b.call("issue", strict, codeBuyer, nil)
}

func TestRatesByDate(t *testing.T) {
	day := func(s string) time.Time { d, _ := time.ParseInLocation(time.DateOnly, s, beijing); return d }
	tests := []struct {
		seller, rate, policy, day string
		want                      bool
	}{
		{sellerGeneral, "0.13", "", "2026-01-01", true},
		{sellerGeneral, "0.13", "", "2019-03-31", false},
		{sellerGeneral, "0.16", "", "2026-01-01", false},
		{sellerGeneral, "0.13", "11", "2026-01-01", true},
		{sellerGeneral, "0.00", "", "2026-01-01", true},
		{sellerGeneral, "0.03", "", "2026-01-01", false},
		{sellerGeneral, "0.03", policySimple, "2026-01-01", true},
		{sellerGeneral, "0.05", policySimple5, "2026-01-01", true},
		{sellerGeneral, "0.05", policySimple3, "2026-01-01", false},
		{sellerSmall, "0.01", "", "2026-01-01", true},
		{sellerSmall, "0.01", "", "2027-12-31", true},
		{sellerSmall, "0.01", "", "2028-01-01", false},
		{sellerSmall, "0.03", "", "2028-01-01", true},
		{sellerSmall, "0.015", policyReduced5, "2025-12-31", true},
		{sellerSmall, "0.015", policyReduced5, "2026-01-01", false},
		{sellerSmall, "0.015", "", "2026-01-01", true},
		{sellerSmall, "0.13", policyExempt, "2026-01-01", false},
		{sellerSmall, "0.00", policyNotTaxed, "2026-01-01", true},
	}
	for _, tt := range tests {
		r, ok := parseRate(tt.rate)
		if !ok {
			t.Fatal(tt.rate)
		}
		if got := rateAllowed(&seller{Type: tt.seller}, r, tt.policy, day(tt.day)); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

func TestDuplicates(t *testing.T) {
	b := newBench(t)
	r := b.sale("100.00")
	number := b.issue(r)
	again := r
	again.RequestTime = "2026-11-25T09:05:00+08:00" // a resend may be dated anew
	var known described
	b.call("issue", again, codeDuplicate, &known)
	if known.Number != number || known.State != stateIssued {
		t.Errorf("4001 says %+v", known)
	}
	other := b.sale("100.01")
	other.Serial = r.Serial
	b.call("issue", other, codeConflict, nil)
	broken := r
	broken.Gross = "1.00"
	b.call("issue", broken, codeConflict, nil) // known serials come before every other check
	b.set(map[string]any{"login_needed": true})
	b.call("issue", r, codeDuplicate, nil)
	b.call("issue", b.sale("1.00"), codeLogin, nil)
	b.set(map[string]any{"login_needed": false, "duplicate_detection": false})

	second := b.issue(r)
	if second == number {
		t.Error("with detection off a second send must make a second invoice")
	}
	var first described
	b.call("query", queryRequest{Serial: r.Serial}, codeDone, &first)
	if first.Number != number {
		t.Errorf("query shows %s, want the first, %s", first.Number, number)
	}
	if n := countSerial(b.ledger(), r.Serial); n != 2 {
		t.Errorf("the ledger shows %d invoices, want 2", n)
	}
}

// T20: the same order many times at once is one invoice.
func TestSameSerialAtOnce(t *testing.T) {
	b := newBench(t)
	b.set(map[string]any{"asynchronous": true, "latency": "1m"})
	r := b.sale("100.00")
	codes := make([]code, 40)
	parallel(len(codes), func(i int) {
		var err error
		if codes[i], _, _, err = b.client.call("issue", r); err != nil {
			t.Error(err)
		}
	})
	done := 0
	for _, c := range codes {
		if c == codeDone {
			done++
		} else if c != codeDuplicate {
			t.Errorf("got %s", c)
		}
	}
	if done != 1 || countSerial(b.ledger(), r.Serial) != 1 {
		t.Errorf("%d of 40 sends were taken, ledger holds %d", done, countSerial(b.ledger(), r.Serial))
	}
}

func TestAsynchronousAndGrace(t *testing.T) {
	b := newBench(t)
	b.set(map[string]any{"asynchronous": true, "latency": "10s", "grace": "3s"})
	r := b.sale("100.00")
	var result taken
	b.call("issue", r, codeDone, &result)
	if result.State != stateAccepted || result.Number != "" {
		t.Errorf("issue: %+v", result)
	}
	b.call("query", queryRequest{Serial: r.Serial}, codeNotFound, nil)
	var q described
	b.call("issue", r, codeDuplicate, &q)
	if q.State != stateAccepted {
		t.Errorf("while it runs, 4001 says %+v", q)
	}
	b.advance("3s")
	b.call("query", queryRequest{Serial: r.Serial}, codeDone, &q)
	if q.State != stateAccepted || q.Number != "" {
		t.Errorf("after the grace: %+v", q)
	}
	b.clock.Add(7000) // real time passing counts as well
	b.call("query", queryRequest{Serial: r.Serial}, codeDone, &q)
	if q.State != stateIssued || q.Number == "" || q.IssuedAt != "2026-11-25T09:00:10.000+08:00" {
		t.Errorf("after the latency: %+v", q)
	}
}

func TestSynchronousLatency(t *testing.T) {
	b := newBench(t)
	b.set(map[string]any{"latency": "20ms"})
	begun := time.Now()
	b.issue(b.sale("1.00"))
	if took := time.Since(begun); took < 20*time.Millisecond {
		t.Errorf("answered after %s, want the latency of 20ms", took)
	}
}

func TestFailedLater(t *testing.T) {
	b := newBench(t)
	b.set(map[string]any{"asynchronous": true, "latency": "10s"})
	b.fault(map[string]any{"op": "issue", "kind": "fail", "code": "1102", "message": "税率错误", "times": 1})
	r := b.sale("100.00")
	b.call("issue", r, codeDone, nil)
	b.advance("10s")
	var q described
	b.call("query", queryRequest{Serial: r.Serial}, codeDone, &q)
	if q.State != stateFailed || q.FailCode != "1102" || q.FailMessage != "税率错误" || q.Number != "" {
		t.Errorf("query: %+v", q)
	}
	var quota quotaResult
	b.call("quota", quotaRequest{TaxNo: sellerNo}, codeDone, &quota)
	if !quota.Used.IsZero() {
		t.Errorf("a failed invoice used quota: %+v", quota)
	}
}

func TestQuota(t *testing.T) {
	b := newBench(t)
	b.control("POST", "/sandbox/sellers", map[string]any{"tax_no": sellerNo, "quota": "250.00"}, nil)
	b.issue(b.sale("100.00"))
	blueNo := b.issue(b.sale("150.00"))
	b.call("issue", b.sale("0.01"), codeQuota, nil)
	want := func(month, used, available string) {
		t.Helper()
		var q quotaResult
		b.call("quota", quotaRequest{TaxNo: sellerNo}, codeDone, &q)
		if q.Month != month || q.Total.String() != "250.00" || q.Used.String() != used || q.Available.String() != available {
			t.Errorf("quota: %+v", q)
		}
	}
	want("2026-11", "250.00", "0.00")
	b.red(blueNo, reasonWrong)
	want("2026-11", "100.00", "150.00") // a red of the same month gives back
	old := b.issue(b.sale("60.00"))
	b.advance("240h")
	want("2026-12", "0.00", "250.00")
	b.red(old, reasonWrong)
	want("2026-12", "0.00", "250.00") // across months it does not
	b.call("quota", quotaRequest{TaxNo: "910000000000000000"}, codeSeller, nil)
}

func TestVoid(t *testing.T) {
	b := newBench(t)
	b.call("void", voidRequest{Number: b.issue(b.sale("1.00"))}, codeVoid, nil) // T54
}

func TestList(t *testing.T) {
	b := newBench(t)
	const n = listPage + 3
	parallel(8, func(i int) {
		for range n/8 + btoi(i < n%8) {
			if c, _, _, err := b.client.call("issue", b.sale("1.00")); err != nil || c != codeDone {
				t.Error(c, err)
			}
		}
	})
	b.advance("1h")
	late := b.issue(b.sale("2.00"))
	list := func(from, to time.Time, cursor string) (r listResult) {
		t.Helper()
		b.call("list", listRequest{TaxNo: sellerNo, From: wireTime(from), To: wireTime(to), Cursor: cursor}, codeDone, &r)
		return r
	}
	first := list(testStart, testStart.Add(time.Hour), "")
	if len(first.Invoices) != listPage || !first.More {
		t.Fatalf("first page: %d invoices, more %v", len(first.Invoices), first.More)
	}
	rest := list(testStart, testStart.Add(time.Hour), first.Cursor)
	if len(rest.Invoices) != 3 || rest.More {
		t.Fatalf("second page: %d invoices, more %v", len(rest.Invoices), rest.More)
	}
	seen := map[string]bool{}
	for _, i := range append(first.Invoices, rest.Invoices...) {
		seen[i.Number] = true
	}
	if len(seen) != n {
		t.Errorf("%d different numbers, want %d", len(seen), n)
	}
	if all := list(testStart.Add(time.Hour), testStart.Add(2*time.Hour), ""); len(all.Invoices) != 1 || all.Invoices[0].Number != late {
		t.Errorf("the later hour lists %+v", all)
	}
	if none := list(testStart.Add(-time.Hour), testStart, ""); len(none.Invoices) != 0 {
		t.Errorf("an end is not part of the range: %+v", none)
	}
	b.call("list", listRequest{TaxNo: sellerNo, From: "x", To: "y"}, codeField, nil)
	b.call("list", listRequest{TaxNo: "910000000000000000"}, codeSeller, nil)
}
