package core

import "sort"

// Allocate splits a total over weights to the cent by largest remainder: each share differs from the exact one by
// less than a cent and the shares sum to the total. Ties go to the larger weight, then to the lower index. Weights
// must not be negative; with weights that are all zero everything goes to the first.
func Allocate(total Yuan, weights []Yuan) []Yuan {
	shares := make([]Yuan, len(weights))
	sum := SumYuan(weights...)
	if len(weights) == 0 || total.IsZero() {
		return shares
	}
	if sum.IsZero() {
		shares[0] = total
		return shares
	}
	if total.Sign() < 0 {
		for i, s := range Allocate(total.Neg(), weights) {
			shares[i] = s.Neg()
		}
		return shares
	}
	type rest struct {
		i         int
		remainder Yuan // scaled by sum: total·weight − share·sum, comparable between lines
	}
	rests := make([]rest, len(weights))
	left := total
	for i, w := range weights {
		exact := total.d.Mul(w.d)
		floor := Yuan{exact.DivRound(sum.d, 16).Truncate(2)}
		if floor.d.Mul(sum.d).Cmp(exact) > 0 {
			floor = floor.Sub(Fen(1))
		}
		shares[i], left = floor, left.Sub(floor)
		rests[i] = rest{i, Yuan{exact.Sub(floor.d.Mul(sum.d))}}
	}
	sort.SliceStable(rests, func(a, b int) bool {
		if c := rests[a].remainder.Cmp(rests[b].remainder); c != 0 {
			return c > 0
		}
		return weights[rests[a].i].Cmp(weights[rests[b].i]) > 0
	})
	for n := 0; left.Sign() > 0; n++ {
		i := rests[n%len(rests)].i
		shares[i], left = shares[i].Add(Fen(1)), left.Sub(Fen(1))
	}
	return shares
}
