package mapping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/core"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func rule1(id, by, value string, code core.ClassificationCode) core.MapRule {
	return core.MapRule{ID: core.ID(id), Seller: "s1", By: by, Value: value, Code: code, Author: "amy", Confirmed: true, CreatedAt: on("2026-01-01")}
}

func query(it core.Item) core.MapQuery {
	if it.Kind == "" {
		it.Kind = core.Goods
	}
	return core.MapQuery{Seller: "s1", Type: core.GeneralTaxpayer, Store: "st1", Date: on("2026-03-01"), Item: it}
}

func ask(t testing.TB, m *Mapper, q core.MapQuery) core.MapAnswer {
	t.Helper()
	a, err := m.Map(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRulesInOrder(t *testing.T) {
	elsewhere := rule1("r9", BySKU, "A-9", rice)
	elsewhere.Store = "st2"
	past := rule1("r10", BySKU, "A-10", rice)
	past.To = on("2026-02-28")
	lastDay := rule1("r11", BySKU, "A-11", rice)
	lastDay.To = on("2026-03-01")
	ended := rule1("r12", BySKU, "A-12", messages)
	unsure := rule1("r13", BySKU, "A-13", rice)
	unsure.Confirmed = false
	other := rule1("r14", BySKU, "A-14", rice)
	other.Seller = "s2"
	exempt := rule1("r15", BySKU, "A-15", cabbage)
	exempt.Preference = core.Exempt
	m := New(shipped(t), FixedRules{
		rule1("r1", BySKU, "A-1", phone), rule1("r2", ByBarcode, "690", rice), rule1("r3", ByCategory, "居家", milk),
		rule1("r4", ByCategory, "居家 > 餐厨", meals), rule1("r5", ByText, "五常大米", rice), rule1("r6", ByText, "大米", milk),
		rule1("r7", ByText, "re:^(话费|流量)", messages2), rule1("r8", ByDefault, "shipping", deliverTo), rule1("r16", ByText, "=大米", phone),
		elsewhere, past, lastDay, ended, unsure, other, exempt,
	}, quiet)
	for name, x := range map[string]struct {
		item core.Item
		rule string // "" for a person
		why  string
	}{
		"sku first":             {core.Item{SKU: "A-1", Barcode: "690", Category: "居家", CodeHint: string(meals), Name: "大米"}, "sku:r1", ""},
		"then barcode":          {core.Item{SKU: "?", Barcode: "690", Category: "居家", CodeHint: string(meals)}, "barcode:r2", ""},
		"then the shop's code":  {core.Item{Category: "居家", CodeHint: string(meals)}, "shop", ""},
		"then category":         {core.Item{Category: "居家/家具", Name: "大米"}, "category:r3", ""},
		"nearest category":      {core.Item{Category: "居家>餐厨>锅具"}, "category:r4", ""},
		"no half category":      {core.Item{Category: "居家用品"}, "", "没有规则"},
		"exact text":            {core.Item{Name: "大米"}, "text:r16", ""},
		"longer text":           {core.Item{Name: "东北五常大米５kg"}, "text:r5", ""},
		"shorter text":          {core.Item{Name: "泰国大米"}, "text:r6", ""},
		"pattern":               {core.Item{Name: "话费充值"}, "text:r7", ""},
		"default of shipping":   {core.Item{Kind: core.Shipping, Name: "运费"}, "default:r8", ""},
		"no default of fees":    {core.Item{Kind: core.Fee, Name: "包装"}, "", "没有规则"},
		"other store's rule":    {core.Item{SKU: "A-9"}, "", "没有规则"},
		"ended yesterday":       {core.Item{SKU: "A-10"}, "", "没有规则"},
		"ends today":            {core.Item{SKU: "A-11"}, "sku:r11", ""},
		"code no longer valid":  {core.Item{SKU: "A-12", Name: "大米"}, "", "sku:r12: 编码"},
		"not confirmed":         {core.Item{SKU: "A-13"}, "", "尚未确认"},
		"other seller's rule":   {core.Item{SKU: "A-14"}, "", "没有规则"},
		"exemption has ended":   {core.Item{SKU: "A-15"}, "", "优惠政策"},
		"gift card above all":   {core.Item{SKU: "A-1", GiftCard: true}, "prepaid card", ""},
		"hint with its rate":    {core.Item{CodeHint: string(phone), RateHint: "13%"}, "shop", ""},
		"hint with wrong rate":  {core.Item{CodeHint: string(phone), RateHint: "0.09"}, "", "不适用税率 9%"},
		"hint with bad rate":    {core.Item{CodeHint: string(phone), RateHint: "1e9%"}, "", "无法识别"},
		"hint of a summary":     {core.Item{CodeHint: "3070000000000000000"}, "", "汇总编码"},
		"hint of 3 digits":      {core.Item{CodeHint: "107"}, "", "19位"},
		"shop exempts itself":   {core.Item{CodeHint: string(condoms)}, "", "须由人确认"},
		"bad hint, then a rule": {core.Item{CodeHint: "107", Name: "大米"}, "text:r16", ""},
	} {
		a := ask(t, m, query(x.item))
		if a.Found != (x.rule != "") || a.Mapped.Rule != x.rule || !contains(a.Why, x.why) {
			t.Errorf("%s: found=%v rule=%q why=%q, want rule %q why %q", name, a.Found, a.Mapped.Rule, a.Why, x.rule, x.why)
		}
		if !a.Found {
			continue
		}
		if err := shipped(t).Check(a.Mapped, core.GeneralTaxpayer, on("2026-03-01")); err != nil {
			t.Errorf("%s: the answer does not pass the guard: %v", name, err)
		}
	}
	if a := ask(t, m, query(core.Item{SKU: "A-13", Name: "神秘商品"})); len(a.Candidates) == 0 || a.Candidates[0].Code != rice {
		t.Errorf("the unconfirmed rule is not the first candidate: %+v", a.Candidates)
	}
	if a := ask(t, m, query(core.Item{CodeHint: string(milk), RateHint: "0.09"})); a.Mapped.Rate.String() != "0.09" {
		t.Errorf("milk at the shop's 9 %%: %+v", a)
	}
	if a := ask(t, m, query(core.Item{CodeHint: string(meals)})); !a.Mapped.Service {
		t.Error("meals are a service")
	}
}

// TestAnyOrderOfRulesGivesOneAnswer: what a rule set says does not depend on the order in which it was written down.
func TestAnyOrderOfRulesGivesOneAnswer(t *testing.T) {
	c := shipped(t)
	codes := []core.ClassificationCode{phone, rice, milk, meals, messages2}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var rules []core.MapRule
		for i := range n {
			by := rapid.SampledFrom([]string{BySKU, ByBarcode, ByCategory, ByText, ByDefault}).Draw(t, "by")
			value := rapid.SampledFrom([]string{"手机", "手机壳", "=手机壳", "re:手."}).Draw(t, "value")
			if by == ByDefault {
				value = "goods"
			}
			r := rule1(fmt.Sprintf("r%02d", i), by, value, rapid.SampledFrom(codes).Draw(t, "code"))
			r.Store = core.StoreCode(rapid.SampledFrom([]string{"", "st1", "st2"}).Draw(t, "store"))
			r.From = on("2026-01-01").AddDate(0, 0, rapid.IntRange(0, 90).Draw(t, "from"))
			if rapid.Bool().Draw(t, "ends") {
				r.To = r.From.AddDate(0, 0, rapid.IntRange(0, 60).Draw(t, "days"))
			}
			r.Confirmed = rapid.IntRange(0, 3).Draw(t, "unconfirmed") > 0
			rules = append(rules, r)
		}
		q := query(core.Item{SKU: "手机", Barcode: "手机壳", Category: "手机>手机壳", Name: "手机壳"})
		q.Date = on("2026-01-01").AddDate(0, 0, rapid.IntRange(0, 120).Draw(t, "day"))
		want, err := New(c, FixedRules(rules), quiet).Map(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := New(c, FixedRules(rapid.Permutation(rules).Draw(t, "shuffled")), quiet).Map(context.Background(), q)
		if err != nil || got.Found != want.Found || got.Mapped != want.Mapped {
			t.Fatalf("%+v (%v), want %+v", got.Mapped, err, want.Mapped)
		}
		order := map[string]int{BySKU: 1, ByBarcode: 2, ByCategory: 3, ByText: 4, ByDefault: 5}
		for _, r := range rules {
			open := r.Confirmed && r.Store != "st2" && !q.Date.Before(r.From) && (r.To.IsZero() || !q.Date.After(r.To))
			matches := r.By == ByCategory && r.Value == "手机" || r.By == ByText || r.By == ByDefault || r.By == BySKU && r.Value == "手机" || r.By == ByBarcode && r.Value == "手机壳"
			if !open || !matches {
				continue
			}
			by, id, _ := strings.Cut(want.Mapped.Rule, ":")
			switch {
			case !want.Found:
				t.Fatalf("rule %s is open and matches, but nothing was found", r.ID)
			case order[by] > order[r.By]:
				t.Fatalf("rule %s decided by %s, though rule %s compares the %s", id, by, r.ID, r.By)
			}
		}
	})
}

type growing struct {
	mu      sync.Mutex
	version int64
	rules   []core.MapRule
	reads   int
	err     error
}

func (g *growing) Version(context.Context) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.version, g.err
}

