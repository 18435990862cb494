package sandbox

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"
)

// Shapes are checked before decimal sees a token: decimal would accept exponents that expand to gigabytes.
var (
	yuanShape    = regexp.MustCompile(`^-?\d{1,12}\.\d{2}$`)
	measureShape = regexp.MustCompile(`^-?\d{1,12}(\.\d{1,8})?$`)
	rateShape    = regexp.MustCompile(`^0(\.\d{1,4})?$`)
)

// yuan is an amount of money in yuan with two decimals.
type yuan struct{ decimal.Decimal }

func parseYuan(s string) (yuan, bool) {
	if !yuanShape.MatchString(s) {
		return yuan{}, false
	}
	d, err := decimal.NewFromString(s)
	if err != nil || (d.IsZero() && s[0] == '-') {
		return yuan{}, false
	}
	return yuan{d}, true
}

func (y yuan) plus(o yuan) yuan  { return yuan{y.Add(o.Decimal)} }
func (y yuan) minus(o yuan) yuan { return yuan{y.Sub(o.Decimal)} }
func (y yuan) negated() yuan     { return yuan{y.Neg()} }
func (y yuan) String() string    { return y.StringFixed(2) }

// MarshalJSON writes the amount as a string: the wire and the ledger know no JSON numbers for money.
func (y yuan) MarshalJSON() ([]byte, error) { return []byte(`"` + y.String() + `"`), nil }

// UnmarshalJSON reads only what MarshalJSON writes.
func (y *yuan) UnmarshalJSON(data []byte) error {
	return unmarshalToken(data, "amount", func(s string) (ok bool) { *y, ok = parseYuan(s); return ok })
}

// measure is a quantity or a unit price, at most 8 decimals, which a line may leave out.
type measure struct {
	decimal.Decimal
	given bool
}

func parseMeasure(s string) (measure, bool) {
	if s == "" {
		return measure{}, true
	}
	if !measureShape.MatchString(s) {
		return measure{}, false
	}
	d, err := decimal.NewFromString(s)
	return measure{d, true}, err == nil
}

func (m measure) String() string {
	if !m.given {
		return ""
	}
	return m.Decimal.String()
}

// MarshalJSON writes a string, empty when the measure is left out.
func (m measure) MarshalJSON() ([]byte, error) { return []byte(`"` + m.String() + `"`), nil }

// UnmarshalJSON reads only what MarshalJSON writes.
func (m *measure) UnmarshalJSON(data []byte) error {
	return unmarshalToken(data, "measure", func(s string) (ok bool) { *m, ok = parseMeasure(s); return ok })
}

// rate is a VAT rate as a fraction: 0.13 is thirteen percent.
type rate struct{ decimal.Decimal }

func parseRate(s string) (rate, bool) {
	if !rateShape.MatchString(s) {
		return rate{}, false
	}
	d, err := decimal.NewFromString(s)
	return rate{d}, err == nil
}

func (r rate) String() string {
	if s := r.Decimal.String(); len(s) > len("0.00") {
		return s
	}
	return r.StringFixed(2)
}

// percent is the rate as an invoice prints it: 13%, 1.5%.
func (r rate) percent() string { return r.Shift(2).String() + "%" }

// MarshalJSON writes a string such as "0.13".
func (r rate) MarshalJSON() ([]byte, error) { return []byte(`"` + r.String() + `"`), nil }

// UnmarshalJSON reads only what MarshalJSON writes.
func (r *rate) UnmarshalJSON(data []byte) error {
	return unmarshalToken(data, "rate", func(s string) (ok bool) { *r, ok = parseRate(s); return ok })
}

func unmarshalToken(data []byte, what string, parse func(string) bool) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if !parse(s) {
		return &json.UnmarshalTypeError{Value: "malformed " + what}
	}
	return nil
}

// amountInWords writes an amount the way 数电票 print it: 圆 rather than 元, 整 after 圆 and after 角, never after 分.
func amountInWords(amount yuan) string {
	text := amount.Abs().StringFixed(2)
	whole, cents, _ := strings.Cut(text, ".")
	var b strings.Builder
	if amount.IsNegative() {
		b.WriteString("（负数）")
	}
	integer := integerInWords(strings.TrimLeft(whole, "0"))
	b.WriteString(integer)
	if integer != "" {
		b.WriteString("圆")
	}
	jiao, fen := cents[0]-'0', cents[1]-'0'
	switch {
	case jiao == 0 && fen == 0 && integer == "":
		b.WriteString("零圆整")
	case jiao == 0 && fen == 0:
		b.WriteString("整")
	case fen == 0:
		b.WriteString(chineseDigits[jiao] + "角整")
	default:
		if jiao != 0 {
			b.WriteString(chineseDigits[jiao] + "角")
		} else if integer != "" {
			b.WriteString("零")
		}
		b.WriteString(chineseDigits[fen] + "分")
	}
	return b.String()
}

var (
	chineseDigits = [...]string{"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"}
	placeNames    = [...]string{"", "拾", "佰", "仟"}
	groupNames    = [...]string{"", "万", "亿", "万亿"}
)

// integerInWords needs digits without leading zeros; a run of zeros becomes one 零.
func integerInWords(digits string) string {
	var b strings.Builder
	skipped, groupWritten := false, false
	for i := range len(digits) {
		place := len(digits) - 1 - i
		if d := digits[i] - '0'; d == 0 {
			skipped = true
		} else {
			if skipped {
				b.WriteString("零")
			}
			b.WriteString(chineseDigits[d] + placeNames[place%4])
			skipped, groupWritten = false, true
		}
		if place%4 == 0 {
			if groupWritten {
				b.WriteString(groupNames[place/4])
			}
			groupWritten = false
		}
	}
	return b.String()
}
