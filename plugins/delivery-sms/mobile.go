package main

import (
	"regexp"
	"strings"
)

// mobile is a mobile number of mainland China: 11 digits, the first of which is 1.
type mobile string

var mobileForm = regexp.MustCompile(`^(?:\+86|0086|86)?(1[3-9][0-9]{9})$`)

// parseMobile reads a number with or without country code, spaces and hyphens between its digits allowed. Numbers of
// other countries, fixed lines and services (10650…) are refused.
func parseMobile(s string) (mobile, bool) {
	m := mobileForm.FindStringSubmatch(strings.NewReplacer(" ", "", "-", "").Replace(s))
	if m == nil {
		return "", false
	}
	return mobile(m[1]), true
}

// international writes the number as it is stored: +86 and eleven digits.
func (m mobile) international() string { return "+86" + string(m) }

// String masks the number, so that printing one by accident shows no more than its ends.
func (m mobile) String() string {
	if len(m) != 11 {
		return "***"
	}
	return string(m[:3]) + "****" + string(m[7:])
}
