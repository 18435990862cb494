//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// memory measures the host with orders that wait for a bureau that can't be reached. If fewer orders came in than were
// wanted, it says how many.
func (r *run) memory(ctx context.Context) (err error) {
	r.report.section("memory with orders waiting for a bureau that can't be reached")
	h, err := r.newHouse(ctx, "memory", "on_paid")
	if err != nil {
		return err
	}
	if err := h.start(ctx, "http://127.0.0.1:1", 64); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	empty, err := h.host.memory()
	if err != nil {
		return err
	}
	d, err := h.loader(orderPaid, 0).send(ctx, upTo(r.waiting, time.Now().Add(r.waitingTime)))
	if err != nil {
		return err
	}
	m, err := h.host.memory()
	if err != nil {
		return err
	}
	orders := number(float64(len(d.took)), 0)
	if len(d.took) < r.waiting {
		orders += fmt.Sprintf(" (of %s that did not come in within %.0f s)", number(float64(r.waiting), 0), d.elapsed.Seconds())
	}
	r.report.add(figure{name: "resident memory of the host", value: float64(m.now) / 1e6, unit: " MB", goal: goal{atMost, 300},
		note: fmt.Sprintf("%s orders; at most %.0f MB, empty %.0f MB; loaded at %.0f/s", orders, float64(m.peak)/1e6, float64(empty.now)/1e6, d.rate())})
	return nil
}
