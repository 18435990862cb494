package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/admin"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
	"github.com/kaipiao/kaipiao/internal/storage/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// vault is a double of core.Vault that keeps places apart but no secrets.
type vault struct{}

func prefix(p core.Place) []byte { return fmt.Appendf(nil, "%s/%s/%s:", p.Table, p.Row, p.Column) }

func (vault) Seal(_ core.SellerID, _ time.Time, p core.Place, plain []byte) (core.Sealed, error) {
	return append(prefix(p), plain...), nil
}

func (vault) Open(p core.Place, sealed core.Sealed) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, prefix(p))
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return plain, nil
}

func (vault) Index(kind, value string) string {
	mac := gmcrypto.HMACSM3([]byte("index key"), []byte(kind), []byte{0}, []byte(value))
	return fmt.Sprintf("%x", mac[:16])
}

// book knows one source that can't fetch, of one store.
type book struct{ core.Book }

func (book) Instance(id core.InstanceID) (core.InstanceInfo, bool) {
	return core.InstanceInfo{ID: id, Store: coretest.Store, Seller: coretest.Seller().ID}, id == coretest.Instance
}

func (b book) Instances() []core.InstanceInfo {
	info, _ := b.Instance(coretest.Instance)
	return []core.InstanceInfo{info}
}

func (book) Store(code core.StoreCode) (core.StoreInfo, bool) {
	return core.StoreInfo{Code: code}, code == coretest.Store
}

func (book) Sellers() []core.Seller { return []core.Seller{coretest.Seller()} }

// codes knows one code.
type codes struct{}

const code = core.ClassificationCode("1060512990000000000")

func (codes) Find(string, int) []core.Candidate    { return []core.Candidate{{Code: code}} }
func (codes) Known(c core.ClassificationCode) bool { return c == code }

// tills has one.
type tills struct{}

func (tills) NewActivation(context.Context, string, core.InstanceID, core.StoreCode, string) (string, time.Time, error) {
	return "CODE", coretest.T0, nil
}

func (tills) List(context.Context) ([]core.TerminalRecord, error) {
	return []core.TerminalRecord{{ID: "T1", Store: coretest.Store, Label: "till", Secret: core.Sealed("sealed-secret")}}, nil
}

func (tills) Revoke(_ context.Context, _, id string) error {
	if id != "T1" {
		return fmt.Errorf("revoke terminal %s: %w", id, core.ErrNotFound)
	}
	return nil
}

// broken is a store whose disk is full.
type broken struct{ core.Store }

func (broken) Do(context.Context, string, func(core.Tx) error) error { return core.ErrNotStored }
func (broken) View(context.Context, func(core.View) error) error     { return core.ErrNotStored }

// people is what must never be seen.
const (
	mobile = "13800138000"
	email  = "finance.department@example.com"
	taxNo  = "91000000MAKP000220"
)

type world struct {
	*testing.T
	api   *admin.API
	store core.Store
	log   *bytes.Buffer
	sale  core.SaleRecord
}

func newWorld(t *testing.T, change ...func(*admin.Options)) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: t.TempDir() + "/kaipiao.db", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := sqlite.OpenStore(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, store: store, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	clock, ids := coretest.NewClock(coretest.T0), coretest.NewIDs(1)
	o := admin.Options{Store: store, Vault: vault{}, Book: book{}, Codes: codes{}, Terminals: tills{}, Log: log, Version: "test",
		Plugins: func() []admin.PluginStatus { return []admin.PluginStatus{{Name: "shop", State: "ready"}} },
		Doctor:  func(context.Context) []admin.Check { return []admin.Check{{Name: "database", OK: true}} }}
	for _, f := range change {
		f(&o)
	}
	o.Flow = flow.New(flow.Options{Store: o.Store, Vault: vault{}, Book: book{}, Clock: clock, IDs: ids, Schedule: core.DefaultSchedule(), Log: log})
	w.api = admin.New(o)
	w.put(ids)
	return w
}

