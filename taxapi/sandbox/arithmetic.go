package sandbox

import "github.com/shopspring/decimal"

var oneCent = decimal.New(1, -2)

// taxError is |round(net·rate, 2) − tax|, rounding half away from zero as the bureau's own calculator does.
func taxError(net yuan, r rate, tax yuan) decimal.Decimal {
	return net.Mul(r.Decimal).Round(2).Sub(tax.Decimal).Abs()
}

// lineSums refuses a line whose amounts do not belong together. Blue and red lines alike.
func (f *fields) lineSums(l line, tolerance decimal.Decimal) {
	switch {
	case !l.Net.Add(l.Tax.Decimal).Equal(l.Gross.Decimal):
		f.refuse(codeAmounts, "gross", "价税合计不等于金额加税额")
	case taxError(l.Net, l.Rate, l.Tax).GreaterThan(tolerance):
		f.refuse(codeAmounts, "tax", "税额与金额乘税率之差大于%s", tolerance.StringFixed(2))
	case l.Quantity.given != l.Price.given:
		f.refuse(codeField, "quantity", "数量和单价应同时填写或同时为空")
	case l.Quantity.given && l.Quantity.Mul(l.Price.Decimal).Round(2).Sub(l.Net.Decimal).Abs().GreaterThan(oneCent):
		f.refuse(codeAmounts, "price", "数量乘单价与金额之差大于0.01")
	}
}

// totals refuses sums that differ from the lines by anything at all.
func (f *fields) totals(lines []line, net, tax, gross yuan) {
	var sumNet, sumTax yuan
	for _, l := range lines {
		sumNet, sumTax = sumNet.plus(l.Net), sumTax.plus(l.Tax)
	}
	f.prefix = ""
	switch {
	case !sumNet.Equal(net.Decimal):
		f.refuse(codeAmounts, "net", "合计金额不等于各行金额之和")
	case !sumTax.Equal(tax.Decimal):
		f.refuse(codeAmounts, "tax", "合计税额不等于各行税额之和")
	case !net.Add(tax.Decimal).Equal(gross.Decimal):
		f.refuse(codeAmounts, "gross", "价税合计不等于合计金额加合计税额")
	}
}

// accumulated refuses an invoice on which the rounding of many lines has added up too far.
func (f *fields) accumulated(lines []line, tax yuan, tolerance yuan) {
	var exact decimal.Decimal
	for _, l := range lines {
		exact = exact.Add(l.Net.Mul(l.Rate.Decimal))
	}
	if exact.Sub(tax.Decimal).Abs().GreaterThan(tolerance.Decimal) {
		f.prefix = ""
		f.refuse(codeAmounts, "tax", "累计税额误差大于%s，请拆分开票", tolerance)
	}
}