func (g *growing) Of(context.Context, core.SellerID) ([]core.MapRule, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reads++
	return append([]core.MapRule(nil), g.rules...), nil
}

func (g *growing) add(r core.MapRule) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rules, g.version = append(g.rules, r), g.version+1
}

func TestNewRulesHoldAtOnceAndAreReadOnce(t *testing.T) {
	g := &growing{}
	m := New(shipped(t), g, quiet)
	q := query(core.Item{SKU: "A-1"})
	for range 3 {
		if ask(t, m, q).Found {
			t.Fatal("found without a rule")
		}
	}
	g.add(rule1("bad", ByText, "re:(", phone)) // a rule that can't be read stops no other
	g.add(rule1("r1", BySKU, "A-1", phone))
	for range 3 {
		if !ask(t, m, q).Found {
			t.Fatal("the new rule does not hold")
		}
	}
	if g.reads != 2 {
		t.Errorf("rules were read %d times, want 2", g.reads)
	}
	g.err = errors.New("disk")
	if _, err := m.Map(context.Background(), q); !errors.Is(err, g.err) {
		t.Errorf("error %v, want the store's", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	g := &growing{}
	m := New(shipped(t), g, quiet)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 50 {
				sku := fmt.Sprintf("%d-%d", i, j)
				g.add(rule1(sku, BySKU, sku, phone))
				if a, err := m.Map(context.Background(), query(core.Item{SKU: sku})); err != nil || !a.Found {
					t.Errorf("%s: a rule written before the call is not seen (%v)", sku, err)
				}
			}
		}()
	}
	wg.Wait()
}

