package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kaipiao/kaipiao/internal/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits that end at once on a machine that isn't overloaded.
const patience = time.Minute

func openTest(t *testing.T, opts Options) *DB {
	t.Helper()
	if opts.Path == "" {
		opts.Path = filepath.Join(t.TempDir(), "data", "test.db")
	}
	db, err := Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	mustWrite(t, db, `CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB) STRICT`)
	return db
}

func mustWrite(t *testing.T, db *DB, query string, args ...any) {
	t.Helper()
	if err := db.Write(t.Context(), "test", statement(query, args...)); err != nil {
		t.Fatal(err)
	}
}

func statement(query string, args ...any) func(Tx) error {
	return func(tx Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}
}

func insert(name string) func(Tx) error {
	return statement(`INSERT INTO item (name) VALUES (?)`, name)
}

func names(t *testing.T, db *DB) []string {
	t.Helper()
	var list []string
	err := db.Read(t.Context(), func(q storage.Querier) error {
		rows, err := q.Query(`SELECT name FROM item ORDER BY name`)
		if err != nil {
			return err
		}
		list, err = collect(rows)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func collect(rows *sql.Rows) (list []string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

func wantNames(t *testing.T, db *DB, want ...string) {
	t.Helper()
	if got := names(t, db); !slices.Equal(got, want) {
		t.Errorf("stored are %q, want %q", got, want)
	}
}

// waitFor looks again and again until the condition holds.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("timed out: %s", what)
		}
	}
}

// inOneGroup runs the use cases in one transaction, in their order, and returns their errors.
func inOneGroup(t *testing.T, db *DB, fns ...func(Tx) error) []error {
	t.Helper()
	begun, open := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- db.Write(context.Background(), "gate", func(Tx) error {
			close(begun)
			<-open
			return nil
		})
	}()
	<-begun
	results := make([]chan error, len(fns))
	for i, fn := range fns {
		results[i] = make(chan error, 1)
		go func() { results[i] <- db.Write(context.Background(), "member", fn) }()
		waitFor(t, "use case is in the queue", func() bool { return db.Stats().Waiting == i+1 })
	}
	close(open)
	errs := make([]error, len(fns))
	for i := range fns {
		errs[i] = <-results[i]
	}
	<-first
	return errs
}
