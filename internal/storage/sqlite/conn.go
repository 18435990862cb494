package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"

	engine "modernc.org/sqlite"
)

const (
	pageSize = 8192
	// maxStatements bounds the prepared statements that a connection keeps.
	maxStatements = 512
)

// sqlite3 is the driver, used without registering it under a name.
var sqlite3 = &engine.Driver{}

// engineConn is what the driver's connection offers and this package uses.
type engineConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
	engine.DBStatus
	engine.HookRegisterer
}

// conn is a connection that keeps its prepared statements, whichever way they are used.
type conn struct {
	engineConn
	idle map[string]driver.Stmt
	open map[*cursor]struct{}
	// limit, unless it is nil, ends statements in place of the context that they are given.
	limit context.Context

	// gone is set when SQLite ends the transaction by itself: a full disk, an I/O error or
	// an interrupt may do that in any statement. Until the owner has taken note no statement
	// may run, since it would be committed on its own.
	gone bool
}

// errGone is the answer to every statement after SQLite ended the transaction by itself.
var errGone = errors.New("sqlite has ended the transaction")

// connector opens connections with the settings that every use of the database needs.
type connector struct {
	path     string
	readOnly bool
	sync     string // FULL, or OFF for the seeded bug
}

func (c connector) Driver() driver.Driver { return sqlite3 }

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.connect() }

func (c connector) connect() (*conn, error) {
	query := "?mode=rw&_txlock=immediate"
	if c.readOnly {
		query = "?mode=ro"
	}
	dc, err := sqlite3.Open("file:" + (&url.URL{Path: c.path}).EscapedPath() + query)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", c.path, err)
	}
	ec, ok := dc.(engineConn)
	if !ok {
		_ = dc.Close()
		return nil, fmt.Errorf("open database %s: the sqlite driver lacks a function this program needs", c.path)
	}
	cn := &conn{engineConn: ec, idle: map[string]driver.Stmt{}, open: map[*cursor]struct{}{}}
	for _, pragma := range c.pragmas() {
		if _, err := ec.ExecContext(context.Background(), "PRAGMA "+pragma, nil); err != nil {
			_ = cn.Close()
			return nil, fmt.Errorf("set %s on database %s: %w", pragma, c.path, err)
		}
	}
	return cn, nil
}

func (c connector) pragmas() []string {
	common := []string{"busy_timeout = 5000", "foreign_keys = ON", "temp_store = MEMORY", "trusted_schema = OFF"}
	if c.readOnly {
		return append(common, "query_only = ON", "cache_size = -8192")
	}
	return append(common,
		fmt.Sprintf("page_size = %d", pageSize),
		"journal_mode = WAL",
		"synchronous = "+c.sync,
		"secure_delete = FAST",   // an erased data key must not stay in the gaps of its page
		"wal_autocheckpoint = 0", // the writer and the checkpointer see to it
		"cache_size = -32768",
	)
}

func (c *conn) statement(query string) (driver.Stmt, error) {
	if c.gone {
		return nil, errGone
	}
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) release(query string, s driver.Stmt) {
	_, twice := c.idle[query]
	if twice || len(c.idle) >= maxStatements {
		_ = s.Close()
		return
	}
	c.idle[query] = s
}

// ExecContext runs a statement that returns no rows.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(query)
	if err != nil {
		return nil, err
	}
	defer c.release(query, s)
	if c.limit != nil {
		ctx = c.limit
	}
	return s.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext runs a statement that returns rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(query)
	if err != nil {
		return nil, err
	}
	if c.limit != nil {
		ctx = c.limit
	}
	r, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		c.release(query, s)
		return nil, err
	}
	cur := &cursor{Rows: r, conn: c, query: query, stmt: s}
	c.open[cur] = struct{}{}
	return cur, nil
}

// closeCursors ends what a use case forgot to close.
func (c *conn) closeCursors() {
	for cur := range c.open {
		_ = cur.Close()
	}
}

// Close closes the connection with all its statements.
func (c *conn) Close() error {
	c.closeCursors()
	for _, s := range c.idle {
		_ = s.Close()
	}
	clear(c.idle)
	// The driver files hooks under the connection's address, which may be used again.
	c.RegisterCommitHook(nil)
	c.RegisterRollbackHook(nil)
	return c.engineConn.Close()
}

// cursor is a result that gives its statement back when it is closed.
type cursor struct {
	driver.Rows
	conn   *conn
	query  string
	stmt   driver.Stmt
	closed bool
}

var errCursorClosed = errors.New("rows were closed when their transaction ended")

func (r *cursor) Next(dest []driver.Value) error {
	if r.closed {
		return errCursorClosed
	}
	return r.Rows.Next(dest)
}

func (r *cursor) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	delete(r.conn.open, r)
	err := r.Rows.Close()
	r.conn.release(r.query, r.stmt)
	return err
}
