package host_test

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkParse measures requests through a real plugin process over mutual TLS; many callers share calls.
func BenchmarkParse(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers-%d", callers), func(b *testing.B) {
			h := start(b, newSetup(b).options())
			mustSay(b, h, "hi")
			var failed atomic.Int64
			b.SetParallelism(callers)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := h.Parse(b.Context(), shop, request("hi")); err != nil {
						failed.Add(1)
					}
				}
			})
			if n := failed.Load(); n > 0 {
				b.Errorf("%d calls failed", n)
			}
			m := status(h).Metrics
			b.ReportMetric(float64(m.Requests)/float64(m.Batches), "requests/call")
		})
	}
}
