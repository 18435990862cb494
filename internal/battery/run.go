package battery

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Run lets one shop talk to one house and judges what comes of it. The house is used across kills.
type Run struct {
	house   *House
	traffic *traffic
	wire    *wireRule
	log     io.Writer

	talking chan error // the batch under way, if any
	pending []*chapter
	open    []*story // not judged yet
	since   string   // newest sale that was judged
	wireAt  int64
	seed    int
	told    map[string]bool // problems that were reported

	// Orders are those told so far; Violations is what broke a promise, with the point of the last kill.
	Orders     []*Order
	Violations []string
	Kills      map[string]int
}

// chapter is a story whose next stage has not been told.
type chapter struct {
	story *story
	stage int
}

// NewRun begins a run with a seed: the same seed tells the same stories.
func NewRun(h *House, seed uint64, log io.Writer) *Run {
	return &Run{house: h, traffic: newTraffic("B", seed, time.Now().Add(-24*time.Hour)), wire: newWireRule(), log: log, seed: int(seed), Kills: map[string]int{}, told: map[string]bool{}}
}

func (r *Run) violate(where, format string, args ...any) {
	v := where + ": " + fmt.Sprintf(format, args...)
	r.Violations = append(r.Violations, v)
	_, _ = fmt.Fprintln(r.log, "VIOLATION "+v)
}

// batch tells the first stage of new orders and the next stage of earlier ones, and returns while they are being told.
func (r *Run) batch(ctx context.Context, orders int, a aim) error {
	var stories [][]message
	var rules []map[string]any
	next := r.pending
	r.pending = nil
	for range orders {
		s := r.traffic.next(a.lives, a.fault)
		r.Orders, r.open = append(r.Orders, &s.order), append(r.open, s)
		next = append(next, &chapter{story: s})
		if s.fault != "" {
			rules = append(rules, map[string]any{"id": s.order.No, "op": "issue", "kind": s.fault, "remark_contains": s.order.No, "times": 1})
		}
	}
	for _, t := range next {
		stories = append(stories, t.story.stages[t.stage])
		if t.stage++; t.stage < len(t.story.stages) {
			r.pending = append(r.pending, t)
		}
	}
	if len(rules) > 0 {
		if err := r.house.control(ctx, "faults", rules); err != nil {
			return err
		}
	}
	r.talking = make(chan error, 1)
	go func(done chan<- error) { done <- r.house.sender.tellAll(ctx, stories) }(r.talking)
	return nil
}

// heard takes the outcome of a batch. A right message that was refused is a violation; anything else ends the run.
func (r *Run) heard(where string, err error) {
	r.talking = nil
	if err != nil {
		r.violate(where, "%v", err)
	}
}

// status is the part of the host's state that says whether there is work left.
type status struct {
	Lanes []struct {
		Lane    string
		Ready   int
		Running int
		Paused  bool
		Reason  string
	} `json:"lanes"`
	Next time.Time `json:"next_task"`
}

// quiet says that nothing is being done or will be within the hour.
func (s status) quiet() bool {
	for _, l := range s.Lanes {
		if l.Ready > 0 || l.Running > 0 {
			return false
		}
	}
	return s.Next.IsZero() || time.Until(s.Next) > time.Hour
}

// rest waits until the host has nothing left to do. It returns errEnded if the host ends before.
func (r *Run) rest(ctx context.Context, limit time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		var s status
		if err := r.house.get(ctx, r.house.admin+"/v1/status", &s); err == nil && s.quiet() {
			return true, nil
		}
		select {
		case <-r.house.host.ended:
			return false, errEnded
		case <-ctx.Done():
			return false, nil
		case <-tick.C:
		}
	}
}

// settle lets everything come to rest with no more kills, tells what was left to tell, and judges.
func (r *Run) settle(ctx context.Context, where string, all bool) error {
	if err := r.restart(ctx); err != nil {
		return fmt.Errorf("start without a failpoint: %w", err)
	}
	for r.talking != nil || len(r.pending) > 0 {
		if r.talking == nil {
			if err := r.batch(ctx, 0, aim{}); err != nil {
				return err
			}
		}
		r.heard(where, <-r.talking)
	}
	if err := r.house.clear(ctx); err != nil {
		return err
	}
	quiet, err := r.rest(ctx, time.Minute)
	if err != nil {
		return fmt.Errorf("%s: the host ended by itself: %w", where, err)
	}
	if !quiet {
		var s status
		_ = r.house.get(ctx, r.house.admin+"/v1/status", &s)
		r.violate(where, "no rest within a minute after the last fault: %+v", s)
	}
	return r.judge(ctx, where, all)
}
