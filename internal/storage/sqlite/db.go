// Package sqlite is the default database engine of the host: one SQLite file, one writer
// that commits for everybody, and readers beside it.
//
// A use case that writes is a function given to [DB.Write]. The writer runs it inside a
// savepoint; whatever waits when a commit ends shares the next one, with no timer. So a single
// caller waits for one disk sync, and a thousand callers share a few. The function gets
// nothing but the transaction: it must not map, sign, hash or call out, since everybody waits
// for it. It must not defer constraints, for these fail the commit of the whole group.
//
// Write returns nil only after COMMIT returned with synchronous=FULL.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/kaipiao/kaipiao/internal/fault"
	"github.com/kaipiao/kaipiao/internal/storage"
)

// What Write may return beside the function's own error; see package storage.
var (
	ErrBusy      = storage.ErrBusy
	ErrNotStored = storage.ErrNotStored
)

// ErrClosed is the answer of a database that has been closed.
var ErrClosed = errors.New("database is closed")

// Tx is what a writing function sees of the database.
type Tx = storage.Tx

// DB is an open database. All methods may be called from any goroutine.
type DB struct {
	opts    Options
	lock    *os.File
	readers *readers
	counts  counters

	mu     sync.RWMutex // guards closed, and sending on queue against its closing
	closed bool
	queue  chan *job

	writer     *writer
	checkpoint *checkpointer
	done       sync.WaitGroup
}

// Open opens the database file, or makes it, readable for this user alone. A file that another
// process has open is refused with ErrLocked.
func Open(ctx context.Context, opts Options) (*DB, error) {
	opts = opts.withDefaults()
	path, err := filepath.Abs(opts.Path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", opts.Path, err)
	}
	opts.Path = path
	if err := prepareFiles(path); err != nil {
		return nil, err
	}
	lock, err := acquireLock(path)
	if err != nil {
		return nil, err
	}
	db := &DB{opts: opts, lock: lock, queue: make(chan *job, opts.MaxQueue)}
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return db, nil
}

func (db *DB) start(ctx context.Context) error {
	source := connector{path: db.opts.Path, sync: "FULL"}
	if fault.Bug(fault.BugNoFsync) {
		source.sync = "OFF"
	}
	db.writer = newWriter(db, source)
	if err := db.writer.connect(); err != nil {
		return err
	}
	var err error
	if db.checkpoint, err = newCheckpointer(db, source); err != nil {
		return errors.Join(err, db.writer.disconnect())
	}
	db.readers, err = newReaders(connector{path: db.opts.Path, readOnly: true}, db.opts.Readers)
	if err != nil {
		return errors.Join(fmt.Errorf("open database %s for reading: %w", db.opts.Path, err),
			db.checkpoint.disconnect(), db.writer.disconnect())
	}
	db.done.Go(db.checkpoint.run)
	db.done.Go(db.writer.run)
	return nil
}

// Close commits what is waiting, moves the write-ahead log into the file and lets go of it.
// It waits for reads that are under way, which are ended by their own limits.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	close(db.queue)
	db.mu.Unlock()

	db.done.Wait()
	err := errors.Join(db.readers.close(), db.checkpoint.disconnect(), db.writer.disconnect(), db.lock.Close())
	if err != nil {
		return fmt.Errorf("close database %s: %w", db.opts.Path, err)
	}
	return nil
}
