package core

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/shopspring/decimal"
)

// Schedule is when a bureau is asked again. Each list of waits is walked by attempt, and its last entry repeats for
// ever: nothing is given up silently.
type Schedule struct {
	// Busy are the waits before the same serial is sent again after it was not taken.
	Busy []time.Duration
	// Query are the waits before the queries that follow an unsure send.
	Query []time.Duration
	// Poll are the waits before the queries that follow an accepted send.
	Poll []time.Duration
	// Grace is how long after a send "not found" may still mean "not shown yet".
	Grace time.Duration
	// NotFoundGap is the least time between the two "not found" that allow a resend.
	NotFoundGap time.Duration
	// BusyProblem and PollProblem are when a wait becomes a problem that a person sees; the waiting goes on.
	BusyProblem time.Duration
	PollProblem time.Duration
	// SendDeadline bounds one exchange; it is shorter than Lease, so that a task is never run twice at once.
	SendDeadline time.Duration
	Lease        time.Duration
	// Probe is how often a paused lane asks whether the bureau answers again.
	Probe time.Duration
}

// DefaultSchedule is the schedule for a real bureau.
func DefaultSchedule() Schedule {
	const s, m = time.Second, time.Minute
	return Schedule{
		Busy:         []time.Duration{10 * s, 30 * s, 60 * s, 5 * m},
		Query:        []time.Duration{10 * s, 30 * s, 60 * s, 5 * m},
		Poll:         []time.Duration{5 * s, 15 * s, 30 * s, 60 * s, 2 * m, 5 * m},
		Grace:        10 * m,
		NotFoundGap:  60 * s,
		BusyProblem:  30 * m,
		PollProblem:  30 * m,
		SendDeadline: 15 * s,
		Lease:        60 * s,
		Probe:        60 * s,
	}
}

// Scale multiplies every time by a positive decimal number such as "0.01". It serves trials against a bureau's double;
// a real bureau gets the scale "1". Nothing is scaled below a millisecond, and what bounds real work not below what a
// busy machine needs for it: a send a second, a lease five.
func (s Schedule) Scale(factor string) (Schedule, error) {
	f, err := parse(factor)
	if err != nil {
		return Schedule{}, fmt.Errorf("time scale: %w", err)
	}
	if f.Sign() <= 0 || f.Cmp(decimal.NewFromInt(1000)) > 0 {
		return Schedule{}, fmt.Errorf("time scale %s is not in (0, 1000]", factor)
	}
	scale := func(d time.Duration) time.Duration {
		return max(time.Duration(f.Mul(decimal.NewFromInt(int64(d))).IntPart()), time.Millisecond)
	}
	all := func(waits []time.Duration) []time.Duration {
		out := make([]time.Duration, len(waits))
		for i, w := range waits {
			out[i] = scale(w)
		}
		return out
	}
	return Schedule{
		Busy: all(s.Busy), Query: all(s.Query), Poll: all(s.Poll),
		Grace: scale(s.Grace), NotFoundGap: scale(s.NotFoundGap),
		BusyProblem: scale(s.BusyProblem), PollProblem: scale(s.PollProblem),
		SendDeadline: max(scale(s.SendDeadline), min(s.SendDeadline, time.Second)),
		Lease:        max(scale(s.Lease), min(s.Lease, 5*time.Second)), Probe: scale(s.Probe),
	}, nil
}

// Check says what makes a schedule unusable.
func (s Schedule) Check() error {
	for _, list := range []struct {
		name  string
		waits []time.Duration
	}{{"busy", s.Busy}, {"query", s.Query}, {"poll", s.Poll}} {
		if len(list.waits) == 0 {
			return fmt.Errorf("schedule: no %s waits", list.name)
		}
		for _, w := range list.waits {
			if w <= 0 {
				return fmt.Errorf("schedule: %s wait %s is not positive", list.name, w)
			}
		}
	}
	switch {
	case s.Grace <= 0 || s.NotFoundGap <= 0 || s.BusyProblem <= 0 || s.PollProblem <= 0 || s.Probe <= 0:
		return fmt.Errorf("schedule: grace, not-found gap, problem times and probe must be positive")
	case s.SendDeadline <= 0 || s.SendDeadline >= s.Lease:
		return fmt.Errorf("schedule: send deadline %s must be positive and shorter than the lease %s", s.SendDeadline, s.Lease)
	}
	return nil
}

// BusyWait is the wait after the attempt-th not-taken send in a row, counted from 0. The key, such as a document's id,
// spreads documents that failed together.
func (s Schedule) BusyWait(attempt int, key string) time.Duration { return wait(s.Busy, attempt, key) }

// QueryWait is the wait before the attempt-th query after an unsure send, counted from 0.
func (s Schedule) QueryWait(attempt int, key string) time.Duration {
	return wait(s.Query, attempt, key)
}

// PollWait is the wait before the attempt-th query after an accepted send, counted from 0.
func (s Schedule) PollWait(attempt int, key string) time.Duration { return wait(s.Poll, attempt, key) }

func wait(waits []time.Duration, attempt int, key string) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	return jitter(waits[min(max(attempt, 0), len(waits)-1)], attempt, key)
}

// jitter moves a wait by up to 20 % either way, drawn from the key: the same key and attempt always wait the same.
func jitter(d time.Duration, attempt int, key string) time.Duration {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s#%d", key, attempt)
	x := h.Sum64()
	x ^= x >> 33 // FNV's low bits alone follow the last byte too closely
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	perMille := int64(x%401) - 200
	return d + time.Duration(int64(d)/1000*perMille)
}
