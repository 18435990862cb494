package host

import (
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s := schedule{t: Timings{}.withDefaults(), jitter: func() float64 { return 0.5 }}
	for i, step := range []struct {
		after, lived, wait time.Duration
		quarantined        bool
	}{
		{0, 0, 200 * time.Millisecond, false},
		{time.Second, time.Second, 400 * time.Millisecond, false},
		{time.Second, time.Second, 800 * time.Millisecond, false},
		{time.Second, time.Second, 1600 * time.Millisecond, false},
		{time.Second, time.Second, time.Minute, true}, // the fifth within ten minutes
		{time.Minute, 0, time.Minute, true},
		{20 * time.Minute, 4 * time.Minute, time.Minute, true}, // not yet quiet for long enough
		{6 * time.Minute, 5 * time.Minute, 200 * time.Millisecond, false},
	} {
		now = now.Add(step.after)
		if wait := s.died(now, step.lived); wait != step.wait || s.quarantined != step.quarantined {
			t.Errorf("death %d: wait %s, quarantined %v; want %s, %v", i+1, wait, s.quarantined, step.wait, step.quarantined)
		}
	}
}

func TestScheduleGrowsToAMinuteAndVaries(t *testing.T) {
	timings := Timings{DeathsToQuarantine: 1 << 30}.withDefaults()
	for _, c := range []struct {
		jitter   float64
		min, max time.Duration
	}{{0, 48 * time.Second, 48 * time.Second}, {0.999, 71 * time.Second, 72 * time.Second}} {
		s := schedule{t: timings, jitter: func() float64 { return c.jitter }}
		var wait time.Duration
		for range 100 {
			wait = s.died(time.Unix(0, 0), 0)
		}
		if wait < c.min || wait > c.max {
			t.Errorf("jitter %v: the hundredth wait is %s", c.jitter, wait)
		}
	}
}

func TestTailKeepsTheLast(t *testing.T) {
	var o tail
	for range 100 {
		_, _ = o.Write(make([]byte, 1000))
	}
	_, _ = o.Write([]byte("the end"))
	if s := o.String(); len(s) != tailBytes || s[len(s)-7:] != "the end" {
		t.Errorf("%d bytes kept, ending in %q", len(s), s[len(s)-7:])
	}
	_, _ = o.Write(make([]byte, 3*tailBytes))
	if n := len(o.String()); n != tailBytes {
		t.Errorf("%d bytes kept after one large write", n)
	}
}
