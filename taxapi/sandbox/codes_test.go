package sandbox

import "testing"

// Every code of the document can be had, each by the shortest way.
func TestEveryCode(t *testing.T) {
	b := newBench(t)
	sale := func(edit func(*issueRequest)) func() (string, any) {
		return func() (string, any) {
			r := b.sale("100.00")
			edit(&r)
			return "issue", r
		}
	}
	known := b.sale("100.00")
	number := b.issue(known)
	conf := b.apply(b.redOfBlue(number, reasonAllowance), confirmNotNeeded)
	done := b.issueRed(conf)
	b.call("red_issue", done, codeDone, nil)
	redNumber := b.ledger().Invoices[1].Number
	fresh := b.issue(b.sale("100.00"))
	apply := func(edit func(*redApplyRequest)) func() (string, any) {
		return func() (string, any) {
			r := b.redOfBlue(fresh, reasonWrong)
			edit(&r)
			return "red_apply", r
		}
	}
	b.fault(map[string]any{"op": "issue", "buyer_contains": "busy", "kind": "busy"},
		map[string]any{"op": "issue", "buyer_contains": "slow", "kind": "system_timeout"})
	b.control("POST", "/sandbox/sellers", []any{map[string]any{"tax_no": smallNo, "login_needed": true},
		map[string]any{"tax_no": companyNo, "quota": "1.00"}}, nil)
	b.control("POST", "/sandbox/apps", map[string]any{"app_id": "app-2", "key": testKey, "secret": testSecret, "operations": []string{"query"}}, nil)

	for want, make := range map[code]func() (string, any){
		codeDone:           sale(func(*issueRequest) {}),
		codeField:          sale(func(r *issueRequest) { r.Kind = "" }),
		codeAmounts:        sale(func(r *issueRequest) { r.Gross = "1.00" }),
		codeRate:           sale(func(r *issueRequest) { r.Lines[0].Policy = policyExempt }),
		codeBuyer:          sale(func(r *issueRequest) { r.Kind = kindSpecial }),
		codeClassification: sale(func(r *issueRequest) { r.Lines[0].Code = "" }),
		codeDiscount:       sale(func(r *issueRequest) { r.Lines[0].Nature = natureDiscount }),
		codeSeller:         sale(func(r *issueRequest) { r.Seller.TaxNo = bookingNo }),
		codeLogin:          sale(func(r *issueRequest) { r.Seller.TaxNo = smallNo }),
		codeBusy:           sale(func(r *issueRequest) { r.Buyer.Name = "busy" }),
		codeSystemTimeout:  sale(func(r *issueRequest) { r.Buyer.Name = "slow" }),
		codeQuota:          sale(func(r *issueRequest) { r.Seller.TaxNo = companyNo }),
		codeDuplicate:      func() (string, any) { return "issue", known },
		codeConflict:       sale(func(r *issueRequest) { r.Serial, r.Remark = known.Serial, "other" }),
		codeNotFound:       func() (string, any) { return "query", queryRequest{Serial: "S"} },
		codeBlue:           apply(func(r *redApplyRequest) { r.BlueNumber = "" }),
		codeOverRed: apply(func(r *redApplyRequest) {
			l := &r.Lines[0]
			r.Reason, l.Quantity, l.Price, l.Net, l.Tax, l.Gross = reasonAllowance, "", "", "-200.00", "-26.00", "-226.00"
			r.total()
		}),
		codeConfirmationState: func() (string, any) { return "red_withdraw", redWithdrawRequest{UUID: conf.UUID} },
		codeReason:            apply(func(r *redApplyRequest) { r.Reason = reasonStopped }),
		codeRedOfRed:          apply(func(r *redApplyRequest) { r.BlueNumber = redNumber }),
		codeDiffersFromBlue:   apply(func(r *redApplyRequest) { r.Lines[0].Name = "别的" }),
		codeVoid:              func() (string, any) { return "void", voidRequest{Number: number} },
	} {
		op, request := make()
		b.call(op, request, want, nil)
	}
	b.client.app = "app-2"
	b.call("issue", known, codeApplication, nil)
	b.client.app = testApp
	// 2002, 2003 and 2004 are in TestEnvelopeCodes.
}
