// Package coretest helps to test what is built on core: a clock and ids that are the same in every run, builders of
// sales and refunds, and one conformance suite for each port.
package coretest

import (
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// T0 is when tests begin: a Monday morning in Shanghai.
var T0 = time.Date(2026, time.November, 2, 1, 0, 0, 0, time.UTC)

// Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

var _ core.Clock = (*Clock)(nil)

// NewClock makes a clock that shows t0.
func NewClock(t0 time.Time) *Clock { return &Clock{now: t0} }

// Now is the time that the clock was set to.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on and returns the new time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Set moves the clock to a time.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// IDs draws ids that are the same in every run, each sorting behind the one before. It is safe for concurrent use.
type IDs struct {
	mu    sync.Mutex
	state uint64
	n     int64
}

var _ core.IDs = (*IDs)(nil)

// NewIDs makes a source of ids; sources with different seeds draw different ones.
func NewIDs(seed uint64) *IDs { return &IDs{state: seed} }

// New draws an id.
func (i *IDs) New() core.ID {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.n++
	i.state += 0x9E3779B97F4A7C15 // splitmix64
	z := i.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return core.MakeID(T0.Add(time.Duration(i.n)*time.Millisecond), z^z>>31)
}
