package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

var applications int

// redOfBlue makes an application for everything that is left of an invoice, as the ledger shows it.
func (b *bench) redOfBlue(number string, why reason) redApplyRequest {
	b.t.Helper()
	var original *invoice
	for _, i := range b.ledger().Invoices {
		if i.Number == number {
			original = &i.invoice
		}
	}
	if original == nil {
		b.t.Fatalf("no invoice %s", number)
	}
	c := &confirmation{Reason: why}
	c.takeRest(original, nil)
	applications++
	r := redApplyRequest{Application: fmt.Sprintf("A%06d", applications), SellerTaxNo: original.Seller.TaxNo,
		BlueNumber: number, Kind: original.Kind, Reason: why}
	for _, l := range c.Lines {
		r.Lines = append(r.Lines, wireLine{No: l.No, BlueNo: l.BlueNo, Name: l.Name, ShortName: l.ShortName, Code: l.Code,
			Unit: l.Unit, Quantity: l.Quantity.String(), Price: l.Price.String(), Net: l.Net.String(), Rate: l.Rate.String(),
			Tax: l.Tax.String(), Gross: l.Gross.String(), Policy: l.Policy})
	}
	r.total()
	return r
}

func (r *redApplyRequest) total() { r.Net, r.Tax, r.Gross = sumLines(r.Lines) }

// part makes a one-line application for a part of the first line.
func (b *bench) part(number string, why reason, quantity, net, tax string) redApplyRequest {
	b.t.Helper()
	r := b.redOfBlue(number, why)
	l := &r.Lines[0]
	n, _ := parseYuan(net)
	x, _ := parseYuan(tax)
	l.Quantity, l.Net, l.Tax, l.Gross = quantity, net, tax, n.plus(x).String()
	if quantity == "" {
		l.Price = ""
	} else {
		q, _ := parseMeasure(quantity)
		l.Price = n.DivRound(q.Decimal, 8).String()
	}
	r.Lines = r.Lines[:1]
	r.total()
	return r
}

func (b *bench) apply(r redApplyRequest, want confirmationState) confirmationResult {
	b.t.Helper()
	var c confirmationResult
	b.call("red_apply", r, codeDone, &c)
	if c.State != want || len(c.UUID) != 32 || len(c.ConfirmationNo) != 20 {
		b.t.Fatalf("red_apply: %+v, want state %s", c, want)
	}
	return c
}

func (b *bench) issueRed(c confirmationResult) redIssueRequest {
	return redIssueRequest{Serial: b.nextSerial(), UUID: c.UUID, ConfirmationNo: c.ConfirmationNo,
		RequestTime: "2026-11-25T10:00:00+08:00", Drawer: "张三"}
}

// red reverses all of an invoice and returns the red's number.
func (b *bench) red(number string, why reason) string {
	b.t.Helper()
	var result taken
	b.call("red_issue", b.issueRed(b.apply(b.redOfBlue(number, why), confirmNotNeeded)), codeDone, &result)
	return result.Number
}

func (b *bench) act(uuid string, a act) {
	b.t.Helper()
	b.control("POST", "/sandbox/confirmations/"+uuid, map[string]any{"act": a}, nil)
}

func (b *bench) stateOf(uuid string, want confirmationState) {
	b.t.Helper()
	var c confirmationResult
	b.call("red_query", redQueryRequest{UUID: uuid}, codeDone, &c)
	if c.State != want {
		b.t.Fatalf("state %s, want %s", c.State, want)
	}
}

// bookedSale is an invoice to a buyer who books it.
func (b *bench) bookedSale(nets ...string) string {
	b.t.Helper()
	r := b.sale(nets...)
	r.Buyer = party{Name: "乙公司", TaxNo: bookingNo}
	return b.issue(r)
}

