package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/kaipiao/kaipiao/core"
)

// What a rule compares, in the order in which rules are tried (core.MapRule.By).
const (
	BySKU     = "sku"
	ByBarcode = "barcode"
	// ByCategory compares the store's category, or a parent of it: a rule for 居家 holds for 居家>家具.
	ByCategory = "category"
	// ByText compares the title: "=洗衣液" is exact, "re:^洗衣(液|粉)" a pattern, anything else a part of it.
	ByText = "text"
	// ByDefault holds for every line of a kind: its value is goods, shipping or fee.
	ByDefault = "default"
)

// Limits of rules.
const (
	maxValue   = 200 // runes of a value
	minPartial = 2   // runes of a partial text; a single character matches too much
)

// ErrBadRule says that a rule can't be understood.
var ErrBadRule = errors.New("bad mapping rule")

// rule is a core.MapRule ready to be tried.
type rule struct {
	core.MapRule
	days    span
	key     string // folded value without its prefix
	exact   bool
	pattern *regexp.Regexp
}

func badRule(r core.MapRule, format string, args ...any) error {
	return fmt.Errorf("rule %s (%.16q): %w: %s", r.ID, r.By, ErrBadRule, fmt.Sprintf(format, args...))
}

// parseRule checks the form of a rule. Whether its code can be printed is the guard's question, each day anew.
func parseRule(m core.MapRule) (rule, error) {
	r := rule{MapRule: m, days: span{dayOf(m.From), dayOf(m.To)}}
	if n := utf8.RuneCountInString(m.Value); n == 0 || n > maxValue {
		return r, badRule(m, "its value has %d characters, want 1 to %d", n, maxValue)
	}
	if r.days.to != 0 && r.days.to < r.days.from {
		return r, badRule(m, "it ends on %s before it begins on %s", r.days.to, r.days.from)
	}
	switch m.By {
	case BySKU, ByBarcode:
		r.key = strings.TrimSpace(m.Value)
	case ByCategory:
		r.key = categoryPath(m.Value)
	case ByText:
		return r, r.parseText()
	case ByDefault:
		r.key = m.Value
		switch core.LineKind(m.Value) {
		case core.Goods, core.Shipping, core.Fee:
		default:
			return r, badRule(m, "a default is for goods, shipping or fee, not %q", m.Value)
		}
	default:
		return r, badRule(m, "it compares nothing known")
	}
	if r.key == "" {
		return r, badRule(m, "its value is blank")
	}
	return r, nil
}

func (r *rule) parseText() error {
	if p, ok := strings.CutPrefix(r.Value, "re:"); ok {
		var err error
		if r.pattern, err = regexp.Compile(p); err != nil {
			return badRule(r.MapRule, "its pattern does not compile: %v", err)
		}
		if r.pattern.MatchString("") {
			return badRule(r.MapRule, "its pattern matches the empty title, and so every title")
		}
		return nil
	}
	value, exact := strings.CutPrefix(r.Value, "=")
	r.key, r.exact = fold(value), exact
	if r.key == "" || (!exact && utf8.RuneCountInString(r.key) < minPartial) {
		return badRule(r.MapRule, "a partial text needs at least %d characters", minPartial)
	}
	return nil
}

// categoryPath folds a category and gives its levels one separator.
func categoryPath(s string) string {
	levels := strings.FieldsFunc(fold(s), func(r rune) bool { return r == '>' || r == '/' || r == '|' })
	kept := levels[:0]
	for _, l := range levels {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, ">")
}

// precedes orders rules of the same kind that match the same item: a store's own before all stores', a longer text
// before a shorter, then the later begun, then the later written. The id settles the rest, so the order is total.
func precedes(a, b *rule) int {
	return cmp.Or(
		cmp.Compare(b2i(b.Store != ""), b2i(a.Store != "")),
		cmp.Compare(len(b.Value), len(a.Value)),
		cmp.Compare(b.days.from, a.days.from),
		b.CreatedAt.Compare(a.CreatedAt),
		cmp.Compare(b.ID, a.ID),
	)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
