//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// door measures webhooks from the socket to the disk: Fiber, the plugin's process, SQLite. The store issues on request
// only, so that each order is looked at once and then rests.
func (r *run) door(ctx context.Context) (err error) {
	r.report.section("webhooks through the door: signed bodies of 2 KB, 64 connections, answered once on disk")
	h, err := r.newHouse(ctx, "door", "on_request")
	if err != nil {
		return err
	}
	if r.bareRate == 0 {
		bare, err := newBareWriter(filepath.Join(r.dir, "bare"))
		if err != nil {
			return err
		}
		if err := errors.Join(r.measureBare(bare), bare.close()); err != nil {
			return err
		}
	}
	if err := h.start(ctx, "http://127.0.0.1:1", 8); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	if _, err := h.loader(orderPaid, 1_000_000).send(ctx, upTo(512, time.Now().Add(10*time.Second))); err != nil { // warm up
		return err
	}
	unstored, _, err := r.take(ctx, h, notOurs, r.unstored)
	if err != nil {
		return err
	}
	disk, err := r.probe()
	if err != nil {
		return err
	}
	stored, spent, err := r.take(ctx, h, orderPaid, r.stored)
	if err != nil {
		return err
	}
	lanes, err := h.lanes(ctx)
	if err != nil {
		return err
	}
	busy, err := processor()
	if err != nil {
		return err
	}
	n := float64(len(stored.took))
	r.report.add(figure{name: "same server and plugin without storage", value: unstored.rate(), unit: "/s",
		note: fmt.Sprintf("p50 %s, p99 %s", ms(unstored.quantile(.5)), ms(unstored.quantile(.99)))})
	r.report.add(figure{name: "webhooks stored", value: stored.rate(), unit: "/s", goal: goal{atLeast, 1700},
		note: fmt.Sprintf("%s; held for %.0f s, slowest second %d", disk, stored.elapsed.Seconds(), stored.slowest)})
	r.report.add(figure{name: "p50", value: stored.quantile(.5).Seconds() * 1000, decimals: 1, unit: " ms"})
	r.report.add(figure{name: "p99", value: stored.quantile(.99).Seconds() * 1000, decimals: 1, unit: " ms", goal: goal{atMost, 200}})
	r.report.add(figure{name: "of the same without storage", value: 100 * stored.rate() / unstored.rate(), decimals: 1, unit: " %", goal: goal{atLeast, 25}})
	r.report.add(figure{name: "of the bare grouped writer", value: 100 * stored.rate() / r.bareRate, decimals: 1, unit: " %"})
	r.report.add(figure{name: "processor time of the host per webhook", value: float64(spent.own.Microseconds()) / n, unit: " µs",
		note: fmt.Sprintf("plugins %.0f µs; looking at the orders included, %d still waited; %s", float64(spent.children.Microseconds())/n,
			lanes[core.LanePrepare].Ready, busy)})
	return nil
}

// take sends events of a type for a while and says what the host spent on them.
func (r *run) take(ctx context.Context, h *house, kind string, period time.Duration) (drove, usage, error) {
	before, err := h.host.usage()
	if err != nil {
		return drove{}, usage{}, err
	}
	d, err := h.loader(kind, 0).send(ctx, until(time.Now().Add(period)))
	if err != nil {
		return d, usage{}, err
	}
	after, err := h.host.usage()
	return d, after.since(before), err
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
