package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver named "sqlite"
)

var errClosed = errors.New("sandbox: the bureau is closed")

// maxGroup bounds how many pieces of work share one commit, so that a crash never takes a long reply queue with it.
const maxGroup = 256

// store is the bureau's file. One goroutine owns the writing connection; whatever waits when a commit ends shares the
// next one, without a timer, so the cost of an fsync is divided by the load.
type store struct {
	lock    *sql.DB
	writer  *sql.DB
	conn    *sql.Conn
	readers *sql.DB
	stmts   map[string]*sql.Stmt

	mu     sync.RWMutex // guards closed against senders on jobs
	closed bool
	jobs   chan *job
	ended  chan struct{}
}

type job struct {
	run  func(*tx) error
	err  error
	done chan struct{}
}

func openStore(dir string) (_ *store, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the sandbox folder: %w", err)
	}
	s := &store{stmts: map[string]*sql.Stmt{}, jobs: make(chan *job, maxGroup), ended: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeFiles())
		}
	}()
	if err := s.takeLock(filepath.Join(dir, "sandbox.lock")); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "sandbox.db")
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	// page_size must come before the file becomes a WAL database; on an existing file it changes nothing.
	pragmas := "?_pragma=page_size(8192)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)"
	if s.writer, err = sql.Open("sqlite", "file:"+path+pragmas); err != nil {
		return nil, fmt.Errorf("opening the sandbox ledger: %w", err)
	}
	s.writer.SetMaxOpenConns(1)
	if s.conn, err = s.writer.Conn(context.Background()); err != nil {
		return nil, fmt.Errorf("opening the sandbox ledger: %w", err)
	}
	if _, err = s.conn.ExecContext(context.Background(), schema); err != nil {
		return nil, fmt.Errorf("creating the sandbox tables: %w", err)
	}
	if s.readers, err = sql.Open("sqlite", "file:"+path+pragmas+"&_pragma=query_only(1)"); err != nil {
		return nil, fmt.Errorf("opening the sandbox ledger for reading: %w", err)
	}
	s.readers.SetMaxOpenConns(4)
	go s.write()
	return s, nil
}

// takeLock keeps a second bureau away from the same folder: ids are drawn from memory, two writers would clash. An open
// exclusive transaction in a file of its own is a lock on every system, and a killed process loses it.
func (s *store) takeLock(path string) error {
	var err error
	if s.lock, err = sql.Open("sqlite", "file:"+path); err != nil {
		return fmt.Errorf("opening the sandbox lock: %w", err)
	}
	s.lock.SetMaxOpenConns(1)
	if _, err := s.lock.ExecContext(context.Background(), "BEGIN EXCLUSIVE"); err != nil {
		return fmt.Errorf("locking the sandbox folder (is another sandbox running there?): %w", err)
	}
	return nil
}

// createPrivate makes the file unreadable to others before SQLite writes keys into it.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("creating the sandbox ledger: %w", err)
	}
	return f.Close()
}

// do runs fn inside the next commit and returns when that commit is on disk. An error of fn undoes only fn.
func (s *store) do(fn func(*tx) error) error {
	j := &job{run: fn, done: make(chan struct{})}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return errClosed
	}
	s.jobs <- j
	s.mu.RUnlock()
	<-j.done
	return j.err
}

func (s *store) write() {
	defer close(s.ended)
	for first := range s.jobs {
		group := []*job{first}
		err := s.commit(first, &group)
		for _, j := range group {
			if err != nil {
				j.err = err
			}
			close(j.done)
		}
	}
}

func (s *store) commit(first *job, group *[]*job) error {
	t := &tx{s}
	if err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("starting a commit: %w", err)
	}
	err := t.attempt(first)
	for err == nil && len(*group) < maxGroup {
		var next *job
		select {
		case next = <-s.jobs:
		default:
		}
		if next == nil {
			break
		}
		*group = append(*group, next)
		err = t.attempt(next)
	}
	if err == nil {
		err = t.exec("COMMIT")
	}
	if err != nil {
		// SQLite may have ended the transaction by itself (full disk); then this fails, and that is well.
		_ = t.exec("ROLLBACK")
		return fmt.Errorf("committing %d requests: %w", len(*group), err)
	}
	return nil
}

// close waits for the work in hand, then closes the files.
func (s *store) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.jobs)
	s.mu.Unlock()
	<-s.ended
	return s.closeFiles()
}

func (s *store) closeFiles() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	for _, db := range []*sql.DB{s.readers, s.writer, s.lock} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
