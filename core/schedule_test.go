package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"pgregory.net/rapid"
)

func TestWaitsFollowTheListAndTheLastRepeats(t *testing.T) {
	s := core.DefaultSchedule()
	for _, test := range []struct {
		name string
		wait func(int, string) time.Duration
		want []time.Duration
	}{
		{"busy", s.BusyWait, []time.Duration{10e9, 30e9, 60e9, 300e9, 300e9, 300e9}},
		{"query", s.QueryWait, []time.Duration{10e9, 30e9, 60e9, 300e9, 300e9, 300e9}},
		{"poll", s.PollWait, []time.Duration{5e9, 15e9, 30e9, 60e9, 120e9, 300e9, 300e9}},
	} {
		for attempt, want := range test.want {
			got := test.wait(attempt, "01J9Z3K8M2")
			if got < want*8/10 || got > want*12/10 {
				t.Errorf("%s wait %d is %s, want %s ± 20 %%", test.name, attempt, got, want)
			}
			if again := test.wait(attempt, "01J9Z3K8M2"); again != got {
				t.Errorf("%s wait %d changes from %s to %s", test.name, attempt, got, again)
			}
		}
	}
}

func TestJitterSpreadsKeys(t *testing.T) {
	s := core.DefaultSchedule()
	low, high, sum := time.Hour, time.Duration(0), time.Duration(0)
	const keys = 2000
	for i := range keys {
		w := s.BusyWait(0, string(core.MakeID(time.UnixMilli(int64(i)), uint64(i))))
		low, high, sum = min(low, w), max(high, w), sum+w
	}
	if low > 8100*time.Millisecond || high < 11900*time.Millisecond {
		t.Errorf("waits spread over [%s, %s], want nearly [8s, 12s]", low, high)
	}
	if mean := sum / keys; mean < 9800*time.Millisecond || mean > 10200*time.Millisecond {
		t.Errorf("mean wait is %s, want about 10s", mean)
	}
}

func TestScale(t *testing.T) {
	s, err := core.DefaultSchedule().Scale("0.01")
	if err != nil {
		t.Fatal(err)
	}
	if s.Grace != 6*time.Second || s.Busy[0] != 100*time.Millisecond || s.Poll[5] != 3*time.Second ||
		s.SendDeadline != time.Second || s.Lease != 5*time.Second || s.Probe != 600*time.Millisecond ||
		s.NotFoundGap != 600*time.Millisecond || s.BusyProblem != 18*time.Second || s.PollProblem != 18*time.Second {
		t.Errorf("scaled by 0.01: %+v", s)
	}
	if tiny, err := core.DefaultSchedule().Scale("0.00000001"); err != nil || tiny.Probe != time.Millisecond {
		t.Errorf("the least wait is %s (%v), want 1ms", tiny.Probe, err)
	}
	for _, bad := range []string{"", "0", "-1", "0.0", "1e-2", "NaN", "1001", " 1"} {
		if _, err := core.DefaultSchedule().Scale(bad); err == nil {
			t.Errorf("scale %q was accepted", bad)
		}
	}
}

func TestScaleKeepsAScheduleUsable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		factor := rapid.StringMatching(`(0\.0[1-9][0-9]{0,3}|[1-9][0-9]?(\.[0-9]{1,4})?)`).Draw(t, "factor")
		s, err := core.DefaultSchedule().Scale(factor)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCheckNamesTheFault(t *testing.T) {
	for want, spoil := range map[string]func(*core.Schedule){
		"busy waits":  func(s *core.Schedule) { s.Busy = nil },
		"query wait":  func(s *core.Schedule) { s.Query = []time.Duration{0} },
		"poll waits":  func(s *core.Schedule) { s.Poll = nil },
		"must be pos": func(s *core.Schedule) { s.Grace = 0 },
		"the lease":   func(s *core.Schedule) { s.SendDeadline = s.Lease },
	} {
		s := core.DefaultSchedule()
		spoil(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error about %q", err, want)
		}
	}
	if err := core.DefaultSchedule().Check(); err != nil {
		t.Error(err)
	}
}
