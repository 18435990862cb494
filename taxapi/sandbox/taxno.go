package sandbox

import "strings"

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

var (
	usccWeights = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28} // 3^i mod 31, GB 32100-2015
	idWeights   = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}            // GB 11643
)

// checkDigitsRight judges 18-character numbers: a unified credit code or a resident's id. Other lengths have no check
// digit that is binding.
func checkDigitsRight(taxNo string) bool {
	return len(taxNo) != 18 || usccValid(taxNo) || residentIDValid(taxNo)
}

func usccValid(s string) bool {
	sum := 0
	for i, w := range usccWeights {
		v := strings.IndexByte(usccAlphabet, s[i])
		if v < 0 {
			return false
		}
		sum += v * w
	}
	return s[17] == usccAlphabet[(31-sum%31)%31]
}

func residentIDValid(s string) bool {
	sum := 0
	for i, w := range idWeights {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		sum += int(s[i]-'0') * w
	}
	return s[17] == "10X98765432"[sum%11]
}
