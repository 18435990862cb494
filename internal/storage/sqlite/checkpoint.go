package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	engine "modernc.org/sqlite"
)

// checkpointer moves the write-ahead log into the database file beside the writer. SQLite
// would do it inside every n-th commit, which was measured to dominate the slowest answers.
//
// Beside a busy writer it never catches up completely, and only a log that was taken over
// completely is begun anew. So the last bit is done by the writer itself, between two groups.
type checkpointer struct {
	db    *DB
	conn  *conn
	kick  chan struct{}
	state atomic.Int32 // idle, running or almost; the writer begins and ends a round

	// Used by the writer alone, in pages.
	limit   int
	next    int // size at which the next round begins
	alarmed bool
}

const (
	idle int32 = iota
	running
	almost
)

func newCheckpointer(db *DB, source connector) (*checkpointer, error) {
	c, err := source.connect()
	if err != nil {
		return nil, err
	}
	limit := int(max(db.opts.CheckpointBytes/pageSize, 1))
	return &checkpointer{db: db, conn: c, kick: make(chan struct{}, 1), limit: limit, next: limit}, nil
}

func (c *checkpointer) disconnect() error { return c.conn.Close() }

func (c *checkpointer) stop() { close(c.kick) }

func (c *checkpointer) run() {
	for range c.kick {
		if _, _, err := checkpoint(c.conn); err != nil {
			c.db.opts.Logger.Warn("write-ahead log could not be moved into the database beside the writer", "err", err)
		}
		c.state.Store(almost)
	}
}

// afterCommit is called by the writer between two groups.
func (c *checkpointer) afterCommit(w *writer) {
	if w.session == nil {
		return
	}
	if n, _, err := w.session.conn.Status(engine.DBStatusCacheWrite, true); err == nil {
		w.walPages += n
	}
	switch c.state.Load() {
	case idle:
		if w.walPages >= c.next {
			c.state.Store(running)
			c.kick <- struct{}{}
		}
	case almost:
		c.finish(w)
		c.state.Store(idle)
	}
	c.db.counts.walPages.Store(int64(w.walPages))
}

func (c *checkpointer) finish(w *writer) {
	total, moved, err := checkpoint(w.session.conn)
	if err != nil {
		c.db.opts.Logger.Warn("write-ahead log could not be moved into the database", "err", err)
		total, moved = w.walPages, 0
	}
	w.walPages, c.next = total, c.limit
	if total == moved {
		w.walPages = 0
	} else {
		c.next = total + c.limit/4 // a reader holds on to the rest: try again later
	}
	c.alarm(int64(w.walPages) * pageSize)
}

// alarm tells once each time that the log outgrows its limit.
func (c *checkpointer) alarm(bytes int64) {
	over := bytes > c.db.opts.WALAlarmBytes
	if over && !c.alarmed {
		c.db.opts.Logger.Error("write-ahead log keeps growing: look for a read that never ends, or a disk that can't keep up",
			"bytes", bytes, "limit", c.db.opts.WALAlarmBytes)
		if c.db.opts.OnWALAlarm != nil {
			c.db.opts.OnWALAlarm(bytes)
		}
	}
	c.alarmed = over
}

// checkpoint returns the pages in the write-ahead log and how many of them are in the
// database file now. It waits for nobody.
func checkpoint(c *conn) (total, moved int, err error) {
	rows, err := c.QueryContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)", nil)
	if err != nil {
		return 0, 0, err
	}
	values := make([]driver.Value, len(rows.Columns()))
	if err := errors.Join(rows.Next(values), rows.Close()); err != nil {
		return 0, 0, err
	}
	busy, ok0 := values[0].(int64)
	log, ok1 := values[1].(int64)
	done, ok2 := values[2].(int64)
	if !ok0 || !ok1 || !ok2 || log < 0 {
		return 0, 0, fmt.Errorf("checkpoint answered %v", values)
	}
	if busy != 0 {
		return int(log), 0, nil
	}
	return int(log), int(done), nil
}
