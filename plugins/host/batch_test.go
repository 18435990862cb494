package host_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/host"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// together sends bodies while a slow request of the same instance keeps them waiting, so that they share one call.
func together(t *testing.T, h *host.Host, bodies []string) (results []*pb.ParseResult, errs []error) {
	t.Helper()
	if _, err := h.Describe(t.Context(), "misbehave"); err != nil {
		t.Fatal(err)
	}
	results, errs = make([]*pb.ParseResult, len(bodies)), make([]error, len(bodies))
	var all sync.WaitGroup
	all.Go(func() { mustSay(t, h, "slow:1s") })
	eventually(t, "the slow call", func() bool { return status(h).Metrics.Batches == 1 })
	for i, body := range bodies {
		all.Go(func() { results[i], errs[i] = h.Parse(t.Context(), shop, request(body)) })
	}
	all.Wait()
	return results, errs
}

func numbered(n int, body string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = body + ":" + strconv.Itoa(i)
	}
	return out
}

func TestWaitingRequestsShareACall(t *testing.T) {
	h := start(t, newSetup(t).options())
	results, errs := together(t, h, numbered(300, "hi"))
	for i, r := range results {
		if errs[i] != nil || r.GetRequestKey() != strconv.Itoa(i) {
			t.Errorf("request %d got %v, %v", i, r, errs[i])
		}
	}
	// One slow, then 128 + 128 + 44 if all came in time.
	if m := status(h).Metrics; m.Requests != 301 || m.Batches > 20 || m.Repeats != 0 {
		t.Errorf("%d requests in %d calls, %d repeated", m.Requests, m.Batches, m.Repeats)
	}
}

func TestPoisonHarmsOnlyItself(t *testing.T) {
	for _, c := range []struct {
		poison  string
		class   error
		repeats bool
		batch   time.Duration
	}{
		{poison: "panic", class: host.ErrPlugin},
		{poison: "exit", class: host.ErrUnavailable, repeats: true},
		{poison: "crash", class: host.ErrUnavailable, repeats: true},
		{poison: "big", class: host.ErrTooLarge, repeats: true},
		{poison: "slow:1h", class: host.ErrUnavailable, repeats: true, batch: 300 * time.Millisecond},
	} {
		t.Run(c.poison, func(t *testing.T) {
			t.Parallel()
			o := newSetup(t).options()
			if c.batch > 0 {
				o.Timings.Batch, o.Timings.Parse, o.Timings.Drain = c.batch, 5*time.Second, 100*time.Millisecond
			}
			h := start(t, o)
			bodies := numbered(20, "hi")
			bodies[7] = c.poison
			results, errs := together(t, h, bodies)
			for i := range bodies {
				switch {
				case i == 7 && !errors.Is(errs[i], c.class):
					t.Errorf("the poison got %v, %v", results[i], errs[i])
				case i != 7 && (errs[i] != nil || results[i].GetRequestKey() != strconv.Itoa(i)):
					t.Errorf("request %d got %v, %v", i, results[i], errs[i])
				}
			}
			if m := status(h).Metrics; c.repeats != (m.Repeats > 0) {
				t.Errorf("%d requests repeated", m.Repeats)
			}
		})
	}
}

func TestBatchesAreBoundedByBytes(t *testing.T) {
	h := start(t, newSetup(t).options())
	megabyte := string(make([]byte, 1<<20))
	bodies := make([]string, 20)
	for i := range bodies {
		bodies[i] = "hi:" + megabyte[:len(megabyte)-64]
	}
	_, errs := together(t, h, bodies)
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if m := status(h).Metrics; m.Batches < 1+5 {
		t.Errorf("20 MiB went in %d calls of at most 4 MiB", m.Batches-1)
	}
}

func TestQueueIsBounded(t *testing.T) {
	o := newSetup(t).options()
	o.Timings.Parse = 5 * time.Second
	h := start(t, o)
	_, errs := together(t, h, append([]string{"slow:3s"}, numbered(1500, "slow:0s")...))
	refused := 0
	for _, err := range errs {
		if errors.Is(err, host.ErrNotCalled) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("1,500 requests waited for one instance; 1,024 are the most")
	}
}

// However often the plugin dies, each request ends with exactly one answer, its own.
func TestCallsWhileThePluginIsKilled(t *testing.T) {
	const calls, workers = 2000, 16
	h := start(t, newSetup(t).options())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var killer sync.WaitGroup
	killer.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if pid, err := strconv.Atoi(status(h).PID); err == nil {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
	})
	var answers, repeats atomic.Int64
	var next atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		in := shop
		in.ID = fmt.Sprintf("shop-%d", w%4)
		all.Go(func() {
			for n := next.Add(1); n <= calls; n = next.Add(1) {
				for {
					r, err := h.Parse(ctx, in, request(fmt.Sprintf("slow:1ms:%d", n)))
					if errors.Is(err, host.ErrUnavailable) {
						repeats.Add(1)
						continue
					}
					if err != nil || r.GetRequestKey() != fmt.Sprintf("1ms:%d", n) {
						t.Errorf("request %d got %v, %v", n, r, err)
					}
					answers.Add(1)
					break
				}
			}
		})
	}
	all.Wait()
	cancel()
	killer.Wait()
	m := status(h).Metrics
	t.Logf("%d answers, %d calls sent again by the caller, %d deaths, %d requests repeated by the host", answers.Load(), repeats.Load(), m.Deaths, m.Repeats)
	if answers.Load() != calls {
		t.Errorf("%d answers for %d requests", answers.Load(), calls)
	}
	if m.Deaths < 3 {
		t.Errorf("only %d deaths: the test proved little", m.Deaths)
	}
}
