package flow_test

import (
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/core"
)

// Whatever the order in which an order, its edit and its refunds come, whatever the bureau does with what it is sent,
// and wherever the process dies: at rest the books are right, one blue lives at most, and the bureau's ledger is ours.
// The bureau does not notice repeats here, so that a send without a query would show.
func TestAnyOrderAndAnyFault(t *testing.T) {
	draws := flag.Lookup("rapid.checks").Value
	if draws.String() == "100" { // the default; every draw goes through a real bureau and a real disk
		if err := draws.Set("30"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = draws.Set("100") }()
	}
	w := newWorld(t)
	w.control("/sandbox/settings", map[string]any{"duplicate_detection": false})
	d := &dying{Channels: w.flow.Channels}
	w.flow.Channels = d
	n, issued := 0, len(w.ledger().Invoices)
	rapid.Check(t, func(rt *rapid.T) {
		n++
		name := fmt.Sprint("A-", n)
		w.clearFaults()
		events := drawStory(rt, name, w.clock.Now())
		drawFaults(rt, w)
		for i, e := range rapid.Permutation(events).Draw(rt, "order") {
			w.push(fmt.Sprint(name, "/", i), e)
			if rapid.IntRange(0, 4).Draw(rt, "kill") == 0 {
				d.op, d.sends = rapid.SampledFrom([]string{"issue", "red_apply", "red_issue"}).Draw(rt, "op"), rapid.Bool().Draw(rt, "sent")
			}
			w.run(rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour}).Draw(rt, "span"))
		}
		d.op = ""
		for range 4 { // leases of the killed end, pauses end, waits end
			w.clock.Advance(2 * time.Minute)
			w.run(3 * time.Hour)
		}
		ours := w.checkBooks(rt, name)
		if total := len(w.ledger().Invoices); total-issued != ours {
			rt.Fatalf("the bureau has %d invoices of the order, we have %d", total-issued, ours)
		}
		issued += ours
	})
}

// drawStory draws an order, perhaps an edit of it, and refunds that the last snapshot can bear.
func drawStory(rt *rapid.T, name string, at time.Time) []core.Event {
	sizes := func() (pieces, list, paid int64) {
		pieces = rapid.Int64Range(1, 5).Draw(rt, "pieces")
		paid = rapid.Int64Range(100, 50000).Draw(rt, "paid")
		return pieces, paid + rapid.SampledFrom([]int64{0, 500}).Draw(rt, "discount"), paid
	}
	pieces, list, paid := sizes()
	shipping := rapid.SampledFrom([]int64{0, 1000}).Draw(rt, "shipping")
	first := order(name, at, pieces, list, paid, shipping)
	events := []core.Event{first}
	if rapid.Bool().Draw(rt, "edited") {
		pieces, list, paid = sizes()
		events = append(events, again(first, time.Hour, func(s *core.Sale) {
			resize(pieces, paid)(s)
			s.Lines[0].List = core.Fen(list)
		}))
	}
	goods := paid
	for i := range rapid.IntRange(0, 3).Draw(rt, "refunds") {
		r := core.Portion{Line: "1", Kind: core.GoodsAmount}
		switch rapid.IntRange(0, 3).Draw(rt, "kind") {
		case 0:
			r.Kind, r.Quantity = core.GoodsQuantity, core.Pieces(1)
		case 1:
			r.Kind, r.Line = core.MoneyOnly, ""
		}
		if goods == 0 {
			break
		}
		fen := rapid.Int64Range(1, goods).Draw(rt, "amount")
		if rapid.IntRange(0, 3).Draw(rt, "rest") == 0 {
			fen = goods
		}
		goods -= fen
		r.Amount = core.Fen(fen)
		portions := []core.Portion{r}
		if shipping > 0 && rapid.IntRange(0, 3).Draw(rt, "with shipping") == 0 {
			portions, shipping = append(portions, core.Portion{Kind: core.ShippingAmount, Amount: core.Fen(shipping)}), 0
		}
		events = append(events, refund(name, fmt.Sprint(name, "-R", i), at.Add(time.Duration(i)*time.Minute), portions...))
	}
	return events
}

func drawFaults(rt *rapid.T, w *world) {
	for range rapid.IntRange(0, 3).Draw(rt, "faults") {
		w.control("/sandbox/faults", map[string]any{"hold": "20ms", "times": rapid.IntRange(1, 3).Draw(rt, "times"),
			"nth":  rapid.IntRange(1, 2).Draw(rt, "nth"),
			"op":   rapid.SampledFrom([]string{"issue", "query", "red_apply", "red_query", "red_issue"}).Draw(rt, "op"),
			"kind": rapid.SampledFrom([]string{"busy", "timeout_before", "timeout_after", "reset_before", "reset_after", "bad_signature", "system_timeout"}).Draw(rt, "kind")})
	}
}

func (w *world) clearFaults() {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodDelete, w.bureau+"/sandbox/faults", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
}
