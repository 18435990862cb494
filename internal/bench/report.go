//go:build linux

package bench

import (
	"fmt"
	"io"
)

// figure is one row of the table.
type figure struct {
	name     string
	value    float64
	decimals int
	unit     string
	goal     goal
	// note says what the figure has to be seen beside, such as the disk's rate at that moment.
	note string
}

// goal is what a figure should reach. The zero value is no goal.
type goal struct {
	kind  goalKind
	limit float64
}

type goalKind int

const (
	noGoal goalKind = iota
	atLeast
	atMost
)

// met says whether a value reaches a goal.
func (g goal) met(v float64) bool {
	switch g.kind {
	case atLeast:
		return v >= g.limit
	case atMost:
		return v <= g.limit
	}
	return true
}

// report prints figures as they come.
type report struct {
	out         io.Writer
	met, missed int
}

const rowFormat = "%-52s %12s  %-14s %-7s %s\n"

func (r *report) head() {
	r.print("figure", "value", "goal", "", "beside it")
}

func (r *report) print(name, value, goal, verdict, note string) {
	_, _ = fmt.Fprintf(r.out, rowFormat, name, value, goal, verdict, note)
}

// section starts a group of figures.
func (r *report) section(title string) { _, _ = fmt.Fprintf(r.out, "-- %s\n", title) }

func (r *report) add(f figure) {
	goal, verdict := "", ""
	if f.goal.kind != noGoal {
		sign := "≥ "
		if f.goal.kind == atMost {
			sign = "≤ "
		}
		goal = sign + number(f.goal.limit, f.decimals) + f.unit
		if f.goal.met(f.value) {
			verdict = "met"
			r.met++
		} else {
			verdict = "MISSED"
			r.missed++
		}
	}
	r.print(f.name, number(f.value, f.decimals)+f.unit, goal, verdict, f.note)
}

func (r *report) foot() {
	_, _ = fmt.Fprintf(r.out, "goals: %d met, %d missed\n", r.met, r.missed)
}

// number writes a value with its decimals and thousands in groups.
func number(v float64, decimals int) string {
	s := fmt.Sprintf("%.*f", decimals, v)
	end := len(s)
	if decimals > 0 {
		end -= decimals + 1
	}
	for i := end - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
