package core

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// The limits of printed fields, in GBK bytes: the smallest of the channels whose limits are public.
const (
	maxTitle  = 100
	maxItem   = 90
	maxSpec   = 40
	maxUnit   = 20
	maxRemark = 200
)

func checkParties(inv Invoice, p Policy) []Fault {
	var out []Fault
	add := func(rule string, code ProblemCode, pointer, format string, args ...any) {
		out = append(out, Fault{rule, code, pointer, fmt.Sprintf(format, args...)})
	}
	if v := CheckTaxNo(inv.Seller.TaxNo, false); v != TaxNoValid {
		add("R01", ProblemSellerTaxNo, "/seller/tax_no", "seller %s: tax number fails %s", inv.Seller.ID, v)
	}
	b := inv.Buyer
	switch {
	case b.Title == "":
		add("R02", ProblemBadTitle, "/buyer/title", "the buyer is a company without a title")
	case width(b.Title) > maxTitle:
		add("R02", ProblemBadTitle, "/buyer/title", "the title is longer than %d bytes", maxTitle)
	case badText(b.Title):
		add("R26", ProblemBadTitle, "/buyer/title", "the title has characters that the bureau refuses")
	}
	if !p.allows(inv.Kind) {
		add("R03", ProblemKindNotAllowed, "/kind", "%s invoices are not allowed by the store's policy", inv.Kind)
	}
	if b.TaxNo == "" {
		if b.Kind == Company || inv.Kind == SpecialInvoice {
			add("R03", ProblemBadTaxNo, "/buyer/tax_no", "a company needs its tax number on the invoice")
		}
		return out
	}
	if v := CheckTaxNo(b.TaxNo, p.StrictTaxNo); v != TaxNoValid {
		add("R04", ProblemBadTaxNo, "/buyer/tax_no", "buyer's tax number %s fails %s", b.TaxNo.Masked(), v)
	}
	if inv.Kind == SpecialInvoice && b.Kind == Personal {
		add("R03", ProblemKindNotAllowed, "/kind", "a special invoice can't go to a person")
	}
	return out
}

func checkLines(inv Invoice, p Policy) []Fault {
	var out []Fault
	add := func(rule string, code ProblemCode, line int, format string, args ...any) {
		out = append(out, Fault{rule, code, fmt.Sprintf("/lines/%d", line), fmt.Sprintf(format, args...)})
	}
	if len(inv.Lines) == 0 {
		out = append(out, Fault{"R05", ProblemSumsDiffer, "/lines", "the invoice has no line"})
	}
	if p.MaxLines > 0 && len(inv.Lines) > p.MaxLines {
		out = append(out, Fault{"R05", ProblemTooLarge, "/lines", fmt.Sprintf("%d lines, at most %d fit", len(inv.Lines), p.MaxLines)})
	}
	if !p.MaxGross.IsZero() && inv.Gross.Cmp(p.MaxGross) > 0 {
		out = append(out, Fault{"R05", ProblemTooLarge, "/gross", fmt.Sprintf("%s yuan, at most %s fit", inv.Gross, p.MaxGross)})
	}
	if width(inv.Remark) > maxRemark {
		out = append(out, Fault{"R25", ProblemBadText, "/remark", fmt.Sprintf("the remark is longer than %d bytes", maxRemark)})
	}
	var exact decimal.Decimal
	for _, l := range inv.Lines {
		exact = exact.Add(l.Net.d.Mul(l.Rate.d))
		if !l.Code.Valid() || l.ShortName == "" {
			add("R06", ProblemUnmapped, l.No, "no classification code")
		}
		if l.Preference != NoPreference && (l.Preference == Exempt || l.Preference == NotTaxed) && !l.Rate.IsZero() {
			add("R08", ProblemBadRate, l.No, "preference %s with rate %s", l.Preference, l.Rate)
		}
		if l.Name == "" || width(l.Name) > maxItem || width(l.Spec) > maxSpec || width(l.Unit) > maxUnit {
			add("R18", ProblemBadText, l.No, "name (1 to %d bytes), spec (%d) or unit (%d) has a wrong length", maxItem, maxSpec, maxUnit)
		}
		if badText(l.Name) || badText(l.Spec) || badText(l.Unit) {
			add("R26", ProblemBadText, l.No, "name, spec or unit has characters that the bureau refuses")
		}
		if !within(l, p.Tolerances.Price) {
			add("R10", ProblemSumsDiffer, l.No, "quantity·price differs from %s by more than %s", l.Net, p.Tolerances.Price)
		}
		limit := p.Tolerances.LineTax
		if l.Nature == Discount {
			limit = p.Tolerances.DiscountTax
		}
		if taxFromNet(l.Net, l.Rate).Sub(l.Tax).Abs().Cmp(limit) > 0 {
			add("R11", ProblemSumsDiffer, l.No, "tax %s is more than %s off", l.Tax, limit)
		}
	}
	if off := (Yuan{exact.Sub(inv.Tax.d).Abs()}); off.Cmp(p.Tolerances.TotalTax) > 0 {
		out = append(out, Fault{"R14", ProblemTooLarge, "/tax", fmt.Sprintf("total tax is more than %s off; split the invoice", p.Tolerances.TotalTax)})
	}
	return out
}

// proveSums checks what must hold exactly, whatever the channel: each line and the totals.
func proveSums(inv Invoice) []Fault {
	var out []Fault
	add := func(rule, pointer, format string, args ...any) {
		out = append(out, Fault{rule, ProblemSumsDiffer, pointer, fmt.Sprintf(format, args...)})
	}
	var net, tax, gross Yuan
	for i, l := range inv.Lines {
		at := fmt.Sprintf("/lines/%d", l.No)
		if !l.Net.Add(l.Tax).Equal(l.Gross) {
			add("R12", at, "net %s + tax %s is not gross %s", l.Net, l.Tax, l.Gross)
		}
		if l.Quantity.IsZero() != l.Price.IsZero() {
			add("R09", at, "quantity and price must be given together")
		}
		want := 1
		if inv.Color == Red || l.Nature == Discount {
			want = -1
		}
		if l.Gross.Sign() != want || l.Tax.Sign()*want < 0 || l.Net.Sign()*want < 0 || l.Quantity.Sign()*want < 0 {
			add("R16", at, "an amount has the wrong sign")
		}
		if l.Nature == Discount {
			if i == 0 || !discounts(inv.Lines[i-1], l) {
				add("R15", at, "a discount line must follow the line it discounts and not exceed it")
			}
		} else if i > 0 && inv.Lines[i-1].Nature == Discounted {
			add("R15", at, "a discounted line has no discount line")
		}
		net, tax, gross = net.Add(l.Net), tax.Add(l.Tax), gross.Add(l.Gross)
	}
	if n := len(inv.Lines); n > 0 && inv.Lines[n-1].Nature == Discounted {
		add("R15", "/lines", "a discounted line has no discount line")
	}
	if !net.Equal(inv.Net) || !tax.Equal(inv.Tax) || !gross.Equal(inv.Gross) || !inv.Net.Add(inv.Tax).Equal(inv.Gross) {
		add("R13", "", "lines sum to %s + %s = %s, the invoice says %s + %s = %s", net, tax, gross, inv.Net, inv.Tax, inv.Gross)
	}
	return out
}

func discounts(of, d InvoiceLine) bool {
	return of.Nature == Discounted && of.SaleLine == d.SaleLine && of.Code == d.Code && of.Name == d.Name &&
		of.Rate.Equal(d.Rate) && d.Gross.Abs().Cmp(of.Gross) <= 0
}
