package sandbox

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"
)

const (
	kindApp            = "app"
	kindSeller         = "seller"
	kindBuyer          = "buyer"
	kindClassification = "classification"
	kindFault          = "fault"
	kindSettings       = "settings"
)

// registry is the in-memory copy of what the control API set up. Each change is on disk before it is seen here.
type registry struct {
	changing sync.Mutex // one change at a time, so that disk and memory agree on the last one

	mu              sync.RWMutex
	apps            map[string]*app
	sellers         map[string]*seller
	buyers          map[string]*buyer
	classifications map[string]*classification
	settings        settings
}

func newRegistry() *registry {
	return &registry{
		apps: map[string]*app{}, sellers: map[string]*seller{}, buyers: map[string]*buyer{},
		classifications: map[string]*classification{}, settings: defaultSettings(),
	}
}

func (r *registry) app(id string) *app {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.apps[id]
}

func (r *registry) seller(taxNo string) *seller {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.sellers[taxNo]
}

func (r *registry) buyer(taxNo string) *buyer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.buyers[taxNo]
}

func (r *registry) classification(code string) *classification {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.classifications[code]
}

func (r *registry) current() settings {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.settings
}

// put registers a checked record. Putting the same one again changes nothing.
func (r *registry) put(s *store, rec record) error {
	if err := rec.check(); err != nil {
		return err
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	kind := ""
	switch rec.(type) {
	case *app:
		kind = kindApp
	case *seller:
		kind = kindSeller
	case *buyer:
		kind = kindBuyer
	case *classification:
		kind = kindClassification
	}
	if err := s.do(func(t *tx) error { return t.putRecord(kind, rec.key(), rec) }); err != nil {
		return err
	}
	r.see(rec)
	return nil
}

func (r *registry) see(rec record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch rec := rec.(type) {
	case *app:
		r.apps[rec.ID] = rec
	case *seller:
		r.sellers[rec.TaxNo] = rec
	case *buyer:
		r.buyers[rec.TaxNo] = rec
	case *classification:
		r.classifications[rec.Code] = rec
	}
}

// change edits the settings and stores the result.
func (r *registry) change(s *store, edit func(*settings) error) (settings, error) {
	r.changing.Lock()
	defer r.changing.Unlock()
	next := r.current()
	if err := edit(&next); err != nil {
		return settings{}, err
	}
	if err := next.check(); err != nil {
		return settings{}, err
	}
	if err := s.do(func(t *tx) error { return t.putRecord(kindSettings, "", next) }); err != nil {
		return settings{}, err
	}
	r.mu.Lock()
	r.settings = next
	r.mu.Unlock()
	return next, nil
}

func (t *tx) putRecord(kind, key string, doc any) error {
	text, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", kind, err)
	}
	return t.exec(`INSERT INTO registry (kind, key, doc) VALUES (?1, ?2, ?3)
		ON CONFLICT (kind, key) DO UPDATE SET doc = ?3`, kind, key, string(text))
}

// load reads back what earlier runs registered.
func (r *registry) load(t *tx) error {
	return t.each(`SELECT kind, doc FROM registry`, nil, func(rows *sql.Rows) error {
		var kind, doc string
		if err := rows.Scan(&kind, &doc); err != nil {
			return err
		}
		var rec record
		switch kind {
		case kindApp:
			rec = &app{}
		case kindSeller:
			rec = &seller{}
		case kindBuyer:
			rec = &buyer{}
		case kindClassification:
			rec = &classification{}
		case kindSettings:
			return json.Unmarshal([]byte(doc), &r.settings)
		default:
			return nil
		}
		if err := json.Unmarshal([]byte(doc), rec); err != nil {
			return fmt.Errorf("reading a stored %s: %w", kind, err)
		}
		if err := rec.check(); err != nil {
			return fmt.Errorf("a stored %s is bad: %w", kind, err)
		}
		r.see(rec)
		return nil
	})
}
