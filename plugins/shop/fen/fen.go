// Package fen is exact money for shop platforms: whole fen in integers, and the one way to split an amount.
package fen

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Amount is money in fen (0.01 yuan). A number that passed [sdk.Number] fits, and so do the sums of a document.
type Amount int64

// Round takes a number of yuan, rounded half away from zero to the fen.
func Round(yuan sdk.Decimal) Amount { return Amount(yuan.Round(2).Shift(2).IntPart()) }

// String writes yuan with two decimals: "-12.34".
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", uint64(-a)
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// Abs is the amount without its sign.
func (a Amount) Abs() Amount { return max(a, -a) }

// Sum adds amounts.
func Sum(amounts []Amount) Amount {
	var total Amount
	for _, a := range amounts {
		total += a
	}
	return total
}

// Spread splits a total over weights by largest remainder: the shares sum to the total and each is less than one fen from
// the exact one, so that no share exceeds its weight as long as the total doesn't exceed their sum. Ties go to the larger
// weight, then to the lower index. Weights must not be negative; when all are zero the first takes everything. Without
// weights there is nobody to share, and the result is empty.
func Spread(total Amount, weights []Amount) []Amount {
	shares := make([]Amount, len(weights))
	if len(weights) == 0 || total == 0 {
		return shares
	}
	sum := Sum(weights)
	if sum == 0 {
		shares[0] = total
		return shares
	}
	if total < 0 {
		for i, share := range Spread(-total, weights) {
			shares[i] = -share
		}
		return shares
	}
	rest, left := make([]uint64, len(weights)), total
	for i, w := range weights {
		// 128 bits between product and quotient; the quotient is at most the total, since no weight exceeds the sum.
		high, low := bits.Mul64(uint64(total), uint64(w))
		quotient, remainder := bits.Div64(high, low, uint64(sum))
		shares[i], rest[i] = Amount(quotient), remainder
		left -= shares[i]
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rest[b], rest[a]), cmp.Compare(weights[b], weights[a]))
	})
	for i := range int(left) {
		shares[order[i]]++
	}
	return shares
}
