package core

import (
	"strings"
)

// TaxNo is a taxpayer's number, normalised: trimmed, half-width, upper case, without spaces. It is personal or
// business data: printing it in a log or an error shows only its ends.
type TaxNo string

// NormalTaxNo normalises a number as people type it.
func NormalTaxNo(s string) TaxNo {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == ' ' || r == '\t' || r == '\u3000' || r == '-' || r == '\u00a0':
			continue
		case r >= '！' && r <= '～': // full width forms
			r -= '！' - '!'
		}
		b.WriteRune(r)
	}
	return TaxNo(strings.ToUpper(b.String()))
}

// Masked shows the first and the last four characters.
func (n TaxNo) Masked() string {
	if len(n) < 10 {
		return strings.Repeat("*", len(n))
	}
	return string(n[:4]) + strings.Repeat("*", len(n)-8) + string(n[len(n)-4:])
}

// String masks: a tax number reaches a wire or a page by Clear only.
func (n TaxNo) String() string { return n.Masked() }

// GoString masks for %#v.
func (n TaxNo) GoString() string { return `core.TaxNo("` + n.Masked() + `")` }

// Clear returns the number in clear, for wires and documents.
func (n TaxNo) Clear() string { return string(n) }

// TaxNoVerdict is what the rules say of a tax number.
type TaxNoVerdict string

// Verdicts of CheckTaxNo.
const (
	TaxNoValid TaxNoVerdict = "valid"
	// TaxNoLength: not of 15, 17, 18 or 20 characters.
	TaxNoLength TaxNoVerdict = "length"
	// TaxNoCharset: something else than digits and capital letters.
	TaxNoCharset TaxNoVerdict = "charset"
	// TaxNoCheckDigit: 18 characters whose check digit fails both as a unified social credit code (GB 32100-2015,
	// with GB 11714 inside) and as a resident identity number (GB 11643).
	TaxNoCheckDigit TaxNoVerdict = "check_digit"
)

// CheckTaxNo applies length and alphabet always, and the check digits of 18-character numbers if strict. Vendors
// print examples that fail the check digits, so strictness is a setting.
func CheckTaxNo(n TaxNo, strict bool) TaxNoVerdict {
	switch len(n) {
	case 15, 17, 18, 20:
	default:
		return TaxNoLength
	}
	for i := range len(n) {
		if c := n[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return TaxNoCharset
		}
	}
	if strict && len(n) == 18 && !validCreditCode(string(n)) && !validIdentity(string(n)) {
		return TaxNoCheckDigit
	}
	return TaxNoValid
}

const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// validCreditCode checks a unified social credit code: GB 32100-2015 over 17 characters, digits for the area, and the
// GB 11714 check of the organisation code inside.
func validCreditCode(s string) bool {
	weight, sum := 1, 0
	for i := range 17 {
		v := strings.IndexByte(creditAlphabet, s[i])
		if v < 0 || (i >= 2 && i < 8 && v > 9) {
			return false
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return creditAlphabet[(31-sum%31)%31] == s[17] && validOrganisation(s[8:17])
}

// validOrganisation checks a nine-character organisation code (GB 11714).
func validOrganisation(s string) bool {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		v := int(s[i] - '0')
		if s[i] >= 'A' {
			v = int(s[i]-'A') + 10
		}
		sum += v * w
	}
	switch c := 11 - sum%11; c {
	case 10:
		return s[8] == 'X'
	case 11:
		return s[8] == '0'
	default:
		return int(s[8]-'0') == c
	}
}

// validIdentity checks a resident identity number (GB 11643).
func validIdentity(s string) bool {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11] == s[17]
}
