package core

import "strings"

// PickUpCode makes a code that a buyer types: the ten random characters of a fresh id and a check character. With the
// invoice's amount as a second factor it can't be guessed within the page's limits.
func PickUpCode(fresh ID) string {
	code := string(fresh[10:])
	return code + string(checkCharacter(code))
}

// NormalPickUpCode undoes what people do to a code: spaces, dashes, lower case, O for 0, I and L for 1. It returns
// false when the check character does not fit.
func NormalPickUpCode(s string) (string, bool) {
	s = strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(s) != 11 {
		return "", false
	}
	for i := range len(s) {
		if !isCrockford(s[i]) {
			return "", false
		}
	}
	return s, checkCharacter(s[:10]) == s[10]
}

// checkCharacter catches nearly every single slip (all but Z for 0) and swap of neighbours.
func checkCharacter(code string) byte {
	sum := 0
	for i := range len(code) {
		sum = (sum*3 + strings.IndexByte(crockford, code[i])) % 31
	}
	return crockford[sum]
}
