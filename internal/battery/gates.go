package battery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// run starts a house with the bug and begins a run in it.
func (b bench) run(ctx context.Context) (*Run, error) {
	h, err := NewHouse(ctx, b.bin, b.dir)
	if err != nil {
		return nil, err
	}
	if err := h.Start(ctx, b.env...); err != nil {
		h.Close()
		return nil, err
	}
	return NewRun(h, 7, os.Stderr), nil
}

// tell sends messages and waits until the host is at rest.
func (r *Run) tell(ctx context.Context, messages ...message) error {
	if err := r.house.sender.tellAll(ctx, [][]message{messages}); err != nil {
		return err
	}
	if quiet, err := r.rest(ctx, time.Minute); err != nil || !quiet {
		return fmt.Errorf("the host is not at rest (%w)", errors.Join(err, ctx.Err()))
	}
	return nil
}

// compare runs the checker and the wire rule.
func (r *Run) compare(ctx context.Context) error {
	b, err := r.house.Books(ctx, "kaipiao.yaml", "")
	if err != nil {
		return err
	}
	ledger, err := r.house.Ledger(ctx)
	if err != nil {
		return err
	}
	var orders []Order
	for _, o := range r.Orders {
		orders = append(orders, *o)
	}
	wrong := Check(orders, b.issued, ledger)
	log, err := r.house.Wire(ctx, 0)
	if err != nil {
		return err
	}
	if wrong = append(wrong, newWireRule().see(log)...); len(wrong) > 0 {
		return caught(fmt.Sprintf("%d findings, the first: %s", len(wrong), wrong[0]))
	}
	return nil
}

// plain is an order of one line, invoiced at once.
func (r *Run) plain(paid int64) *story {
	r.traffic.orders++
	a := articles[0]
	s := &story{order: Order{No: fmt.Sprintf("P%06d", r.traffic.orders), Asked: true,
		Lines: []Line{{No: "1", Name: a.name, Code: a.code, Goods: true, Rate: a.rate, Quantity: 1, Paid: paid, List: paid}}}}
	r.Orders = append(r.Orders, &s.order)
	s.say(0, r.traffic.snapshot(&s.order, 0, "order.paid", "paid"))
	return s
}

func plainOrders(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	var messages []message
	for i := range 20 {
		messages = append(messages, r.plain(int64(1000 + 137*i)).stages[0]...)
	}
	return errors.Join(r.tell(ctx, messages...), r.compare(ctx))
}

func smallRefunds(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	s := r.plain(1000)
	if err := r.tell(ctx, s.stages[0]...); err != nil {
		return err
	}
	for i := range 4 { // each red is issued before the next refund comes
		r.traffic.refund(s, 1+i, "price_protection", []Portion{{Line: "1", Amount: 5}})
		if err := r.tell(ctx, s.stages[1+i]...); err != nil {
			return err
		}
	}
	return r.compare(ctx)
}

func noBlindRepeat(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	if err := r.house.control(ctx, "faults", map[string]any{"op": "issue", "kind": "reset_after", "times": 2}); err != nil {
		return err
	}
	return errors.Join(r.tell(ctx, append(r.plain(1234).stages[0], r.plain(4321).stages[0]...)...), r.compare(ctx))
}

func duplicatesKnown(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	if err := r.tell(ctx, append(r.plain(1234).stages[0], r.plain(4321).stages[0]...)...); err != nil {
		return err
	}
	wrong, err := r.house.sender.recheck(ctx)
	if err == nil && len(wrong) > 0 {
		err = caught(wrong[0])
	}
	return err
}

func plainBodiesOnly(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	a, detail, err := r.house.sender.post(ctx, r.plain(1234).stages[0][0], true)
	if err == nil && a != refused {
		err = caught("a compressed body is answered " + string(a) + ": " + detail)
	}
	return err
}
