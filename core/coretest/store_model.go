package coretest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/core"
)

// taskModel compares tasks and lanes with a model that keeps everything in maps. Each check uses lanes and keys of its own.
func taskModel(b *bench) {
	check := 0
	rapid.Check(b.T, func(rt *rapid.T) {
		check++
		b.sweep()
		m := &laneModel{b: b, name: fmt.Sprintf("model-%d/", check), tasks: map[string]*modelTask{}, lanes: map[core.Lane]*modelLane{},
			turns: map[string]int64{}}
		rt.Repeat(rapid.StateMachineActions(m))
	})
}

type modelTask struct {
	core.Task
	state string // ready, waiting, running
	turn  int64
	again bool
}

type modelLane struct {
	cap    int
	v      int64
	last   time.Time
	paused bool
}

type laneModel struct {
	b     *bench
	name  string
	tasks map[string]*modelTask
	lanes map[core.Lane]*modelLane
	turns map[string]int64
	held  []core.Task // all claims ever, also lost ones
}

func (m *laneModel) do(fn func(tx core.Tx) error) error {
	return m.b.store.Do(m.b.Context(), "model", fn)
}

func (m *laneModel) must(rt *rapid.T, fn func(tx core.Tx) error) {
	if err := m.do(fn); err != nil {
		rt.Fatal(err)
	}
}

func (m *laneModel) lane(l core.Lane) *modelLane {
	if m.lanes[l] == nil {
		m.lanes[l] = &modelLane{cap: 8}
	}
	return m.lanes[l]
}

func (m *laneModel) drawLane(rt *rapid.T) core.Lane {
	return core.Lane(m.name + rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "lane"))
}

// turn gives a store its next turn.
func (m *laneModel) turn(l core.Lane, s core.StoreCode) int64 {
	key := string(l) + "\n" + string(s)
	m.turns[key] = max(m.turns[key], m.lane(l).v) + 1
	return m.turns[key]
}

// Enqueue adds a task under one of a few keys, due now or later.
func (m *laneModel) Enqueue(rt *rapid.T) {
	now := m.b.clock.Now()
	key := rapid.SampledFrom([]string{"1", "2", "3", "4", "5", "6", "7", "8"}).Draw(rt, "key")
	lane := core.Lane(m.name + string("ab"[key[0]%2]))
	t := core.Task{ID: m.b.ids.New(), Kind: core.TaskSettle, Lane: lane, Key: m.name + key, RunAt: now, EnqueuedAt: now,
		Store:    core.StoreCode(rapid.SampledFrom([]string{"s1", "s2", "s3"}).Draw(rt, "store")),
		Priority: core.Priority(rapid.IntRange(0, 1).Draw(rt, "priority"))}
	t.RunAt = now.Add(time.Duration(max(0, rapid.IntRange(-10, 10).Draw(rt, "delay"))) * 300 * time.Millisecond)
	m.must(rt, func(tx core.Tx) error { return tx.Enqueue(t) })

	old := m.tasks[t.Key]
	switch {
	case old == nil:
		n := &modelTask{Task: t, state: "ready", turn: m.turn(t.Lane, t.Store)}
		if t.RunAt.After(now) {
			n.state = "waiting"
		}
		m.tasks[t.Key] = n
	case old.state == "running":
		old.again = true
	case old.state == "waiting" && t.RunAt.Before(old.RunAt):
		old.RunAt = t.RunAt
		if !t.RunAt.After(now) {
			old.state = "ready"
		}
	}
}

// Claim claims and compares what came, in order.
func (m *laneModel) Claim(rt *rapid.T) {
	now := m.b.clock.Now()
	c := core.Claimant{Owner: rapid.SampledFrom([]string{"h1", "h2"}).Draw(rt, "owner"), Now: now, Lease: 2 * time.Second,
		Max: rapid.IntRange(0, 6).Draw(rt, "max")}
	var got []core.Task
	m.must(rt, func(tx core.Tx) (err error) {
		got, err = tx.Claim(c)
		return err
	})
	want := m.claim(c)
	if !slices.Equal(keysOf(got), keysOf(want)) {
		rt.Fatalf("claimed %v, want %v", keysOf(got), keysOf(want))
	}
	for i, t := range got {
		if t != want[i] {
			rt.Fatalf("claimed %+v, want %+v", t, want[i])
		}
	}
	m.held = append(m.held, got...)
}

func (m *laneModel) claim(c core.Claimant) (out []core.Task) {
	names := make([]core.Lane, 0, len(m.lanes))
	for name := range m.lanes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b core.Lane) int {
		return cmp.Or(m.lanes[a].last.Compare(m.lanes[b].last), cmp.Compare(a, b))
	})
	for _, name := range names {
		out = append(out, m.claimLane(name, c, c.Max-len(out))...)
	}
	return out
}

func (m *laneModel) claimLane(name core.Lane, c core.Claimant, room int) (out []core.Task) {
	l := m.lanes[name]
	var expired, ready []*modelTask
	live, work := 0, false
	for _, t := range m.tasks {
		switch {
		case t.Lane != name:
		case t.state == "running" && t.LeaseUntil.After(c.Now):
			live++
		case t.state == "running":
			expired, work = append(expired, t), true
		case t.state == "ready" || !t.RunAt.After(c.Now):
			ready, work = append(ready, t), true
		}
	}
	room = min(room, l.cap-live)
	if l.paused || room <= 0 || !work {
		return nil
	}
	for _, t := range ready {
		t.state = "ready"
	}
	order(expired, func(a, b *modelTask) int { return cmp.Or(a.LeaseUntil.Compare(b.LeaseUntil), byTurn(a, b)) })
	order(ready, byTurn)
	for _, queue := range [][]*modelTask{expired, ready} {
		taken := queue[:min(len(queue), room)]
		room -= len(taken)
		order(taken, byTurn)
		for _, t := range taken {
			t.state, t.Owner, t.LeaseUntil, l.v = "running", c.Owner, c.Now.Add(c.Lease), max(l.v, t.turn)
			out = append(out, t.Task)
		}
	}
	l.last = c.Now
	return out
}

