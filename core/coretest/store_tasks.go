package coretest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var taskTests = []storeTest{
	{"a task is claimed as enqueued, once, and ends", taskRoundTrip},
	{"stores take turns", fairness},
	{"blue goes before red of equal age", blueFirst},
	{"a lane has a cap", laneCap},
	{"a paused lane gives nothing", pausedLane},
	{"a claim is bounded, and no lane starves", claimBound},
	{"a delayed task waits for its time", delays},
	{"a known key changes at most the time", mergedKeys},
	{"a task enqueued while it runs runs again", again},
	{"a retry counts, a release does not", retries},
	{"an expired lease goes to the next claimant", expiredLease},
	{"many claimants: each task once, caps held", claimRace},
	{"many enqueuers of one key: one task", enqueueRace},
	{"stores, lanes and tasks behave as the model does", taskModel},
}

// task makes a settle task that is due now; its key is its name.
func (b *bench) task(key string, lane core.Lane, store core.StoreCode) core.Task {
	now := b.clock.Now()
	return core.Task{ID: b.ids.New(), Kind: core.TaskSettle, Lane: lane, Key: key, Subject: "subject of " + key, Name: "name of " + key, Store: store,
		RunAt: now, EnqueuedAt: now}
}

func (b *bench) enqueue(tasks ...core.Task) {
	b.Helper()
	b.do(func(tx core.Tx) error {
		for _, t := range tasks {
			if err := tx.Enqueue(t); err != nil {
				return err
			}
		}
		return nil
	})
}

const lease = time.Minute

func (b *bench) claim(limit int) (tasks []core.Task) {
	b.Helper()
	b.do(func(tx core.Tx) (err error) {
		tasks, err = tx.Claim(core.Claimant{Owner: "host-1", Now: b.clock.Now(), Lease: lease, Max: limit})
		return err
	})
	return tasks
}

// claimed claims and compares keys.
func (b *bench) claimed(what string, limit int, keys ...string) []core.Task {
	b.Helper()
	tasks := b.claim(limit)
	b.same(what, keysOf(tasks), keys)
	return tasks
}

func keysOf(tasks []core.Task) (keys []string) {
	for _, t := range tasks {
		keys = append(keys, t.Key)
	}
	return keys
}