func TestT40FullRedWithoutConfirmation(t *testing.T) {
	b := newBench(t)
	number := b.issue(b.sale("100.00", "50.00"))
	apply := b.redOfBlue(number, reasonReturned)
	c := b.apply(apply, confirmNotNeeded)
	if c.ExpiresAt != "" || !strings.HasPrefix(c.ConfirmationNo, "0000002611") {
		t.Errorf("confirmation: %+v", c)
	}
	if again := b.apply(apply, confirmNotNeeded); again.UUID != c.UUID {
		t.Error("applying again made another confirmation")
	}
	apply.Reason = reasonWrong
	b.call("red_apply", apply, codeConflict, nil)

	send := b.issueRed(c)
	send.Remark = "退货"
	var result taken
	b.call("red_issue", send, codeDone, &result)
	b.call("red_issue", send, codeDuplicate, nil)
	var q described
	b.call("query", queryRequest{Serial: send.Serial}, codeDone, &q)
	if q.Color != red || q.Number != result.Number || q.Gross.String() != "-169.50" || q.Net.String() != "-150.00" {
		t.Errorf("query of the red: %+v", q)
	}
	var rq confirmationResult
	b.call("red_query", redQueryRequest{Application: c.Application}, codeDone, &rq)
	if rq.Issued != "Y" || *rq.RedNumber != result.Number || *rq.RedSerial != send.Serial {
		t.Errorf("red_query: %+v", rq)
	}
	for _, i := range b.ledger().Invoices {
		want := "被红冲蓝字数电票号码：" + number + " 红字发票信息确认单编号：" + c.ConfirmationNo + "\n退货"
		if i.Color == red && (i.Remark != want || i.BlueNumber != number || i.Lines[1].BlueNo != 2) {
			t.Errorf("the red: %+v", i.invoice)
		}
	}
	another := b.issueRed(c)
	b.call("red_issue", another, codeConfirmationState, nil)
	b.call("red_apply", b.redOfBlue(number, reasonReturned), codeOverRed, nil)
}

func TestT41BookedAndAgreed(t *testing.T) {
	b := newBench(t)
	c := b.apply(b.redOfBlue(b.bookedSale("100.00"), reasonReturned), confirmWaitBuyer)
	if c.ExpiresAt != "2026-11-28T09:00:00.000+08:00" {
		t.Errorf("expires at %s, want 72 hours later", c.ExpiresAt)
	}
	b.call("red_issue", b.issueRed(c), codeConfirmationState, nil)
	b.call("red_answer", redAnswerRequest{UUID: c.UUID, Answer: "Y"}, codeConfirmationState, nil) // the buyer's to answer
	b.act(c.UUID, actAgree)
	b.advance("100h") // what is confirmed no longer expires
	b.stateOf(c.UUID, confirmBoth)
	b.call("red_issue", b.issueRed(c), codeDone, nil)
}

func TestT42RefusedThenAgain(t *testing.T) {
	b := newBench(t)
	number := b.bookedSale("100.00")
	c := b.apply(b.redOfBlue(number, reasonReturned), confirmWaitBuyer)
	b.call("red_apply", b.redOfBlue(number, reasonReturned), codeOverRed, nil) // what waits counts
	b.act(c.UUID, actRefuse)
	b.stateOf(c.UUID, confirmBuyerNo)
	b.call("red_issue", b.issueRed(c), codeConfirmationState, nil)
	b.apply(b.redOfBlue(number, reasonReturned), confirmWaitBuyer)
}

func TestT43Expires(t *testing.T) {
	b := newBench(t)
	number := b.bookedSale("100.00")
	c := b.apply(b.redOfBlue(number, reasonReturned), confirmWaitBuyer)
	b.advance("71h59m59s")
	b.stateOf(c.UUID, confirmWaitBuyer)
	b.advance("1s")
	b.stateOf(c.UUID, confirmExpired)
	if status, _ := b.tryControl("POST", "/sandbox/confirmations/"+c.UUID, map[string]any{"act": actAgree}); status != http.StatusUnprocessableEntity {
		t.Errorf("agreeing too late: status %d", status)
	}
	b.apply(b.redOfBlue(number, reasonReturned), confirmWaitBuyer)
}

