package sandbox

import (
	"sync"
	"time"
)

// nonceKey is one use of a nonce by one application.
type nonceKey struct{ app, nonce string }

// nonces remembers what was used during at least two clock windows. Two generations, swapped when the younger is old
// enough, forget without ever scanning. The wire log is its durable copy: each accepted nonce is written there by the
// same commit as the work it asked for.
type nonces struct {
	mu        sync.Mutex
	keep      time.Duration
	turned    time.Time
	old, live map[nonceKey]struct{}
}

func newNonces(keep time.Duration, now time.Time) *nonces {
	return &nonces{keep: keep, turned: now, old: map[nonceKey]struct{}{}, live: map[nonceKey]struct{}{}}
}

// take records a use and reports false if there was one before.
func (n *nonces) take(app, nonce string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.turned) > n.keep {
		n.old, n.live, n.turned = n.live, map[nonceKey]struct{}{}, now
	}
	key := nonceKey{app, nonce}
	if _, seen := n.live[key]; seen {
		return false
	}
	if _, seen := n.old[key]; seen {
		return false
	}
	n.live[key] = struct{}{}
	return true
}

// lengthen keeps nonces for longer when an application with a wider window is registered.
func (n *nonces) lengthen(keep time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keep = max(n.keep, keep)
}
