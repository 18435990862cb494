package webhooks

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limitKeys bounds the memory of limits: at most twice as many keys are known at a time.
const limitKeys = 8192

// limits is a token bucket for each key. Keys that were not used while limitKeys others came are forgotten.
type limits struct {
	every rate.Limit
	burst int

	mu         sync.Mutex
	young, old map[string]*rate.Limiter
}

// newLimits allows burst uses of a key at once and as many again per span.
func newLimits(burst int, span time.Duration) *limits {
	return &limits{every: rate.Every(span / time.Duration(burst)), burst: burst, young: map[string]*rate.Limiter{}}
}

func (l *limits) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.young[key]
	if !ok {
		if b, ok = l.old[key]; !ok {
			b = rate.NewLimiter(l.every, l.burst)
		}
		if len(l.young) >= limitKeys {
			l.old, l.young = l.young, map[string]*rate.Limiter{}
		}
		l.young[key] = b
	}
	return b.AllowN(now, 1)
}

// tillLimits bounds the receipts of each till. Only tills that have proven themselves get a bucket.
type tillLimits struct {
	perMinute int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// wait is 0 if n receipts of a till may come now, else the whole seconds until they may.
func (l *tillLimits) wait(terminal string, n int, now time.Time) int {
	if l.perMinute <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets = map[string]*rate.Limiter{}
	}
	b, ok := l.buckets[terminal]
	if !ok { // the largest batch always fits into a full bucket
		b = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), max(l.perMinute, maxLines))
		l.buckets[terminal] = b
	}
	r := b.ReserveN(now, n)
	d := r.DelayFrom(now)
	if d == 0 {
		return 0
	}
	r.CancelAt(now)
	return int(math.Ceil(d.Seconds()))
}
