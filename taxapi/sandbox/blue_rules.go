package sandbox

import (
	"strings"
	"time"
)

// buyer applies the rules for the buyer: a special invoice is for an organisation with a tax number.
func (f *fields) buyer(reg *registry, set settings, kind invoiceKind, p party) {
	known := reg.buyer(p.TaxNo)
	switch {
	case p.NaturalPerson != "" && p.NaturalPerson != "Y" && p.NaturalPerson != "N":
		f.refuse(codeField, "buyer.natural_person", "应为Y或N")
	case kind == kindSpecial && p.TaxNo == "":
		f.refuse(codeBuyer, "buyer.tax_no", "专用发票须填写购买方税号")
	case kind == kindSpecial && p.NaturalPerson == "Y":
		f.refuse(codeBuyer, "buyer.natural_person", "不能向自然人开具专用发票")
	case p.TaxNo != "" && !taxNoShape.MatchString(p.TaxNo):
		f.refuse(codeBuyer, "buyer.tax_no", "税号应为15、17、18或20位数字和大写字母")
	case p.TaxNo != "" && set.StrictTaxNo && !checkDigitsRight(p.TaxNo):
		f.refuse(codeBuyer, "buyer.tax_no", "税号校验位错误")
	case p.TaxNo != "" && known != nil && known.Name != "" && known.Name != p.Name:
		f.refuse(codeBuyer, "buyer.name", "购买方名称与税号不符")
	}
}

// classifications checks code and short name: six chapters exist (goods, labour, services, intangibles, real estate,
// not taxed), and the short name is printed between asterisks.
func (f *fields) classifications(reg *registry, set settings, lines []line) {
	for i, l := range lines {
		f.in(i)
		known := reg.classification(l.Code)
		switch {
		case !codeShape.MatchString(l.Code) || l.Code[0] < '1' || l.Code[0] > '6':
			f.refuse(codeClassification, "code", "税收分类编码不存在")
		case known == nil && set.StrictCodes:
			f.refuse(codeClassification, "code", "税收分类编码未登记")
		case known != nil && known.ShortName != l.ShortName:
			f.refuse(codeClassification, "short_name", "商品和服务分类简称与编码不符")
		case l.ShortName == "" || len(l.ShortName) > 120 || strings.Contains(l.ShortName, "*") || !printable(l.ShortName):
			f.refuse(codeClassification, "short_name", "商品和服务分类简称错误")
		}
	}
	f.prefix = ""
}

// amounts applies signs, sums and tolerances.
func (f *fields) amounts(set settings, draft *invoice) {
	for i, l := range draft.Lines {
		f.in(i)
		tolerance := set.LineTolerance
		if l.Nature == natureDiscount {
			tolerance = set.DiscountTolerance
			if !l.Net.IsNegative() || l.Tax.IsPositive() {
				f.refuse(codeAmounts, "net", "折扣行金额应为负数")
			}
		} else if !l.Net.IsPositive() || l.Tax.IsNegative() {
			f.refuse(codeAmounts, "net", "金额应大于零")
		}
		if l.Quantity.given && !l.Quantity.IsPositive() {
			f.refuse(codeAmounts, "quantity", "数量应大于零")
		}
		if l.Price.given && !l.Price.IsPositive() {
			f.refuse(codeAmounts, "price", "单价应大于零")
		}
		f.lineSums(l, tolerance.Decimal)
	}
	f.totals(draft.Lines, draft.Net, draft.Tax, draft.Gross)
	f.accumulated(draft.Lines, draft.Tax, set.InvoiceTolerance)
	if !draft.Gross.IsPositive() || !draft.Net.IsPositive() {
		f.refuse(codeAmounts, "gross", "价税合计应大于零")
	}
}

// rates applies the dated rate table. What is exempt or not taxed gives nothing to deduct, so it is no special invoice.
func (f *fields) rates(s *seller, draft *invoice, now time.Time) {
	for i, l := range draft.Lines {
		f.in(i)
		switch {
		case !rateAllowed(s, l.Rate, l.Policy, now):
			f.refuse(codeRate, "rate", "税率或优惠政策不适用于该销售方或当前日期")
		case draft.Kind == kindSpecial && (l.Policy == policyExempt || l.Policy == policyNotTaxed):
			f.refuse(codeRate, "policy", "免税或不征税项目不能开具专用发票")
		}
	}
	f.prefix = ""
}
