package core

import "github.com/shopspring/decimal"

// TaxFromGross derives the tax of a tax-included amount: round_half_up(gross/(1+rate)·rate, 2); net is gross − tax.
// Shops sell at gross prices; the result never differs from round(net·rate, 2) by more than 0.01.
func TaxFromGross(gross Yuan, rate Rate) Yuan {
	if seededFloatMoney() {
		return taxByFloat(gross, rate)
	}
	one := decimal.NewFromInt(1)
	return Yuan{roundHalfUp(gross.d.Mul(rate.d).DivRound(one.Add(rate.d), 16), 2)}
}

// taxFromNet is what a checker recomputes from a net amount: round_half_up(net·rate, 2).
func taxFromNet(net Yuan, rate Rate) Yuan { return Yuan{roundHalfUp(net.d.Mul(rate.d), 2)} }

// Tolerances say how far a channel lets printed amounts differ from recomputed ones, in yuan.
type Tolerances struct {
	// Price bounds |quantity·price − net| of a line.
	Price Yuan `json:"price"`
	// LineTax bounds |round(net·rate, 2) − tax| of a normal or discounted line.
	LineTax Yuan `json:"line_tax"`
	// DiscountTax bounds the same for a discount line.
	DiscountTax Yuan `json:"discount_tax"`
	// TotalTax bounds |Σ net·rate − total tax| of an invoice, the sum unrounded.
	TotalTax Yuan `json:"total_tax"`
}

// DefaultTolerances are those that several vendors publish; the bureau's own are not public.
func DefaultTolerances() Tolerances {
	return Tolerances{Price: Fen(1), LineTax: Fen(6), DiscountTax: Fen(1), TotalTax: Fen(127)}
}

// Cumulative is the tax of a cumulative refunded gross g of a line whose own tax and gross are tax and gross:
// T(g) = round_half_up(tax·g/gross, 2). A red's tax is a difference of two such values: it is never negative,
// never goes beyond the line, and is exactly the line's tax when everything is refunded.
func Cumulative(tax, gross, g Yuan) Yuan {
	if gross.IsZero() {
		return Yuan{}
	}
	return tax.share(g, gross)
}
