package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// State is where a plugin stands.
type State string

const (
	Starting    State = "starting"
	Ready       State = "ready"
	Dead        State = "dead"        // will be started again after a wait
	Quarantined State = "quarantined" // died too often: one try a minute
	Draining    State = "draining"    // the host is closing
	Stopped     State = "stopped"
)

// Death is how a plugin's process, or an attempt to start one, ended.
type Death struct {
	At     time.Time
	Lived  time.Duration
	Reason string
	// Output is the last that it printed, at most 64 KiB, masked.
	Output string
}

// supervisor owns one plugin. Its goroutine alone starts and ends processes; others read live.
type supervisor struct {
	name     string
	options  Options
	counters *Counters
	live     atomic.Pointer[process]
	swaps    chan swap
	schedule schedule
	stopping sync.WaitGroup // replaced processes that still drain

	mu      sync.Mutex
	in      *installed
	state   State
	nextTry time.Time
	deaths  []Death
	changed chan struct{} // closed and replaced at each change of state
}

type swap struct {
	in   *installed
	done chan error
}

// keptDeaths is how many deaths the status shows.
const keptDeaths = 10

func newSupervisor(in *installed, o Options) *supervisor {
	return &supervisor{
		name: in.name, in: in, options: o, counters: &Counters{}, swaps: make(chan swap), state: Starting,
		changed: make(chan struct{}), schedule: schedule{t: o.Timings, jitter: o.Jitter},
	}
}

// run keeps the plugin alive until ctx ends, then drains it within drainCtx.
func (s *supervisor) run(ctx, drainCtx context.Context) {
	defer s.stopping.Wait()
	defer s.set(Stopped, time.Time{})
	for ctx.Err() == nil {
		s.set(Starting, time.Time{})
		began := s.options.Now()
		p, output, err := startProcess(ctx, s.installed(), s.options, s.counters)
		s.counters.Starts.Add(1)
		if ctx.Err() != nil {
			if p != nil {
				p.stop()
			}
			return
		}
		if err != nil {
			s.died(ctx, began, err, output)
			continue
		}
		s.serve(ctx, drainCtx, p)
	}
}

// serve watches a live process and its replacements until one dies or the host closes.
func (s *supervisor) serve(ctx, drainCtx context.Context, p *process) {
	s.live.Store(p)
	s.set(Ready, time.Time{})
	s.options.Log.Info("plugin ready", "plugin", s.name, "version", p.about.GetVersion(), "pid", p.runner.ID())
	health := time.NewTicker(s.options.Timings.HealthEvery)
	defer health.Stop()
	misses := 0
	for {
		select {
		case <-ctx.Done():
			s.live.Store(nil)
			s.set(Draining, time.Time{})
			p.drain(drainCtx)
			return
		case <-p.runner.exited:
			s.bury(ctx, p, errors.New("process ended: "+p.runner.state.String()))
			return
		case <-p.lost:
			s.bury(ctx, p, p.causeOfLoss())
			return
		case <-health.C:
			if p.healthy(ctx) {
				misses = 0
				continue
			}
			s.counters.HealthMisses.Add(1)
			if misses++; misses >= s.options.Timings.HealthMisses && ctx.Err() == nil {
				s.bury(ctx, p, fmt.Errorf("no answer to %d health checks in a row", misses))
				return
			}
		case w := <-s.swaps:
			next, err := s.replacement(ctx, w.in)
			if err == nil {
				old := p
				p, misses = next, 0
				s.live.Store(p)
				s.replaced(w.in)
				s.set(Ready, time.Time{})
				s.stopping.Go(func() { old.drain(drainCtx) })
			}
			w.done <- err
		}
	}
}

// lose takes a process that no longer answers out of service at once, before its end is noticed otherwise.
func (s *supervisor) lose(p *process) {
	s.live.CompareAndSwap(p, nil)
	p.loseOnce.Do(func() { close(p.lost) })
}

// causeOfLoss waits a moment for the exit status, which says more than a broken connection.
func (p *process) causeOfLoss() error {
	moment := time.NewTimer(time.Second)
	defer moment.Stop()
	select {
	case <-p.runner.exited:
		return errors.New("process ended: " + p.runner.state.String())
	case <-moment.C:
		return errors.New("connection broke while the process went on")
	}
}

// bury takes a dead process away and waits for its turn to start again.
func (s *supervisor) bury(ctx context.Context, p *process, why error) {
	s.live.Store(nil)
	p.stop()
	if p.leftover.Load() {
		s.counters.SlowKills.Add(1)
	}
	s.died(ctx, p.started, why, p.tail)
}

// died records a death, says so, and waits. A new binary ends the wait.
func (s *supervisor) died(ctx context.Context, started time.Time, why error, output *tail) {
	now := s.options.Now()
	wait := s.schedule.died(now, now.Sub(started))
	s.counters.Deaths.Add(1)
	death := Death{At: now, Lived: now.Sub(started), Reason: s.options.Mask(why.Error()), Output: s.options.Mask(output.String())}
	s.mu.Lock()
	s.deaths = append(s.deaths, death)[max(0, len(s.deaths)+1-keptDeaths):]
	s.mu.Unlock()
	state := Dead
	if s.schedule.quarantined {
		state = Quarantined
		s.options.Log.Error("plugin keeps dying and is in quarantine: one try a minute until it holds; see its last output",
			"plugin", s.name, "reason", death.Reason, "next_try", wait)
	} else {
		s.options.Log.Warn("plugin died and will be started again", "plugin", s.name, "reason", death.Reason, "next_try", wait)
	}
	s.set(state, now.Add(wait))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case w := <-s.swaps:
		s.replaced(w.in)
		w.done <- nil
	}
}

func (s *supervisor) installed() *installed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in
}

func (s *supervisor) replaced(in *installed) {
	s.schedule.reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in = in
}

func (s *supervisor) set(state State, nextTry time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.nextTry = state, nextTry
	close(s.changed)
	s.changed = make(chan struct{})
}

// acquire gives the live process with a call counted on it. While the plugin is down it waits for the restart, unless that
// comes too late for ctx.
func (s *supervisor) acquire(ctx context.Context) (*process, error) {
	for {
		s.mu.Lock()
		state, nextTry, changed := s.state, s.nextTry, s.changed
		s.mu.Unlock()
		if p := s.live.Load(); p != nil && p.calls.enter() {
			return p, nil
		}
		if state == Draining || state == Stopped {
			return nil, ErrClosed
		}
		if deadline, ok := ctx.Deadline(); ok && nextTry.After(deadline) {
			return nil, fmt.Errorf("plugin is %s and will be started again at %s", state, nextTry.Format(time.TimeOnly))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("plugin is %s: %w", state, ctx.Err())
		}
	}
}