func TestT44Withdraw(t *testing.T) {
	b := newBench(t)
	withdraw := func(c confirmationResult, want confirmationState) {
		t.Helper()
		var r confirmationResult
		b.call("red_withdraw", redWithdrawRequest{UUID: c.UUID}, codeDone, &r)
		if r.State != want {
			t.Errorf("withdrawn to %s, want %s", r.State, want)
		}
		b.call("red_withdraw", redWithdrawRequest{UUID: c.UUID}, codeConfirmationState, nil)
	}
	number := b.issue(b.sale("100.00"))
	withdraw(b.apply(b.redOfBlue(number, reasonReturned), confirmNotNeeded), confirmWithdrawn)
	booked := b.bookedSale("100.00")
	withdraw(b.apply(b.redOfBlue(booked, reasonReturned), confirmWaitBuyer), confirmWithdrawn)
	c := b.apply(b.redOfBlue(booked, reasonReturned), confirmWaitBuyer)
	b.act(c.UUID, actAgree)
	withdraw(c, confirmWithdrawn2)
	issued := b.apply(b.redOfBlue(number, reasonReturned), confirmNotNeeded)
	b.call("red_issue", b.issueRed(issued), codeDone, nil)
	b.call("red_withdraw", redWithdrawRequest{UUID: issued.UUID}, codeConfirmationState, nil)
	b.call("red_withdraw", redWithdrawRequest{UUID: strings.Repeat("0", 32)}, codeNotFound, nil)
}

func TestT45PartialToZero(t *testing.T) {
	b := newBench(t)
	r := b.sale()
	addLine(&r, "燕麦片", "谷物加工品", goodsCode, "3", "100.00", "0.13")
	number := b.issue(r)
	parts := []redApplyRequest{
		b.part(number, reasonReturned, "-1", "-33.34", "-4.33"),
		b.part(number, reasonReturned, "-1", "-33.33", "-4.34"),
		b.part(number, reasonReturned, "-1", "-33.33", "-4.33"),
	}
	tooMuch := b.part(number, reasonReturned, "-3.5", "-100.00", "-13.00")
	b.call("red_apply", tooMuch, codeOverRed, nil)
	for _, p := range parts {
		b.call("red_issue", b.issueRed(b.apply(p, confirmNotNeeded)), codeDone, nil)
	}
	b.call("red_apply", b.part(number, reasonReturned, "-0.01", "-0.01", "0.00"), codeOverRed, nil)
	var net yuan
	for _, i := range b.ledger().Invoices {
		net = net.plus(i.Gross)
	}
	if !net.IsZero() {
		t.Errorf("blue and reds leave %s", net)
	}
}

func TestReasons(t *testing.T) {
	b := newBench(t)
	goods := b.issue(b.sale("100.00", "50.00"))
	services := b.sale()
	addLine(&services, "安装", "安装服务", serviceCod, "", "100.00", "0.09")
	service := b.issue(services)

	b.call("red_apply", b.part(goods, reasonWrong, "-1", "-100.00", "-13.00"), codeReason, nil) // T46
	b.call("red_apply", b.part(goods, reasonReturned, "", "-10.00", "-1.30"), codeReason, nil)
	b.call("red_apply", b.part(goods, reasonAllowance, "-0.1", "-10.00", "-1.30"), codeReason, nil)
	b.call("red_apply", b.part(goods, reasonStopped, "", "-10.00", "-1.30"), codeReason, nil)
	b.call("red_apply", b.redOfBlue(service, reasonReturned), codeReason, nil)
	b.call("red_apply", b.part(goods, "05", "", "-10.00", "-1.30"), codeField, nil)
	b.apply(b.redOfBlue(service, reasonStopped), confirmNotNeeded)
	b.apply(b.part(goods, reasonAllowance, "", "-10.00", "-1.30"), confirmNotNeeded)    // T47
	b.call("red_apply", b.redOfBlue(goods, reasonWrong), codeReason, nil)               // no longer whole
	b.apply(b.part(goods, reasonReturned, "-0.5", "-45.00", "-5.85"), confirmNotNeeded) // both count
	b.call("red_apply", b.part(goods, reasonAllowance, "", "-45.01", "-5.85"), codeOverRed, nil)
	b.apply(b.part(goods, reasonAllowance, "", "-45.00", "-5.85"), confirmNotNeeded)
}

