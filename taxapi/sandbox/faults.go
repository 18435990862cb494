package sandbox

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// faults is the list of rules, in the order in which they were added.
type faults struct {
	mu    sync.Mutex
	rules []*faultRule
	last  int
}

// pick finds the rule that acts on a request, and copies of all rules whose counts changed.
func (f *faults) pick(t traits) (acting *faultRule, counted []faultRule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, rule := range f.rules {
		if !rule.matches(t) {
			continue
		}
		acts := rule.acts()
		counted = append(counted, *rule)
		if acts {
			return &counted[len(counted)-1], counted
		}
	}
	return nil, counted
}

func (f *faults) list() []faultRule {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]faultRule, len(f.rules))
	for i, rule := range f.rules {
		all[i] = *rule
	}
	return all
}

// add appends rules; one whose id is known replaces the old one and counts anew.
func (f *faults) add(s *store, rules []faultRule) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return fmt.Errorf("fault rule %d: %w", i+1, err)
		}
		f.last++
		rules[i].Position, rules[i].Matched, rules[i].Acted = f.last, 0, 0
		if rules[i].ID == "" {
			rules[i].ID = "f" + strconv.Itoa(f.last)
		}
	}
	err := s.do(func(t *tx) error {
		for _, rule := range rules {
			if err := t.putRecord(kindFault, rule.ID, rule); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, rule := range rules {
		f.see(&rule)
	}
	return nil
}

func (f *faults) see(rule *faultRule) {
	f.last = max(f.last, rule.Position)
	f.rules = append(slices.DeleteFunc(f.rules, func(r *faultRule) bool { return r.ID == rule.ID }), rule)
}

// drop removes one rule, or all if id is empty.
func (f *faults) drop(s *store, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := s.do(func(t *tx) error {
		return t.exec(`DELETE FROM registry WHERE kind = ?1 AND (?2 = '' OR key = ?2)`, kindFault, id)
	})
	if err != nil {
		return err
	}
	f.rules = slices.DeleteFunc(f.rules, func(r *faultRule) bool { return id == "" || r.ID == id })
	return nil
}

// keepCounts stores how far a rule has counted; a rule that was dropped meanwhile stays dropped.
func (t *tx) keepCounts(rule faultRule) error {
	text, err := json.Marshal(rule)
	if err != nil {
		return fmt.Errorf("encoding a fault rule: %w", err)
	}
	return t.exec(`UPDATE registry SET doc = ?3 WHERE kind = ?1 AND key = ?2
		AND json_extract(doc, '$.matched') < ?4`, kindFault, rule.ID, string(text), rule.Matched)
}

func (f *faults) load(t *tx) error {
	err := t.each(`SELECT doc FROM registry WHERE kind = ?`, []any{kindFault}, func(rows *sql.Rows) error {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		rule := &faultRule{}
		if err := json.Unmarshal([]byte(doc), rule); err != nil {
			return fmt.Errorf("reading a stored fault rule: %w", err)
		}
		f.see(rule)
		return nil
	})
	slices.SortFunc(f.rules, func(a, b *faultRule) int { return cmp.Compare(a.Position, b.Position) })
	return err
}
