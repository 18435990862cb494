package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const schema = `
CREATE TABLE IF NOT EXISTS registry (
	kind TEXT NOT NULL, key TEXT NOT NULL, doc TEXT NOT NULL,
	PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invoices (
	id INTEGER PRIMARY KEY, app TEXT NOT NULL, serial TEXT NOT NULL, number TEXT NOT NULL UNIQUE,
	seller TEXT NOT NULL, taken_at INTEGER NOT NULL, issued_at INTEGER NOT NULL, failed INTEGER NOT NULL,
	content BLOB NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS invoices_serial ON invoices (app, serial);
CREATE INDEX IF NOT EXISTS invoices_list ON invoices (seller, issued_at, id);
CREATE TABLE IF NOT EXISTS confirmations (
	id INTEGER PRIMARY KEY, app TEXT NOT NULL, application TEXT NOT NULL, uuid TEXT NOT NULL UNIQUE,
	blue_number TEXT NOT NULL, content BLOB NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS confirmations_application ON confirmations (app, application);
CREATE INDEX IF NOT EXISTS confirmations_blue ON confirmations (blue_number);
CREATE TABLE IF NOT EXISTS quota (
	seller TEXT NOT NULL, month TEXT NOT NULL, used TEXT NOT NULL,
	PRIMARY KEY (seller, month)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wire (
	id INTEGER PRIMARY KEY, app TEXT NOT NULL, op TEXT NOT NULL, ref TEXT NOT NULL, seller TEXT NOT NULL,
	nonce TEXT NOT NULL, received_at INTEGER NOT NULL, decided_at INTEGER NOT NULL, bureau_time INTEGER NOT NULL,
	code TEXT NOT NULL, http_status INTEGER NOT NULL, fault TEXT NOT NULL, done INTEGER NOT NULL) STRICT;
`

// tx is the commit being filled. Only the writer's goroutine has one. Its statements take no cancellable context: an
// interrupt would end the transaction of everybody in the group.
type tx struct{ s *store }

// attempt runs one job in a savepoint. It returns an error only if the whole transaction is lost.
func (t *tx) attempt(j *job) error {
	if err := t.exec("SAVEPOINT one"); err != nil {
		return err
	}
	if j.err = t.guarded(j.run); j.err != nil {
		if err := t.exec("ROLLBACK TO one"); err != nil {
			return err
		}
	}
	return t.exec("RELEASE one")
}

// guarded turns a panic into this one request's error, so that its neighbours in the group are still answered.
func (t *tx) guarded(run func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the bureau: %v", p)
		}
	}()
	return run(t)
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if stmt, ok := t.s.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.s.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("preparing %q: %w", query, err)
	}
	t.s.stmts[query] = stmt
	return stmt, nil
}

func (t *tx) exec(query string, args ...any) error {
	stmt, err := t.stmt(query)
	if err != nil {
		return err
	}
	if _, err := stmt.ExecContext(context.Background(), args...); err != nil {
		return fmt.Errorf("executing %q: %w", query, err)
	}
	return nil
}

// row scans the first row into dest and reports whether there was one.
func (t *tx) row(query string, args []any, dest ...any) (bool, error) {
	stmt, err := t.stmt(query)
	if err != nil {
		return false, err
	}
	err = stmt.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading %q: %w", query, err)
	}
	return true, nil
}

// each calls scan for every row.
func (t *tx) each(query string, args []any, scan func(*sql.Rows) error) error {
	stmt, err := t.stmt(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return fmt.Errorf("reading %q: %w", query, err)
	}
	return scanAll(rows, scan)
}

func scanAll(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
