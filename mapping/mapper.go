package mapping

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/kaipiao/kaipiao/core"
)

// Rules is where a seller's rules are kept.
type Rules interface {
	// Version grows with every written rule. It is asked for at every mapping, so it must be cheap.
	Version(ctx context.Context) (int64, error)
	// Of returns all rules of a seller.
	Of(ctx context.Context, seller core.SellerID) ([]core.MapRule, error)
}

// StoredRules reads the rules of a core.Store.
type StoredRules struct{ Store core.Store }

// Version implements Rules.
func (s StoredRules) Version(ctx context.Context) (n int64, err error) {
	err = s.Store.View(ctx, func(v core.View) error {
		n, err = v.RulesVersion()
		return err
	})
	return n, err
}

// Of implements Rules.
func (s StoredRules) Of(ctx context.Context, seller core.SellerID) (rules []core.MapRule, err error) {
	err = s.Store.View(ctx, func(v core.View) error {
		rules, err = v.Rules(seller)
		return err
	})
	return rules, err
}

// FixedRules are rules that never change, for previews and tests.
type FixedRules []core.MapRule

// Version implements Rules.
func (FixedRules) Version(context.Context) (int64, error) { return 1, nil }

// Of implements Rules.
func (f FixedRules) Of(_ context.Context, seller core.SellerID) ([]core.MapRule, error) {
	var own []core.MapRule
	for _, r := range f {
		if r.Seller == seller {
			own = append(own, r)
		}
	}
	return own, nil
}

// Mapper implements core.Mapper. It is safe for concurrent use.
type Mapper struct {
	catalogue *Catalogue
	matcher   *Matcher
	rules     Rules
	log       *slog.Logger

	mu      sync.RWMutex
	version int64
	books   map[core.SellerID]*book
}

var _ core.Mapper = (*Mapper)(nil)

// New makes a Mapper.
func New(c *Catalogue, rules Rules, log *slog.Logger) *Mapper {
	return &Mapper{catalogue: c, matcher: NewMatcher(c), rules: rules, log: log, books: map[core.SellerID]*book{}}
}

// Map answers with the first of: the prepaid card's code for the sale of one; a rule for the SKU or barcode; the
// shop's own code; a rule for the category, the text or the kind of line. The first that matches decides: when the
// guard refuses it, a person is asked, and no weaker rule takes its place. Only the shop's own code, which nobody
// confirmed, may be passed over. An error means that the rules could not be read.
func (m *Mapper) Map(ctx context.Context, q core.MapQuery) (core.MapAnswer, error) {
	b, err := m.book(ctx, q.Seller, q.Rules)
	if err != nil {
		return core.MapAnswer{}, fmt.Errorf("map an item of seller %s: %w", q.Seller, err)
	}
	return m.answer(b, q), nil
}