func TestRememberedAnswers(t *testing.T) {
	g := &growing{}
	m := New(shipped(t), g, quiet)
	decision := core.MapRule{ID: "d1", Code: meals, Author: "amy", CreatedAt: on("2026-03-01")}
	for name, x := range map[string]struct {
		item      core.Item
		by, value string
		same, not core.Item // another item that the answer holds for, and one that it does not
	}{
		"sku":      {core.Item{SKU: " K1 ", Name: "甲"}, BySKU, "K1", core.Item{SKU: "K1", Name: "乙"}, core.Item{SKU: "K2", Name: "甲"}},
		"barcode":  {core.Item{Barcode: "691", Name: "甲"}, ByBarcode, "691", core.Item{Barcode: "691"}, core.Item{Barcode: "692"}},
		"title":    {core.Item{Name: "茶 （小）"}, ByText, "=茶 (小)", core.Item{Name: "茶 (小)"}, core.Item{Name: "茶几"}},
		"shipping": {core.Item{Kind: core.Shipping, Name: "运费"}, ByDefault, "shipping", core.Item{Kind: core.Shipping, Name: "邮费"}, core.Item{Kind: core.Fee}},
	} {
		q := query(x.item)
		r, err := m.Remember(core.Review{Seller: q.Seller, Store: q.Store, Item: q.Item}, q.Type, decision)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.By != x.by || r.Value != x.value || !r.Confirmed || r.Seller != "s1" {
			t.Errorf("%s: remembered as %+v", name, r)
		}
		g.mu.Lock()
		g.rules, g.version = []core.MapRule{r}, g.version+1
		g.mu.Unlock()
		if !ask(t, m, q).Found || !ask(t, m, query(x.same)).Found || ask(t, m, query(x.not)).Found {
			t.Errorf("%s: the answer does not hold for exactly what it was given for", name)
		}
	}
	review := core.Review{Seller: "s1", Item: core.Item{Kind: core.Goods, Name: "甲"}}
	for code, want := range map[core.ClassificationCode]RefusalReason{messages: RefusedDate, install: RefusedElement, "3070000000000000000": RefusedSummary} {
		decision.Code = code
		var r *Refusal
		if _, err := m.Remember(review, core.GeneralTaxpayer, decision); !errors.As(err, &r) || r.Reason != want {
			t.Errorf("answer %s: %v, want %s", code, err, want)
		}
	}
	if _, err := m.Remember(core.Review{Seller: "s1", Item: core.Item{Kind: core.Goods}}, core.GeneralTaxpayer, core.MapRule{ID: "d", Code: meals, Author: "amy", CreatedAt: time.Now()}); !errors.Is(err, ErrBadRule) {
		t.Errorf("a product without any name: %v", err)
	}
	if err := m.CheckRule(core.GeneralTaxpayer, core.MapRule{By: BySKU, Value: "1", Code: meals}); !errors.Is(err, ErrBadRule) {
		t.Errorf("a rule without an author: %v", err)
	}
}

