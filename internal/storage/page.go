package storage

import "strings"

// defaultPage is the length of a list whose filter gives none.
const defaultPage = 100

// page builds the query of a list, newest first, that continues behind an id. The conditions form few texts, so that
// these statements stay prepared too.
type page struct {
	conditions []string
	args       []any
}

// where adds a condition if its value selects.
func (p *page) where(selects bool, condition string, args ...any) {
	if selects {
		p.conditions = append(p.conditions, condition)
		p.args = append(p.args, args...)
	}
}

func (p *page) query(selectFrom string, limit int) (string, []any) {
	if limit <= 0 {
		limit = defaultPage
	}
	var b strings.Builder
	b.WriteString(selectFrom)
	for i, c := range p.conditions {
		if i == 0 {
			b.WriteString(" WHERE ")
		} else {
			b.WriteString(" AND ")
		}
		b.WriteString(c)
	}
	b.WriteString(" ORDER BY id DESC LIMIT ?")
	return b.String(), append(p.args, limit)
}
