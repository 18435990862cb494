package sdk

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Decimal is an exact number for an author's own sums; floating point must not touch money.
type Decimal = decimal.Decimal

// maxNumberBytes bounds a number before anything parses it.
const maxNumberBytes = 32

// Amount checks a number that came from outside (at most 12 digits, then at most 8 decimals, a minus if need be) and
// gives it back as it was written. The fault is [BadNumber] at the path.
func Amount[S ~string](path string, raw S) (string, error) {
	if !validNumber(string(raw)) {
		return "", &Fault{Reason: BadNumber, Path: path}
	}
	return string(raw), nil
}

// Number is [Amount] for arithmetic.
func Number[S ~string](path string, raw S) (Decimal, error) {
	s, err := Amount(path, raw)
	if err != nil {
		return Decimal{}, err
	}
	return decimal.RequireFromString(s), nil
}

// Fen turns a whole number of fen into yuan: "1234" gives "12.34".
func Fen[S ~string](path string, raw S) (string, error) {
	n, err := Number(path, raw)
	if err != nil || strings.Contains(string(raw), ".") {
		return "", &Fault{Reason: BadNumber, Path: path, Detail: "not a whole number of fen"}
	}
	return Yuan(n.Shift(-2)), nil
}

// Yuan writes an amount with two decimals, rounded half away from zero.
func Yuan(d Decimal) string { return d.StringFixed(2) }

// Sum adds numbers and keeps their decimals. "" counts as zero; anything else that isn't a number makes the sum "",
// which no host accepts as a total.
func Sum(amounts ...string) string {
	total := decimal.Zero
	for _, a := range amounts {
		if a == "" {
			continue
		}
		if !validNumber(a) {
			return ""
		}
		total = total.Add(decimal.RequireFromString(a))
	}
	return total.String()
}

func validNumber(s string) bool {
	if len(s) > maxNumberBytes {
		return false
	}
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return digits(whole, 12) && (!point || digits(fraction, 8))
}

func digits(s string, most int) bool {
	if len(s) < 1 || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Beijing is the zone of every Chinese platform's local times. It needs no zone database: China has kept UTC+8 without
// summer time since 1991.
var Beijing = time.FixedZone("CST", 8*60*60)

// Time reads a time by a layout of package time; a layout without zone is read as Beijing time.
func Time[S ~string](path, layout string, raw S) (time.Time, error) {
	t, err := time.ParseInLocation(layout, string(raw), Beijing)
	if err != nil {
		return time.Time{}, &Fault{Reason: BadTime, Path: path}
	}
	return t.UTC(), nil
}

// UnixTime reads whole seconds since 1970, or milliseconds when there are 13 digits.
func UnixTime[S ~string](path string, raw S) (time.Time, error) {
	if !digits(string(raw), 13) {
		return time.Time{}, &Fault{Reason: BadTime, Path: path}
	}
	n := decimal.RequireFromString(string(raw)).IntPart()
	if len(raw) == 13 {
		return time.UnixMilli(n).UTC(), nil
	}
	return time.Unix(n, 0).UTC(), nil
}
