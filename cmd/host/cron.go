package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/config"
)

// startCron starts the ticks. A tick only enqueues a task under a key of its own, so any number of hosts fire once.
// The function it returns stops the ticks and gives a context that ends when the last one has.
func (h *host) startCron(ctx context.Context) (func() context.Context, error) {
	log := cronLog{h}
	c := cron.New(cron.WithLocation(config.Beijing), cron.WithLogger(log), cron.WithChain(cron.Recover(log), cron.SkipIfStillRunning(log)))
	add := func(spec string, task func() core.Task) error {
		if err := checkSpec(spec); err != nil {
			return err
		}
		_, err := c.AddFunc(spec, func() {
			err := h.store.Do(ctx, "tick", func(tx core.Tx) error { return tx.Enqueue(task()) })
			if err != nil && ctx.Err() == nil {
				h.log.Error("tick not stored; the next one comes", "error", err)
			}
		})
		return err
	}
	err := add(h.cfg.Reconcile.Cron, func() core.Task {
		now := h.clock.Now()
		return core.Task{ID: h.ids.New(), Kind: core.TaskReconcile, Lane: core.LaneSystem, Key: "cron:reconcile", RunAt: now, EnqueuedAt: now}
	})
	if err != nil {
		return nil, fmt.Errorf("reconcile.cron: %w", err)
	}
	for _, s := range h.cfg.Sources {
		if s.PullEvery.Duration == 0 {
			continue
		}
		info, _ := h.book.Instance(core.InstanceID(s.ID))
		if err := add("@every "+s.PullEvery.String(), func() core.Task { return h.flow.PullTask(info) }); err != nil {
			return nil, fmt.Errorf("pull_every of %s: %w", s.ID, err)
		}
	}
	c.Start()
	return c.Stop, nil
}

// checkSpec refuses what is no schedule, and what the parser panics on: a zone in the expression without the rest of it.
func checkSpec(spec string) error {
	if strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ=") {
		return fmt.Errorf("%q names a zone; times are Beijing time", spec)
	}
	if _, err := cron.ParseStandard(spec); err != nil {
		return fmt.Errorf("schedule %q: %w", spec, err)
	}
	return nil
}

// cronLog writes cron's messages to the log.
type cronLog struct{ h *host }

func (l cronLog) Info(msg string, kv ...any) { l.h.log.Debug("cron: "+msg, kv...) }

func (l cronLog) Error(err error, msg string, kv ...any) {
	l.h.log.Error("cron: "+msg, append(kv, "error", err, "at", time.Now())...)
}
