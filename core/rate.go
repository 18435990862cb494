package core

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// Preference is the bureau's code of a preferential policy (yhzcbs) of a line, "" when none is used.
type Preference string

// The preferences that change arithmetic or print. The other codes (01 to 18) pass through as data.
const (
	NoPreference Preference = ""
	// Exempt is 免税: rate 0, printed 免税.
	Exempt Preference = "03"
	// NotTaxed is 不征税: rate 0, printed 不征税; a prepaid card's sale is invoiced so.
	NotTaxed Preference = "04"
)

// Rate is a VAT rate as a fraction: 0.13 is 13 %. Whether a zero is ordinary, exempt or not taxed is said by the
// line's Preference.
type Rate struct{ d decimal.Decimal }

// ParseRate reads a rate such as "0.13". A rate lies in [0, 1).
func ParseRate(s string) (Rate, error) {
	d, err := parse(s)
	if err != nil {
		return Rate{}, fmt.Errorf("rate: %w", err)
	}
	if d.Sign() < 0 || d.Cmp(decimal.NewFromInt(1)) >= 0 {
		return Rate{}, fmt.Errorf("rate %q is not in [0, 1)", s)
	}
	return Rate{d}, nil
}

// Percent makes a rate from whole percents.
func Percent(n int64) Rate { return Rate{decimal.New(n, -2)} }

// IsZero says whether the rate is 0.
func (r Rate) IsZero() bool { return r.d.IsZero() }

// Equal says whether two rates are the same number.
func (r Rate) Equal(o Rate) bool { return r.d.Equal(o.d) }

// String writes the fraction with at least two decimals, as channels want it: "0.13", "0.015".
func (r Rate) String() string {
	if r.d.Equal(r.d.Truncate(2)) {
		return r.d.StringFixed(2)
	}
	return r.d.String()
}

// MarshalJSON writes a JSON string.
func (r Rate) MarshalJSON() ([]byte, error) { return []byte(`"` + r.String() + `"`), nil }

// UnmarshalJSON reads a JSON string written by MarshalJSON.
func (r *Rate) UnmarshalJSON(b []byte) error {
	s, err := quoted(b)
	if err != nil {
		return fmt.Errorf("rate: %w", err)
	}
	*r, err = ParseRate(s)
	return err
}
