package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

var errTxOver = errors.New("the transaction is over: its function has returned")

// writeTx is the transaction as one use case sees it. Exec goes straight to the driver, which
// saves the bookkeeping of database/sql; queries go through it for the sake of Scan.
type writeTx struct {
	session *session
	after   []func()
	over    bool
}

func (t *writeTx) Exec(query string, args ...any) (sql.Result, error) {
	if t.over {
		return nil, errTxOver
	}
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return t.session.conn.ExecContext(context.Background(), query, values)
}

func (t *writeTx) Query(query string, args ...any) (*sql.Rows, error) {
	return t.session.queries(t.over).QueryContext(context.Background(), query, args...)
}

func (t *writeTx) QueryRow(query string, args ...any) *sql.Row {
	return t.session.queries(t.over).QueryRowContext(context.Background(), query, args...)
}

func (t *writeTx) AfterCommit(f func()) { t.after = append(t.after, f) }

// session is the writer's connection, dressed for database/sql as well.
type session struct {
	conn *conn
	db   *sql.DB // a pool whose connections are all the one above
	over *sql.DB // a pool that only knows the error errTxOver
}

func newSession(c *conn) *session {
	s := &session{conn: c, db: sql.OpenDB(aliases{conn: c}), over: sql.OpenDB(aliases{err: errTxOver})}
	s.db.SetMaxIdleConns(8)
	return s
}

func (s *session) queries(over bool) *sql.DB {
	if over {
		return s.over
	}
	return s.db
}

func (s *session) exec(query string) error {
	_, err := s.conn.ExecContext(context.Background(), query, nil)
	return err
}

func (s *session) close() error {
	return errors.Join(s.over.Close(), s.db.Close(), s.conn.Close())
}

// aliases hands out the same connection again and again. Everything happens in the writer's
// goroutine, so that queries may be nested, and rows that somebody forgot don't block it.
type aliases struct {
	conn *conn
	err  error
}

func (a aliases) Driver() driver.Driver { return sqlite3 }

func (a aliases) Connect(context.Context) (driver.Conn, error) {
	if a.err != nil {
		return nil, a.err
	}
	return alias{a.conn}, nil
}

type alias struct{ *conn }

// Close leaves the connection to its owner.
func (alias) Close() error { return nil }
