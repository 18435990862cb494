package taxapi

import (
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// breaker stops sends to a taxpayer's bureau after failures in a row, and lets a single one try when the rest is over.
type breaker struct {
	failures int           // in a row that open it; 0 means never
	rest     time.Duration // how long it stays open

	mu       sync.Mutex
	inARow   int
	openTill time.Time // zero while closed
	trying   bool
}

// ticket is the right to send once; trial is the one send of a breaker that is open and rested.
type ticket struct{ trial bool }

// enter hands out a ticket, or says until when there is none.
func (b *breaker) enter(now time.Time) (t ticket, until time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failures == 0 || b.openTill.IsZero():
		return ticket{}, time.Time{}, true
	case now.Before(b.openTill):
		return ticket{}, b.openTill, false
	case b.trying:
		return ticket{}, now.Add(b.rest), false
	}
	b.trying = true
	return ticket{trial: true}, time.Time{}, true
}

// health is what an exchange says of the bureau.
type health int

const (
	healthUnknown health = iota // nothing was sent
	healthGood
	healthBad
)

// healthOf reads an outcome: a bureau that says no is well; one that is busy, out of reach or unclear is not.
func healthOf(o core.Outcome, r core.Refusal, err error) health {
	switch {
	case err != nil:
		return healthUnknown
	case o == core.OutcomeUnsure, o == core.OutcomeNotTaken && r == core.RefusedBusy:
		return healthBad
	}
	return healthGood
}

// leave takes a ticket back. Sends that began before the breaker opened no longer move it.
func (b *breaker) leave(now time.Time, t ticket, h health) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.trial {
		b.trying = false
	}
	if b.failures == 0 || !t.trial && !b.openTill.IsZero() {
		return
	}
	switch h {
	case healthGood:
		b.inARow, b.openTill = 0, time.Time{}
	case healthBad:
		if b.inARow++; t.trial || b.inARow >= b.failures {
			b.openTill = now.Add(b.rest)
		}
	}
}
