package webhooks

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
)

// busy is the answer before a full gate.
var busy = refusal{status: fiber.StatusServiceUnavailable, code: CodeBusy, detail: "too many requests wait already"}

// gate bounds how many requests are inside.
type gate struct {
	inside atomic.Int64
	most   int64
}

func newGate(most int) *gate {
	if most <= 0 {
		most = inFlight
	}
	return &gate{most: int64(most)}
}

func (g *gate) enter() bool {
	if g.inside.Add(1) > g.most {
		g.inside.Add(-1)
		return false
	}
	return true
}

func (g *gate) leave() { g.inside.Add(-1) }

// Count is how often an instance's requests got one kind of answer: a result, a verdict or a code.
type Count struct {
	Instance core.InstanceID
	Kind     string
	N        uint64
}

type counts struct {
	mu sync.Mutex
	n  map[Count]uint64 // by keys whose N is 0
}

func (c *counts) add(instance core.InstanceID, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[Count]uint64{}
	}
	c.n[Count{Instance: instance, Kind: kind}]++
}

func (c *counts) list() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Count, 0, len(c.n))
	for k, n := range c.n {
		k.N = n
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}
