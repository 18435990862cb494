package storage

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// view reads inside one transaction of any engine; transaction writes as well. The statements are constant texts, so
// that engines can keep them prepared, and plain enough for SQLite and PostgreSQL alike.
type (
	view        struct{ q Querier }
	transaction struct{ view }
)

var _ core.Tx = transaction{}

// NewView reads through an engine's transaction.
func NewView(q Querier) core.View { return view{q} }

// NewTx reads and writes through an engine's transaction. Errors wrap those of core where a caller can act on them.
func NewTx(q Querier) core.Tx { return transaction{view{q}} }

// exec runs a statement and returns how many rows it changed.
func (t transaction) exec(what, query string, args ...any) (int64, error) {
	r, err := t.q.Exec(query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: count rows: %w", what, err)
	}
	return n, nil
}

// do runs a statement that may change any number of rows.
func (t transaction) do(what, query string, args ...any) error {
	_, err := t.exec(what, query, args...)
	return err
}

// must runs a statement that has to change a row; ErrConflict if it did not.
func (t transaction) must(what, query string, args ...any) error {
	n, err := t.exec(what, query, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", what, core.ErrConflict)
	}
	return err
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// one reads one row; ErrNotFound if there is none.
func one[T any](v view, what string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	out, err := scan(v.q.QueryRow(query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		err = core.ErrNotFound
	}
	if err != nil {
		var zero T
		return zero, fmt.Errorf("read %s: %w", what, err)
	}
	return out, nil
}

// many reads rows in the query's order.
func many[T any](v view, what string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := v.q.Query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return out, nil
}

// value scans a single column.
func value[T any](s scanner) (v T, err error) { return v, s.Scan(&v) }
