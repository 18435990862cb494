package host

import (
	"slices"
	"time"
)

// schedule decides when a dead plugin is started again: after a wait that doubles with each death, and once a minute when
// it dies again and again. It never gives up.
type schedule struct {
	t      Timings
	jitter func() float64 // in [0, 1)

	deaths      []time.Time
	inRow       int
	quarantined bool
}

// died records a death and gives the wait before the next start.
func (s *schedule) died(now time.Time, lived time.Duration) time.Duration {
	if lived >= s.t.Quiet {
		s.reset()
	}
	s.inRow++
	s.deaths = append(slices.DeleteFunc(s.deaths, func(d time.Time) bool { return now.Sub(d) > s.t.DeathWindow }), now)
	if len(s.deaths) >= s.t.DeathsToQuarantine {
		s.quarantined = true
	}
	if s.quarantined {
		return s.spread(s.t.BackoffMax)
	}
	wait := s.t.BackoffMin
	for range s.inRow - 1 {
		if wait *= 2; wait >= s.t.BackoffMax {
			wait = s.t.BackoffMax
			break
		}
	}
	return s.spread(wait)
}

// reset forgets all deaths: the plugin has been quiet for long enough, or was replaced.
func (s *schedule) reset() {
	s.deaths, s.inRow, s.quarantined = nil, 0, false
}

// spread varies a wait by a fifth either way, so that many hosts or plugins don't start in step.
func (s *schedule) spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*s.jitter()))
}
