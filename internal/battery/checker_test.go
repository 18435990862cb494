package battery

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRemaining(t *testing.T) {
	goods := func(no string, paid int64) Line {
		return Line{No: no, Name: "n" + no, Goods: true, Rate: 13, Paid: paid, List: paid}
	}
	freight := Line{No: "S", Name: "s", Rate: 13, Paid: 1200, List: 1200}
	tests := map[string]struct {
		lines    []Line
		refunded []Portion
		want     []int64
	}{
		"nothing":                       {[]Line{goods("1", 100)}, nil, []int64{100}},
		"of a line":                     {[]Line{goods("1", 100), goods("2", 50)}, []Portion{{Line: "2", Amount: 20}}, []int64{100, 30}},
		"money, largest remainder":      {[]Line{goods("1", 100), goods("2", 100), goods("3", 100)}, []Portion{{Amount: 100}}, []int64{66, 67, 67}},
		"money, the larger weight":      {[]Line{goods("1", 1), goods("2", 3)}, []Portion{{Amount: 2}}, []int64{1, 1}},
		"shipping":                      {[]Line{goods("1", 100), freight}, []Portion{{Shipping: true, Amount: 200}}, []int64{100, 1000}},
		"shipping without freight":      {[]Line{goods("1", 100)}, []Portion{{Shipping: true, Amount: 30}}, []int64{70}},
		"what exceeds a line goes on":   {[]Line{goods("1", 100), goods("2", 50)}, []Portion{{Line: "2", Amount: 50}, {Amount: 30}}, []int64{70, 0}},
		"down to nothing in small ones": {[]Line{goods("1", 5)}, []Portion{{Line: "1", Amount: 2}, {Line: "1", Amount: 2}, {Line: "1", Amount: 1}}, []int64{0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := (Order{Lines: test.lines, Refunded: test.refunded}).Remaining(); !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestRemainingNeverLosesAFen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Order
		for i := range rapid.IntRange(1, 5).Draw(t, "lines") {
			paid := rapid.Int64Range(1, 100000).Draw(t, "paid")
			o.Lines = append(o.Lines, Line{No: string(rune('1' + i)), Goods: rapid.Bool().Draw(t, "goods"), Paid: paid})
		}
		left := o.total()
		for left > 0 && rapid.Bool().Draw(t, "another") {
			amount := rapid.Int64Range(1, left).Draw(t, "amount")
			o.Refunded, left = append(o.Refunded, Portion{Amount: amount, Shipping: rapid.Bool().Draw(t, "shipping")}), left-amount
		}
		var sum int64
		for i, l := range o.Remaining() {
			if l < 0 || l > o.Lines[i].Paid {
				t.Fatalf("line %d keeps %d of %d", i, l, o.Lines[i].Paid)
			}
			sum += l
		}
		if sum != left {
			t.Fatalf("%d remain, %d should", sum, left)
		}
	})
}

// constructed is an order of 20.00 at 13 % with a discount of 1.00, and 6.66 of it paid back, as the bureau holds it.
func constructed() ([]Order, []Invoice) {
	order := Order{No: "A", Asked: true, Lines: []Line{{No: "1", Name: "茶", Goods: true, Rate: 13, Paid: 2000, List: 2100}},
		Refunded: []Portion{{Line: "1", Amount: 333}, {Line: "1", Amount: 333}}}
	blue := Invoice{Order: "A", Number: "b", Net: 1770, Tax: 230, Gross: 2000, Lines: []InvoiceLine{
		{No: 1, Name: "茶", Net: 1858, Tax: 242, Gross: 2100}, {No: 2, Name: "茶", Discount: true, Net: -88, Tax: -12, Gross: -100}}}
	// T(333) = 230·333/2000 = 38.295, T(666) = 76.59
	first := Invoice{Order: "A", Number: "r1", Blue: "b", Net: -295, Tax: -38, Gross: -333, Lines: []InvoiceLine{{No: 1, BlueNo: 1, Net: -295, Tax: -38, Gross: -333}}}
	second := Invoice{Order: "A", Number: "r2", Blue: "b", Net: -294, Tax: -39, Gross: -333, Lines: []InvoiceLine{{No: 1, BlueNo: 1, Net: -294, Tax: -39, Gross: -333}}}
	return []Order{order}, []Invoice{blue, first, second}
}

func TestCheckFindsEachMistake(t *testing.T) {
	tests := map[string]struct {
		change func(o *Order, ours, bureau *[]Invoice)
		want   string
	}{
		"nothing wrong":             {func(*Order, *[]Invoice, *[]Invoice) {}, ""},
		"a row of ours is altered":  {func(_ *Order, ours, _ *[]Invoice) { (*ours)[1].Tax-- }, "our row says"},
		"a row of ours is gone":     {func(_ *Order, ours, _ *[]Invoice) { *ours = (*ours)[:2] }, "the bureau has it"},
		"the bureau lost one":       {func(_ *Order, _, bureau *[]Invoice) { *bureau = (*bureau)[:2] }, "the bureau does not"},
		"a refund has no red":       {func(_ *Order, a, b *[]Invoice) { *a, *b = (*a)[:2], (*b)[:2] }, "1667 fen remain invoiced, the traffic says 1334"},
		"two live blues":            {func(_ *Order, a, b *[]Invoice) { twice(a); twice(b) }, "2 live blue"},
		"an order nobody asked for": {func(o *Order, _, _ *[]Invoice) { o.Asked = false }, "the traffic says 0"},
		"another rate":              {func(o *Order, _, _ *[]Invoice) { o.Lines[0].Rate = 9 }, "right is"},
		"another discount":          {func(o *Order, _, _ *[]Invoice) { o.Lines[0].List++ }, "discount"},
		"the last red takes a cent more tax": {func(_ *Order, a, b *[]Invoice) {
			for _, list := range []*[]Invoice{a, b} {
				(*list)[2].Tax, (*list)[2].Net = -40, -293
			}
		}, "tax 152"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			orders, bureau := constructed()
			ours := slices.Clone(bureau)
			test.change(&orders[0], &ours, &bureau)
			wrong := strings.Join(Check(orders, ours, bureau), "\n")
			if (test.want == "") != (wrong == "") || !strings.Contains(wrong, test.want) {
				t.Errorf("said %q, want %q", wrong, test.want)
			}
		})
	}
}

