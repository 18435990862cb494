package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/storage/sqlite"
	"github.com/kaipiao/kaipiao/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type wall struct{}

func (wall) Now() time.Time { return time.Now() }

// shop is a worker on a real database with handlers that a test scripts.
type shop struct {
	t     *testing.T
	store core.Store
	w     *worker.Worker
	ids   int
}

func newShop(t *testing.T, o worker.Options) *shop {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.Open(ctx, sqlite.Options{Path: t.TempDir() + "/w.db"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := sqlite.OpenStore(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t}
	s.store = worker.Waking(store, func() { s.w.Wake() })
	o.Store, o.Clock, o.Log, o.Owner, o.Lease = s.store, wall{}, slog.New(slog.DiscardHandler), "host-1", time.Minute
	if o.Poll == 0 {
		o.Poll = time.Hour // so that only wakes and times make it go
	}
	s.w = worker.New(o)
	return s
}

// run runs the worker until the function returns.
func (s *shop) run(f func()) {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.w.Run(ctx) }()
	f()
	stop()
	select {
	case <-done:
	case <-time.After(time.Minute):
		s.t.Fatal("the worker does not end")
	}
}

func (s *shop) enqueue(kind core.TaskKind, lane core.Lane, n int, at time.Time) {
	s.t.Helper()
	err := s.store.Do(context.Background(), "enqueue", func(tx core.Tx) error {
		for range n {
			s.ids++
			id := core.MakeID(time.Now(), uint64(s.ids))
			if err := tx.Enqueue(core.Task{ID: id, Kind: kind, Lane: lane, Key: fmt.Sprint(kind, s.ids), Store: "S", RunAt: at, EnqueuedAt: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) finish(task core.Task) error {
	return s.store.Do(context.Background(), "finish", func(tx core.Tx) error { return tx.Finish(task) })
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Fatalf("%s does not come", what)
	}
}

// Every task runs once, and a lane never has more in work than its cap.
func TestLaneCapHolds(t *testing.T) {
	const tasks, limit = 60, 3
	var mu sync.Mutex
	running, most, ran := 0, 0, 0
	all := make(chan struct{})
	var s *shop
	s = newShop(t, worker.Options{Slots: 16, Handlers: map[core.TaskKind]worker.Handler{core.TaskIssue: func(_ context.Context, task core.Task) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		err := s.store.View(context.Background(), func(v core.View) error { // some work
			_, err := v.Lanes()
			return err
		})
		mu.Lock()
		running--
		mu.Unlock()
		if err == nil {
			err = s.finish(task)
		}
		mu.Lock()
		defer mu.Unlock()
		if ran++; ran == tasks {
			close(all)
		}
		return err
	}}})
	if err := s.store.Do(context.Background(), "cap", func(tx core.Tx) error { return tx.SetLaneCap("send/a/b", limit) }); err != nil {
		t.Fatal(err)
	}
	s.run(func() {
		s.enqueue(core.TaskIssue, "send/a/b", tasks, time.Now())
		wait(t, "the last task", all)
	})
	// A task counts against its lane until its finish is committed, a moment after it counts itself out here.
	if ran != tasks || most > limit {
		t.Errorf("%d of %d ran, %d at once with a cap of %d", ran, tasks, most, limit)
	}
}

// Tasks of a batch kind and one lane come together.
func TestBatches(t *testing.T) {
	got := make(chan int, 64)
	var s *shop
	s = newShop(t, worker.Options{Slots: 64, MaxBatch: 10, Batches: map[core.TaskKind]worker.BatchHandler{core.TaskDeliver: func(_ context.Context, tasks []core.Task) error {
		for _, task := range tasks {
			if err := s.finish(task); err != nil {
				return err
			}
		}
		got <- len(tasks)
		return nil
	}}})
	if err := s.store.Do(context.Background(), "cap", func(tx core.Tx) error { return tx.SetLaneCap("deliver/sms", 64) }); err != nil {
		t.Fatal(err)
	}
	s.enqueue(core.TaskDeliver, "deliver/sms", 25, time.Now())
	s.run(func() {
		for n := 0; n < 25; {
			select {
			case k := <-got:
				if n += k; k > 10 {
					t.Errorf("a batch of %d", k)
				}
			case <-time.After(time.Minute):
				t.Fatal("batches do not come")
			}
		}
	})
	if len(got) > 0 {
		t.Errorf("more than 25 tasks ran")
	}
}

// A handler that fails or panics gives its task back; the worker goes on.
func TestFailuresGoBack(t *testing.T) {
	back := make(chan core.Task, 8)
	s := newShop(t, worker.Options{
		Handlers: map[core.TaskKind]worker.Handler{
			core.TaskIssue:  func(context.Context, core.Task) error { panic("boom") },
			core.TaskSettle: func(context.Context, core.Task) error { return errors.New("no") },
			core.TaskQuery:  func(context.Context, core.Task) error { return core.ErrLeaseLost },
		},
		Failed: func(_ context.Context, task core.Task, _ error) error { back <- task; return nil },
	})
	s.run(func() {
		for _, kind := range []core.TaskKind{core.TaskQuery, core.TaskIssue, core.TaskSettle, "unknown"} {
			s.enqueue(kind, "lane", 1, time.Now())
		}
		seen := map[core.TaskKind]bool{}
		for range 3 {
			select {
			case task := <-back:
				seen[task.Kind] = true
			case <-time.After(time.Minute):
				t.Fatalf("given back: %v", seen)
			}
		}
		if !seen[core.TaskIssue] || !seen[core.TaskSettle] || !seen["unknown"] {
			t.Errorf("given back: %v", seen)
		}
	})
	if len(back) > 0 {
		t.Errorf("a lost lease was given back")
	}
}

// The worker sleeps until a delayed task's time, however long it would sleep otherwise.
func TestDelayedTaskRunsAtItsTime(t *testing.T) {
	at := time.Now().Add(300 * time.Millisecond)
	ran := make(chan struct{})
	var s *shop
	s = newShop(t, worker.Options{Handlers: map[core.TaskKind]worker.Handler{core.TaskFiles: func(_ context.Context, task core.Task) error {
		if time.Now().Before(at) {
			t.Errorf("ran %s early", time.Until(at))
		}
		close(ran)
		return s.finish(task)
	}}})
	s.enqueue(core.TaskFiles, "q", 1, at)
	s.run(func() { wait(t, "the delayed task", ran) })
}

// Run returns only after what is in work has ended.
func TestRunWaitsForWorkInHand(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	finished := false
	var s *shop
	s = newShop(t, worker.Options{Handlers: map[core.TaskKind]worker.Handler{core.TaskIssue: func(_ context.Context, task core.Task) error {
		close(begun)
		<-end
		finished = true
		return s.finish(task)
	}}})
	s.enqueue(core.TaskIssue, "lane", 1, time.Now())
	s.run(func() {
		wait(t, "the task", begun)
		time.AfterFunc(50*time.Millisecond, func() { close(end) })
	})
	if !finished {
		t.Error("the worker ended before its task")
	}
}
