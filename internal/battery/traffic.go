package battery

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// message is one signed event. Sent again it is byte for byte the same, apart from the time of sending and its signature.
type message struct {
	id   string
	body []byte
	// conflict: the id was used for another body, so the right answer is a refusal.
	conflict bool
}

// story is an order with everything that its shop will say of it, in stages: what one stage says may arrive before or after
// the invoices of the stage before.
type story struct {
	order  Order
	stages [][]message
	// fault is how the bureau misbehaves at the first send of this order's invoice.
	fault string
}

// traffic draws orders from a seed: the same seed gives the same orders and messages.
type traffic struct {
	rng     *rand.Rand
	prefix  string
	at      time.Time
	orders  int
	ids     int
	changed int
	clashes int
}

// maxClashes bounds the conflicts of a run, each of which stays on the list of problems.
const maxClashes = 300

func newTraffic(prefix string, seed uint64, at time.Time) *traffic {
	return &traffic{rng: rand.New(rand.NewPCG(seed, 1)), prefix: prefix, at: at.Truncate(time.Second)}
}

// article is a product with a classification code that a shop may name itself.
type article struct {
	name, code string
	rate       int64 // per cent
}

var articles = []article{
	{"精制茶", "1030308010000000000", 13}, {"运动服装", "1040201230000000000", 13}, {"苹果", "1010115010100000000", 9},
	{"软饮料", "1030307990000000000", 13}, {"葡萄", "1010115010400000000", 9},
}

// Buyers: a person, two companies with right check digits, and one that gave no title.
var buyers = []map[string]any{
	{"title_type": "personal", "title": "李雷", "mobile": "13800138000"},
	{"title_type": "company", "title": "上海样例科技有限公司", "tax_no": "91310000MA1K00007U", "mobile": "13900139000"},
	{"title_type": "company", "title": "杭州样例商贸有限公司", "tax_no": "91330100MA2B000005"},
	{"mobile": "13700137000"},
}

const unnamed = 3 // index in buyers

// faults of the bureau, by weight.
var faults = []string{"", "", "", "", "timeout_after", "timeout_before", "reset_after", "reset_before", "busy", "truncated", "bad_signature"}

// lives is how many different lives an order may have; see life.
const lives = 12

// next draws an order. Given lives to choose from, it is invoiced and lives one of those; given a fault, half of the orders
// meet that one.
func (t *traffic) next(from []int, wanted string) *story {
	t.orders++
	s := &story{order: Order{No: fmt.Sprintf("%s%06d", t.prefix, t.orders)}, fault: faults[t.rng.IntN(len(faults))]}
	buyer, life := t.rng.IntN(len(buyers)), t.rng.IntN(lives)
	if len(from) > 0 {
		buyer, life = t.rng.IntN(unnamed), from[t.rng.IntN(len(from))]
	}
	if wanted != "" && t.rng.IntN(2) == 0 {
		buyer, s.fault = t.rng.IntN(unnamed), wanted
	}
	s.order.Asked = buyer != unnamed
	for i := range 1 + t.rng.IntN(3) {
		a := articles[t.rng.IntN(len(articles))]
		l := Line{No: fmt.Sprint(i + 1), Name: fmt.Sprintf("%s %d", a.name, i+1), Code: a.code, Goods: true, Rate: a.rate,
			Quantity: int64(1 + t.rng.IntN(4)), Paid: int64(1 + t.rng.IntN(40000))}
		if l.List = l.Paid; t.rng.IntN(3) == 0 {
			l.List += int64(1 + t.rng.IntN(5000))
		}
		s.order.Lines = append(s.order.Lines, l)
	}
	if t.rng.IntN(3) == 0 {
		first := s.order.Lines[0] // freight is taxed like the goods
		s.order.Lines = append(s.order.Lines, Line{No: "S", Name: "运费 S", Code: first.Code, Rate: first.Rate, Quantity: 1, Paid: 1200, List: 1200})
	}
	paid := t.snapshot(&s.order, buyer, "order.paid", "paid")
	s.say(0, paid)
	t.life(s, life, buyer, paid)
	t.noise(s)
	return s
}

// life says what happens to the order after it was paid.
func (t *traffic) life(s *story, n, buyer int, paid message) {
	switch n {
	case 3:
		s.say(0, t.snapshot(&s.order, buyer, "order.completed", "completed"))
	case 4: // edited after it was paid, perhaps after it was invoiced; sometimes the old snapshot comes last
		l := &s.order.Lines[0]
		l.Paid, l.List = l.Paid+1, max(l.List, l.Paid+1)
		edited := t.snapshot(&s.order, buyer, "order.updated", "shipped")
		if t.rng.IntN(2) == 0 {
			s.stages[0] = []message{edited, paid}
			return
		}
		s.say(1, edited)
	case 5: // the buyer asks, or asks for another title, afterwards
		s.order.Asked = true
		kind := "invoice.title_changed"
		if buyer == unnamed {
			kind = "invoice.requested"
		}
		s.say(1, t.message(kind, map[string]any{"request_id": "Q" + s.order.No, "order_no": s.order.No, "buyer": buyers[(buyer+1)%unnamed],
			"requested_at": t.moment(), "updated_at": t.moment()}))
	case 6: // goods come back and with them the freight
		t.refund(s, 1, "return", t.goods(&s.order))
	case 7: // one line in small amounts, down to nothing
		l := s.order.Lines[0]
		for _, part := range t.cut(l.Paid, 2+t.rng.IntN(6)) {
			t.refund(s, 1+t.rng.IntN(2), "price_protection", []Portion{{Line: l.No, Amount: part}})
		}
	case 8: // money that names no line
		t.refund(s, t.rng.IntN(2), "compensation", []Portion{{Amount: 1 + t.rng.Int64N(s.order.total())}})
	case 9: // shipping alone, or money from the last line
		last := s.order.Lines[len(s.order.Lines)-1]
		t.refund(s, 1, "amount_only", []Portion{{Line: last.No, Shipping: !last.Goods, Amount: 1 + t.rng.Int64N(last.Paid)}})
	case 10: // opened and closed: no money moved; then another one that moved
		t.say(s, 1, "refund.opened", "RX"+s.order.No, "amount_only", []Portion{{Line: "1", Amount: 1}})
		t.say(s, 1, "refund.closed", "RX"+s.order.No, "amount_only", []Portion{{Line: "1", Amount: 1}})
		t.refund(s, 2, "price_protection", []Portion{{Line: "1", Amount: 1}})
	case 11: // the refund overtakes its order
		t.refund(s, 0, "price_protection", []Portion{{Line: "1", Amount: 1 + t.rng.Int64N(s.order.Lines[0].Paid)}})
		last := len(s.stages[0]) - 1
		s.stages[0][0], s.stages[0][last] = s.stages[0][last], s.stages[0][0]
	}
}

