package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/internal/worker"
)

// queue is a store that hands out its tasks once.
type queue struct {
	core.Store
	tasks []core.Task
}

func (q *queue) Do(_ context.Context, _ string, fn func(core.Tx) error) error {
	return fn(queueTx{q: q})
}

type queueTx struct {
	core.Tx
	q *queue
}

func (t queueTx) Claim(core.Claimant) ([]core.Task, error) {
	tasks := t.q.tasks
	t.q.tasks = nil
	return tasks, nil
}

func (t queueTx) NextTask() (time.Time, error) { return time.Time{}, nil }

// What a plugin or a bureau said may name people, and an error repeats it; the log must not.
func TestLogMasksPeople(t *testing.T) {
	const mobile, masked = "13800138000", "138****8000"
	handlers := map[core.TaskKind]worker.Handler{
		core.TaskSettle: func(context.Context, core.Task) error { return errors.New("no such buyer: " + mobile) },
		core.TaskIssue:  func(context.Context, core.Task) error { panic("no such buyer: " + mobile) },
	}
	for kind := range handlers {
		var log strings.Builder
		ctx, stop := context.WithCancel(t.Context())
		w := worker.New(worker.Options{Store: &queue{tasks: []core.Task{{Key: "k", Kind: kind}}}, Clock: coretest.NewClock(coretest.T0),
			Log: slog.New(slog.NewTextHandler(&log, nil)), Lease: time.Minute, Handlers: handlers,
			Failed: func(context.Context, core.Task, error) error { stop(); return nil }})
		w.Run(ctx)
		if !strings.Contains(log.String(), masked) || strings.Contains(log.String(), mobile) {
			t.Errorf("%s: the log says %q", kind, &log)
		}
	}
}