func byTurn(a, b *modelTask) int { return cmp.Compare(a.turn, b.turn) }

func order(tasks []*modelTask, first func(a, b *modelTask) int) {
	slices.SortFunc(tasks, func(a, b *modelTask) int {
		return cmp.Or(first(a, b), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID))
	})
}

// End finishes, retries or releases a task that was claimed once, perhaps long ago.
func (m *laneModel) End(rt *rapid.T) {
	if len(m.held) == 0 {
		rt.Skip("nothing was claimed")
	}
	t := rapid.SampledFrom(m.held).Draw(rt, "task")
	at := m.b.clock.Now().Add(time.Duration(rapid.IntRange(0, 9).Draw(rt, "later")) * 500 * time.Millisecond)
	how := rapid.SampledFrom([]string{"finish", "retry", "release"}).Draw(rt, "how")
	err := m.do(func(tx core.Tx) error {
		switch how {
		case "finish":
			return tx.Finish(t)
		case "retry":
			return tx.Retry(t, at)
		}
		return tx.Release(t, at)
	})
	have := m.tasks[t.Key]
	if have == nil || have.ID != t.ID || have.state != "running" || have.Owner != t.Owner || !have.LeaseUntil.Equal(t.LeaseUntil) {
		if !errors.Is(err, core.ErrLeaseLost) {
			rt.Fatalf("%s with a lost lease: %v", how, err)
		}
		return
	}
	if err != nil {
		rt.Fatalf("%s: %v", how, err)
	}
	have.Owner, have.LeaseUntil = "", time.Time{}
	switch how {
	case "finish":
		have.Attempt = 0
	case "retry":
		have.Attempt++
	}
	switch {
	case have.again:
		have.state, have.again, have.turn = "ready", false, m.turn(have.Lane, have.Store)
	case how == "finish":
		delete(m.tasks, t.Key)
	default:
		have.state, have.RunAt = "waiting", at
	}
}

// Wait moves the clock, always by whole buckets of time.
func (m *laneModel) Wait(rt *rapid.T) {
	m.b.clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(rt, "ticks")) * 100 * time.Millisecond)
}

// Change pauses, resumes or caps a lane.
func (m *laneModel) Change(rt *rapid.T) {
	name, limit := m.drawLane(rt), rapid.IntRange(0, 4).Draw(rt, "cap")
	l := m.lane(name)
	m.must(rt, func(tx core.Tx) error {
		switch {
		case limit == 0 && !l.paused:
			return tx.PauseLane(name, "reason")
		case l.paused:
			return tx.ResumeLane(name)
		}
		return tx.SetLaneCap(name, limit)
	})
	switch {
	case limit == 0 && !l.paused:
		l.paused = true
	case l.paused:
		l.paused = false
	default:
		l.cap = limit
	}
}

// Check compares what can be read.
func (m *laneModel) Check(rt *rapid.T) {
	var lanes []core.LaneState
	var next time.Time
	err := m.b.store.View(m.b.Context(), func(v core.View) (err error) {
		if lanes, err = v.Lanes(); err != nil {
			return err
		}
		next, err = v.NextTask()
		return err
	})
	if err != nil {
		rt.Fatal(err)
	}
	for _, s := range lanes {
		l := m.lanes[s.Lane]
		if l == nil {
			continue // of an earlier check
		}
		ready, running := m.states(s.Lane)
		if s.Ready != ready || s.Running != running || s.Cap != l.cap || s.Paused != l.paused {
			rt.Fatalf("lane %+v, want %d ready, %d running, %+v", s, ready, running, *l)
		}
	}
	m.checkNext(rt, next)
}

func (m *laneModel) states(name core.Lane) (ready, running int) {
	for _, t := range m.tasks {
		switch {
		case t.Lane == name && t.state == "ready":
			ready++
		case t.Lane == name && t.state == "running":
			running++
		}
	}
	return ready, running
}

// checkNext allows any time that is not after now if something is due.
func (m *laneModel) checkNext(rt *rapid.T, next time.Time) {
	now := m.b.clock.Now()
	var want time.Time
	for _, t := range m.tasks {
		l := m.lanes[t.Lane]
		if _, running := m.states(t.Lane); t.state == "running" || l.paused || running >= l.cap {
			continue
		}
		at := t.RunAt
		if t.state == "ready" {
			at = now
		}
		if want.IsZero() || at.Before(want) {
			want = at
		}
	}
	if due := !want.IsZero() && !want.After(now); due && !next.IsZero() && !next.After(now) {
		return
	}
	if !next.Equal(want) {
		rt.Fatalf("next task at %s, want %s", next, want)
	}
}

// sweep ends what the check before left, which may have failed in the middle.
func (b *bench) sweep() {
	lanes := read(b, func(v core.View) ([]core.LaneState, error) { return v.Lanes() })
	b.do(func(tx core.Tx) error {
		for _, l := range lanes {
			if err := tx.ResumeLane(l.Lane); err != nil {
				return err
			}
			if err := tx.SetLaneCap(l.Lane, 100); err != nil {
				return err
			}
		}
		return nil
	})
	for b.count() > 0 {
		b.clock.Advance(time.Minute)
		b.finish(b.claim(1000)...)
	}
}
