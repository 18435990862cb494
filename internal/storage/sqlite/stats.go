package sqlite

import (
	"math/bits"
	"sync/atomic"
)

// Stats counts what the writer has done since the database was opened.
type Stats struct {
	Commits   uint64 // commits that hold at least one stored use case
	Stored    uint64 // use cases that were stored
	Failed    uint64 // use cases that returned an error or panicked, and were undone
	NotStored uint64 // use cases of lost transactions
	Lost      uint64 // transactions that were lost
	Refused   uint64 // use cases that were refused because the queue was full

	// GroupSizes[i] counts the commits of 2^i to 2^(i+1)-1 use cases.
	GroupSizes [16]uint64

	Waiting  int   // use cases in the queue now
	WALBytes int64 // content of the write-ahead log that may not be in the database file yet
}

type counters struct {
	commits, stored, failed, notStored, lost, refused atomic.Uint64

	sizes    [16]atomic.Uint64
	walPages atomic.Int64
}

func (c *counters) note(jobs, stored int, lost error) {
	if lost != nil {
		c.lost.Add(1)
		c.notStored.Add(uint64(jobs))
		return
	}
	c.stored.Add(uint64(stored))
	c.failed.Add(uint64(jobs - stored))
	if stored > 0 {
		c.commits.Add(1)
		c.sizes[min(bits.Len(uint(stored))-1, len(c.sizes)-1)].Add(1)
	}
}

// Stats returns the counters. They are read one by one, so that a commit may come between.
func (db *DB) Stats() Stats {
	c := &db.counts
	s := Stats{
		Commits: c.commits.Load(), Stored: c.stored.Load(), Failed: c.failed.Load(),
		NotStored: c.notStored.Load(), Lost: c.lost.Load(), Refused: c.refused.Load(),
		Waiting: len(db.queue), WALBytes: c.walPages.Load() * pageSize,
	}
	for i := range c.sizes {
		s.GroupSizes[i] = c.sizes[i].Load()
	}
	return s
}
