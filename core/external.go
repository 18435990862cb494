package core

import "fmt"

// ExternalDraft drafts the blue invoice that somebody else must have issued for a sale: its full invoiceable amounts,
// nothing refunded. It is what reds of the external invoice are measured against.
func ExternalDraft(s Story) (NewDocument, error) {
	p := planner{story: s}
	var faults []Fault
	p.amounts, faults = s.invoiceable()
	if len(faults) > 0 {
		return NewDocument{}, fmt.Errorf("%s: %s", faults[0].Code, faults[0].Detail)
	}
	var lines []int
	for i, l := range p.amounts.lines {
		if !l.inv.IsZero() {
			lines = append(lines, i)
		}
	}
	draft, basis, faults := p.draft(lines, p.amounts.take(nil))
	if len(faults) > 0 {
		return NewDocument{}, fmt.Errorf("%s: %s", faults[0].Code, faults[0].Detail)
	}
	return NewDocument{Draft: draft, Digest: digest(draft), Basis: basis}, nil
}
