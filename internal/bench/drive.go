//go:build linux

package bench

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// producers is how many senders or writers work side by side.
const producers = 64

// drove is what a drive came to.
type drove struct {
	start   time.Time
	elapsed time.Duration
	// took holds the time of every piece of work, sorted.
	took []time.Duration
	// slowest is the smallest number of pieces that ended in one of the whole seconds, 0 if there were none.
	slowest int
}

func (d drove) rate() float64 { return float64(len(d.took)) / d.elapsed.Seconds() }

// quantile is the time that a share of the pieces kept to.
func (d drove) quantile(share float64) time.Duration {
	if len(d.took) == 0 {
		return 0
	}
	return d.took[min(int(share*float64(len(d.took))), len(d.took)-1)]
}

// until ends a drive at a time; upTo ends it after a number of pieces or at a time, whichever comes first.
func until(end time.Time) func(int64) bool {
	return func(int64) bool { return !time.Now().Before(end) }
}

func upTo(n int, end time.Time) func(int64) bool {
	return func(i int64) bool { return i >= int64(n) || !time.Now().Before(end) }
}

// drive has n workers do numbered pieces of work, counted from 0, one after the other without a pause, until stop says of
// the next number that it shall not be done. The first error ends the drive.
func drive(n int, stop func(int64) bool, newWorker func(worker int) (func(piece int64) error, error)) (drove, error) {
	var next atomic.Int64
	var failed atomic.Bool
	type end struct{ at, took time.Duration }
	ends, errs := make([][]end, n), make([]error, n)
	d := drove{start: time.Now()}
	var all sync.WaitGroup
	for w := range n {
		all.Go(func() {
			work, err := newWorker(w)
			for i := next.Add(1) - 1; err == nil && !failed.Load() && !stop(i); i = next.Add(1) - 1 {
				start := time.Now()
				if err = work(i); err == nil {
					ends[w] = append(ends[w], end{time.Since(d.start), time.Since(start)})
				}
			}
			if errs[w] = err; err != nil {
				failed.Store(true)
			}
		})
	}
	all.Wait()
	d.elapsed = time.Since(d.start)
	seconds := make([]int, int(d.elapsed/time.Second)+1)
	for _, e := range slices.Concat(ends...) {
		d.took = append(d.took, e.took)
		seconds[min(int(e.at/time.Second), len(seconds)-1)]++
	}
	if whole := seconds[:len(seconds)-1]; len(whole) > 0 {
		d.slowest = slices.Min(whole)
	}
	slices.Sort(d.took)
	return d, errors.Join(errs...)
}
