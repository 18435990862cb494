package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestErrorAndPanicHarmNobodyElse(t *testing.T) {
	var log bytes.Buffer
	db := openTest(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	commits := db.Stats().Commits
	refused := errors.New("refused by the trade")
	type private struct{ mobile string }
	var nothing map[string]int

	errs := inOneGroup(t, db,
		insert("a"),
		func(tx Tx) error { return errors.Join(insert("b")(tx), refused) },
		func(tx Tx) error { _ = insert("c")(tx); panic(private{"13800001234"}) },
		func(tx Tx) error { _ = insert("d")(tx); nothing["x"] = 1; return nil },
		insert("a"), // breaks the unique key
		func(tx Tx) error { _ = insert("a")(tx); return insert("e")(tx) },
	)
	for i, want := range []string{"", refused.Error(), "panic: sqlite.private", "panic: assignment to entry in nil map", "UNIQUE constraint failed", ""} {
		if got := fmt.Sprint(errs[i]); (want == "") != (errs[i] == nil) || !strings.Contains(got, want) {
			t.Errorf("use case %d: got error %v, want %q", i, errs[i], want)
		}
	}
	wantNames(t, db, "a", "e")
	if got := db.Stats().Commits - commits; got != 1 {
		t.Errorf("%d commits, want 1 for the whole group", got)
	}
	if !strings.Contains(log.String(), "write_test.go") || strings.Contains(log.String(), "13800001234") {
		t.Errorf("log must show the stack of a panic and not its value: %s", log.String())
	}
}

func TestLaterUseCaseSeesEarlierOne(t *testing.T) {
	db := openTest(t, Options{})
	var count int
	errs := inOneGroup(t, db, insert("a"), func(tx Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM item`).Scan(&count)
	})
	if err := errors.Join(errs...); err != nil || count != 1 {
		t.Errorf("second use case counts %d, error %v", count, err)
	}
}

func TestQueueFull(t *testing.T) {
	db := openTest(t, Options{MaxQueue: 2})
	overflow := make(chan error, 1)
	errs := inOneGroup(t, db, insert("a"), func(tx Tx) error { return insert("b")(tx) })
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	begun, open := make(chan struct{}), make(chan struct{})
	results := make(chan error, 3)
	go func() {
		results <- db.Write(context.Background(), "gate", func(Tx) error { close(begun); <-open; return nil })
	}()
	<-begun
	for i, name := range []string{"c", "d"} {
		go func() { results <- db.Write(context.Background(), "member", insert(name)) }()
		waitFor(t, "use case waits", func() bool { return db.Stats().Waiting == i+1 })
	}
	overflow <- db.Write(t.Context(), "one too many", insert("e"))
	if err := <-overflow; !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	close(open)
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	wantNames(t, db, "a", "b", "c", "d")
	if got := db.Stats().Refused; got != 1 {
		t.Errorf("%d refused, want 1", got)
	}
}

func TestContextBoundsOnlyTheWait(t *testing.T) {
	db := openTest(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	begun, open := make(chan struct{}), make(chan struct{})
	running := make(chan error, 1)
	go func() {
		running <- db.Write(ctx, "running", func(tx Tx) error {
			close(begun)
			<-open
			return insert("running")(tx)
		})
	}()
	<-begun
	queued := make(chan error, 1)
	go func() { queued <- db.Write(ctx, "queued", insert("queued")) }()
	waitFor(t, "use case waits", func() bool { return db.Stats().Waiting == 1 })
	cancel()
	if err := <-queued; !errors.Is(err, context.Canceled) {
		t.Errorf("queued use case: got %v, want context.Canceled", err)
	}
	close(open)
	if err := <-running; err != nil {
		t.Errorf("use case that had begun: %v", err)
	}
	if err := db.Write(ctx, "late", insert("late")); !errors.Is(err, context.Canceled) {
		t.Errorf("use case after the end of its context: got %v", err)
	}
	wantNames(t, db, "running")
}

func TestAfterCommit(t *testing.T) {
	commits := 0
	db := openTest(t, Options{OnCommit: func() { commits++ }})
	var called []string
	note := func(name string, err error) func(Tx) error {
		return func(tx Tx) error {
			tx.AfterCommit(func() { called = append(called, name) })
			return err
		}
	}
	before := commits
	inOneGroup(t, db, note("a", nil), note("b", errors.New("no")), note("c", nil))
	if got := strings.Join(called, ","); got != "a,c" || commits != before+1 {
		t.Errorf("called after commit: %s; OnCommit %d times", got, commits-before)
	}
	if err := db.Write(t.Context(), "x", func(tx Tx) error { tx.AfterCommit(func() { panic("x") }); return insert("d")(tx) }); err != nil {
		t.Errorf("a callback's panic came back as %v", err)
	}
	wantNames(t, db, "d")
}

func TestForgottenRowsAndNestedQueries(t *testing.T) {
	db := openTest(t, Options{})
	mustWrite(t, db, `INSERT INTO item (name) VALUES ('a'), ('b'), ('c')`)
	const all = `SELECT name FROM item ORDER BY name`
	for range 20 {
		err := db.Write(t.Context(), "forgetful", func(tx Tx) error {
			tx.QueryRow(all) // never scanned
			outer, err := tx.Query(all)
			if err != nil {
				return err
			}
			for outer.Next() {
				inner, err := tx.Query(all)
				if err != nil {
					return err
				}
				if got, err := collect(inner); err != nil || len(got) != 3 {
					return fmt.Errorf("inner query gave %v, %w", got, err)
				}
				if _, err := tx.Exec(`UPDATE item SET body = x'00' WHERE name = 'a'`); err != nil {
					return err
				}
				break // outer stays open
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(db.writer.session.conn.open); n != 0 {
		t.Errorf("%d results are still open", n)
	}
}

func TestTxEndsWithItsFunction(t *testing.T) {
	db := openTest(t, Options{})
	var kept Tx
	if err := db.Write(t.Context(), "keeper", func(tx Tx) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	_, execErr := kept.Exec(`INSERT INTO item (name) VALUES ('late')`)
	_, queryErr := kept.Query(`SELECT 1`)
	var n int
	rowErr := kept.QueryRow(`SELECT 1`).Scan(&n)
	for _, err := range []error{execErr, queryErr, rowErr} {
		if !errors.Is(err, errTxOver) {
			t.Errorf("got %v, want %v", err, errTxOver)
		}
	}
	wantNames(t, db)
}

func TestArguments(t *testing.T) {
	db := openTest(t, Options{})
	type number string
	err := db.Write(t.Context(), "args", func(tx Tx) error {
		if _, err := tx.Exec(`INSERT INTO item VALUES (?, ?, ?)`, 7, number("K-1"), []byte{0, 1}); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO item VALUES (?, ?, ?)`, uint32(8), sql.NullString{}, nil); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO item VALUES (?, ?, ?)`, struct{}{}, "x", nil)
		if err == nil || !strings.Contains(err.Error(), "argument 1") {
			t.Errorf("a struct as argument: got %v", err)
		}
		var id int64
		var body []byte
		if err := tx.QueryRow(`SELECT id, body FROM item WHERE name = ?`, number("K-1")).Scan(&id, &body); err != nil {
			return err
		}
		if id != 7 || !bytes.Equal(body, []byte{0, 1}) {
			t.Errorf("read back %d, %x", id, body)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
