package sandbox

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkIssue measures whole issues, client's crypto included, with 64 callers and every answer on disk.
// Run it with -cpu 1 for one core.
func BenchmarkIssue(b *testing.B) {
	w := newBench(b)
	var failed atomic.Int64
	const callers = 64
	requests := make([]issueRequest, b.N)
	for i := range requests {
		requests[i] = w.sale("100.00", "20.00", "3.50")
	}
	var next atomic.Int64
	b.ResetTimer()
	start := time.Now()
	parallel(callers, func(int) {
		for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
			if c, _, _, err := w.client.call("issue", requests[i-1]); err != nil || c != codeDone {
				failed.Add(1)
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "issues/s")
	if n := failed.Load(); n > 0 {
		b.Fatal(fmt.Errorf("%d of %d failed", n, b.N))
	}
}