// put stores a sale with a refund, a problem and a product without a code.
func (w *world) put(ids *coretest.IDs) {
	w.Helper()
	sale := coretest.Sale("SO-1").Goods("茶杯", "1", "113.00").Build()
	sale.Buyer = core.Buyer{Kind: core.Company, Title: "沙箱采购有限公司", TaxNo: core.NormalTaxNo(taxNo), Email: core.Contact(email), Mobile: core.Contact(mobile)}
	plain, err := json.Marshal(core.SaleBody{Sale: &sale, Seller: coretest.Seller()})
	if err != nil {
		w.Fatal(err)
	}
	w.sale = core.SaleRecord{ID: ids.New(), Instance: coretest.Instance, Name: "SO-1", Seller: coretest.Seller().ID, Store: coretest.Store, HasSale: true,
		PaidAt: coretest.T0, FirstSeen: coretest.T0, Total: sale.Total, Class: core.ClassHeld, BuyerMobile: vault{}.Index("mobile", mobile),
		BuyerTax: vault{}.Index("tax_no", taxNo), BuyerEmail: vault{}.Index("email", email)}
	w.sale.Body, err = vault{}.Seal("", coretest.T0, core.Place{Table: "sale", Row: string(w.sale.ID), Column: "body"}, plain)
	if err != nil {
		w.Fatal(err)
	}
	twin := w.sale
	twin.ID, twin.Instance = ids.New(), "shop-b"
	twin.Name = "SO-2"
	other := twin
	other.ID, other.Instance = ids.New(), "shop-c"
	err = w.store.Do(w.Context(), "test", func(tx core.Tx) error {
		return errors.Join(tx.PutSale(w.sale), tx.PutSale(twin), tx.PutSale(other),
			tx.PutRefund(w.sale.ID, coretest.Refund("R-1", "SO-1").Build()),
			tx.OpenProblem(core.Problem{ID: "P1", Scope: core.ScopePlan, Code: core.ProblemUnmapped, Sale: w.sale.ID, Subject: "1", Store: coretest.Store, Detail: "line 1", OpenedAt: coretest.T0}))
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) ask(method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Kaipiao-User", "tester")
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// TestAnswers maps what is asked for to 200, 400, 404 and 409; refusals say why, in the form of RFC 9457.
func TestAnswers(t *testing.T) {
	w := newWorld(t)
	id := string(w.sale.ID)
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/healthz", "", 200, "ok"},
		{"GET", "/readyz", "", 200, "ready"},
		{"GET", "/v1/status", "", 200, `"version":"test"`},
		{"GET", "/v1/plugins", "", 200, `"state":"ready"`},
		{"GET", "/v1/doctor", "", 200, `"ok":true`},
		{"GET", "/v1/terminals", "", 200, `"label":"till"`},
		{"GET", "/v1/orders", "", 200, `"order":"SO-1"`},
		{"GET", "/v1/orders?class=settled", "", 200, "[]"},
		{"GET", "/v1/orders?person=" + mobile, "", 200, `"order":"SO-1"`},
		{"GET", "/v1/orders?person=%20" + strings.ToLower(taxNo), "", 200, `"order":"SO-1"`},
		{"GET", "/v1/orders?person=" + email, "", 200, `"order":"SO-1"`},
		{"GET", "/v1/orders?person=13900139000", "", 200, "[]"},
		{"GET", "/v1/orders?limit=1", "", 200, `"order":"SO-2"`},
		{"GET", "/v1/orders/SO-1", "", 200, `"title_zh"`},
		{"GET", "/v1/orders/" + id, "", 200, `"command":"kaipiao `},
		{"GET", "/v1/orders/SO-9", "", 404, "order SO-9: not found"},
		{"GET", "/v1/orders/SO-2", "", 400, "several orders are called SO-2; name one by its id"},
		{"GET", "/v1/orders/NONE/plan", "", 404, "not found"},
		{"GET", "/v1/invoices", "", 200, "[]"},
		{"GET", "/v1/invoices/NONE", "", 404, "invoice NONE: "},
		{"GET", "/v1/problems", "", 200, `"order":"SO-1"`},
		{"GET", "/v1/problems?closed=true", "", 200, "[]"},
		{"GET", "/v1/reviews", "", 200, "[]"},
		{"GET", "/v1/codes?q=cup", "", 200, string(code)},
		{"GET", "/v1/nothing", "", 404, ""},
		{"GET", "/metrics", "", 404, ""},
		{"POST", "/v1/orders", "{}", 405, ""},

		{"POST", "/v1/orders/" + id + "/buyer", `{"Title":"张三"}`, 200, `"done":true`},
		{"POST", "/v1/orders/" + id + "/buyer", `{}`, 400, "say what is to be corrected"},
		{"POST", "/v1/orders/" + id + "/buyer", `{"Kind":"rare"}`, 400, "neither general nor special"},
		{"POST", "/v1/orders/" + id + "/buyer", `{"TitleKind":"dog"}`, 400, "neither personal nor company"},
		{"POST", "/v1/orders/" + id + "/buyer", `{"Titel":"x"}`, 400, "unknown field"},
		{"POST", "/v1/orders/" + id + "/buyer", `{`, 400, "bad request"},
		{"POST", "/v1/orders/NONE/buyer", `{"Title":"张三"}`, 404, "not found"},
		{"POST", "/v1/orders/" + id + "/tender", `{"kind":"points","rule":"counts"}`, 200, `"done":true`},
		{"POST", "/v1/orders/" + id + "/tender", `{"kind":"points","rule":"maybe"}`, 400, "counts or excluded"},
		{"POST", "/v1/orders/" + id + "/drop-refund", `{"refund":"R-1"}`, 200, `"done":true`},
		{"POST", "/v1/orders/" + id + "/drop-refund", `{"refund":"R-9"}`, 404, `refund \"R-9\" of order`},
		{"POST", "/v1/orders/" + id + "/drop-refund", `{}`, 404, "not found"},
		{"POST", "/v1/orders/" + id + "/accept", `{"event":"NONE"}`, 404, "not found"},
		{"POST", "/v1/orders/" + id + "/external", `{"number":""}`, 400, "number is needed"},
		{"POST", "/v1/orders/" + id + "/elsewhere", "", 200, `"done":true`},
		{"POST", "/v1/orders/" + id + "/issue", "", 200, `"done":true`},
		{"POST", "/v1/orders/" + id + "/red", "", 200, `"done":true`},
		{"POST", "/v1/orders/NONE/issue", "", 404, "not found"},
		{"POST", "/v1/orders/NONE/retry", "", 404, "not found"},
		{"POST", "/v1/orders/NONE/look", "", 404, "not found"},
		{"POST", "/v1/invoices/NONE/files", "", 404, "not found"},
		{"POST", "/v1/invoices/NONE/deliver", "{}", 404, "not found"},
		{"POST", "/v1/problems/P1/close", "", 200, `"done":true`},
		{"POST", "/v1/problems/NONE/close", "", 404, "not found"},
		{"POST", "/v1/reviews/NONE/answer", `{"code":"` + string(code) + `"}`, 404, "not found"},
		{"POST", "/v1/reviews/NONE/answer", `{"code":"123"}`, 400, "kaipiao map find TEXT"},
		{"POST", "/v1/replay", `{"request":"NONE"}`, 404, "not found"},
		{"POST", "/v1/replay", `{"order":"NONE"}`, 404, "not found"},
		{"POST", "/v1/replay", `{"order":"SO-1"}`, 200, `"done":true`},
		{"POST", "/v1/fetch", `{"order":"SO-1"}`, 400, "can't fetch orders"},
		{"POST", "/v1/fetch", `{"source":"nowhere","order":"SO-1"}`, 400, "can't fetch orders"},
		{"POST", "/v1/terminals", `{"source":"shop-a","store":"` + string(coretest.Store) + `"}`, 200, `"code":"CODE"`},
		{"POST", "/v1/terminals", `{"source":"nowhere","store":"` + string(coretest.Store) + `"}`, 400, "no source"},
		{"POST", "/v1/terminals", `{"source":"shop-a","store":"S9"}`, 400, "no store"},
		{"POST", "/v1/terminals/T1/revoke", "", 200, `"done":true`},
		{"POST", "/v1/terminals/T9/revoke", "", 404, "not found"},
	} {
		status, body := w.ask(test.method, test.path, test.body)
		if status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s %s %s: %d %s, want %d with %q", test.method, test.path, test.body, status, body, test.status, test.says)
		}
		var p admin.Problem
		if test.says != "" && status >= 400 && (json.Unmarshal([]byte(body), &p) != nil || p.Code == "" || p.Title == "" || p.Detail == "") {
			t.Errorf("%s %s: no problem document: %s", test.method, test.path, body)
		}
	}
	if w.log.Len() > 0 {
		t.Errorf("faults of the caller are in the log:\n%s", w.log)
	}
}

// TestChangedMeanwhile is 409, a full disk 503, and both say so; what is not foreseen is 500 and logged.
func TestChangedMeanwhile(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		code   string
		logged bool
	}{
		{core.ErrConflict, 409, "conflict", false}, {core.ErrNotStored, 503, "not_stored", false}, {errors.New("odd"), 500, "internal", true},
	} {
		w := newWorld(t, func(o *admin.Options) { o.Terminals = failing{err: test.err} })
		status, body := w.ask("POST", "/v1/terminals/T1/revoke", "")
		if status != test.status || !strings.Contains(body, `"code":"`+test.code+`"`) {
			t.Errorf("%v: %d %s", test.err, status, body)
		}
		if logged := strings.Contains(w.log.String(), "level=ERROR"); logged != test.logged {
			t.Errorf("%v: in the log %v: %s", test.err, logged, w.log)
		}
	}
}