func TestT48DiscountedLine(t *testing.T) {
	b := newBench(t)
	r := b.sale()
	addLine(&r, "燕麦片", "谷物加工品", goodsCode, "2", "100.00", "0.13").Nature = natureDiscounted
	addLine(&r, "燕麦片", "谷物加工品", goodsCode, "", "-10.00", "0.13").Nature = natureDiscount
	addLine(&r, "牛奶", "乳制品", goodsCode, "1", "20.00", "0.13")
	number := b.issue(r)
	whole := b.redOfBlue(number, reasonReturned)
	if len(whole.Lines) != 2 || whole.Lines[0].Net != "-90.00" || whole.Lines[1].BlueNo != 3 {
		t.Fatalf("merged lines: %+v", whole.Lines)
	}
	naming := b.redOfBlue(number, reasonReturned)
	naming.Lines[1].BlueNo = 2
	b.call("red_apply", naming, codeDiffersFromBlue, nil)
	b.call("red_apply", b.part(number, reasonReturned, "-2", "-100.00", "-13.00"), codeOverRed, nil)
	b.apply(b.part(number, reasonReturned, "-1", "-45.00", "-5.85"), confirmNotNeeded)
	b.apply(b.part(number, reasonReturned, "-1", "-45.00", "-5.85"), confirmNotNeeded)
	b.call("red_apply", b.part(number, reasonAllowance, "", "-0.01", "0.00"), codeOverRed, nil)
}

func TestT49OldRateAcrossYears(t *testing.T) {
	b := newBench(t)
	r := b.sale()
	addLine(&r, "燕麦片", "谷物加工品", goodsCode, "1", "100.00", "0.16")
	var made struct{ Number string }
	b.control("POST", "/sandbox/invoices", map[string]any{"seller": r.Seller, "buyer": r.Buyer, "kind": r.Kind,
		"lines": r.Lines, "net": r.Net, "tax": r.Tax, "gross": r.Gross, "drawer": "柜台",
		"issued_at": "2018-12-31T12:00:00+08:00"}, &made)
	if !strings.HasPrefix(made.Number, "18002") {
		t.Errorf("number %s", made.Number)
	}
	if number := b.red(made.Number, reasonReturned); !strings.HasPrefix(number, "26002") {
		t.Errorf("the red is dated now, not %s", number)
	}
}

func TestRedRefusals(t *testing.T) {
	b := newBench(t)
	number := b.issue(b.sale("100.00"))
	edit := func(f func(*redApplyRequest), want code) {
		t.Helper()
		r := b.redOfBlue(number, reasonReturned)
		f(&r)
		b.call("red_apply", r, want, nil)
	}
	line := func(f func(*wireLine)) func(*redApplyRequest) {
		return func(r *redApplyRequest) { f(&r.Lines[0]); r.total() }
	}
	edit(func(r *redApplyRequest) { r.BlueNumber = strings.Repeat("0", 20) }, codeBlue)
	edit(func(r *redApplyRequest) { r.SellerTaxNo = smallNo }, codeBlue)
	edit(func(r *redApplyRequest) { r.SellerTaxNo = "910000000000000000" }, codeSeller)
	edit(func(r *redApplyRequest) { r.Kind = kindSpecial }, codeDiffersFromBlue)
	edit(func(r *redApplyRequest) { r.Application = "a-b" }, codeField)
	edit(func(r *redApplyRequest) { r.Lines = append(r.Lines, r.Lines[0]); r.Lines[1].No = 2; r.total() }, codeField)
	edit(func(r *redApplyRequest) { r.Net = "-99.99" }, codeAmounts)
	edit(line(func(l *wireLine) { l.Name = "别的" }), codeDiffersFromBlue)
	edit(line(func(l *wireLine) { l.Code = serviceCod }), codeDiffersFromBlue)
	edit(line(func(l *wireLine) { l.Unit = "箱" }), codeDiffersFromBlue)
	edit(line(func(l *wireLine) { l.Rate, l.Tax, l.Gross = "0.09", "-9.00", "-109.00" }), codeDiffersFromBlue)
	edit(line(func(l *wireLine) { l.Tax, l.Gross = "-12.93", "-112.93" }), codeAmounts)
	edit(line(func(l *wireLine) { l.Net, l.Tax, l.Gross = "100.00", "13.00", "113.00" }), codeAmounts)
	edit(line(func(l *wireLine) { l.Quantity = "1" }), codeAmounts)
	edit(line(func(l *wireLine) { l.Net, l.Tax, l.Gross, l.Price = "-200.00", "-26.00", "-226.00", "200" }), codeOverRed) // T53
	b.set(map[string]any{"login_needed": true})
	edit(func(*redApplyRequest) {}, codeLogin)
	b.set(map[string]any{"login_needed": false, "asynchronous": true, "latency": "1h"})
	running := b.sale("100.00")
	b.call("issue", running, codeDone, nil)
	l := b.ledger()
	b.call("red_apply", b.redOfBlue(l.Invoices[len(l.Invoices)-1].Number, reasonWrong), codeBlue, nil) // T51
	b.set(map[string]any{"asynchronous": false, "latency": "0s"})
	reversed := b.red(number, reasonReturned)
	edit(func(r *redApplyRequest) { r.BlueNumber = reversed }, codeRedOfRed) // T50
}

