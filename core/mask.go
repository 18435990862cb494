package core

import "regexp"

// Shapes of personal data in free text that others print: mobile numbers, e-mail addresses, 18-character tax and
// identity numbers.
var (
	mobileText = regexp.MustCompile(`\b(1[3-9][0-9])[0-9]{4}([0-9]{4})\b`)
	emailText  = regexp.MustCompile(`\b([0-9A-Za-z])[0-9A-Za-z._+-]*@`)
	taxNoText  = regexp.MustCompile(`\b([0-9A-Z]{4})[0-9A-Z]{10}([0-9A-Z]{4})\b`)
)

// MaskText hides personal data in text that others wrote: plugins, bureaus, platforms.
func MaskText(s string) string {
	s = mobileText.ReplaceAllString(s, "$1****$2")
	s = emailText.ReplaceAllString(s, "$1***@")
	return taxNoText.ReplaceAllString(s, "$1**********$2")
}
