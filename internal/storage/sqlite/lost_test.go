package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// endTransaction lists ways in which a transaction ends before its commit.
var endTransaction = map[string]func(tx Tx) error{
	"interrupt": func(tx Tx) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		tripwire.Store("cancel", cancel)
		_, err := tx.(*writeTx).session.conn.ExecContext(ctx, `INSERT INTO item (name)
			WITH RECURSIVE n(i) AS (SELECT tripwire() UNION ALL SELECT i + 1 FROM n LIMIT 1000000000) SELECT 'n' || i FROM n`, nil)
		return err
	},
	"commit by the use case": func(tx Tx) error {
		_, err := tx.Exec(`COMMIT`)
		return err
	},
	"rollback by the use case": func(tx Tx) error {
		_, err := tx.Exec(`ROLLBACK`)
		return err
	},
	"conflict that rolls back": func(tx Tx) error {
		_, err := tx.Exec(`INSERT OR ROLLBACK INTO item (name) VALUES ('before')`)
		return err
	},
	"page limit": func(tx Tx) error {
		if _, err := tx.Exec(`PRAGMA max_page_count = 1`); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO item (body) VALUES (zeroblob(10000000))`)
		return err
	},
}

var tripwire sync.Map

func init() {
	sqlite3.MustRegisterScalarFunction("tripwire", 0, cancelInterrupt)
}

func TestLostTransaction(t *testing.T) {
	for name, end := range endTransaction {
		for _, swallow := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", error swallowed"}[swallow], func(t *testing.T) {
				db := openTest(t, Options{})
				mustWrite(t, db, `INSERT INTO item (name) VALUES ('before')`)
				refused := errors.New("refused")
				errs := inOneGroup(t, db,
					insert("a"),
					func(Tx) error { return refused },
					func(tx Tx) error {
						err := end(tx)
						if swallow {
							// Must not be committed on their own.
							orphan := insert("orphan")(tx)
							orphan2 := tx.QueryRow(`INSERT INTO item (name) VALUES ('orphan2') RETURNING id`).Scan(new(int))
							if !errors.Is(orphan, errGone) || !errors.Is(orphan2, errGone) {
								t.Errorf("statements after the end of the transaction: %v, %v", orphan, orphan2)
							}
							return nil
						}
						return err
					},
					insert("b"),
				)
				for i, err := range errs[:3] {
					if !errors.Is(err, ErrNotStored) || errors.Is(err, refused) {
						t.Errorf("use case %d: got %v, want ErrNotStored alone", i, err)
					}
				}
				if name == "page limit" && !swallow && !strings.Contains(errs[0].Error(), "full") {
					t.Errorf("the reason is not told: %v", errs[0])
				}
				if errs[3] != nil {
					t.Errorf("the use case after the lost group: %v", errs[3])
				}
				wantNames(t, db, "b", "before")
				if s := db.Stats(); s.Lost != 1 || s.NotStored != 4 {
					t.Errorf("statistics: %+v", s)
				}
			})
		}
	}
}

func TestFailedCommitFailsTheGroup(t *testing.T) {
	db := openTest(t, Options{})
	mustWrite(t, db, `CREATE TABLE child (id INTEGER REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED) STRICT`)
	errs := inOneGroup(t, db, insert("a"), statement(`INSERT INTO child VALUES (99)`))
	for i, err := range errs {
		if !errors.Is(err, ErrNotStored) {
			t.Errorf("use case %d: got %v, want ErrNotStored", i, err)
		}
	}
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('b')`)
	wantNames(t, db, "b")
}

// TestFullDisk needs the right to mount a small file system of its own; where that is missing
// TestFileSizeLimit still shows a write that fails.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("LEFT OUT: a really full disk, since mounting a tmpfs failed (%v); run as root to have it", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	db := openTest(t, Options{Path: filepath.Join(dir, "test.db"), CheckpointBytes: 1 << 20})
	stored := fillUntilNotStored(t, db)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('space is back')`)
	wantNames(t, db, append(stored, "space is back")...)
}

// TestFileSizeLimit has the kernel refuse writes beyond a file size: an I/O error.
func TestFileSizeLimit(t *testing.T) {
	const role = "SQLITE_TEST_FILE_SIZE_LIMIT"
	if os.Getenv(role) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFileSizeLimit$", "-test.v")
		cmd.Env = append(os.Environ(), role+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "limit was met") {
			t.Errorf("process with a file size limit: %v\n%s", err, out)
		}
		return
	}
	db := openTest(t, Options{})
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	ignoreFileSizeSignal()
	small := syscall.Rlimit{Cur: 2 << 20, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	stored := fillUntilNotStored(t, db)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('space is back')`)
	wantNames(t, db, append(stored, "space is back")...)
	t.Log("limit was met")
}

// fillUntilNotStored writes groups of two until one is refused, and checks that the refused
// group is refused as a whole, more than once. It returns what was acknowledged.
func fillUntilNotStored(t *testing.T, db *DB) (stored []string) {
	t.Helper()
	body := make([]byte, 100_000)
	_, _ = rand.Read(body)
	failures := 0
	for i := 0; failures < 3; i++ {
		if i > 1000 {
			t.Fatal("the disk did not fill up")
		}
		pair := []string{letters(i) + "1", letters(i) + "2"}
		var fns []func(Tx) error
		for _, name := range pair {
			fns = append(fns, statement(`INSERT INTO item (name, body) VALUES (?, ?)`, name, body))
		}
		errs := inOneGroup(t, db, fns...)
		if (errs[0] == nil) && (errs[1] == nil) {
			stored = append(stored, pair...)
			continue
		}
		failures++
		// The first may have been lost with a group of its own, and the second may still fit.
		for j, err := range errs {
			if err == nil {
				stored = append(stored, pair[j])
			} else if !errors.Is(err, ErrNotStored) {
				t.Fatalf("got %v, want ErrNotStored", err)
			}
		}
	}
	if len(stored) == 0 {
		t.Fatal("nothing was stored before the disk was full")
	}
	slices.Sort(stored)
	wantNames(t, db, stored...)
	return stored
}

// letters keeps the order of numbers below 676 in text.
func letters(i int) string { return string([]byte{'a' + byte(i/26), 'a' + byte(i%26)}) }