func (b *bench) finish(tasks ...core.Task) {
	b.Helper()
	b.do(func(tx core.Tx) error {
		for _, t := range tasks {
			if err := tx.Finish(t); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) next() time.Time {
	b.Helper()
	return read(b, func(v core.View) (time.Time, error) { return v.NextTask() })
}

func (b *bench) count() int {
	b.Helper()
	return read(b, func(v core.View) (int, error) { return v.TaskCount(core.TaskSettle) })
}

func taskRoundTrip(b *bench) {
	b.same("claim from an empty store", b.claim(10), []core.Task(nil))
	b.same("next task of an empty store", b.next(), time.Time{})
	want := b.task("a", "lane", Store)
	want.Priority, want.Attempt = core.PriorityRed, 3
	b.enqueue(want)
	b.same("number of tasks", b.count(), 1)
	b.same("next task", b.next(), T0)
	got := b.claim(10)
	want.Owner, want.LeaseUntil = "host-1", after(lease)
	b.same("claimed", got, []core.Task{want})
	b.same("claimed again", b.claim(10), []core.Task(nil))
	b.same("next task while it runs", b.next(), time.Time{})
	lanes := read(b, func(v core.View) ([]core.LaneState, error) { return v.Lanes() })
	b.same("lanes", lanes, []core.LaneState{{Lane: "lane", Cap: 8, Running: 1}})
	b.finish(got...)
	b.fails(core.ErrLeaseLost, func(tx core.Tx) error { return tx.Finish(got[0]) })
	b.same("number of tasks", b.count(), 0)
}

func fairness(b *bench) {
	for i := range 6 {
		b.enqueue(b.task(numbered("big", i), "lane", "big"))
	}
	b.enqueue(b.task("small-0", "lane", "small"), b.task("small-1", "lane", "small"))
	got := b.claimed("turns", 5, "big-000", "small-0", "big-001", "small-1", "big-002")
	b.finish(got...)
	// A store that comes later starts where the lane stands: it neither waits for the others nor catches up.
	b.enqueue(b.task("late-0", "lane", "late"), b.task("late-1", "lane", "late"), b.task("late-2", "lane", "late"))
	b.claimed("turns with a latecomer", 6, "big-003", "late-0", "big-004", "late-1", "big-005", "late-2")
	// Enqueuing what waits already costs no turn.
	first, second := b.task("twice", "other lane", "s1"), b.task("next", "other lane", "s1")
	b.enqueue(first, first, first, second, b.task("others-1", "other lane", "s2"), b.task("others-2", "other lane", "s2"))
	b.claimed("turns after repeats", 4, "twice", "others-1", "next", "others-2")
}

func blueFirst(b *bench) {
	red, blue := b.task("red", "lane", "s1"), b.task("blue", "lane", "s2")
	red.Priority = core.PriorityRed
	later := b.task("later blue", "lane", "s2")
	b.enqueue(red, blue, later)
	b.claimed("order", 10, "blue", "red", "later blue")
}

func laneCap(b *bench) {
	for i := range 12 {
		b.enqueue(b.task(numbered("a", i), "a", Store), b.task(numbered("b", i), "b", Store))
	}
	b.do(func(tx core.Tx) error { return tx.SetLaneCap("b", 2) })
	first := b.claim(100)
	if len(first) != 8+2 {
		b.Fatalf("claimed %d tasks, want 8 of lane a and 2 of lane b", len(first))
	}
	b.same("at the caps", b.claim(100), []core.Task(nil))
	b.same("next task at the caps", b.next(), time.Time{}) // or a worker would claim in vain, again and again
	b.finish(first[0], first[1])
	if n := len(b.claim(100)); n != 2 {
		b.Errorf("claimed %d tasks after two ended, want 2", n)
	}
	b.do(func(tx core.Tx) error { return tx.SetLaneCap("b", 0) })
	b.do(func(tx core.Tx) error { return tx.SetLaneCap("a", 9) })
	for _, t := range b.claim(100) {
		if t.Lane == "b" {
			b.Error("a lane whose cap is 0 gave a task")
		}
	}
}

func pausedLane(b *bench) {
	b.enqueue(b.task("a", "lane", Store), b.task("b", "lane", Store))
	running := b.claimed("before the pause", 1, "a")
	b.do(func(tx core.Tx) error { return tx.PauseLane("lane", "channel_paused") })
	b.do(func(tx core.Tx) error { return tx.PauseLane("unknown lane", "later") })
	b.claimed("while paused", 10)
	b.same("next task while paused", b.next(), time.Time{})
	state := read(b, func(v core.View) ([]core.LaneState, error) { return v.Lanes() })
	b.same("lanes", state, []core.LaneState{
		{Lane: "lane", Cap: 8, Ready: 1, Running: 1, Paused: true, Reason: "channel_paused"},
		{Lane: "unknown lane", Cap: 8, Paused: true, Reason: "later"},
	})
	b.finish(running...) // what runs may end
	b.do(func(tx core.Tx) error { return tx.ResumeLane("lane") })
	b.claimed("after the pause", 10, "b")
}

func claimBound(b *bench) {
	lanes := []core.Lane{"a", "b", "c", "d"}
	for _, l := range lanes {
		for i := range 20 {
			b.enqueue(b.task(numbered(string(l), i), l, Store))
		}
	}
	served := map[core.Lane]int{}
	for range lanes {
		b.clock.Advance(time.Second)
		tasks := b.claim(8)
		if len(tasks) != 8 {
			b.Fatalf("claimed %d tasks, want 8", len(tasks))
		}
		for _, t := range tasks {
			served[t.Lane]++
		}
		b.finish(tasks...)
	}
	for _, l := range lanes {
		if served[l] == 0 {
			b.Errorf("lane %s got nothing in %d claims: %v", l, len(lanes), served)
		}
	}
}

func delays(b *bench) {
	late, soon := b.task("late", "lane", Store), b.task("soon", "lane", Store)
	late.RunAt, soon.RunAt = after(time.Hour), after(1234567*time.Microsecond)
	b.enqueue(late, soon)
	b.claimed("before the time", 10)
	next := b.next()
	if next.Before(soon.RunAt) || next.After(soon.RunAt.Add(100*time.Millisecond)) {
		b.Errorf("next task at %s, want %s or up to 100 ms later", next, soon.RunAt)
	}
	b.clock.Set(next)
	b.same("exact time", b.claimed("at the time", 10, "soon")[0].RunAt, soon.RunAt)
	b.same("next task", b.next(), late.RunAt)
	b.clock.Set(late.RunAt.Add(-time.Microsecond))
	for _, t := range b.claim(10) {
		if t.Key == "late" {
			b.Error("claimed before its time")
		}
	}
	b.clock.Set(late.RunAt)
	if keys := keysOf(b.claim(10)); !slices.Contains(keys, "late") {
		b.Errorf("claimed %v at its time", keys)
	}
}

func mergedKeys(b *bench) {
	first := b.task("a", "lane", Store)
	first.RunAt = after(time.Hour)
	b.enqueue(first)
	other := first
	other.ID, other.RunAt, other.Name = b.ids.New(), after(2*time.Hour), "another name"
	b.enqueue(other)
	b.same("a later time changes nothing", b.next(), after(time.Hour))
	other.RunAt = after(time.Minute)
	b.enqueue(other)
	b.same("an earlier one does", b.next(), after(time.Minute))
	other.RunAt = T0
	b.enqueue(other)
	b.same("now", b.next(), T0)
	other.RunAt = after(time.Hour)
	b.enqueue(other)
	got := b.claimed("the task", 10, "a")[0]
	if got.ID != first.ID || got.Name != first.Name {
		b.Errorf("the task changed to %+v", got)
	}
	b.same("number of tasks", b.count(), 1)
}

func again(b *bench) {
	ends := map[string]func(core.Tx, core.Task) error{
		"finish":  func(tx core.Tx, t core.Task) error { return tx.Finish(t) },
		"retry":   func(tx core.Tx, t core.Task) error { return tx.Retry(t, after(time.Hour)) },
		"release": func(tx core.Tx, t core.Task) error { return tx.Release(t, after(time.Hour)) },
	}
	for name, end := range ends {
		b.enqueue(b.task(name, "lane", Store))
		run := b.claimed(name, 10, name)[0]
		b.enqueue(b.task(name, "lane", Store), b.task(name, "lane", Store))
		b.claimed(name+": one run at a time", 10)
		b.do(func(tx core.Tx) error { return end(tx, run) })
		run = b.claimed(name+": once more, at once", 10, name)[0]
		if want := map[string]int{"retry": 1}[name]; run.Attempt != want {
			b.Errorf("%s: attempt %d, want %d", name, run.Attempt, want)
		}
		b.finish(run)
		b.same(name+": and not a third time", b.count(), 0)
	}
}

func retries(b *bench) {
	b.enqueue(b.task("a", "lane", Store))
	for i, put := range []struct {
		back    func(core.Tx, core.Task, time.Time) error
		attempt int
	}{
		{core.Tx.Retry, 1}, {core.Tx.Retry, 2}, {core.Tx.Release, 2}, {core.Tx.Retry, 3},
	} {
		run := b.claimed("run", 10, "a")[0]
		at := b.clock.Now().Add(time.Duration(i+1) * time.Minute)
		b.do(func(tx core.Tx) error { return put.back(tx, run, at) })
		b.fails(core.ErrLeaseLost, func(tx core.Tx) error { return put.back(tx, run, at) })
		b.claimed("too early", 10)
		b.same("next task", b.next(), at)
		b.clock.Set(at)
		next := b.claimed("at its time", 10, "a")[0]
		if next.Attempt != put.attempt || next.RunAt != at {
			b.Errorf("run %d: attempt %d at %s, want %d at %s", i, next.Attempt, next.RunAt, put.attempt, at)
		}
		b.do(func(tx core.Tx) error { return tx.Release(next, b.clock.Now()) })
	}
}

func expiredLease(b *bench) {
	b.enqueue(b.task("a", "lane", Store))
	lost := b.claimed("first claim", 10, "a")[0]
	b.do(func(tx core.Tx) error { return tx.SetLaneCap("lane", 1) })
	b.enqueue(b.task("b", "lane", Store))
	b.clock.Advance(lease - time.Microsecond)
	b.claimed("while the lease lasts", 10)
	b.clock.Advance(time.Microsecond)
	taken := b.claimed("expired ones first, and they don't count as running", 10, "a")[0] // by the same owner
	for name, end := range map[string]func(tx core.Tx) error{
		"finish":  func(tx core.Tx) error { return tx.Finish(lost) },
		"retry":   func(tx core.Tx) error { return tx.Retry(lost, T0) },
		"release": func(tx core.Tx) error { return tx.Release(lost, T0) },
	} {
		if err := b.store.Do(b.Context(), "test", end); !errors.Is(err, core.ErrLeaseLost) {
			b.Errorf("%s with a lost lease: %v", name, err)
		}
	}
	stranger := taken
	stranger.Owner = "host-2"
	b.fails(core.ErrLeaseLost, func(tx core.Tx) error { return tx.Finish(stranger) })
	b.finish(taken)
	late := b.claimed("the next", 10, "b")[0]
	b.clock.Advance(2 * lease)
	b.finish(late) // late, but nobody else took it
}

func claimRace(b *bench) {
	const tasks, claimants, limit = 300, 16, 3
	lanes := []core.Lane{"a", "b", "c"}
	for i := range tasks {
		b.enqueue(b.task(numbered("task", i), lanes[i%len(lanes)], core.StoreCode(numbered("store", i%7))))
	}
	for _, l := range lanes {
		b.do(func(tx core.Tx) error { return tx.SetLaneCap(l, limit) })
	}
	var mu sync.Mutex
	runs, running := map[string]int{}, map[core.Lane]int{}
	note := func(t core.Task, by int) {
		mu.Lock()
		defer mu.Unlock()
		if running[t.Lane] += by; running[t.Lane] > limit {
			b.Errorf("%d tasks of lane %s at a time", running[t.Lane], t.Lane)
		}
		if by > 0 {
			runs[t.Key]++
		}
	}
	left := func() int { mu.Lock(); defer mu.Unlock(); return tasks - len(runs) }
	var done sync.WaitGroup
	for i := range claimants {
		done.Go(func() {
			for left() > 0 && !b.Failed() {
				var got []core.Task
				err := b.store.Do(b.Context(), "claim", func(tx core.Tx) (err error) {
					got, err = tx.Claim(core.Claimant{Owner: numbered("host", i), Now: b.clock.Now(), Lease: lease, Max: 4})
					return err
				})
				if err != nil {
					b.Errorf("claim: %v", err)
				}
				for _, t := range got {
					note(t, 1)
					note(t, -1) // before it is free for others
					if err := b.store.Do(b.Context(), "finish", func(tx core.Tx) error { return tx.Finish(t) }); err != nil {
						b.Errorf("finish %s: %v", t.Key, err)
					}
				}
			}
		})
	}
	done.Wait()
	for key, n := range runs {
		if n != 1 {
			b.Errorf("task %s ran %d times", key, n)
		}
	}
	b.same("tasks left", b.count(), 0)
}

func enqueueRace(b *bench) {
	const n = 32
	tasks := make([]core.Task, n)
	for i := range tasks {
		tasks[i] = b.task("the key", "new lane", Store)
	}
	for i, err := range b.race(n, func(i int, tx core.Tx) error { return tx.Enqueue(tasks[i]) }) {
		if err != nil {
			b.Errorf("enqueuer %d: %v", i, err)
		}
	}
	b.same("number of tasks", b.count(), 1)
	if got := b.claim(10); len(got) != 1 || !strings.HasPrefix(got[0].Key, "the key") {
		b.Errorf("claimed %v", got)
	}
}