func twice(list *[]Invoice) {
	again := (*list)[0]
	again.Number = "b2"
	*list = append(*list, again)
}

func TestTrafficIsDrawnFromItsSeed(t *testing.T) {
	at := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	a, b, other := newTraffic("B", 1, at), newTraffic("B", 1, at), newTraffic("B", 2, at)
	same, ids := true, map[string]string{}
	for range 300 {
		x, y, z := a.next(nil, ""), b.next(nil, ""), other.next(nil, "")
		for i, stage := range x.stages {
			for j, m := range stage {
				if string(m.body) != string(y.stages[i][j].body) {
					t.Fatalf("order %s differs between two draws of one seed", x.order.No)
				}
				if body, known := ids[m.id]; known && (body != string(m.body)) != m.conflict {
					t.Errorf("message %s: conflict is %v", m.id, m.conflict)
				} else if !known {
					ids[m.id] = string(m.body)
				}
			}
		}
		same = same && x.order.total() == z.order.total()
		if x.order.refunded() > x.order.total() {
			t.Errorf("order %s: %d of %d paid back", x.order.No, x.order.refunded(), x.order.total())
		}
	}
	if same {
		t.Error("two seeds gave the same orders")
	}
}

func TestWireRule(t *testing.T) {
	x := func(op, code string) Exchange { return Exchange{Op: op, Ref: "S1", Code: code} }
	tests := map[string]struct {
		log   []Exchange
		wrong int
	}{
		"once":                      {[]Exchange{x("issue", "0000")}, 0},
		"twice":                     {[]Exchange{x("issue", "0000"), x("issue", "0000")}, 1},
		"after busy":                {[]Exchange{x("issue", "3001"), x("issue", "0000")}, 0},
		"after one not found":       {[]Exchange{x("issue", "0000"), x("query", "4004"), x("issue", "0000")}, 1},
		"after two not found":       {[]Exchange{x("issue", "0000"), x("query", "4004"), x("query", "4004"), x("issue", "0000")}, 0},
		"denied before the send":    {[]Exchange{x("query", "4004"), x("query", "4004"), x("issue", "0000"), x("issue", "0000")}, 1},
		"a third needs new answers": {[]Exchange{x("issue", ""), x("query", "4004"), x("query", "4004"), x("issue", ""), x("issue", "")}, 1},
		"found":                     {[]Exchange{x("issue", "0000"), x("query", "0000"), x("query", "0000"), x("issue", "0000")}, 1},
		"application":               {[]Exchange{x("red_apply", "0000"), x("query", "4004"), x("query", "4004"), x("red_apply", "0000")}, 1},
		"application denied":        {[]Exchange{x("red_apply", "0000"), x("red_query", "4004"), x("red_query", "4004"), x("red_apply", "0000")}, 0},
		"red denied":                {[]Exchange{x("red_issue", "0000"), x("query", "4004"), x("query", "4004"), x("red_issue", "0000")}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if wrong := newWireRule().see(test.log); len(wrong) != test.wrong {
				t.Errorf("%d broken: %q, want %d", len(wrong), wrong, test.wrong)
			}
		})
	}
}

func TestFenIsExact(t *testing.T) {
	for text, want := range map[string]int64{`"0.00"`: 0, `"12.34"`: 1234, `"-0.05"`: -5, `"100.00"`: 10000} {
		var f fen
		if err := f.UnmarshalJSON([]byte(text)); err != nil || int64(f) != want {
			t.Errorf("%s is %d, %v; want %d", text, f, err, want)
		}
	}
	for _, text := range []string{`12.34`, `"12.3"`, `"1e2"`, `""`, `"12.345"`, `" 1.00"`} {
		if err := new(fen).UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
