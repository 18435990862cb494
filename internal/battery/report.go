package battery

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MinPoints is how many distinct failpoints a run has to find.
const MinPoints = 25

// Document writes a run as the page docs/battery.md.
func Document(r Result, verdicts []Verdict, kills int, at time.Time) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# The battery's last run\n")
	p("Written by `make battery` on %s. What it does is said in [internal/battery](../internal/battery).\n", at.UTC().Format("2006-01-02"))
	p("%d points, %d kills, %d orders, %d messages posted, %d sends and %d queries at the bureau, **%d violations**, %s.\n",
		len(r.Rows), r.Kills, r.Orders, r.Messages, r.Sends, r.Asks, len(r.Violations), r.Took.Round(time.Second))
	for _, v := range r.Violations {
		p("- %s", v)
	}
	p("\n## Kills\n\nThe host was killed by SIGKILL at each point and started again while the shop went on sending. Then everything had to come")
	p("to rest and every promise to hold.\n")
	p("| point | kills | orders | violations | time |\n|---|---:|---:|---:|---:|")
	rows := slices.Clone(r.Rows)
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Point, b.Point) })
	for _, row := range rows {
		short := ""
		if row.Kills < kills {
			short = fmt.Sprintf(" of %d", kills)
		}
		p("| `%s` | %d%s | %d | %d | %s |", row.Point, row.Kills, short, row.Orders, row.Violations, row.Took.Round(time.Second))
	}
	p("\n## Seeded bugs\n\nEach gate runs twice: without its bug it must see nothing, with it something.\n")
	p("| bug | gate | without | with | caught |\n|---|---|---|---|---|")
	for _, v := range verdicts {
		word := "yes"
		if !v.OK() {
			word = "**NO**"
		}
		p("| %s | %s | %s | %s | %s |", v.Bug, v.Gate, cell(v.Without), cell(v.With), word)
	}
	return b.String()
}

func cell(s string) string {
	if s == "" {
		return "nothing"
	}
	if r := []rune(s); len(r) > 140 {
		s = string(r[:140]) + "…"
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "|", "/"), "\n", " ")
}

// Failed says what makes a run a failure: a violation, a bug that its gate did not see, too few points, or points at which
// the host did not die often enough.
func Failed(r Result, verdicts []Verdict, kills int) (why []string) {
	if n := len(r.Violations); n > 0 {
		why = append(why, fmt.Sprintf("%d violations", n))
	}
	full := 0
	for _, row := range r.Rows {
		if row.Kills == kills {
			full++
		}
	}
	if full < MinPoints {
		why = append(why, fmt.Sprintf("%d points with %d kills, at least %d are wanted", full, kills, MinPoints))
	}
	for _, v := range verdicts {
		if !v.OK() {
			why = append(why, fmt.Sprintf("the gate for %s: without the bug %q, with it %q", v.Bug, v.Without, v.With))
		}
	}
	return why
}
