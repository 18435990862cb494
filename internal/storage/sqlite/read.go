package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/internal/storage"
)

// readers are the connections that read beside the writer. They are handed out here and not by a sql.DB, which starts
// several goroutines for every statement of a transaction that has a deadline: measured, a view of three rows took four
// times as long.
type readers struct {
	source connector
	// idle holds a value for each connection that nobody uses, nil for one that is not open.
	idle   chan *session
	closed chan struct{}
}

func newReaders(source connector, n int) (*readers, error) {
	r := &readers{source: source, idle: make(chan *session, n), closed: make(chan struct{})}
	c, err := source.connect()
	if err != nil {
		return nil, err
	}
	r.idle <- newSession(c)
	for range n - 1 {
		r.idle <- nil
	}
	return r, nil
}

// take waits for a connection.
func (r *readers) take(ctx context.Context) (*session, error) {
	select {
	case <-r.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case <-r.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case s := <-r.idle:
		if s != nil {
			return s, nil
		}
		c, err := r.source.connect()
		if err != nil {
			r.idle <- nil
			return nil, err
		}
		return newSession(c), nil
	}
}

// give takes a connection back. One that can't end its view is replaced.
func (r *readers) give(s *session) {
	s.conn.closeCursors()
	s.conn.limit = nil
	if err := s.exec("ROLLBACK"); err != nil { // nothing to undo; it ends the view
		_ = s.close()
		s = nil
	}
	r.idle <- s
}

// close takes no new reads and waits for those under way, which their own limits end.
func (r *readers) close() error {
	close(r.closed)
	var errs []error
	for range cap(r.idle) {
		if s := <-r.idle; s != nil {
			errs = append(errs, s.close())
		}
	}
	return errors.Join(errs...)
}

// Read gives fn one consistent view of what is committed, beside the writer and without
// holding it up. The view is fixed by fn's first statement. ctx and Options.ReadLimit end a
// read that takes too long.
func (db *DB) Read(ctx context.Context, fn func(storage.Querier) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.opts.ReadLimit)
	defer cancel()
	s, err := db.readers.take(ctx)
	if err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	defer db.readers.give(s)
	if err := s.exec("BEGIN"); err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	s.conn.limit = ctx
	return fn(readTx{s})
}

type readTx struct{ s *session }

func (t readTx) Exec(query string, args ...any) (sql.Result, error) {
	return t.s.db.Exec(query, args...)
}

func (t readTx) Query(query string, args ...any) (*sql.Rows, error) {
	return t.s.db.Query(query, args...)
}

func (t readTx) QueryRow(query string, args ...any) *sql.Row {
	return t.s.db.QueryRow(query, args...)
}
