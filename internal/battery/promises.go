package battery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// judge checks the promises on all orders told since the last judgement, or on all orders.
func (r *Run) judge(ctx context.Context, where string, all bool) error {
	since := r.since
	var orders []Order
	if all {
		since = ""
		for _, o := range r.Orders {
			orders = append(orders, *o)
		}
	} else {
		for _, s := range r.open {
			orders = append(orders, s.order)
		}
	}
	// Promises 1 and 7: what was acknowledged is there and is known again.
	lost, err := r.house.sender.recheck(ctx)
	if err != nil {
		return err
	}
	wrong := lost
	if _, err := r.rest(ctx, 10*time.Second); err != nil {
		return err
	}
	b, err := r.house.Books(ctx, "kaipiao.yaml", since)
	if err != nil {
		return err
	}
	ledger, err := r.house.Ledger(ctx)
	if err != nil {
		return err
	}
	// Promises 2 and 3: one live blue for each order, and what remains invoiced is right to the cent, with us and the bureau.
	wrong = append(wrong, Check(orders, b.issued, about(orders, ledger, all))...)
	// Promise 4: everything has come to an end, in a class that the traffic explains.
	wrong = append(wrong, r.ends(orders, b)...)
	letters, err := r.letters(b)
	if err != nil {
		return err
	}
	wrong = append(wrong, letters...)
	problems, err := r.problems(ctx)
	if err != nil {
		return err
	}
	wrong = append(wrong, problems...)
	// Promise 5: nothing of unknown outcome was repeated unasked.
	log, err := r.house.Wire(ctx, r.wireAt)
	if err != nil {
		return err
	}
	wrong = append(wrong, r.wire.see(log)...)
	if len(log) > 0 {
		r.wireAt = log[len(log)-1].ID
	}
	if all {
		sums, err := r.classes(ctx)
		if err != nil {
			return err
		}
		wrong = append(wrong, sums...)
	}
	for _, w := range wrong {
		r.violate(where, "%s", w)
	}
	for _, row := range b.orders {
		r.since = max(r.since, row.ID)
	}
	r.open = nil
	return nil
}

// about keeps the invoices of the orders in question; asked about all orders, also those of unknown ones.
func about(orders []Order, ledger []Invoice, all bool) (out []Invoice) {
	known := map[string]bool{}
	for _, o := range orders {
		known[o.No] = true
	}
	for _, i := range ledger {
		if all || known[i.Order] {
			out = append(out, i)
		}
	}
	return out
}

// ends compares each order's class with what the traffic calls for.
func (r *Run) ends(orders []Order, b books) (wrong []string) {
	for _, o := range orders {
		row, ok := b.orders[o.No]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("order %s was acknowledged and is not there", o.No))
			continue
		}
		var left int64
		for _, l := range o.Remaining() {
			left += l
		}
		want := map[string]bool{"not_asked": !o.Asked, "settled": o.Asked, "nothing_to_invoice": left == 0}
		if !want[row.Class] {
			wrong = append(wrong, fmt.Sprintf("order %s (asked for: %v, %d fen left) ended as %s with problems %v", o.No, o.Asked, left, row.Class, row.Problems))
		}
		if int64(row.Total) != o.total() {
			wrong = append(wrong, fmt.Sprintf("order %s: we hold a total of %d fen, the shop said %d last", o.No, row.Total, o.total()))
		}
	}
	for _, d := range b.open {
		wrong = append(wrong, fmt.Sprintf("document %s is still %s", d.ID, d.State))
	}
	return wrong
}

// letters compares the deliveries with what the SMS gateway got: each parcel once. At a hundredth of real time a plugin that is
// just starting may miss every turn; then a person is told, which is right, but it must stay the exception.
func (r *Run) letters(b books) (wrong []string, err error) {
	text, err := os.ReadFile(r.house.file("sms.jsonl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	got := map[string]int{}
	for line := range bytes.Lines(text) {
		var sms struct {
			Parcel string `json:"parcel"`
		}
		if json.Unmarshal(line, &sms) == nil { // a kill may have cut a line off
			got[sms.Parcel]++
		}
	}
	parcels, missed := 0, 0
	for _, row := range b.rows {
		for _, p := range row.Parcels {
			parcels++
			sent := p.State == "sent" || p.State == "delivered"
			switch {
			case got[p.ID] > 1, sent && got[p.ID] == 0:
				wrong = append(wrong, fmt.Sprintf("parcel %s of invoice %s is %s; the gateway got it %d times", p.ID, row.Number, p.State, got[p.ID]))
			case !sent:
				missed++
			}
		}
	}
	if missed > 3+parcels/10 {
		wrong = append(wrong, fmt.Sprintf("%d of %d parcels were not sent", missed, parcels))
	}
	return wrong, nil
}

// excused are the problems that this traffic and this clock call for: the same id with other content, and deliveries (see
// letters).
var excused = map[string]bool{"event_conflict": true, "delivery_failed": true, "delivery_unknown": true}

func (r *Run) problems(ctx context.Context) (wrong []string, err error) {
	out, err := r.house.CLI(ctx, "problems", "--json", "--limit", "1000")
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID     string `json:"id"`
		Code   string `json:"code"`
		Order  string `json:"order"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(out, &rows); err != nil {
		return nil, fmt.Errorf("kaipiao problems: %w", err)
	}
	for _, p := range rows {
		if !excused[p.Code] && !r.told[p.ID] {
			r.told[p.ID] = true
			wrong = append(wrong, fmt.Sprintf("open problem %s of order %q: %s", p.Code, p.Order, p.Detail))
		}
	}
	return wrong, nil
}

// classes lets the host reconcile: no difference, and its classes must sum to what the shop was paid and paid back.
func (r *Run) classes(ctx context.Context) (wrong []string, err error) {
	report, err := r.house.Reconcile(ctx, "kaipiao.yaml")
	if err != nil {
		return nil, err
	}
	for _, d := range report.Differences {
		wrong = append(wrong, fmt.Sprintf("reconcile: order %s, %s: %s", d.Order, d.Row, d.Detail))
	}
	var sales int
	var paid, refunded, wantPaid, wantRefunded int64
	for _, c := range report.Classes {
		sales, paid, refunded = sales+c.Sales, paid+int64(c.Paid), refunded+int64(c.Refunded)
		left := int64(c.Paid - c.Refunded)
		if c.Class != "settled" && c.Class != "nothing_to_invoice" {
			left = 0
		}
		if int64(c.Invoiced-c.Reversed) != left {
			wrong = append(wrong, fmt.Sprintf("class %s: %d fen remain invoiced, %d were paid and not paid back", c.Class, c.Invoiced-c.Reversed, left))
		}
	}
	for _, o := range r.Orders {
		wantPaid, wantRefunded = wantPaid+o.total(), wantRefunded+o.refunded()
	}
	if sales != len(r.Orders) || paid != wantPaid || refunded != wantRefunded {
		wrong = append(wrong, fmt.Sprintf("the classes hold %d sales, %d fen paid, %d paid back; the traffic says %d, %d, %d",
			sales, paid, refunded, len(r.Orders), wantPaid, wantRefunded))
	}
	return wrong, nil
}
