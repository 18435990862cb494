package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/shopspring/decimal"
)

// Errors of number tokens that come from outside.
var (
	// ErrBadNumber says that a token is not a plain decimal number of at most 12 integer and 8 fractional digits.
	ErrBadNumber = errors.New("bad number")
	// ErrPrecision says that an amount has more than two decimals. It is never rounded silently.
	ErrPrecision = errors.New("amount has more than two decimals")
)

// number is the only shape of a number that is taken from outside. Checking it before parsing keeps tokens such
// as 1e1000000000 or a megabyte of digits away from the decimal library.
var number = regexp.MustCompile(`^-?[0-9]{1,12}(\.[0-9]{1,8})?$`)

func parse(s string) (decimal.Decimal, error) {
	if len(s) > 32 || !number.MatchString(s) {
		return decimal.Decimal{}, fmt.Errorf("%w: %q", ErrBadNumber, clip(s, 32))
	}
	return decimal.NewFromString(s)
}

// clip shortens text for an error message.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// Yuan is an amount of money in yuan with two decimals. The zero value is 0.00.
type Yuan struct{ d decimal.Decimal }

// ParseYuan reads an amount such as "12.30". It returns ErrBadNumber or ErrPrecision.
func ParseYuan(s string) (Yuan, error) {
	d, err := parse(s)
	if err != nil {
		return Yuan{}, err
	}
	if !d.Equal(d.Truncate(2)) {
		return Yuan{}, fmt.Errorf("%w: %q", ErrPrecision, s)
	}
	return Yuan{d}, nil
}

// Fen makes an amount from a number of fen (1/100 yuan).
func Fen(n int64) Yuan { return Yuan{decimal.New(n, -2)} }

// Fen returns the amount in fen.
func (a Yuan) Fen() int64 { return a.d.Shift(2).IntPart() }

// Add returns a + b.
func (a Yuan) Add(b Yuan) Yuan { return Yuan{a.d.Add(b.d)} }

// Sub returns a − b.
func (a Yuan) Sub(b Yuan) Yuan { return Yuan{a.d.Sub(b.d)} }

// Neg returns −a.
func (a Yuan) Neg() Yuan { return Yuan{a.d.Neg()} }

// Abs returns |a|.
func (a Yuan) Abs() Yuan { return Yuan{a.d.Abs()} }

// Cmp returns -1, 0 or 1.
func (a Yuan) Cmp(b Yuan) int { return a.d.Cmp(b.d) }

// Equal says whether a and b are the same amount.
func (a Yuan) Equal(b Yuan) bool { return a.d.Equal(b.d) }

// Sign returns -1, 0 or 1.
func (a Yuan) Sign() int { return a.d.Sign() }

// IsZero says whether the amount is 0.00.
func (a Yuan) IsZero() bool { return a.d.IsZero() }

// String writes the amount with two decimals.
func (a Yuan) String() string { return a.d.StringFixed(2) }

