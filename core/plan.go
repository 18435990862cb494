package core

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// waitForOrder is how long a refund may wait for its order before somebody is told.
const waitForOrder = 24 * time.Hour

// NewDocument is a document that the planner wants.
type NewDocument struct {
	Part     int
	Draft    Draft
	Digest   string
	Basis    []BasisLine
	Original ID
	// Covers are the portions that this document accounts for.
	Covers []PortionRef
}

// Decision is what shall happen to a sale now. Applying it and deciding again gives an empty decision.
type Decision struct {
	Class    Class
	Problems []Problem
	// Drop are documents that no send has left for and that are no longer right.
	Drop []ID
	New  []NewDocument
	// Nothing are portions that need no document: refunded before anything was invoiced.
	Nothing []Cover
	// Wake is when to look again without a new event, if not zero.
	Wake time.Time
}

// Decide compares what the documents of a sale say with what they should say and returns the difference. It is a
// pure function of the story, so any order of events that gives the same story gives the same decision.
func Decide(s Story, now time.Time) Decision {
	if s.Sale == nil {
		return s.waitForSale(now)
	}
	p := planner{story: s, now: now}
	p.amounts, p.hold = s.invoiceable()
	p.portions, p.aside = s.portions(p.amounts)
	for _, event := range s.Conflicts {
		p.problem(ProblemRevisionConflict, event, "the source sent other content under the same revision; the first is kept")
	}
	for _, f := range p.aside {
		p.problem(f.Code, f.Pointer, "%s", f.Detail)
	}
	parts := p.split()
	for i, lines := range parts {
		p.part(i, lines)
	}
	p.out.Class = worst(p.classes)
	return p.out
}

func (s Story) waitForSale(now time.Time) Decision {
	d := Decision{Class: ClassWaitingOrder}
	if len(s.Refunds) == 0 && len(s.Requests) == 0 {
		return d
	}
	d.Wake = s.FirstSeen.Add(waitForOrder)
	if !now.Before(d.Wake) {
		d.Problems = []Problem{{Scope: ScopePlan, Code: ProblemWaitingForOrder, Sale: s.ID, Subject: s.Name,
			Detail: "a refund or request came, its order did not"}}
		d.Wake = time.Time{}
	}
	return d
}

type planner struct {
	story    Story
	now      time.Time
	amounts  amounts
	portions []refPortion
	hold     []Fault // reasons not to make a blue
	aside    []Fault // refunds set aside
	classes  []Class
	out      Decision
}

func (p *planner) problem(code ProblemCode, subject, format string, args ...any) {
	p.out.Problems = append(p.out.Problems, Problem{Scope: ScopePlan, Code: code, Sale: p.story.ID, Subject: subject,
		Detail: fmt.Sprintf(format, args...)})
}

// split cuts the lines into parts that one invoice can hold. A single line is never cut, and an invoice that was issued
// elsewhere holds them all.
func (p *planner) split() [][]int {
	pol := p.story.Policy
	if blue, _ := p.live(0); blue != nil && blue.External {
		pol.MaxLines, pol.MaxGross = 0, Yuan{}
	}
	parts := [][]int{nil}
	var gross Yuan
	printed := 0
	for i, l := range p.amounts.lines {
		if l.inv.IsZero() {
			continue
		}
		n := 1
		if pol.ShowDiscounts && l.sale.List.Cmp(l.sale.Paid) > 0 {
			n = 2
		}
		last := len(parts) - 1
		full := (pol.MaxLines > 0 && printed+n > pol.MaxLines) ||
			(!pol.MaxGross.IsZero() && gross.Add(l.inv).Cmp(pol.MaxGross) > 0)
		if full && len(parts[last]) > 0 {
			parts, last, gross, printed = append(parts, nil), last+1, Yuan{}, 0
		}
		parts[last] = append(parts[last], i)
		gross, printed = gross.Add(l.inv), printed+n
	}
	for _, d := range p.story.Documents { // documents of parts that an edit removed must still be reversed
		for d.State.Live() && d.Part >= len(parts) {
			parts = append(parts, nil)
		}
	}
	return parts
}

// worst picks the class that a person should see first.
func worst(classes []Class) Class {
	order := []Class{ClassHeld, ClassWaitingBuyer, ClassReversing, ClassIssuing, ClassManual, ClassNotYet, ClassNotAsked,
		ClassCancelled, ClassUnpaid, ClassElsewhere, ClassSettled, ClassNothing}
	for _, c := range order {
		for _, have := range classes {
			if c == have {
				return c
			}
		}
	}
	return ClassNothing
}

// digest names a content: equal drafts have equal digests.
func digest(d Draft) string {
	b, err := json.Marshal(d)
	if err != nil {
		return "" // a draft is plain data; a digest that never matches only costs a comparison
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}
