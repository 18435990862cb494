package mapping

import (
	"fmt"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// Remember makes the rule that a person's answer to a review becomes. The caller gives the decision (ID, Code,
// Preference, Author, CreatedAt, and days if it shall not hold for ever); what it compares is taken from the item:
// its SKU, else its barcode, else the kind of line for shipping and fees, else its whole title. Shipping and fees of
// a store are named by the shop, not by a catalogue, so one answer holds for all of them.
//
// It returns a *Refusal when the code can't be printed on the day of the answer.
func (m *Mapper) Remember(r core.Review, t core.TaxpayerType, answer core.MapRule) (core.MapRule, error) {
	answer.Seller, answer.Confirmed = r.Seller, true
	it := r.Item
	switch {
	case strings.TrimSpace(it.SKU) != "":
		answer.By, answer.Value = BySKU, strings.TrimSpace(it.SKU)
	case strings.TrimSpace(it.Barcode) != "":
		answer.By, answer.Value = ByBarcode, strings.TrimSpace(it.Barcode)
	case it.Kind == core.Shipping || it.Kind == core.Fee:
		answer.By, answer.Value, answer.Store = ByDefault, string(it.Kind), r.Store
	default:
		answer.By, answer.Value = ByText, "="+fold(it.Name)
	}
	return answer, m.CheckRule(t, answer)
}

// CheckRule says whether a rule is well formed and its code can be printed on the day it was written.
func (m *Mapper) CheckRule(t core.TaxpayerType, r core.MapRule) error {
	if _, err := parseRule(r); err != nil {
		return err
	}
	if r.Author == "" {
		return badRule(r, "it has no author")
	}
	if _, _, err := m.catalogue.Resolve(r.Code, t, r.CreatedAt, Want{Preference: r.Preference, Named: true}); err != nil {
		return fmt.Errorf("rule %s: %w", r.ID, err)
	}
	return nil
}
