package taxapi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"golang.org/x/time/rate"
)

// Limits are what a guard keeps, for each taxpayer by itself. The zero value limits nothing.
type Limits struct {
	// Every is the mean time between a taxpayer's exchanges, of which Burst (at least 1) may come at once.
	Every time.Duration
	Burst int
	// MaxWait is how long an exchange may wait for its turn before it is put off.
	MaxWait time.Duration
	// Failures in a row (busy, unreachable or unsure) open the circuit breaker for Rest; 0 means never. It stops sends
	// only: queries go on, since they are how unsure sends are settled.
	Failures int
	Rest     time.Duration
	// Closed are the bureau's maintenance windows.
	Closed []Window
}

// DefaultLimits suit a bureau that publishes none.
func DefaultLimits() Limits {
	return Limits{Every: 50 * time.Millisecond, Burst: 20, MaxWait: 2 * time.Second, Failures: 5, Rest: 30 * time.Second}
}

// HeldError says that a question was put off by the guard. Nothing was sent.
type HeldError struct {
	Channel core.ChannelID
	Why     string
	// Until is when it makes sense to ask again.
	Until time.Time
}

// Error names the channel, the reason and the time.
func (e *HeldError) Error() string {
	return fmt.Sprintf("tax channel %s: nothing sent: %s until %s", e.Channel, e.Why, e.Until.In(beijing).Format(time.RFC3339))
}

// Unwrap says that a later question may be answered.
func (e *HeldError) Unwrap() error { return core.ErrUnavailable }

// Guard puts a guard around a channel. A send that the guard puts off is NotTaken with RefusedBusy: the bureau hears
// nothing of it and its before hook is not called. A question that it puts off is a *HeldError, never an outcome, since
// a question that was not asked says nothing about an invoice.
func Guard(c core.Channel, l Limits, clock core.Clock) core.Channel {
	g := &guard{inner: c, limits: l, clock: clock, lanes: map[core.TaxNo]*guardLane{}}
	out := core.Channel{ID: c.ID, Issuer: g, Reverser: g}
	if c.Files != nil {
		out.Files = g
	}
	if c.Quotas != nil {
		out.Quotas = g
	}
	if c.Ledger != nil {
		out.Ledger = g
	}
	if c.Voider != nil {
		out.Voider = g
	}
	return out
}

type guard struct {
	inner  core.Channel
	limits Limits
	clock  core.Clock

	mu    sync.Mutex
	lanes map[core.TaxNo]*guardLane
}

// guardLane is the account of one taxpayer.
type guardLane struct {
	limiter *rate.Limiter
	breaker breaker
}

func (g *guard) lane(seller core.Seller) *guardLane {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lanes[seller.TaxNo]
	if l == nil {
		every := rate.Inf
		if g.limits.Every > 0 {
			every = rate.Every(g.limits.Every)
		}
		l = &guardLane{limiter: rate.NewLimiter(every, max(g.limits.Burst, 1)),
			breaker: breaker{failures: g.limits.Failures, rest: g.limits.Rest}}
		g.lanes[seller.TaxNo] = l
	}
	return l
}

// question lets a question pass, perhaps after a wait for its turn.
func (g *guard) question(ctx context.Context, seller core.Seller) error {
	if until, closed := g.closed(); closed {
		return &HeldError{g.inner.ID, "the bureau is closed for maintenance", until}
	}
	return g.turn(ctx, g.lane(seller))
}

func (g *guard) closed() (until time.Time, closed bool) {
	now := g.clock.Now()
	for _, w := range g.limits.Closed {
		if until, closed = w.Covers(now); closed {
			return until, true
		}
	}
	return time.Time{}, false
}

// turn waits for a turn, at most MaxWait.
func (g *guard) turn(ctx context.Context, l *guardLane) error {
	now := g.clock.Now()
	reservation := l.limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay == 0 {
		return nil
	}
	held := &HeldError{g.inner.ID, "the taxpayer's rate limit is reached", now.Add(delay)}
	if delay > g.limits.MaxWait {
		reservation.CancelAt(now)
		return held
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		reservation.CancelAt(g.clock.Now())
		return held
	}
}

// pass is a send's way through the guard.
type pass struct {
	guard  *guard
	lane   *guardLane
	ticket ticket
}

// send lets a send pass or says why not.
func (g *guard) send(ctx context.Context, seller core.Seller) (pass, error) {
	l := g.lane(seller)
	if until, closed := g.closed(); closed {
		return pass{}, &HeldError{g.inner.ID, "the bureau is closed for maintenance", until}
	}
	t, until, ok := l.breaker.enter(g.clock.Now())
	if !ok {
		return pass{}, &HeldError{g.inner.ID, "the circuit breaker is open", until}
	}
	if err := g.turn(ctx, l); err != nil {
		l.breaker.leave(g.clock.Now(), t, healthUnknown)
		return pass{}, err
	}
	return pass{g, l, t}, nil
}

func (p pass) done(h health) { p.lane.breaker.leave(p.guard.clock.Now(), p.ticket, h) }
