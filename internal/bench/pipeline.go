//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// pipeline measures whole orders against a bureau that takes 300 ms for each invoice: K connections can't issue more than
// K / 0.3 s. The orders are loaded first, so that issuing is measured by itself; what loading cost is shown beside it.
func (r *run) pipeline(ctx context.Context) (err error) {
	h, err := r.newHouse(ctx, "pipeline", "on_paid")
	if err != nil {
		return err
	}
	orders := 0
	for _, l := range r.lines {
		orders += int(float64(l.connections) / hold.Seconds() * (r.warmUp + r.window + 3*time.Second).Seconds())
	}
	r.report.section(fmt.Sprintf("whole orders: %s of them, stored, looked at, issued by a bureau that takes 300 ms, sent by SMS", number(float64(orders), 0)))
	loading, err := r.loadOrders(ctx, h, orders)
	if err != nil {
		return err
	}
	for _, l := range r.lines {
		if lerr := r.issue(ctx, h, l, loading); lerr != nil {
			err = errors.Join(err, fmt.Errorf("%d connections: %w", l.connections, lerr))
		}
	}
	return err
}

// cost is what an order cost the host in one phase.
type cost struct {
	own, plugins time.Duration
	// commits of the database, and changes that share them.
	commits, changes float64
}

// loadOrders takes orders in while the bureau gets as few connections as a host can have, and returns what an order cost
// from the door until its invoice is ready to be sent.
func (r *run) loadOrders(ctx context.Context, h *house, orders int) (c cost, err error) {
	bureau, err := r.startBureau(ctx, h.dir, 0)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, bureau.stop(2*time.Second)) }()
	if err := h.start(ctx, bureau.url, 1); err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	before, err := r.stand(ctx, h, bureau)
	if err != nil {
		return c, err
	}
	d, err := h.loader(orderPaid, 0).send(ctx, upTo(orders, time.Now().Add(90*time.Second)))
	if err != nil {
		return c, err
	}
	if came := len(d.took); came < orders { // a line that runs dry says so itself
		r.report.section(fmt.Sprintf("only %s orders came in within %.0f s", number(float64(came), 0), d.elapsed.Seconds()))
		orders = came
	}
	if err := h.prepared(ctx, 90*time.Second); err != nil {
		return c, err
	}
	after, err := r.stand(ctx, h, bureau)
	if err != nil {
		return c, err
	}
	c = after.since(before, orders)
	r.report.add(figure{name: "stored and looked at: processor time of the host", value: c.own.Seconds() * 1000, decimals: 2, unit: " ms",
		note: fmt.Sprintf("plugins %.2f ms, %.2f commits; %.0f orders/s", c.plugins.Seconds()*1000, c.commits,
			float64(orders)/after.at.Sub(before.at).Seconds())})
	return c, nil
}

// standing is how far things were at a moment.
type standing struct {
	at                time.Time
	issued, delivered int
	commits, changes  float64
	usage             usage
}

func (r *run) stand(ctx context.Context, h *house, bureau *double) (s standing, err error) {
	m, err := h.metrics(ctx)
	if err != nil {
		return s, err
	}
	s.commits, s.changes = m[commitsTotal], m[changesTotal]
	if s.delivered, err = h.delivered(); err != nil {
		return s, err
	}
	if s.issued, err = bureau.issued(ctx); err != nil {
		return s, err
	}
	s.at = time.Now()
	s.usage, err = h.host.usage()
	return s, err
}

// since is the mean cost of n orders.
func (s standing) since(before standing, n int) cost {
	u := s.usage.since(before.usage)
	return cost{u.own / time.Duration(n), u.children / time.Duration(n), (s.commits - before.commits) / float64(n),
		(s.changes - before.changes) / float64(n)}
}

// issue measures steady issuing with one setting.
func (r *run) issue(ctx context.Context, h *house, l line, loading cost) (err error) {
	disk, err := r.probe()
	if err != nil {
		return err
	}
	bureau, err := r.startBureau(ctx, h.dir, l.jitter)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bureau.stop(2*time.Second)) }()
	if err := h.start(ctx, bureau.url, l.connections); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	if err := pause(ctx, r.warmUp); err != nil {
		return err
	}
	before, err := r.stand(ctx, h, bureau)
	if err != nil {
		return err
	}
	if err := pause(ctx, r.window); err != nil {
		return err
	}
	after, err := r.stand(ctx, h, bureau)
	if err != nil {
		return err
	}
	lanes, err := h.lanes(ctx)
	if err != nil {
		return err
	}
	send := lanes[core.SendLane(channelID, sellerID)]
	if issued := after.issued - before.issued; issued == 0 || send.Ready == 0 {
		return fmt.Errorf("%d invoices were issued and %d orders wait: the lane ran dry, or does not run", issued, send.Ready)
	}
	busy, err := processor()
	if err != nil {
		return err
	}
	r.reportLine(l, before, after, loading, disk, busy)
	return nil
}

func (r *run) reportLine(l line, before, after standing, loading cost, disk, busy string) {
	name := fmt.Sprintf("K = %d", l.connections)
	if l.jitter > 0 {
		name += fmt.Sprintf(", ±%.0f %%", 100*l.jitter)
	}
	issued, seconds := after.issued-before.issued, after.at.Sub(before.at).Seconds()
	rate, most := float64(issued)/seconds, float64(l.connections)/hold.Seconds()
	c := after.since(before, issued)
	r.report.add(figure{name: name + ": orders issued", value: rate, unit: "/s",
		note: fmt.Sprintf("%s; %.0f/s handed to the SMS plugin", disk, float64(after.delivered-before.delivered)/seconds)})
	r.report.add(figure{name: name + ": of K / 0.3 s", value: 100 * rate / most, decimals: 1, unit: " %", goal: goal{atLeast, 90},
		note: fmt.Sprintf("%.0f/s", most)})
	commits := figure{name: name + ": commits per order", value: c.commits, decimals: 2,
		note: fmt.Sprintf("that hold %.1f changes; and %.2f to store it and look at it", c.changes, loading.commits)}
	if l.connections == 64 && l.jitter == 0 {
		commits.goal = goal{atMost, 0.5}
	}
	r.report.add(commits)
	r.report.add(figure{name: name + ": processor time of the host per order", value: (loading.own + c.own).Seconds() * 1000, decimals: 2, unit: " ms",
		goal: goal{atMost, 1}, note: fmt.Sprintf("%.2f to store and look, %.2f to issue; plugins %.2f; %s", loading.own.Seconds()*1000,
			c.own.Seconds()*1000, (loading.plugins+c.plugins).Seconds()*1000, busy)})
}

// pause waits for a measured stretch of time to pass.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
