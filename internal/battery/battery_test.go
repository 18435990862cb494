package battery

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// binaries are built once for all tests that need processes.
func binaries(t *testing.T) Binaries {
	t.Helper()
	if testing.Short() {
		t.Skip("LEFT OUT by -short: the tests that build and kill the host")
	}
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "battery"); built.err == nil {
			built.bin, built.err = Build(context.Background(), built.dir)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.bin
}

// house is a house of a test of its own; on failure the end of the host's log is shown.
func house(t *testing.T) *House {
	t.Helper()
	bin := binaries(t)
	h, err := NewHouse(t.Context(), bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Close()
		if text, err := os.ReadFile(h.file("host.log")); t.Failed() && err == nil {
			t.Logf("host.log ends with\n%s", text[max(0, len(text)-4000):])
		}
	})
	return h
}

// chosen are points on every kind of arrow: before and after commits, and around what leaves the house.
var chosen = []string{
	"commit.before:ingest", "edge.ingested", "commit.before:settle", "commit.after:settle", "commit.before:issue.intent", "send.before:issue",
	"send.after:issue", "commit.before:issue.issued", "send.after:red_apply", "commit.before:apply.seen", "send.after:red_issue",
	"commit.after:claim", "commit.after:deliver.intent", "commit.before:query.issued",
}

// TestKills is the short battery: it finds the failpoints, lets the host die at some of them while a shop goes on sending, and
// wants every promise kept. `make battery` kills at all points, again and again.
func TestKills(t *testing.T) {
	h := house(t)
	r := NewRun(h, 1, testWriter{t})
	points, err := r.Discover(t.Context(), []weather{gusts, slow}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(points) < MinPoints {
		t.Errorf("%d failpoints were passed, want %d: %q", len(points), MinPoints, points)
	}
	known := strings.Join(points, " ") + " "
	for n, point := range chosen {
		if !strings.Contains(known, point+" ") {
			t.Errorf("point %s was not passed", point)
			continue
		}
		died, err := r.Kill(t.Context(), point, n)
		if err != nil {
			t.Fatal(err)
		}
		if !died {
			t.Errorf("the host did not come by %s", point)
		}
	}
	if err := r.settle(t.Context(), "the end", true); err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Error(v)
	}
	t.Logf("%d points known, %d kills, %d orders, %d messages, %d sends, %d queries", len(points), len(r.Kills), len(r.Orders), h.sender.posts, r.wire.sends, r.wire.asks)
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// TestBooksThatLie alters copies of a quiet database and wants both the checker and the host's own reconciliation to say so.
func TestBooksThatLie(t *testing.T) {
	h := house(t)
	ctx := t.Context()
	if err := h.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r := NewRun(h, 3, testWriter{t})
	var victim *story
	for i := range 4 {
		s := r.plain(int64(10_000 + 7*i))
		if err := r.tell(ctx, s.stages[0]...); err != nil {
			t.Fatal(err)
		}
		victim = s
	}
	r.traffic.refund(victim, 1, "price_protection", []Portion{{Line: "1", Amount: 333}})
	if err := r.tell(ctx, victim.stages[1]...); err != nil {
		t.Fatal(err)
	}
	if err := h.Stop(time.Minute); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		statement string // changes one row
		row       string // of which this asks the name
		checker   bool   // an amount is wrong, so the checker sees it too
	}{
		"nothing":          {"", "", false},
		"an amount":        {`UPDATE document SET gross = gross + 1, tax = tax + 1 WHERE id = (SELECT min(id) FROM document)`, `SELECT 'document ' || min(id) FROM document`, true},
		"a dropped refund": {`DELETE FROM refund`, `SELECT 'refund ' || no FROM refund`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config, row := h.copyBooks(t, strings.ReplaceAll(name, " ", "-"), test.statement, test.row)
			report, err := h.Reconcile(ctx, config)
			if err != nil {
				t.Fatal(err)
			}
			var named []string
			for _, d := range report.Differences {
				named = append(named, d.Row)
			}
			named = slices.Compact(named) // a row may be wrong for two reasons
			if got := strings.Join(named, ", "); got != row {
				t.Errorf("reconcile names %q, want %q: %+v", got, row, report.Differences)
			}
			if wrong := r.checkBooks(t, config); (len(wrong) > 0) != test.checker {
				t.Errorf("the checker says %q", wrong)
			}
		})
	}
	t.Run("an invoice made at the counter", func(t *testing.T) {
		config, _ := h.copyBooks(t, "foreign", "", "")
		var made bureauInvoice
		if err := h.post(ctx, h.bureau+"/sandbox/invoices", counterInvoice(), &made); err != nil {
			t.Fatal(err)
		}
		report, err := h.Reconcile(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Differences) != 1 || !report.Differences[0].Unknown || !strings.Contains(report.Differences[0].Row, made.Number) {
			t.Errorf("reconcile says %+v, want exactly the unknown invoice %s", report.Differences, made.Number)
		}
		if wrong := r.checkBooks(t, config); len(wrong) == 0 {
			t.Error("the checker sees no invoice too many")
		}
	})
}

// copyBooks copies the data folder, asks for the name of the row, changes it, and returns a configuration for the copy.
func (h *House) copyBooks(t *testing.T, name, statement, row string) (config, named string) {
	t.Helper()
	if err := os.CopyFS(h.file(name), os.DirFS(h.file("data"))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(h.file("kaipiao.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config = name + ".yaml"
	if err := os.WriteFile(h.file(config), []byte(strings.Replace(string(text), "data: data", "data: "+name, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if statement == "" {
		return config, ""
	}
	db, err := sql.Open("sqlite", filepath.Join(h.file(name), "kaipiao.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRow(row).Scan(&named); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	return config, named
}

func (r *Run) checkBooks(t *testing.T, config string) []string {
	t.Helper()
	b, err := r.house.Books(t.Context(), config, "")
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := r.house.Ledger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var orders []Order
	for _, o := range r.Orders {
		orders = append(orders, *o)
	}
	return Check(orders, b.issued, ledger)
}

// counterInvoice is an invoice that a clerk makes at the bureau's counter.
func counterInvoice() map[string]any {
	party := map[string]any{"name": "杭州样例商贸有限公司", "tax_no": sellerTax}
	return map[string]any{"serial": "COUNTER0000000000001", "kind": "02", "request_time": time.Now().Format(time.RFC3339), "issued_at": time.Now().Format(time.RFC3339),
		"seller": party, "buyer": map[string]any{"name": "李雷", "tax_no": ""},
		"lines": []map[string]any{{"no": 1, "nature": "00", "name": "精制茶", "short_name": "茶", "code": articles[0].code, "quantity": "", "price": "",
			"net": "100.00", "rate": "0.13", "tax": "13.00", "gross": "113.00", "policy": ""}},
		"net": "100.00", "tax": "13.00", "gross": "113.00", "drawer": "柜台"}
}