type failing struct {
	tills
	err error
}

func (f failing) Revoke(context.Context, string, string) error {
	return fmt.Errorf("revoke: %w", f.err)
}

func TestReadiness(t *testing.T) {
	w := newWorld(t, func(o *admin.Options) { o.Starting = func() []string { return []string{"shop", "pos"} } })
	if status, body := w.ask("GET", "/readyz", ""); status != 503 || !strings.Contains(body, "plugins are starting: shop, pos") {
		t.Errorf("while plugins start: %d %s", status, body)
	}
	if status, _ := w.ask("GET", "/healthz", ""); status != 200 {
		t.Errorf("alive all the same: %d", status)
	}
	api := admin.New(admin.Options{Store: broken{}, Log: slog.New(slog.DiscardHandler), Flow: &flow.Flow{}})
	rec := httptest.NewRecorder()
	api.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if rec.Code != 503 {
		t.Errorf("without a database: %d %s", rec.Code, rec.Body)
	}
}

// TestPeopleAreMasked: no answer holds a buyer's number or address, or a till's secret.
func TestPeopleAreMasked(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/orders", "/v1/orders/SO-1", "/v1/problems", "/v1/terminals", "/v1/invoices"} {
		status, body := w.ask("GET", path, "")
		if status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
		for _, secret := range []string{mobile, email, taxNo, "sealed-secret", "finance.department"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %s: %s", path, secret, body)
			}
		}
	}
	_, body := w.ask("GET", "/v1/orders/SO-1", "")
	for _, shown := range []string{"沙箱采购有限公司", "138****8000", "9100**********0220"} {
		if !strings.Contains(body, shown) {
			t.Errorf("the buyer can't be told by %s: %s", shown, body)
		}
	}
}

// TestActsAreRecorded: who did what is shown with the order.
func TestActsAreRecorded(t *testing.T) {
	w := newWorld(t)
	w.ask("POST", "/v1/orders/"+string(w.sale.ID)+"/elsewhere", "")
	_, body := w.ask("GET", "/v1/orders/SO-1", "")
	var o admin.Order
	if err := json.Unmarshal([]byte(body), &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Acts) != 1 || o.Acts[0].Who != "tester" || o.Acts[0].Verb != "act" {
		t.Errorf("acts %+v", o.Acts)
	}
}
