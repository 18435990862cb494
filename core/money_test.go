package core_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/core"
)

func TestParseYuan(t *testing.T) {
	for in, want := range map[string]string{"0": "0.00", "12.3": "12.30", "-5.00": "-5.00", "99999999.99": "99999999.99", "1.500": "1.50"} {
		y, err := core.ParseYuan(in)
		if err != nil || y.String() != want {
			t.Errorf("%q: %s, %v, want %s", in, y, err, want)
		}
	}
	for _, in := range []string{"", "1e3", "1e1000000000", "NaN", "1,000.00", "１２.５", "−5", "0x10", ".5", "5.", "+1", " 1", "1 ", strings.Repeat("9", 1<<20), "1234567890123"} {
		if _, err := core.ParseYuan(in); !errors.Is(err, core.ErrBadNumber) {
			t.Errorf("%q: %v, want ErrBadNumber", in[:min(len(in), 20)], err)
		}
	}
	if _, err := core.ParseYuan("12.345"); !errors.Is(err, core.ErrPrecision) {
		t.Errorf("12.345: %v, want ErrPrecision", err)
	}
	var y core.Yuan
	for _, in := range []string{"null", "12.30", "{}"} {
		if err := json.Unmarshal([]byte(in), &y); err == nil {
			t.Errorf("JSON %s was taken as an amount", in)
		}
	}
}

func FuzzParseYuan(f *testing.F) {
	for _, s := range []string{"1.00", "-0.01", "1e9", "00000000000000000000001", "999999999999.99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		y, err := core.ParseYuan(s)
		if err != nil {
			return
		}
		again, err := core.ParseYuan(y.String())
		if err != nil || !again.Equal(y) || core.Fen(y.Fen()).Cmp(y) != 0 {
			t.Fatalf("%q became %s, then %s, %v", s, y, again, err)
		}
	})
}

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		total   int64
		weights []int64
		want    []int64
	}{
		{1000, []int64{3333, 3333, 3334}, []int64{333, 333, 334}}, // case N15
		{100, []int64{5000, 3000}, []int64{63, 37}},
		{1, []int64{1, 1}, []int64{1, 0}},
		{-1000, []int64{3333, 3333, 3334}, []int64{-333, -333, -334}},
		{5, []int64{0, 0}, []int64{5, 0}},
		{17925, []int64{2390, 2390, 0}, []int64{8963, 8962, 0}},
	} {
		var weights []core.Yuan
		for _, w := range c.weights {
			weights = append(weights, core.Fen(w))
		}
		for i, s := range core.Allocate(core.Fen(c.total), weights) {
			if s.Fen() != c.want[i] {
				t.Errorf("%d over %v: share %d is %s, want %d fen", c.total, c.weights, i, s, c.want[i])
			}
		}
	}
}

func TestAllocateProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		raw := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 12).Draw(rt, "weights")
		total := rapid.Int64Range(0, 5_000_000).Draw(rt, "total")
		var weights []core.Yuan
		var sum int64
		for _, w := range raw {
			weights, sum = append(weights, core.Fen(w)), sum+w
		}
		var got int64
		for i, s := range core.Allocate(core.Fen(total), weights) {
			got += s.Fen()
			if sum == 0 {
				continue
			}
			// |share − total·weight/sum| < 1, in integers.
			if off := s.Fen()*sum - total*raw[i]; off >= sum || off <= -sum {
				rt.Fatalf("share %d of %d over %v is %d", i, total, raw, s.Fen())
			}
		}
		if got != total {
			rt.Fatalf("shares of %d over %v sum to %d", total, raw, got)
		}
	})
}

// Tax derived from gross is never more than a cent from tax derived from net (facts of the field, scanned here).
func TestTaxFromGrossIsNearTaxFromNet(t *testing.T) {
	for _, percent := range []int64{13, 9, 6, 5, 3, 1} {
		for fen := int64(1); fen < 20000; fen += 7 {
			gross := core.Fen(fen)
			tax := core.TaxFromGross(gross, core.Percent(percent))
			// round_half_up(net·rate) in integers: (net·percent·2 + 100) / 200.
			want := ((fen-tax.Fen())*percent*2 + 100) / 200
			if d := want - tax.Fen(); d > 1 || d < -1 {
				t.Fatalf("%s at %d %%: tax %s, from net %d fen", gross, percent, tax, want)
			}
		}
	}
	for _, c := range []struct{ gross, percent, tax int64 }{{10000, 13, 1150}, {11300, 13, 1300}, {4, 13, 0}, {990, 13, 114}, {10600, 6, 600}, {9999999999, 13, 1150442478}} {
		if tax := core.TaxFromGross(core.Fen(c.gross), core.Percent(c.percent)); tax.Fen() != c.tax {
			t.Errorf("%d fen at %d %%: tax %s, want %d fen", c.gross, c.percent, tax, c.tax)
		}
	}
}

func TestCumulativeIsMonotoneAndExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		gross := rapid.Int64Range(1, 10_000_000).Draw(rt, "gross")
		tax := rapid.Int64Range(0, gross/5).Draw(rt, "tax")
		a := rapid.Int64Range(0, gross).Draw(rt, "a")
		b := rapid.Int64Range(a, gross).Draw(rt, "b")
		ta, tb := core.Cumulative(core.Fen(tax), core.Fen(gross), core.Fen(a)), core.Cumulative(core.Fen(tax), core.Fen(gross), core.Fen(b))
		if ta.Cmp(tb) > 0 || tb.Fen() > tax {
			rt.Fatalf("T(%d) = %s, T(%d) = %s of %d", a, ta, b, tb, tax)
		}
		if end := core.Cumulative(core.Fen(tax), core.Fen(gross), core.Fen(gross)); end.Fen() != tax {
			rt.Fatalf("T(all) = %s, want %d", end, tax)
		}
	})
}
