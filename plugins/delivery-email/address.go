package main

import (
	"net"
	"regexp"
	"strings"
	"unicode"
)

// The grammar of addresses is narrower than RFC 5321: a dot-atom of the characters that mail providers give out, at a
// domain of letters, digits and hyphens. Quoted local parts, source routes (% and !), address literals and non-ASCII
// addresses are refused: no buyer's address looks so, and parsers on the way disagree about them.
var (
	localPart = regexp.MustCompile(`^[A-Za-z0-9_+=&'~-]+(\.[A-Za-z0-9_+=&'~-]+)*$`)
	domain    = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// Limits of RFC 5321 4.5.3.1.
const (
	maxLocalPart = 64
	maxAddress   = 254
)

func isAddress(s string) bool {
	local, at, ok := strings.Cut(s, "@")
	return ok && len(s) <= maxAddress && len(local) <= maxLocalPart &&
		localPart.MatchString(local) && domain.MatchString(at) && strings.Contains(at, ".")
}

func domainOf(address string) string {
	_, at, _ := strings.Cut(address, "@")
	return strings.ToLower(at)
}

func isHost(s string) bool {
	return len(s) <= 253 && domain.MatchString(s) || net.ParseIP(s) != nil
}

// isLine says whether a text can stand in a header: no line break, no control character, nothing that turns the
// direction of the text around.
func isLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unsafeRune(r) })
}

func unsafeRune(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}

// oneLine makes a text of the buyer's or the platform's fit for the letter's body, where it must not start lines of its
// own.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unsafeRune(r) {
			return ' '
		}
		return r
	}, s))
}