// MinYuan returns the smaller of two amounts.
func MinYuan(a, b Yuan) Yuan {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// SumYuan adds amounts.
func SumYuan(amounts ...Yuan) Yuan {
	var sum Yuan
	for _, a := range amounts {
		sum = sum.Add(a)
	}
	return sum
}

// share returns round_half_up(a·part/whole, 2). The whole must not be zero.
func (a Yuan) share(part, whole Yuan) Yuan {
	return Yuan{roundHalfUp(a.d.Mul(part.d).DivRound(whole.d, 16), 2)}
}

// roundHalfUp rounds half away from zero, which is half up for the positive amounts that it is used on. The
// quotients passed in carry 16 decimals, far more than two amounts of 14 digits can bring near a tie.
func roundHalfUp(d decimal.Decimal, places int32) decimal.Decimal { return d.Round(places) }

// MarshalJSON writes a JSON string: amounts never cross a wire as numbers.
func (a Yuan) MarshalJSON() ([]byte, error) { return []byte(`"` + a.String() + `"`), nil }

// UnmarshalJSON reads a JSON string written by MarshalJSON.
func (a *Yuan) UnmarshalJSON(b []byte) error {
	s, err := quoted(b)
	if err != nil {
		return fmt.Errorf("amount: %w", err)
	}
	*a, err = ParseYuan(s)
	return err
}

// Quantity is a count or a measure of goods with at most eight decimals. The zero value is "none given".
type Quantity struct{ d decimal.Decimal }

// ParseQuantity reads a quantity; the empty string is none. It returns ErrBadNumber.
func ParseQuantity(s string) (Quantity, error) {
	if s == "" {
		return Quantity{}, nil
	}
	d, err := parse(s)
	return Quantity{d}, err
}

// Pieces makes a whole quantity.
func Pieces(n int64) Quantity { return Quantity{decimal.NewFromInt(n)} }

// Add returns q + r.
func (q Quantity) Add(r Quantity) Quantity { return Quantity{q.d.Add(r.d)} }

// Sub returns q − r.
func (q Quantity) Sub(r Quantity) Quantity { return Quantity{q.d.Sub(r.d)} }

// Neg returns −q.
func (q Quantity) Neg() Quantity { return Quantity{q.d.Neg()} }

// Cmp returns -1, 0 or 1.
func (q Quantity) Cmp(r Quantity) int { return q.d.Cmp(r.d) }

// Sign returns -1, 0 or 1.
func (q Quantity) Sign() int { return q.d.Sign() }

// IsZero says whether no quantity is given.
func (q Quantity) IsZero() bool { return q.d.IsZero() }

// String writes the quantity without trailing zeros, or "" for none.
func (q Quantity) String() string {
	if q.d.IsZero() {
		return ""
	}
	return q.d.String()
}

// MarshalJSON writes a JSON string.
func (q Quantity) MarshalJSON() ([]byte, error) { return []byte(`"` + q.String() + `"`), nil }

// UnmarshalJSON reads a JSON string written by MarshalJSON.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	s, err := quoted(b)
	if err != nil {
		return fmt.Errorf("quantity: %w", err)
	}
	*q, err = ParseQuantity(s)
	return err
}

// Price is a unit price in yuan, net of tax, with at most eight decimals.
type Price struct{ d decimal.Decimal }

// priceOf derives the price that belongs to a net amount, so that |quantity·price − net| stays under 0.01.
func priceOf(net Yuan, q Quantity) Price {
	if q.IsZero() {
		return Price{}
	}
	return Price{net.d.DivRound(q.d, 8).Abs()}
}

// ParsePrice reads a price; the empty string is none.
func ParsePrice(s string) (Price, error) {
	if s == "" {
		return Price{}, nil
	}
	d, err := parse(s)
	return Price{d}, err
}

// IsZero says whether no price is given.
func (p Price) IsZero() bool { return p.d.IsZero() }

// String writes the price with at least two decimals, or "" for none.
func (p Price) String() string {
	if p.d.IsZero() {
		return ""
	}
	if p.d.Exponent() > -2 || p.d.Equal(p.d.Truncate(2)) {
		return p.d.StringFixed(2)
	}
	return p.d.String()
}

// MarshalJSON writes a JSON string.
func (p Price) MarshalJSON() ([]byte, error) { return []byte(`"` + p.String() + `"`), nil }

// UnmarshalJSON reads a JSON string written by MarshalJSON.
func (p *Price) UnmarshalJSON(b []byte) error {
	s, err := quoted(b)
	if err != nil {
		return fmt.Errorf("price: %w", err)
	}
	*p, err = ParsePrice(s)
	return err
}

func quoted(b []byte) (string, error) {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return "", err
	}
	if s == nil {
		return "", fmt.Errorf("%w: null", ErrBadNumber)
	}
	return *s, nil
}
