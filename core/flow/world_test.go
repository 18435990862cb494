package flow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/storage/sqlite"
	"github.com/kaipiao/kaipiao/mapping"
	"github.com/kaipiao/kaipiao/taxapi"
	"github.com/kaipiao/kaipiao/taxapi/gm"
	"github.com/kaipiao/kaipiao/taxapi/sandbox"
)

const (
	testKey    = "00112233445566778899aabbccddeeff"
	testSecret = "test-secret"
)

// world is the flow on a real database, a real channel and a real (sandbox) bureau, with a manual clock and a source
// and courier that tests script.
type world struct {
	t      *testing.T
	flow   *flow.Flow
	store  core.Store
	clock  *coretest.Clock
	bureau string // control address
	source *fakeSource
	mail   *fakeCourier
	book   *fakeBook
	log    *bytes.Buffer
	failed []string // tasks whose handlers failed; tests that expect none leave mayFail off
	// mayFail has failing tasks put back as the worker would; without it a failure ends the test.
	mayFail bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	clock := coretest.NewClock(time.Date(2026, 11, 25, 4, 0, 0, 0, time.UTC)) // of host, channel and bureau alike
	b, err := sandbox.Open(sandbox.Options{Dir: t.TempDir(), Now: clock.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b.Handler())
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	db, err := sqlite.Open(ctx, sqlite.Options{Path: t.TempDir() + "/kaipiao.db"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	store, err := sqlite.OpenStore(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, clock: clock, bureau: server.URL,
		source: &fakeSource{}, mail: &fakeCourier{}, book: newFakeBook(), log: &bytes.Buffer{}}
	w.control("/sandbox/apps", map[string]any{"app_id": "kp", "key": testKey, "secret": testSecret})
	w.control("/sandbox/sellers", map[string]any{"tax_no": w.book.seller.TaxNo.Clear(), "type": "general", "quota": "10000000.00"})
	key, err := gm.ParseKey(testKey)
	if err != nil {
		t.Fatal(err)
	}
	client, err := gm.New(gm.Options{BaseURL: server.URL, AppID: "kp", Key: key, Secret: gm.Secret(testSecret), Clock: clock, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	channels, err := taxapi.NewRegistry(client.Channel("gm"))
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := mapping.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	schedule := core.DefaultSchedule()
	schedule.SendDeadline = 3 * time.Second
	w.flow = flow.New(flow.Options{Store: store, Vault: plainVault{}, Mapper: mapping.New(catalogue, mapping.StoredRules{Store: store}, log),
		Channels: channels, Source: w.source, Courier: w.mail, Book: w.book, Clock: w.clock, IDs: coretest.NewIDs(1), Schedule: schedule, Log: log})
	w.rule("CUP", "1060512990000000000")
	return w
}

// rule writes a confirmed SKU rule.
func (w *world) rule(sku string, code core.ClassificationCode) {
	w.t.Helper()
	err := w.store.Do(context.Background(), "rule", func(tx core.Tx) error {
		return tx.PutRule(core.MapRule{ID: core.ID("RULE" + sku), Seller: "main", By: "sku", Value: sku, Code: code, Author: "test", Confirmed: true,
			From: w.clock.Now().AddDate(-1, 0, 0), CreatedAt: w.clock.Now()})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// control asks the bureau's control API.
func (w *world) control(path string, body any) []byte {
	w.t.Helper()
	var res *http.Response
	var err error
	if body == nil {
		res, err = http.Get(w.bureau + path)
	} else {
		b, merr := json.Marshal(body)
		if merr != nil {
			w.t.Fatal(merr)
		}
		res, err = http.Post(w.bureau+path, "application/json", bytes.NewReader(b))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		w.t.Fatalf("control %s: %s %s %v", path, res.Status, out, err)
	}
	return out
}

// push stores events as one accepted request.
func (w *world) push(key string, events ...core.Event) flow.Receipt {
	w.t.Helper()
	return w.pushTo("web", key, events...)
}

func (w *world) pushTo(instance core.InstanceID, key string, events ...core.Event) flow.Receipt {
	w.t.Helper()
	body, err := json.Marshal(events)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.flow.Ingest(context.Background(), instance, []flow.Inbound{{
		Raw:    core.RawRequest{Method: "POST", Path: "/hooks/x", Body: body, ReceivedAt: w.clock.Now()},
		Parsed: core.Parsed{Verdict: core.Accepted, RequestKey: key, Events: events},
	}})
	if err != nil {
		w.t.Fatalf("ingest %s: %v", key, err)
	}
	return r[0]
}

// run works every due task, moving the clock to the next one while it lies within the span.
func (w *world) run(span time.Duration) {
	w.t.Helper()
	ctx := context.Background()
	end := w.clock.Now().Add(span)
	handlers := w.flow.Handlers()
	for range 2000 {
		var tasks []core.Task
		var next time.Time
		err := w.store.Do(ctx, "claim", func(tx core.Tx) (err error) {
			if tasks, err = tx.Claim(core.Claimant{Owner: "test", Now: w.clock.Now(), Lease: time.Minute, Max: 1}); err != nil || len(tasks) > 0 {
				return err
			}
			next, err = tx.NextTask()
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(tasks) == 0 {
			if next.IsZero() || next.After(end) {
				return
			}
			w.clock.Set(next)
			continue
		}
		task := tasks[0]
		dead := false
		if task.Kind == core.TaskDeliver {
			err = w.flow.Deliver(ctx, tasks)
		} else {
			dead, err = survives(handlers[task.Kind], task)
		}
		switch {
		case dead:
			return // as after a kill: the task's lease runs, nothing was put back
		case err != nil && w.mayFail:
			w.failed = append(w.failed, task.Key)
			if err := w.flow.Failed(ctx, task, err); err != nil {
				w.t.Fatal(err)
			}
		case err != nil:
			w.t.Fatalf("task %s %s: %v", task.Kind, task.Key, err)
		}
	}
	w.t.Fatal("tasks never end")
}

// killed is what a channel of a dying process panics with.
type killed struct{}

func survives(handle func(context.Context, core.Task) error, task core.Task) (dead bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			dead = true
		}
	}()
	return false, handle(context.Background(), task)
}

// sale reads a sale's row, documents and open problems by its name.
func (w *world) sale(name string) (rec core.SaleRecord, docs []core.DocumentRecord, problems []core.Problem) {
	w.t.Helper()
	return w.saleOf("web", name)
}

func (w *world) saleOf(instance core.InstanceID, name string) (rec core.SaleRecord, docs []core.DocumentRecord, problems []core.Problem) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(v core.View) error {
		id, err := v.FindSale(instance, name)
		if err != nil {
			return err
		}
		if rec, err = v.Sale(id); err != nil {
			return err
		}
		if docs, err = v.DocumentsOf(id); err != nil {
			return err
		}
		problems, err = v.Problems(core.ProblemFilter{Sale: id, Limit: 50})
		return err
	})
	if err != nil {
		w.t.Fatalf("read sale %s: %v", name, err)
	}
	return rec, docs, problems
}

// ledger is what the bureau has.
type ledger struct {
	Invoices []struct {
		Serial, Number, Color, State, Net, Tax, Gross string
	} `json:"invoices"`
}

// checkBooks fails unless a sale is at rest with the right amounts, one live blue at most, and exactly the invoices that
// the bureau has of it. It returns how many there are.
func (w *world) checkBooks(t fatal, name string) int {
	rec, docs, problems := w.sale(name)
	if len(problems) > 0 || (rec.Class != core.ClassSettled && rec.Class != core.ClassNothing) {
		t.Fatalf("sale %s: class %s, problems %v\n%s", name, rec.Class, problems, w.log)
	}
	planned, balance, err := w.flow.Preview(context.Background(), rec.ID)
	if err != nil || len(planned) > 0 || !balance.Expected().Equal(balance.Actual()) {
		t.Fatalf("sale %s: invoiced − reversed is %s, want %s; still planned: %v, %v", name, balance.Actual(), balance.Expected(), planned, err)
	}
	bureau, ours, blues := map[string]string{}, 0, map[core.ID]core.Yuan{}
	for _, i := range w.ledger().Invoices {
		if i.State == "issued" {
			bureau[i.Number] = i.Color + " " + i.Net + " + " + i.Tax + " = " + i.Gross
		}
	}
	for _, d := range docs {
		if d.State == core.DocRefused || d.State == core.DocDropped {
			continue
		}
		if d.State != core.DocIssued {
			t.Fatalf("sale %s: document %s rests in state %s", name, d.ID, d.State)
		}
		ours++
		if row := fmt.Sprintf("%s %s + %s = %s", d.Color, d.Net, d.Tax, d.Gross); bureau[d.Number] != row {
			t.Fatalf("sale %s: invoice %s is %q here and %q at the bureau", name, d.Number, row, bureau[d.Number])
		}
		of := d.ID
		if d.Color == core.Red {
			of = d.Original
		}
		blues[of] = blues[of].Add(d.Gross)
	}
	live := 0
	for _, left := range blues {
		if left.Sign() < 0 {
			t.Fatalf("sale %s: more is reversed than invoiced: %s", name, left)
		}
		if left.Sign() > 0 {
			live++
		}
	}
	if live > 1 {
		t.Fatalf("sale %s has %d live blue invoices", name, live)
	}
	return ours
}

// fatal is a test or one draw of a property.
type fatal interface {
	Fatalf(format string, args ...any)
}

func (w *world) ledger() ledger {
	w.t.Helper()
	var l ledger
	if err := json.Unmarshal(w.control("/sandbox/ledger", nil), &l); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// order is a paid order of the CUP product; amounts in fen.
func order(name string, at time.Time, pieces, list, paid, shipping int64) core.Event {
	s := &core.Sale{Number: name, Store: "S01", Kind: core.Order, Status: core.Paid, Currency: "CNY", PaidAt: at, Revision: core.Revision{At: at},
		Total: core.Fen(paid + shipping), Buyer: core.Buyer{Title: "张三", Email: "zhang@example.com"},
		Lines: []core.SaleLine{{No: "1", Kind: core.Goods, SKU: "CUP", Name: "不锈钢保温杯", Unit: "个", Quantity: core.Pieces(pieces), List: core.Fen(list), Paid: core.Fen(paid)}}}
	if shipping > 0 {
		s.Lines = append(s.Lines, core.SaleLine{No: "ship", Kind: core.Shipping, Name: "运费", Quantity: core.Pieces(1), List: core.Fen(shipping), Paid: core.Fen(shipping)})
	}
	return core.Event{Key: "order:" + name + "@" + fmt.Sprint(at.Unix()), Kind: core.EventSale, OccurredAt: at, Sale: s}
}

// refund is a succeeded refund.
func refund(name, no string, at time.Time, portions ...core.Portion) core.Event {
	r := &core.Refund{No: no, Sale: name, State: core.RefundSucceeded, At: at, Revision: core.Revision{At: at}, Portions: portions}
	for _, p := range portions {
		r.Amount = r.Amount.Add(p.Amount)
	}
	return core.Event{Key: "refund:" + no + ":succeeded", Kind: core.EventRefund, OccurredAt: at, Refund: r}
}

func pieces(line string, n, fen int64) core.Portion {
	return core.Portion{Line: line, Kind: core.GoodsQuantity, Quantity: core.Pieces(n), Amount: core.Fen(fen)}
}

// plainVault seals nothing but binds a value to its place, so that a value read in another place is noticed.
type plainVault struct{}

func (plainVault) Seal(_ core.SellerID, _ time.Time, p core.Place, plain []byte) (core.Sealed, error) {
	return append([]byte(p.Table+"|"+p.Row+"|"+p.Column+"\n"), plain...), nil
}

func (plainVault) Open(p core.Place, sealed core.Sealed) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(p.Table+"|"+p.Row+"|"+p.Column+"\n"))
	if !ok {
		return nil, fmt.Errorf("value does not belong to %v", p)
	}
	return plain, nil
}

func (plainVault) Index(kind, value string) string { return kind + ":" + value }

type fakeBook struct {
	seller   core.Seller
	policy   core.Policy
	delivery []core.DeliveryChoice
}

func newFakeBook() *fakeBook {
	p := core.DefaultPolicy()
	p.Issue, p.Version = core.OnPaid, "v1"
	return &fakeBook{policy: p, seller: core.Seller{ID: "main", Name: "沙箱商店", TaxNo: "91000000MAKP000145", Type: core.GeneralTaxpayer, Drawer: "李四", Channel: "gm"},
		delivery: []core.DeliveryChoice{{Instance: "mail", Kind: core.ByEmail, ResendUnknown: true}, {Instance: "sms", Kind: core.BySMS}}}
}

func (b *fakeBook) Instance(id core.InstanceID) (core.InstanceInfo, bool) {
	return core.InstanceInfo{ID: id, Store: "S01", Seller: "main", CanFetch: true}, id == "web" || id == "pos"
}
func (b *fakeBook) Instances() []core.InstanceInfo { return nil }
func (b *fakeBook) Store(c core.StoreCode) (core.StoreInfo, bool) {
	return core.StoreInfo{Code: c, Name: "一号店"}, c == "S01"
}
func (b *fakeBook) Sellers() []core.Seller { return []core.Seller{b.seller} }
func (b *fakeBook) SellerFor(s core.StoreCode, _ time.Time) (core.Seller, bool) {
	return b.seller, s == "S01"
}
func (b *fakeBook) PolicyFor(core.SellerID, core.StoreCode, core.InstanceID, time.Time) core.Policy {
	return b.policy
}
func (b *fakeBook) Deliveries(core.StoreCode) []core.DeliveryChoice { return b.delivery }
func (b *fakeBook) PageURL() string                                 { return "http://buyer.example/" }

// fakeSource answers fetches and replays by script.
type fakeSource struct {
	fetch func(order string) core.Fetched
	parse core.Parsed
	page  *core.Page // of each pull; nil: the platform can't be reached
}

func (s *fakeSource) Parse(context.Context, core.InstanceID, core.RawRequest) (core.Parsed, error) {
	return s.parse, nil
}
func (s *fakeSource) Fetch(_ context.Context, _ core.InstanceID, orders []string) (core.Fetched, error) {
	return s.fetch(orders[0]), nil
}
func (s *fakeSource) Pull(context.Context, core.InstanceID, []byte, int) (core.Page, error) {
	if s.page == nil {
		return core.Page{}, core.ErrUnavailable
	}
	return *s.page, nil
}

// fakeCourier records parcels and answers by script.
type fakeCourier struct {
	mu     sync.Mutex
	sent   []core.Parcel
	answer func(p core.Parcel) core.DeliveryReceipt
	track  core.Tracking
}

func (c *fakeCourier) Deliver(_ context.Context, _ core.InstanceID, parcels []core.Parcel) ([]core.DeliveryReceipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []core.DeliveryReceipt
	for _, p := range parcels {
		c.sent = append(c.sent, p)
		r := core.DeliveryReceipt{Outcome: core.DeliverySent}
		if c.answer != nil {
			r = c.answer(p)
		}
		r.Parcel = p.ID
		out = append(out, r)
	}
	return out, nil
}

func (c *fakeCourier) Track(_ context.Context, _ core.InstanceID, queries []core.TrackQuery) (map[core.ID]core.Tracking, error) {
	return map[core.ID]core.Tracking{queries[0].Parcel: c.track}, nil
}
