package sandbox

import "github.com/shopspring/decimal"

// share is a blue line's amounts with its discount line merged: the two count as one in a red. Red amounts are added to
// it as they are, negative, so what is left shrinks.
type share struct {
	line     // of the blue, for comparison
	net      yuan
	tax      yuan
	gross    yuan
	quantity decimal.Decimal
	error    decimal.Decimal // how far the blue's own tax is from net·rate
}

// sharesOf merges a blue invoice by line number. Discount lines have no entry of their own.
func sharesOf(original *invoice) map[int]*share {
	shares := make(map[int]*share, len(original.Lines))
	for i, l := range original.Lines {
		if l.Nature == natureDiscount {
			continue
		}
		s := &share{line: l, net: l.Net, tax: l.Tax, gross: l.Gross, quantity: l.Quantity.Decimal}
		if l.Nature == natureDiscounted && i+1 < len(original.Lines) {
			d := original.Lines[i+1]
			s.net, s.tax, s.gross = s.net.plus(d.Net), s.tax.plus(d.Tax), s.gross.plus(d.Gross)
		}
		s.error = taxError(s.net, l.Rate, s.tax)
		shares[l.No] = s
	}
	return shares
}

func (s *share) add(l line) {
	s.net, s.tax, s.gross = s.net.plus(l.Net), s.tax.plus(l.Tax), s.gross.plus(l.Gross)
	s.quantity = s.quantity.Add(l.Quantity.Decimal)
}

func (s *share) overdrawn() bool {
	return s.net.IsNegative() || s.tax.IsNegative() || s.gross.IsNegative() ||
		(s.Quantity.given && s.quantity.IsNegative())
}

func (s *share) used() bool { return s.net.IsZero() && s.tax.IsZero() && s.gross.IsZero() }

// checkRed proves a red against its blue. Every earlier confirmation that is still live counts against what remains,
// issued or waiting.
func checkRed(draft *confirmation, original *invoice, others []*confirmation, tolerance yuan) *refusal {
	shares := sharesOf(original)
	f := &fields{}
	for i, l := range draft.Lines {
		f.in(i)
		s := shares[l.BlueNo]
		if s == nil {
			f.refuse(codeDiffersFromBlue, "blue_no", "蓝字发票没有此行，或为折扣行")
			return f.refused
		}
		f.sameAsBlue(l, s.line)
		f.reasonOfLine(draft.Reason, l, s)
		// A faithful part of a blue line inherits the blue's own rounding error.
		f.lineSums(l, tolerance.Add(s.error))
	}
	f.prefix = ""
	f.reasonOfInvoice(draft, original, others, shares)
	if f.refused != nil {
		return f.refused
	}
	return checkRemaining(draft, others, shares)
}

func checkRemaining(draft *confirmation, others []*confirmation, shares map[int]*share) *refusal {
	for _, o := range others {
		if o.State.live() {
			for _, l := range o.Lines {
				shares[l.BlueNo].add(l)
			}
		}
	}
	f := &fields{}
	for i, l := range draft.Lines {
		f.in(i)
		s := shares[l.BlueNo]
		if s.used() {
			f.refuse(codeOverRed, "blue_no", "剩余可红冲金额不足")
		}
		if s.add(l); s.overdrawn() {
			f.refuse(codeOverRed, "gross", "剩余可红冲金额或数量不足")
		}
	}
	return f.refused
}

// sameAsBlue: a red keeps name, code, rate and policy of its blue, also a rate that no longer exists.
func (f *fields) sameAsBlue(l, of line) {
	switch {
	case l.Name != of.Name || l.ShortName != of.ShortName:
		f.refuse(codeDiffersFromBlue, "name", "项目名称与蓝字发票不一致")
	case l.Code != of.Code:
		f.refuse(codeDiffersFromBlue, "code", "税收分类编码与蓝字发票不一致")
	case !l.Rate.Equal(of.Rate.Decimal) || l.Policy != of.Policy:
		f.refuse(codeDiffersFromBlue, "rate", "税率或优惠政策与蓝字发票不一致")
	case l.Unit != "" && l.Unit != of.Unit:
		f.refuse(codeDiffersFromBlue, "unit", "单位与蓝字发票不一致")
	}
}

func (f *fields) reasonOfLine(why reason, l line, s *share) {
	switch {
	case why == reasonAllowance && (l.Quantity.given || l.Price.given):
		f.refuse(codeReason, "quantity", "销售折让不能填写数量和单价")
	case why == reasonReturned && isGoods(l) && s.Quantity.given && !l.Quantity.given:
		f.refuse(codeReason, "quantity", "销货退回须填写数量")
	case l.Quantity.given && !s.Quantity.given:
		f.refuse(codeDiffersFromBlue, "quantity", "蓝字发票该行没有数量")
	}
}

// Chapters 1 and 3 of the classification table.
func isGoods(l line) bool   { return l.Code[0] == '1' }
func isService(l line) bool { return l.Code[0] == '3' }

// reasonOfInvoice: wrong data reverses the whole invoice, at once; nothing is returned from an invoice of services only,
// and no service is stopped on one of goods only.
func (f *fields) reasonOfInvoice(draft *confirmation, original *invoice, others []*confirmation, shares map[int]*share) {
	allGoods, allServices := true, true
	for _, l := range original.Lines {
		allGoods, allServices = allGoods && isGoods(l), allServices && isService(l)
	}
	switch {
	case draft.Reason == reasonReturned && allServices:
		f.refuse(codeReason, "reason", "服务不能选择销货退回")
	case draft.Reason == reasonStopped && allGoods:
		f.refuse(codeReason, "reason", "货物不能选择服务中止")
	case draft.Reason != reasonWrong:
		return
	}
	full := len(draft.Lines) == countUsable(shares) && draft.Gross.negated().Equal(original.Gross.Decimal)
	for _, o := range others {
		full = full && !o.State.live()
	}
	if draft.Reason == reasonWrong && !full {
		f.refuse(codeReason, "reason", "开票有误须全额红冲")
	}
}

// countUsable leaves out lines that were discounted to nothing: a red has nothing to take from them.
func countUsable(shares map[int]*share) (n int) {
	for _, s := range shares {
		if !s.used() {
			n++
		}
	}
	return n
}
