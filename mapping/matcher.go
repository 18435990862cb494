package mapping

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// maxCandidates is how many guesses a person is shown.
const maxCandidates = 5

// Codes that the program itself knows.
const (
	prepaidCard core.ClassificationCode = "6010000000000000000"
	deliverTo   core.ClassificationCode = "3040409030000000000"
	express     core.ClassificationCode = "3040409040000000000"
)

// Scores. A matched alias is worth far more than any number of shared character pairs, a longer one more than a
// shorter, and one at the end of a word more than elsewhere: in Chinese titles the noun comes last.
const (
	aliasRune  = 100
	aliasEnd   = 80
	aliasMid   = -50
	otherSex   = -60 // 男… for a title with 女, and the reverse
	pairsFull  = 100 // all pairs of the title shared
	fromAbove  = 3   // what the category finds counts a third
	minScore   = 12
	lineKind   = 1000
	longestKey = 12 // runes of an alias
)

// Matcher guesses codes from titles: aliases found in the cleaned title, then shared pairs of characters with names
// and aliases. It never changes, so it is safe for concurrent use.
type Matcher struct {
	catalogue *Catalogue
	words     map[string][]int32 // alias or name → entries
	pairs     map[pair][]int32   // character pair → entries that contain it
	weight    map[pair]int       // rarer pairs weigh more
}

type pair [2]rune

// NewMatcher indexes a catalogue.
func NewMatcher(c *Catalogue) *Matcher {
	m := &Matcher{catalogue: c, words: map[string][]int32{}, pairs: map[pair][]int32{}, weight: map[pair]int{}}
	for i, e := range c.entries {
		if e.Element != "" {
			continue
		}
		seen := map[pair]bool{}
		for _, w := range append([]string{e.Name}, e.Aliases...) {
			key := strings.ReplaceAll(Clean(w), " ", "")
			if key == "" {
				continue
			}
			if !slices.Contains(m.words[key], int32(i)) {
				m.words[key] = append(m.words[key], int32(i))
			}
			for _, p := range pairsOf([]rune(key)) {
				if !seen[p] {
					seen[p] = true
					m.pairs[p] = append(m.pairs[p], int32(i))
				}
			}
		}
	}
	for p, in := range m.pairs {
		m.weight[p] = 1 + bits.Len(uint(len(c.entries)/len(in)))
	}
	return m
}

func pairsOf(rs []rune) []pair {
	var out []pair
	for i := 0; i+1 < len(rs); i++ {
		if rs[i] != ' ' && rs[i+1] != ' ' {
			out = append(out, pair{rs[i], rs[i+1]})
		}
	}
	return out
}

// guess is the score of one entry and what earned it.
type guess struct {
	entry  int32
	score  int
	text   string // title or category
	word   string // the alias that was found in it
	shared []rune // or the character pairs
	kind   bool   // or the line's kind alone
}

// Candidates returns up to five guesses that could be printed on the day, best first, with their reasons.
func (m *Matcher) Candidates(q core.MapQuery) []core.Candidate {
	title := Clean(q.Item.Name + " " + q.Item.Spec)
	guesses := make(map[int32]*guess, 64)
	m.match(guesses, title, 1)
	m.match(guesses, Clean(q.Item.Category), fromAbove)
	for i, code := range []core.ClassificationCode{deliverTo, express} {
		for _, e := range m.catalogue.byCode[code] {
			if q.Item.Kind == core.Shipping {
				guesses[int32(e)] = &guess{entry: int32(e), score: lineKind - i, kind: true}
			}
		}
	}
	ranked := make([]*guess, 0, len(guesses))
	for _, g := range guesses {
		if g.score >= minScore {
			ranked = append(ranked, g)
		}
	}
	slices.SortFunc(ranked, func(a, b *guess) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.entry, b.entry))
	})
	var out []core.Candidate
	for _, g := range ranked {
		e, o, err := m.catalogue.Resolve(m.catalogue.entries[g.entry].Code, q.Type, q.Date, Want{})
		if err != nil || slices.ContainsFunc(out, func(c core.Candidate) bool { return c.Code == e.Code }) {
			continue
		}
		if out = append(out, candidate(e, o, g.reason(e))); len(out) == maxCandidates {
			break
		}
	}
	return out
}

func (m *Matcher) match(guesses map[int32]*guess, text string, part int) {
	rs := []rune(text)
	get := func(e int32) *guess {
		if guesses[e] == nil {
			guesses[e] = &guess{entry: e, text: text}
		}
		return guesses[e]
	}
	for _, f := range m.find(rs) {
		score := aliasRune*(f.to-f.from) + aliasMid
		if ends(rs, f.to) {
			score += aliasEnd - aliasMid
		}
		word := string(rs[f.from:f.to])
		for _, e := range m.words[word] {
			score := (score + m.sex(e, text)) / part
			if g := get(e); score > g.score {
				g.score, g.word, g.text = score, word, text
			}
		}
	}
	all := 0
	ps := pairsOf(rs)
	shared := map[int32]int{}
	for _, p := range ps {
		all += max(1, m.weight[p])
		for _, e := range m.pairs[p] {
			shared[e] += m.weight[p]
			get(e).share(p)
		}
	}
	for e, w := range shared {
		get(e).score += pairsFull * w / all / part
	}
}

type found struct{ from, to int }

func ends(rs []rune, to int) bool { return to == len(rs) || rs[to] == ' ' }

// sex is a malus on clothes of the sex that the title does not name.
func (m *Matcher) sex(e int32, title string) int {
	man, woman := strings.Contains(title, "男"), strings.Contains(title, "女")
	name := m.catalogue.entries[e].Name
	if (woman && !man && strings.HasPrefix(name, "男")) || (man && !woman && strings.HasPrefix(name, "女")) {
		return otherSex
	}
	return 0
}

// find lists the known words in a text, without those that lie within a longer one. A word of one character counts
// at an end only: 被 in 蚕丝被 is the goods, in 被动 it is not.
func (m *Matcher) find(rs []rune) []found {
	var out []found
	reach := 0 // the furthest end so far: anything that ends before it lies within a longer word
	for from := range rs {
		for to := min(len(rs), from+longestKey); to > from && to > reach; to-- {
			if _, ok := m.words[string(rs[from:to])]; ok && (to-from > 1 || ends(rs, to)) {
				out, reach = append(out, found{from, to}), to
				break
			}
		}
	}
	return out
}

// share notes a pair for the reason, joined to the one before when they overlap.
func (g *guess) share(p pair) {
	if n := len(g.shared); n > 0 && g.shared[n-1] == p[0] {
		g.shared = append(g.shared, p[1])
		return
	}
	g.shared = append(g.shared, p[0], p[1])
}

func (g *guess) reason(e Entry) string {
	switch {
	case g.kind:
		return "运费行 → " + e.Name
	case g.word != "":
		return "“" + g.text + "” → 别名“" + g.word + "” → " + e.Name
	}
	return "“" + g.text + "” → 字词相近“" + string(g.shared) + "” → " + e.Name
}

func candidate(e Entry, o RateOption, reason string) core.Candidate {
	switch e.Unverified {
	case "rate":
		reason += "（适用税率待核）"
	case "short":
		reason += "（简称待核）"
	}
	return core.Candidate{Code: e.Code, Name: e.Name, ShortName: e.ShortName, Rate: o.Percent(), Reason: reason}
}