// noise repeats some messages and uses some ids again for other content.
func (t *traffic) noise(s *story) {
	for i, stage := range s.stages {
		var out []message
		for _, m := range stage {
			out = append(out, m)
			switch n := t.rng.IntN(12); {
			case n < 2:
				out = append(out, m)
			case n == 2 && t.clashes < maxClashes:
				t.clashes++
				other := m
				other.conflict, other.body = true, append(append([]byte{}, m.body...), ' ')
				out = append(out, other)
			}
		}
		s.stages[i] = out
	}
}

func (s *story) say(stage int, m message) {
	for len(s.stages) <= stage {
		s.stages = append(s.stages, nil)
	}
	s.stages[stage] = append(s.stages[stage], m)
}

// moment is a new time of change, a second after the last one.
func (t *traffic) moment() string {
	t.changed++
	return t.at.Add(time.Duration(t.changed) * time.Second).Format(time.RFC3339)
}

func (t *traffic) message(kind string, data map[string]any) message {
	t.ids++
	body, err := json.Marshal(map[string]any{"type": kind, "data": data})
	if err != nil {
		panic(fmt.Sprintf("battery: encode a constructed event: %v", err))
	}
	return message{id: fmt.Sprintf("msg_%s_%d", t.prefix, t.ids), body: body}
}

func (t *traffic) snapshot(o *Order, buyer int, kind, status string) message {
	var lines []map[string]any
	for _, l := range o.Lines {
		line := map[string]any{"line_no": l.No, "sku": l.Code[:7] + "-" + l.Name, "name": l.Name, "quantity": fmt.Sprint(l.Quantity), "paid_amount": yuan(l.Paid),
			"list_amount": yuan(l.List), "tax_code_hint": l.Code}
		if !l.Goods {
			line["kind"] = "shipping"
		}
		lines = append(lines, line)
	}
	return t.message(kind, map[string]any{"order_no": o.No, "updated_at": t.moment(), "status": status, "paid_at": t.at.Format(time.RFC3339),
		"lines": lines, "total": yuan(o.total()), "buyer": buyers[buyer]})
}

// refund tells of money that moved, and books it.
func (t *traffic) refund(s *story, stage int, kind string, portions []Portion) {
	s.order.Refunded = append(s.order.Refunded, portions...)
	t.say(s, stage, "refund.succeeded", fmt.Sprintf("R%s-%d", s.order.No, len(s.order.Refunded)), kind, portions)
}

func (t *traffic) say(s *story, stage int, event, id, kind string, portions []Portion) {
	var list []map[string]any
	var sum int64
	for _, p := range portions {
		sum += p.Amount
		portion := map[string]any{"kind": "goods_amount", "line_no": p.Line, "amount": yuan(p.Amount)}
		switch {
		case p.Shipping:
			portion["kind"] = "shipping"
		case p.Line == "":
			continue // what the portions leave over is money that names no line
		case p.Quantity > 0:
			portion["kind"], portion["quantity"] = "goods_quantity", fmt.Sprint(p.Quantity)
		}
		list = append(list, portion)
	}
	at := t.moment()
	data := map[string]any{"refund_id": id, "order_no": s.order.No, "kind": kind, "amount": yuan(sum), "updated_at": at, "portions": list}
	if event == "refund.succeeded" {
		data["succeeded_at"] = at
	}
	s.say(stage, t.message(event, data))
}

// goods gives back a whole line by its quantity, or all of them with the shipping.
func (t *traffic) goods(o *Order) []Portion {
	lines := o.Lines[:1]
	if t.rng.IntN(2) == 0 {
		lines = o.Lines
	}
	var out []Portion
	for _, l := range lines {
		p := Portion{Line: l.No, Shipping: !l.Goods, Amount: l.Paid}
		if l.Goods {
			p.Quantity = l.Quantity
		}
		out = append(out, p)
	}
	return out
}

// cut divides an amount into at most n positive pieces.
func (t *traffic) cut(amount int64, n int) []int64 {
	var out []int64
	for ; n > 1 && amount > 1; n-- {
		piece := 1 + t.rng.Int64N(max(2*amount/int64(n)-1, 1))
		if piece >= amount {
			break
		}
		out, amount = append(out, piece), amount-piece
	}
	return append(out, amount)
}

// yuan writes fen as yuan.
func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
