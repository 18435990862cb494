package main

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// fen is money in whole fen (0.01 yuan).
type fen int64

// round takes yuan, rounded half away from zero.
func round(yuan sdk.Decimal) fen { return fen(yuan.Round(2).Shift(2).IntPart()) }

func (f fen) String() string {
	sign, n := "", uint64(f)
	if f < 0 {
		sign, n = "-", uint64(-f)
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

func (f fen) abs() fen { return max(f, -f) }

func sum(amounts []fen) fen {
	var total fen
	for _, a := range amounts {
		total += a
	}
	return total
}

// spread splits a total of any sign over weights by largest remainder: the shares sum to the total, and none exceeds its
// weight as long as the total doesn't exceed their sum. Ties go to the larger weight, then to the lower index. Weights must
// not be negative, and one must be positive.
func spread(total fen, weights []fen) []fen {
	if total < 0 {
		shares := spread(-total, weights)
		for i := range shares {
			shares[i] = -shares[i]
		}
		return shares
	}
	shares, rest, order := make([]fen, len(weights)), make([]uint64, len(weights)), make([]int, len(weights))
	all, left := sum(weights), total
	for i, w := range weights {
		// 128 bits between product and quotient; the quotient is at most the total, since no weight exceeds the sum.
		high, low := bits.Mul64(uint64(total), uint64(w))
		quotient, remainder := bits.Div64(high, low, uint64(all))
		shares[i], rest[i], order[i] = fen(quotient), remainder, i
		left -= shares[i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rest[b], rest[a]), cmp.Compare(weights[b], weights[a]))
	})
	for i := range int(left) {
		shares[order[i]]++
	}
	return shares
}
