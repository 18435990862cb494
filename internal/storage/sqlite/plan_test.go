package sqlite

import (
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/internal/storage"
)

// recorder keeps the texts of the statements that go through it.
type recorder struct {
	storage.Querier
	texts map[string]bool
}

func (r recorder) Exec(query string, args ...any) (sql.Result, error) {
	r.texts[query] = true
	return r.Querier.Exec(query, args...)
}

func (r recorder) Query(query string, args ...any) (*sql.Rows, error) {
	r.texts[query] = true
	return r.Querier.Query(query, args...)
}

func (r recorder) QueryRow(query string, args ...any) *sql.Row {
	r.texts[query] = true
	return r.Querier.QueryRow(query, args...)
}

// TestStatementsUseIndexes runs the statements whose cost must not grow with what is stored and asks SQLite how it
// works them. Only the lanes, of which there are few, may be looked at one by one.
func TestStatementsUseIndexes(t *testing.T) {
	db := openStore(t).db
	texts := map[string]bool{}
	err := db.Write(t.Context(), "test", func(tx Tx) error {
		everyday(storage.NewTx(recorder{tx, texts}))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 50 {
		t.Fatalf("only %d statements were recorded", len(texts))
	}
	scan := regexp.MustCompile(`^SCAN (\w+)( USING (COVERING )?INDEX (\w+))?`)
	allowed := []string{"l", "heads", "(subquery-1)"} // lanes, and the list that is made of them
	err = db.Read(t.Context(), func(q storage.Querier) error {
		for text := range texts {
			for _, step := range plan(t, q, text) {
				m := scan.FindStringSubmatch(step)
				newestFirst := m != nil && m[2] != "" && strings.Contains(text, "ORDER BY id DESC LIMIT")
				if m != nil && !newestFirst && !slices.Contains(allowed, m[1]) {
					t.Errorf("%s\n\tis worked by %q", text, step)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func plan(t *testing.T, q storage.Querier, text string) (steps []string) {
	rows, err := q.Query("EXPLAIN QUERY PLAN "+text, make([]any, strings.Count(text, "?"))...)
	if err != nil {
		t.Fatalf("explain %s: %v", text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	return steps
}

// everyday calls what the host calls all the time. Whether there is something to find does not matter.
func everyday(tx core.Tx) {
	at := coretest.T0
	ignore := func(...any) {}
	for range 2 {
		ignore(tx.Remember(core.DedupeEvent, "i", "key", "hash"))
		ignore(tx.Enqueue(core.Task{Key: "k", Lane: "l", RunAt: at.Add(time.Hour), EnqueuedAt: at}))
		ignore(tx.Enqueue(core.Task{Key: "k", Lane: "l", RunAt: at.Add(time.Minute), EnqueuedAt: at}))
		ignore(tx.Enqueue(core.Task{Key: "k", Lane: "l", RunAt: at, EnqueuedAt: at}))
	}
	for _, now := range []time.Time{at, at.Add(time.Hour)} { // the second finds an expired lease
		tasks, err := tx.Claim(core.Claimant{Owner: "o", Now: now, Lease: time.Minute, Max: 9})
		ignore(err, tx.Enqueue(core.Task{Key: "k", Lane: "l"}), tx.Enqueue(core.Task{ID: "2", Key: "k2", Lane: "l", RunAt: now, EnqueuedAt: at}))
		if now != at {
			ignore(tx.Retry(tasks[0], now), tx.Release(tasks[0], now), tx.Finish(tasks[0]))
			ignore(tx.Claim(core.Claimant{Owner: "o", Now: now.Add(time.Hour), Lease: time.Minute, Max: 9}))
		}
	}
	ignore(tx.NextTask())
	ignore(tx.PutEvent(core.EventRecord{ID: "e"}), tx.MarkEvents(core.EventApplied, "e"))
	ignore(tx.Event("e"))
	ignore(tx.EventByKey("i", "k"))
	ignore(tx.NewEvents("i", "n"))
	ignore(tx.EventsOf("i", "n"))
	ignore(tx.Request("r"))
	ignore(tx.Cursor("i"))
	ignore(tx.DayCloses("s", "d"))
	ignore(tx.PutSale(core.SaleRecord{ID: "s", Version: 1}))
	ignore(tx.FindSale("i", "n"))
	ignore(tx.Sale("s"))
	ignore(tx.Refunds("s"))
	ignore(tx.Covers("s"))
	ignore(tx.Uncover("d"), tx.PutCovers("s", []core.CoverRecord{{}, {Document: "d"}, {Document: "e"}}))
	ignore(tx.SaleByPlatform(core.Alias{}))
	ignore(tx.PolicyJSON("v"))
	for _, f := range []core.SaleFilter{{}, {Store: "s", After: "x"}, {Instance: "i"}, {Class: "c"}, {Name: "n"}, {Person: "p"}} {
		ignore(tx.Sales(f))
	}
	red := core.DocumentRecord{Document: core.Document{ID: "d", Sale: "s", Color: core.Red, State: core.DocIssued, Number: "n", Original: "b",
		Confirmation: &core.Confirmation{State: core.ConfNew}}}
	ignore(tx.PutDocument(red), tx.MoveDocument(core.DocIssued, red), tx.MoveConfirmation("d", core.ConfNew, core.Confirmation{State: core.ConfConfirmed}))
	ignore(tx.Document("d"))
	ignore(tx.DocumentsOf("s"))
	for _, f := range []core.DocumentFilter{{}, {Store: "s"}, {State: "s"}, {Number: "n"}, {Seller: "s", IssuedFrom: at, IssuedTo: at}} {
		ignore(tx.Documents(f))
	}
	ignore(tx.Exchanges("d"))
	ignore(tx.AnswerExchange(core.ExchangeRecord{}))
	ignore(tx.FilesOf("d"))
	ignore(tx.PickUpByHash("h"))
	ignore(tx.PickUpOf("d"))
	ignore(tx.Parcel("p"))
	ignore(tx.ParcelsOf("d"))
	ignore(tx.MoveParcel("s", core.ParcelRecord{}))
	ignore(tx.SetProblems("s", "c", at, nil), tx.OpenProblem(core.Problem{ID: "p", Sale: "s"}), tx.SetProblems("s", "", at, nil))
	ignore(tx.CloseProblem("s", "c", "x", at))
	ignore(tx.Problem("p"))
	for _, f := range []core.ProblemFilter{{}, {Sale: "s"}, {Code: "c"}, {Closed: true}} {
		ignore(tx.Problems(f))
	}
	id, err := tx.PutReview(core.Review{ID: "r"}, "s")
	ignore(err)
	ignore(tx.PutReview(core.Review{ID: "r2"}, "s"))
	ignore(tx.AnswerReview(id, "c", "b", at))
	ignore(tx.Rules("s"))
	ignore(tx.RulesVersion())
	ignore(tx.Acts("s"))
	ignore(tx.Terminal("t"))
	ignore(tx.UseActivation("h", at))
	ignore(tx.RememberNonce("t", "n", at, at))
	ignore(tx.Secrets("i"))
}
