package fen

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestRoundAndString(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0.00", "12.3": "12.30", "-0.05": "-0.05", "1.004956": "1.00", "0.005": "0.01", "-0.005": "-0.01",
		"999999999999.99": "999999999999.99",
	} {
		n, err := sdk.Number("x", in)
		if err != nil {
			t.Fatal(err)
		}
		if got := Round(n).String(); got != want {
			t.Errorf("Round(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestSpread(t *testing.T) {
	for name, c := range map[string]struct {
		total         Amount
		weights, want []Amount
	}{
		"N15 a coupon of 10.00 over three lines": {1000, []Amount{3333, 3333, 3334}, []Amount{333, 333, 334}},
		"ties go to the larger, then the first":  {1, []Amount{5, 5}, []Amount{1, 0}},
		"negative totals mirror positive ones":   {-1, []Amount{1, 2}, []Amount{0, -1}},
		"weights of zero":                        {7, []Amount{0, 0}, []Amount{7, 0}},
		"products beyond 64 bits": {
			99_999_999_999_999, []Amount{99_999_999_999_999, 99_999_999_999_999}, []Amount{50_000_000_000_000, 49_999_999_999_999}},
		"nobody to share": {7, nil, []Amount{}},
	} {
		if got := Spread(c.total, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("%s: Spread(%d, %v) = %v, want %v", name, c.total, c.weights, got, c.want)
		}
	}
}

func TestSpreadIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 30).Draw(t, "weights")
		weights := make([]Amount, len(drawn))
		for i, w := range drawn {
			weights[i] = Amount(w)
		}
		sum := Sum(weights)
		total := Amount(rapid.Int64Range(0, int64(sum)).Draw(t, "total"))
		shares := Spread(total, weights)
		if got := Sum(shares); got != total {
			t.Fatalf("shares sum to %s, not to %s", got, total)
		}
		for i, share := range shares {
			if share < 0 || share > weights[i] {
				t.Fatalf("share %d of %s is outside its line of %s", i, share, weights[i])
			}
		}
	})
}
