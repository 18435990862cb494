package host

import "sync/atomic"

// Counters count what happened to one plugin since the host started.
type Counters struct {
	Starts, Deaths, HealthMisses atomic.Int64
	// SlowKills: tidying up after SIGKILL did not end in time.
	SlowKills       atomic.Int64
	LogLinesDropped atomic.Int64

	Calls, CallErrors atomic.Int64
	// Batches of Parse and the requests in them; Repeats are requests sent again by themselves.
	Batches, Requests, Repeats atomic.Int64
}

// Metrics is a reading of [Counters].
type Metrics struct {
	Starts, Deaths, HealthMisses, SlowKills, LogLinesDropped int64
	Calls, CallErrors, Batches, Requests, Repeats            int64
}

func (c *Counters) read() Metrics {
	return Metrics{
		Starts: c.Starts.Load(), Deaths: c.Deaths.Load(), HealthMisses: c.HealthMisses.Load(), SlowKills: c.SlowKills.Load(),
		LogLinesDropped: c.LogLinesDropped.Load(), Calls: c.Calls.Load(), CallErrors: c.CallErrors.Load(),
		Batches: c.Batches.Load(), Requests: c.Requests.Load(), Repeats: c.Repeats.Load(),
	}
}
