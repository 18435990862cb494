package battery

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/internal/fault"
)

func TestEveryBugHasItsGate(t *testing.T) {
	var with []string
	for _, g := range gates {
		with = append(with, g.bug)
	}
	if want := fault.Bugs(); !slices.Equal(with, want) {
		t.Errorf("gates for %q, bugs are %q", with, want)
	}
}

func TestARunFailsForEachReason(t *testing.T) {
	var rows []Row
	for range MinPoints {
		rows = append(rows, Row{Point: "p", Kills: 2})
	}
	seen := Verdict{Bug: "b", With: "something"}
	tests := map[string]struct {
		result  Result
		verdict Verdict
		want    int
	}{
		"nothing":             {Result{Rows: rows}, seen, 0},
		"a violation":         {Result{Rows: rows, Violations: []string{"v"}}, seen, 1},
		"too few points":      {Result{Rows: rows[1:]}, seen, 1},
		"a blind gate":        {Result{Rows: rows}, Verdict{Bug: "b"}, 1},
		"a gate that is red":  {Result{Rows: rows}, Verdict{Bug: "b", Without: "x", With: "x"}, 1},
		"everything together": {Result{Violations: []string{"v"}}, Verdict{}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if why := Failed(test.result, []Verdict{test.verdict}, 2); len(why) != test.want {
				t.Errorf("fails for %q, want %d reasons", why, test.want)
			}
			text := Document(test.result, []Verdict{test.verdict}, 3, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC))
			if strings.Count(text, "| `p` | 2 of 3 | 0 | 0 |") != len(test.result.Rows) || strings.Contains(text, "**NO**") == test.verdict.OK() {
				t.Errorf("the page says\n%s", text)
			}
		})
	}
}
