package core

import (
	"encoding/json"
	"fmt"
)

// Fault is one reason why an invoice can't be drafted: a numbered rule, the problem it opens and where it is.
type Fault struct {
	Rule    string      `json:"rule"`
	Code    ProblemCode `json:"code"`
	Pointer string      `json:"pointer,omitempty"`
	Detail  string      `json:"detail"`
}

// Draft is an invoice whose sums are proven. Only NewDraft, NewRed and decoding a stored one make it, and each
// proves it again.
type Draft struct{ inv Invoice }

// Invoice returns the content.
func (d Draft) Invoice() Invoice { return d.inv }

// IsZero says whether there is no content.
func (d Draft) IsZero() bool { return d.inv.Color == "" }

// MarshalJSON writes the content.
func (d Draft) MarshalJSON() ([]byte, error) { return json.Marshal(d.inv) }

// UnmarshalJSON reads a content and proves its sums again: a row that was changed outside is refused.
func (d *Draft) UnmarshalJSON(b []byte) error {
	var inv Invoice
	if err := json.Unmarshal(b, &inv); err != nil {
		return err
	}
	if f := proveSums(inv); len(f) > 0 {
		return fmt.Errorf("stored invoice does not add up: %s %s", f[0].Rule, f[0].Detail)
	}
	d.inv = inv
	return nil
}

// DraftLine is one sale line on its way into a blue invoice.
type DraftLine struct {
	Sale SaleLine
	// Gross is what is invoiced of the line, tax included; List is the amount before its discount.
	Gross, List Yuan
	Quantity    Quantity
	Mapped      Mapped
}

// DraftInput is everything that a blue invoice is made of.
type DraftInput struct {
	Kind   InvoiceKind
	Seller Seller
	Buyer  Buyer
	Lines  []DraftLine
	Remark string
	Policy Policy
}

// NewDraft makes a blue invoice or says by numbered rules why not.
func NewDraft(in DraftInput) (Draft, []Fault) {
	inv := Invoice{Color: Blue, Kind: in.Kind, Seller: in.Seller, Buyer: in.Buyer.Resolved(), Remark: in.Remark}
	for _, l := range in.Lines {
		inv.Lines = append(inv.Lines, printed(l, in.Policy.ShowDiscounts)...)
	}
	inv.total()
	faults := checkParties(inv, in.Policy)
	faults = append(faults, checkLines(inv, in.Policy)...)
	faults = append(faults, proveSums(inv)...)
	if len(faults) > 0 {
		return Draft{}, faults
	}
	return Draft{inv}, nil
}

// printed makes one line, or a discounted line with its discount line right after it.
func printed(l DraftLine, showDiscounts bool) []InvoiceLine {
	m := l.Mapped
	line := InvoiceLine{SaleLine: l.Sale.No, Nature: Normal, Name: fit(l.Sale.Name, maxItem), ShortName: m.ShortName, Code: m.Code,
		Spec: fit(l.Sale.Spec, maxSpec), Unit: fit(l.Sale.Unit, maxUnit), Quantity: l.Quantity, Rate: m.Rate, Preference: m.Preference, Service: m.Service}
	gross := l.Gross
	if showDiscounts && l.List.Cmp(l.Gross) > 0 {
		line.Nature, gross = Discounted, l.List
	}
	line.Gross, line.Tax = gross, TaxFromGross(gross, m.Rate)
	line.Net = line.Gross.Sub(line.Tax)
	line.Price = priceOf(line.Net, line.Quantity)
	if line.Quantity.Sign() <= 0 || (line.Price.IsZero() && !line.Net.IsZero()) {
		line.Quantity, line.Price = Quantity{}, Price{}
	}
	if !within(line, DefaultTolerances().Price) {
		line.Quantity, line.Price = Quantity{}, Price{}
	}
	if line.Nature == Normal {
		return []InvoiceLine{line}
	}
	off := line
	off.Nature, off.Spec, off.Unit, off.Quantity, off.Price = Discount, "", "", Quantity{}, Price{}
	cut := l.List.Sub(l.Gross)
	off.Gross, off.Tax = cut.Neg(), TaxFromGross(cut, m.Rate).Neg()
	off.Net = off.Gross.Sub(off.Tax)
	return []InvoiceLine{line, off}
}

// within says whether quantity·price meets the net amount; an invoice without both is allowed to print amounts only.
func within(l InvoiceLine, tolerance Yuan) bool {
	if l.Quantity.IsZero() {
		return true
	}
	off := Yuan{l.Quantity.d.Mul(l.Price.d).Sub(l.Net.d).Abs()}
	return off.Cmp(tolerance) <= 0
}
