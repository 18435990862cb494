package host_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/kaipiao/kaipiao/plugins/host"
)

func TestSwapLetsOldCallsFinish(t *testing.T) {
	s := newSetup(t)
	h := start(t, s.options())
	old := pidOf(t, h)
	var slow sync.WaitGroup
	slow.Go(func() {
		if _, err := say(t, h, "slow:2s"); err != nil {
			t.Errorf("a call that was under way: %v", err)
		}
	})
	eventually(t, "the slow call", func() bool { return status(h).Metrics.Calls >= 2 })
	s.trust(t, "second")
	if err := h.Swap(t.Context(), "misbehave"); err != nil {
		t.Fatal(err)
	}
	if v := status(h).Version; v != "1.0.0-second" {
		t.Errorf("version %s serves", v)
	}
	other := shop
	other.ID = "other" // its calls do not wait behind the slow one
	if _, err := h.Parse(t.Context(), other, request("hi")); err != nil {
		t.Errorf("a call right after the swap: %v", err)
	}
	slow.Wait()
	eventually(t, "the old process's end", func() bool { return !alive(old) })
	if m := status(h).Metrics; m.Deaths != 0 {
		t.Errorf("%d deaths", m.Deaths)
	}
}

func TestSwapKeepsTheOldOneWhenTheNewOneIsBad(t *testing.T) {
	for _, c := range []struct {
		mode, config, says string
	}{
		{mode: "die", says: "out of cheese"},
		{mode: "second", config: `{"no_such_field": true}`, says: "instance shop no longer fits"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			s := newSetup(t)
			o := s.options()
			o.Instances = func(context.Context, string) ([]host.Instance, error) {
				in := shop
				if c.config != "" {
					in.Config = []byte(c.config)
				}
				return []host.Instance{in}, nil
			}
			h := start(t, o)
			old := pidOf(t, h)
			s.trust(t, c.mode)
			if err := h.Swap(t.Context(), "misbehave"); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("swap: %v", err)
			}
			if pidOf(t, h) != old {
				t.Error("the old process no longer serves")
			}
		})
	}
}

func TestSwapOfADeadPlugin(t *testing.T) {
	s := newSetup(t, "die")
	o := s.options()
	o.Timings.BackoffMin, o.Timings.BackoffMax = patience, patience
	h := start(t, o)
	eventually(t, "the death", func() bool { return status(h).State == host.Dead })
	if _, err := h.Describe(t.Context(), "nobody"); !errors.Is(err, host.ErrUnknownPlugin) {
		t.Error(err)
	}
	s.trust(t)
	if err := h.Swap(t.Context(), "misbehave"); err != nil {
		t.Fatal(err)
	}
	mustSay(t, h, "hi")
}