// book returns the seller's compiled rules, read anew when any rule was written since. A caller that has read the
// version itself spares the look-up.
func (m *Mapper) book(ctx context.Context, seller core.SellerID, version int64) (*book, error) {
	if version == 0 {
		var err error
		if version, err = m.rules.Version(ctx); err != nil {
			return nil, fmt.Errorf("read the version of the rules: %w", err)
		}
	}
	m.mu.RLock()
	b := m.books[seller]
	fresh := m.version == version
	m.mu.RUnlock()
	if b != nil && fresh {
		return b, nil
	}
	// The rules are read after the version: a rule written in between is in them already, and the next call,
	// seeing a greater version, only reads them once more.
	rules, err := m.rules.Of(ctx, seller)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	b = compile(rules)
	if len(b.faults) > 0 {
		m.log.Warn("mapping rules are left out", "seller", seller, "count", len(b.faults), "err", errors.Join(b.faults...))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if version > m.version {
		clear(m.books)
		m.version = version
	}
	if version == m.version {
		m.books[seller] = b
	}
	return b, nil
}

func (m *Mapper) answer(b *book, q core.MapQuery) core.MapAnswer {
	if q.Item.GiftCard {
		return m.take(q, prepaidCard, Want{}, "prepaid card")
	}
	at := where{q.Store, dayOf(q.Date)}
	var unsure *rule
	if r := b.named(at, q.Item, &unsure); r != nil {
		return m.takeRule(q, r)
	}
	var why string
	if q.Item.CodeHint != "" {
		a := m.takeHint(q)
		if a.Found {
			return a
		}
		why = a.Why
	}
	if r := b.grouped(at, q.Item, &unsure); r != nil {
		return m.takeRule(q, r)
	}
	a := core.MapAnswer{Why: why, Candidates: m.matcher.Candidates(q)}
	if unsure != nil {
		a.Why = strings.TrimPrefix(a.Why+"; 有规则尚未确认", "; ")
		a.Candidates = m.withUnsure(q, unsure, a.Candidates)
	}
	if a.Why == "" {
		a.Why = "没有规则匹配该商品"
	}
	return a
}

func (m *Mapper) takeRule(q core.MapQuery, r *rule) core.MapAnswer {
	return m.take(q, r.Code, Want{Preference: r.Preference, Named: true}, r.By+":"+string(r.ID))
}

func (m *Mapper) take(q core.MapQuery, code core.ClassificationCode, w Want, by string) core.MapAnswer {
	e, o, err := m.catalogue.Resolve(code, q.Type, q.Date, w)
	if err != nil {
		return core.MapAnswer{Why: fmt.Sprintf("%s: %s", by, text(err)), Candidates: m.matcher.Candidates(q)}
	}
	return core.MapAnswer{Found: true, Mapped: core.Mapped{Code: e.Code, ShortName: e.ShortName, Rate: o.Rate,
		Preference: o.Preference, Service: e.Service(), Rule: by}}
}

// takeHint takes the shop's code if the guard lets it pass with the shop's rate. A shop can't exempt itself: codes
// that are exempt or not taxed need a person's rule.
func (m *Mapper) takeHint(q core.MapQuery) core.MapAnswer {
	var w Want
	if q.Item.RateHint != "" {
		rate, err := parseRateHint(q.Item.RateHint)
		if err != nil {
			return core.MapAnswer{Why: fmt.Sprintf("店铺给出的税率 %.16q 无法识别", q.Item.RateHint)}
		}
		w.Rate = &rate
	}
	e, o, err := m.catalogue.Resolve(core.ClassificationCode(q.Item.CodeHint), q.Type, q.Date, w)
	switch {
	case err != nil:
		return core.MapAnswer{Why: "店铺给出的编码未采用: " + text(err)}
	case o.Preference != core.NoPreference:
		return core.MapAnswer{Why: fmt.Sprintf("店铺给出的编码 %s(%s)为%s, 须由人确认", e.Code, e.Name, o.Percent())}
	}
	return core.MapAnswer{Found: true, Mapped: core.Mapped{Code: e.Code, ShortName: e.ShortName, Rate: o.Rate,
		Preference: o.Preference, Service: e.Service(), Rule: "shop"}}
}

// parseRateHint reads a fraction ("0.13") or a percentage ("13%").
func parseRateHint(s string) (core.Rate, error) {
	s = strings.TrimSpace(s)
	p, ok := strings.CutSuffix(s, "%")
	if !ok {
		return core.ParseRate(s)
	}
	return rateOfPercent(strings.TrimSpace(p))
}

func text(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Text
	}
	return err.Error()
}

// withUnsure puts the code of a rule that waits for confirmation before the guesses.
func (m *Mapper) withUnsure(q core.MapQuery, r *rule, guesses []core.Candidate) []core.Candidate {
	e, o, err := m.catalogue.Resolve(r.Code, q.Type, q.Date, Want{Preference: r.Preference, Named: true})
	if err != nil {
		return guesses
	}
	out := []core.Candidate{candidate(e, o, "未确认的规则 "+string(r.ID)+" → "+e.Name)}
	for _, c := range guesses {
		if c.Code != e.Code && len(out) < maxCandidates {
			out = append(out, c)
		}
	}
	return out
}
