package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/kaipiao/kaipiao/internal/storage"
)

func TestFilesAreForThisUserAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := openTest(t, Options{Path: filepath.Join(dir, "test.db")})
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('a')`)
	for name, want := range map[string]os.FileMode{
		"": 0o700, "test.db": 0o600, "test.db-wal": 0o600, "test.db-shm": 0o600, "test.db.lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%q has permissions %o, want %o", name, got, want)
		}
	}
}

func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20", "店.db")
	openTest(t, Options{Path: path})
	if _, err := os.Stat(path + "-wal"); err != nil {
		t.Error(err)
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db := openTest(t, Options{Path: path})
	_, err := Open(t.Context(), Options{Path: path})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("got %v, want ErrLocked with this process's number", err)
	}
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('a')`) // the refused opener broke nothing
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wantNames(t, openTest(t, Options{Path: path}), "a")
}

func TestOpenFailsCleanly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a database. "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second try shows that the first let go of the lock
		if _, err := Open(t.Context(), Options{Path: path}); err == nil || errors.Is(err, ErrLocked) {
			t.Errorf("got %v, want an error that is not ErrLocked", err)
		}
	}
}

func TestSettings(t *testing.T) {
	db := openTest(t, Options{})
	both := map[string]string{"foreign_keys": "1", "journal_mode": "wal", "page_size": "8192", "busy_timeout": "5000", "trusted_schema": "0"}
	check := func(q storage.Querier, more map[string]string) {
		for _, settings := range []map[string]string{both, more} {
			for name, want := range settings {
				var got string
				if err := q.QueryRow(`PRAGMA ` + name).Scan(&got); err != nil || got != want {
					t.Errorf("%s is %q (%v), want %q", name, got, err, want)
				}
			}
		}
	}
	inspect := func(tx Tx) error {
		check(tx, map[string]string{"synchronous": "2", "wal_autocheckpoint": "0", "secure_delete": "2"})
		return nil
	}
	if err := db.Write(t.Context(), "settings", inspect); err != nil {
		t.Error(err)
	}
	err := db.Read(t.Context(), func(q storage.Querier) error {
		check(q, map[string]string{"query_only": "1"})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// A connection that replaces a lost one has the same settings.
	_ = db.Write(t.Context(), "lost", statement(`ROLLBACK`))
	if err := db.Write(t.Context(), "settings", inspect); err != nil {
		t.Error(err)
	}
}

func TestReadSeesOneCommittedState(t *testing.T) {
	db := openTest(t, Options{})
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('a')`)
	count := func(q storage.Querier) (n int) {
		if err := q.QueryRow(`SELECT count(*) FROM item`).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	err := db.Read(t.Context(), func(q storage.Querier) error {
		before := count(q)
		err := db.Write(t.Context(), "beside", func(tx Tx) error {
			if err := insert("b")(tx); err != nil {
				return err
			}
			return db.Read(t.Context(), func(q storage.Querier) error {
				if got := count(q); got != 1 {
					t.Errorf("a reader sees %d rows while one is uncommitted, want 1", got)
				}
				return nil
			})
		})
		if got := count(q); before != 1 || got != 1 {
			t.Errorf("one read saw %d, then %d rows", before, got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, db, "a", "b")
}

func TestReadCannotWrite(t *testing.T) {
	db := openTest(t, Options{})
	err := db.Read(t.Context(), func(q storage.Querier) error {
		_, err := q.Exec(`INSERT INTO item (name) VALUES ('a')`)
		return err
	})
	if err == nil {
		t.Error("a read was allowed to insert")
	}
	wantNames(t, db)
}

func TestEndlessReadIsEnded(t *testing.T) {
	db := openTest(t, Options{ReadLimit: 50 * time.Millisecond, Readers: 1})
	err := db.Read(t.Context(), func(q storage.Querier) error {
		var n int
		return q.QueryRow(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`).Scan(&n)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a passed deadline", err)
	}
	waitFor(t, "the only reader is usable again", func() bool {
		return db.Read(t.Context(), func(q storage.Querier) error {
			var n int
			return q.QueryRow(`SELECT count(*) FROM item`).Scan(&n)
		}) == nil
	})
}

