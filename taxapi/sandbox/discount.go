package sandbox

// discounts refuses discount lines that do not directly follow the one line they belong to, or differ from it.
// Vendors number these rules E9105, E9108, E9110 and E9112.
func (f *fields) discounts(lines []line) {
	for i, l := range lines {
		f.in(i)
		switch l.Nature {
		case natureDiscounted:
			if i+1 == len(lines) || lines[i+1].Nature != natureDiscount {
				f.refuse(codeDiscount, "nature", "被折扣行之后没有折扣行")
			}
		case natureDiscount:
			if i == 0 || lines[i-1].Nature != natureDiscounted {
				f.refuse(codeDiscount, "nature", "折扣行之前不是被折扣行")
				return
			}
			f.discountPair(lines[i-1], l)
		}
	}
	f.prefix = ""
}

func (f *fields) discountPair(of, l line) {
	switch {
	case l.Name != of.Name || l.ShortName != of.ShortName:
		f.refuse(codeDiscount, "name", "折扣行与被折扣行名称不一致")
	case l.Code != of.Code:
		f.refuse(codeDiscount, "code", "折扣行与被折扣行编码不一致")
	case !l.Rate.Equal(of.Rate.Decimal) || l.Policy != of.Policy:
		f.refuse(codeDiscount, "rate", "折扣行与被折扣行税率或优惠政策不一致")
	case l.Quantity.given || l.Price.given || l.Unit != "" || l.Spec != "":
		f.refuse(codeDiscount, "quantity", "折扣行不能填写规格、单位、数量和单价")
	case l.Net.Abs().GreaterThan(of.Net.Decimal) || l.Tax.Abs().GreaterThan(of.Tax.Decimal):
		f.refuse(codeDiscount, "net", "折扣额大于被折扣行金额")
	}
}