func TestBuyerEnters(t *testing.T) {
	b := newBench(t)
	number := b.bookedSale("100.00", "50.00")
	enter := func() confirmation {
		t.Helper()
		var c confirmation
		b.control("POST", "/sandbox/confirmations", map[string]any{"blue_number": number, "reason": "02"}, &c)
		if c.State != confirmWaitSeller {
			t.Fatalf("entered: %+v", c)
		}
		return c
	}
	c := enter()
	b.call("red_withdraw", redWithdrawRequest{UUID: c.UUID}, codeConfirmationState, nil)
	b.call("red_answer", redAnswerRequest{UUID: c.UUID, Answer: "X"}, codeField, nil)
	b.call("red_answer", redAnswerRequest{UUID: c.UUID, Answer: "N"}, codeDone, nil)
	b.stateOf(c.UUID, confirmSellerNo)
	c = enter()
	b.act(c.UUID, actWithdraw)
	b.stateOf(c.UUID, confirmWithdrawn)
	c = enter()
	b.call("red_answer", redAnswerRequest{UUID: c.UUID, Answer: "Y"}, codeDone, nil)
	b.call("red_issue", b.issueRed(confirmationResult{UUID: c.UUID, ConfirmationNo: c.Number}), codeDone, nil)
}

func TestConfirmationMachine(t *testing.T) {
	dead := []confirmationState{confirmBuyerNo, confirmSellerNo, confirmExpired, confirmWithdrawn, confirmWithdrawn2,
		confirmAbnormal, confirmTaxpayer, confirmPersonNo, confirmRefundExists}
	reached := map[confirmationState]bool{confirmNotNeeded: true, confirmWaitBuyer: true, confirmWaitSeller: true}
	for from, acts := range transitions {
		for a, to := range acts {
			c := &confirmation{State: from}
			if err := c.apply(a); err != nil || c.State != to {
				t.Errorf("%s %s: %s, %v", from, a, c.State, err)
			}
			frozen := &confirmation{State: from, RedSerial: "S"}
			if frozen.apply(a) == nil {
				t.Errorf("%s %s: changed although the red is issued", from, a)
			}
			reached[to] = true
		}
	}
	for _, s := range dead {
		if s.live() || !reached[s] {
			t.Errorf("state %s: live %v, reached %v", s, s.live(), reached[s])
		}
	}
	if len(reached) != 13 {
		t.Errorf("%d states reached, want all 13", len(reached))
	}
}

func TestDoubleRedShowsInLedger(t *testing.T) {
	b := newBench(t)
	b.set(map[string]any{"duplicate_detection": false})
	c := b.apply(b.redOfBlue(b.issue(b.sale("100.00")), reasonReturned), confirmNotNeeded)
	send := b.issueRed(c)
	b.call("red_issue", send, codeDone, nil)
	b.call("red_issue", send, codeDone, nil)
	if n := countSerial(b.ledger(), send.Serial); n != 2 {
		t.Errorf("the ledger shows %d reds, want 2", n)
	}
	b.call("red_issue", b.issueRed(c), codeConfirmationState, nil)
}

func TestRedThatFails(t *testing.T) {
	b := newBench(t)
	c := b.apply(b.redOfBlue(b.issue(b.sale("100.00")), reasonReturned), confirmNotNeeded)
	b.fault(map[string]any{"op": "red_issue", "kind": "fail", "code": "3002", "times": 1})
	b.call("red_issue", b.issueRed(c), codeDone, nil)
	b.call("red_issue", b.issueRed(c), codeDone, nil) // the confirmation is free for another serial
}