func BenchmarkMapRule(b *testing.B) {
	var rules FixedRules
	for i := range 10000 {
		rules = append(rules, rule1(fmt.Sprint("s", i), BySKU, fmt.Sprint("SKU-", i), phone), rule1(fmt.Sprint("b", i), ByBarcode, fmt.Sprint("69", i), phone))
	}
	for i := range 100 {
		rules = append(rules, rule1(fmt.Sprint("t", i), ByText, fmt.Sprint("甲乙丙", i), phone))
	}
	rules = append(rules, rule1("d", ByDefault, "goods", phone))
	m := New(shipped(b), rules, quiet)
	for name, it := range map[string]core.Item{
		"sku":     {SKU: "SKU-777", Name: "小米手机 14 Pro 12GB+256GB 黑色"},
		"default": {SKU: "?", Barcode: "?", Category: "数码>手机", Name: "小米手机 14 Pro 12GB+256GB 黑色"},
	} {
		b.Run(name, func(b *testing.B) {
			q := query(it)
			for range b.N {
				if a, err := m.Map(context.Background(), q); err != nil || !a.Found {
					b.Fatal(a, err)
				}
			}
		})
	}
}

// tables is a core.Store of which only the rules are there.
type tables struct {
	core.Store
	view ruleView
}

type ruleView struct {
	core.View
	rules []core.MapRule
	err   error
}

func (t tables) View(_ context.Context, fn func(core.View) error) error { return fn(t.view) }

func (v ruleView) RulesVersion() (int64, error) { return int64(len(v.rules)), v.err }

func (v ruleView) Rules(core.SellerID) ([]core.MapRule, error) { return v.rules, v.err }

func TestStoredRules(t *testing.T) {
	stored := StoredRules{tables{view: ruleView{rules: []core.MapRule{rule1("r1", BySKU, "A-1", phone)}}}}
	if a := ask(t, New(shipped(t), stored, quiet), query(core.Item{SKU: "A-1"})); a.Mapped.Rule != "sku:r1" {
		t.Errorf("%+v", a)
	}
	broken := errors.New("disk")
	stored = StoredRules{tables{view: ruleView{err: broken}}}
	if _, err := New(shipped(t), stored, quiet).Map(context.Background(), query(core.Item{})); !errors.Is(err, broken) {
		t.Errorf("error %v, want the store's", err)
	}
}
