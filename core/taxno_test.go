package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// creditCode builds a constructed credit code with both check digits right.
func creditCode(area, organisation string) string {
	weights := []int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		v := int(organisation[i] - '0')
		if organisation[i] >= 'A' {
			v = int(organisation[i]-'A') + 10
		}
		sum += v * w
	}
	check := map[int]string{10: "X", 11: "0"}[11-sum%11]
	if check == "" {
		check = fmt.Sprint(11 - sum%11)
	}
	code := "91" + area + organisation + check
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	total, weight := 0, 1
	for i := range 17 {
		total += strings.IndexByte(alphabet, code[i]) * weight
		weight = weight * 3 % 31
	}
	return code + string(alphabet[(31-total%31)%31])
}

func TestCheckTaxNo(t *testing.T) {
	good := creditCode("000000", "MAKP0001")
	for _, c := range []struct {
		in     string
		strict bool
		want   core.TaxNoVerdict
	}{
		{good, true, core.TaxNoValid},
		{good[:17] + swap(good[17]), true, core.TaxNoCheckDigit},
		{good[:17] + swap(good[17]), false, core.TaxNoValid},
		{"11010519491231002X", true, core.TaxNoValid}, // a resident identity number with a right check digit
		{"330106123456789", true, core.TaxNoValid},
		{"33010612345678901", true, core.TaxNoValid},
		{"33010612345678901234", true, core.TaxNoValid},
		{"3301061234567890", true, core.TaxNoLength},
		{"3301061234567890123", true, core.TaxNoLength},
		{"", true, core.TaxNoLength},
		{"33010612345678a", true, core.TaxNoCharset},
	} {
		if got := core.CheckTaxNo(core.TaxNo(c.in), c.strict); got != c.want {
			t.Errorf("%q strict %v: %s, want %s", c.in, c.strict, got, c.want)
		}
	}
}

func swap(c byte) string {
	if c == '0' {
		return "1"
	}
	return "0"
}

func TestNormalTaxNoAndMasking(t *testing.T) {
	n := core.NormalTaxNo(" ９１0000００ makp000146\t")
	if n.Clear() != "91000000MAKP000146" {
		t.Errorf("normalised to %q", n.Clear())
	}
	for _, s := range []string{fmt.Sprint(n), fmt.Sprintf("%v %s %#v", n, n, n), fmt.Sprintf("%+v", core.Buyer{TaxNo: n, Mobile: "13800138000", Email: "zhang@example.com"})} {
		if strings.Contains(s, "MAKP000146") || strings.Contains(s, "13800138000") || strings.Contains(s, "zhang@") {
			t.Errorf("personal data shows: %s", s)
		}
	}
}

func TestIDs(t *testing.T) {
	at := time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC)
	a, b := core.MakeID(at, 1), core.MakeID(at.Add(time.Millisecond), 0)
	if !a.Valid() || len(a) != 20 || a >= b {
		t.Errorf("ids %s and %s", a, b)
	}
	if core.ID("01ABCDEFGHIJKLMNOPQR").Valid() {
		t.Error("I, L, O are not Crockford")
	}
	code := core.PickUpCode(core.MakeID(at, 0x2F3A7C9D1E5B))
	if got, ok := core.NormalPickUpCode(strings.ToLower(code[:5] + "-" + code[5:])); !ok || got != code {
		t.Errorf("code %s read as %s, %v", code, got, ok)
	}
	wrong := []byte(code)
	wrong[3] = map[bool]byte{true: '5', false: '7'}[wrong[3] == '7']
	if _, ok := core.NormalPickUpCode(string(wrong)); ok {
		t.Error("a slip was not noticed")
	}
}