func TestWALAlarmAndTakeover(t *testing.T) {
	var alarms atomic.Int32
	db := openTest(t, Options{
		CheckpointBytes: 20 * pageSize, WALAlarmBytes: 100 * pageSize,
		OnWALAlarm: func(int64) { alarms.Add(1) },
	})
	write := func() { mustWrite(t, db, `INSERT INTO item (body) VALUES (zeroblob(50000))`) }
	err := db.Read(t.Context(), func(q storage.Querier) error {
		if _, err := q.Exec(`SELECT * FROM item`); err != nil { // fixes the view
			return err
		}
		for i := 0; alarms.Load() == 0; i++ {
			if i > 10_000 {
				t.Fatal("no alarm although a reader holds the log")
			}
			write()
		}
		for range 100 {
			write()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := alarms.Load(); got != 1 {
		t.Errorf("%d alarms for one occasion", got)
	}
	// Without the reader the log is taken over, and begun anew.
	for i := 0; db.Stats().WALBytes > 50*pageSize; i++ {
		if i > 10_000 {
			t.Fatalf("log is still %d bytes", db.Stats().WALBytes)
		}
		write()
	}
	size := func() int64 {
		info, err := os.Stat(db.opts.Path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	for range 500 {
		write()
	}
	if after := size(); after > before {
		t.Errorf("log grew from %d to %d bytes although it is taken over regularly", before, after)
	}
}

func TestCloseCommitsWhatWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db := openTest(t, Options{Path: path})
	begun, open := make(chan struct{}), make(chan struct{})
	results := make(chan error, 2)
	go func() {
		results <- db.Write(context.Background(), "a", func(tx Tx) error { close(begun); <-open; return insert("a")(tx) })
	}()
	<-begun
	go func() { results <- db.Write(context.Background(), "b", insert("b")) }()
	waitFor(t, "b waits", func() bool { return db.Stats().Waiting == 1 })
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	waitFor(t, "the database is closing", func() bool {
		db.mu.RLock()
		defer db.mu.RUnlock()
		return db.closed
	})
	close(open)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := db.Write(t.Context(), "c", insert("c")); !errors.Is(err, ErrClosed) {
		t.Errorf("write after close: got %v", err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("write-ahead log after close: %v", err)
	}
	wantNames(t, openTest(t, Options{Path: path}), "a", "b")
}

func TestMigrate(t *testing.T) {
	var log bytes.Buffer
	db := openTest(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	fsys := fstest.MapFS{
		"00001_shop.sql": {Data: []byte("-- +goose Up\nCREATE TABLE shop (id INTEGER PRIMARY KEY) STRICT;\n-- +goose Down\nDROP TABLE shop;\n")},
	}
	for range 2 {
		if err := db.Migrate(t.Context(), fsys); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite(t, db, `INSERT INTO shop VALUES (1)`)
	fsys["00002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE shop ADD COLUMN name TEXT;\nINSERT INTO nowhere VALUES (1);\n")}
	if err := db.Migrate(t.Context(), fsys); err == nil {
		t.Error("a broken migration was accepted")
	}
	fsys["00002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE shop ADD COLUMN name TEXT;\n")}
	if err := db.Migrate(t.Context(), fsys); err != nil {
		t.Errorf("the broken migration left something behind: %v", err)
	}
	mustWrite(t, db, `UPDATE shop SET name = 'x'`)
	older := fstest.MapFS{"00001_shop.sql": fsys["00001_shop.sql"]}
	if err := db.Migrate(t.Context(), older); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("a program from before the last migration: %v", err)
	}
	if got := strings.Count(log.String(), "database migrated"); got != 2 {
		t.Errorf("%d migrations were logged: %s", got, log.String())
	}
}
