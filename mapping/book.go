package mapping

import (
	"slices"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// book is the rules of one seller, indexed. It never changes, so it is read without a lock.
type book struct {
	keyed  map[string]map[string][]*rule // by kind, then key
	exact  map[string][]*rule
	loose  []*rule // partial texts and patterns, in order of precedence
	faults []error // rules that could not be understood; the others work on
}

func compile(rules []core.MapRule) *book {
	b := &book{exact: map[string][]*rule{}, keyed: map[string]map[string][]*rule{
		BySKU: {}, ByBarcode: {}, ByCategory: {}, ByDefault: {}}}
	for _, m := range rules {
		r, err := parseRule(m)
		switch {
		case err != nil:
			b.faults = append(b.faults, err)
		case r.By != ByText:
			b.keyed[r.By][r.key] = append(b.keyed[r.By][r.key], &r)
		case r.exact:
			b.exact[r.key] = append(b.exact[r.key], &r)
		default:
			b.loose = append(b.loose, &r)
		}
	}
	for _, index := range b.keyed {
		for _, rs := range index {
			slices.SortFunc(rs, precedes)
		}
	}
	for _, rs := range b.exact {
		slices.SortFunc(rs, precedes)
	}
	slices.SortFunc(b.loose, precedes)
	return b
}

// where is what decides whether a rule is looked at at all.
type where struct {
	store core.StoreCode
	day   day
}

func (w where) open(r *rule) bool {
	return (r.Store == "" || r.Store == w.store) && r.days.holds(w.day)
}

// first returns the first confirmed rule, or else remembers in unsure the first that nobody has confirmed.
func (w where) first(rules []*rule, match func(*rule) bool, unsure **rule) *rule {
	for _, r := range rules {
		if !w.open(r) || (match != nil && !match(r)) {
			continue
		}
		if r.Confirmed {
			return r
		}
		if *unsure == nil {
			*unsure = r
		}
	}
	return nil
}

// named looks for a rule that names the very article: by SKU, then by barcode.
func (b *book) named(w where, it core.Item, unsure **rule) *rule {
	if sku := strings.TrimSpace(it.SKU); sku != "" {
		if r := w.first(b.keyed[BySKU][sku], nil, unsure); r != nil {
			return r
		}
	}
	if bar := strings.TrimSpace(it.Barcode); bar != "" {
		return w.first(b.keyed[ByBarcode][bar], nil, unsure)
	}
	return nil
}

// grouped looks for a rule over many articles: by category (the nearest level first), by text, by the line's kind.
func (b *book) grouped(w where, it core.Item, unsure **rule) *rule {
	for path := b.categoryOf(it); path != ""; {
		if r := w.first(b.keyed[ByCategory][path], nil, unsure); r != nil {
			return r
		}
		path = path[:max(0, strings.LastIndexByte(path, '>'))]
	}
	if len(b.exact)+len(b.loose) > 0 {
		title := fold(it.Name)
		if r := w.first(b.exact[title], nil, unsure); r != nil {
			return r
		}
		r := w.first(b.loose, func(r *rule) bool {
			if r.pattern != nil {
				return r.pattern.MatchString(title)
			}
			return strings.Contains(title, r.key)
		}, unsure)
		if r != nil {
			return r
		}
	}
	return w.first(b.keyed[ByDefault][string(it.Kind)], nil, unsure)
}

func (b *book) categoryOf(it core.Item) string {
	if len(b.keyed[ByCategory]) == 0 {
		return ""
	}
	return categoryPath(it.Category)
}
