package webhooks_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
	"github.com/kaipiao/kaipiao/internal/storage/sqlite"
	"github.com/kaipiao/kaipiao/webhooks"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one clock for the life of the process, and its pool's cleaner wakes only every 10 s to see that
		// the server is gone.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1.1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

const token = "hook-token-of-shop-a"

// vault is a double of core.Vault that keeps places apart but no secrets.
type vault struct{}

func (vault) Seal(_ core.SellerID, _ time.Time, p core.Place, plain []byte) (core.Sealed, error) {
	return append([]byte(fmt.Sprintf("%s/%s/%s:", p.Table, p.Row, p.Column)), plain...), nil
}

func (vault) Open(p core.Place, sealed core.Sealed) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(fmt.Sprintf("%s/%s/%s:", p.Table, p.Row, p.Column)))
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return plain, nil
}

func (vault) Index(kind, value string) string {
	mac := gmcrypto.HMACSM3([]byte("index key"), []byte(kind), []byte{0}, []byte(value))
	return fmt.Sprintf("%x", mac[:16])
}

// book knows two sources of one store.
type book struct{ core.Book }

func (book) Instance(id core.InstanceID) (core.InstanceInfo, bool) {
	return core.InstanceInfo{ID: id, Store: coretest.Store, Seller: coretest.Seller().ID}, true
}

func (book) SellerFor(store core.StoreCode, _ time.Time) (core.Seller, bool) {
	return coretest.Seller(), store == coretest.Store
}

// note is the body that the double of a source understands.
type note struct {
	ID     string `json:"id"`
	Order  string `json:"order"`
	Amount string `json:"amount"`
	// Say is what the source does: a verdict, or parked, panics, hangs, breaks.
	Say  string `json:"say"`
	Code string `json:"code"`
}

// source is a double of a plugin.
type source struct {
	mu        sync.Mutex
	seen      []core.RawRequest
	templates bool
	// meet, if set, is called by every Parse while the request is under way.
	meet func(core.RawRequest)
}

func (s *source) Parse(ctx context.Context, _ core.InstanceID, r core.RawRequest) (core.Parsed, error) {
	s.mu.Lock()
	s.seen = append(s.seen, r)
	s.mu.Unlock()
	if s.meet != nil {
		s.meet(r)
	}
	var n note
	if err := json.Unmarshal(r.Body, &n); err != nil {
		return core.Parsed{Verdict: core.Malformed, Code: "bad_json", Reason: "no JSON"}, nil
	}
	p := core.Parsed{Verdict: core.Accepted, RequestKey: "request:" + n.ID, Code: n.Code}
	if s.templates {
		p.Stored = core.Reply{Status: 202, Headers: []core.Header{{Name: "Content-Type", Value: "text/plain"}}, Body: []byte("success")}
		p.Duplicate = core.Reply{Status: 200, Body: []byte("again")}
		p.Conflict = core.Reply{Status: 422, Headers: []core.Header{{Name: "Content-Type", Value: "application/problem+json"}}, Body: []byte(`{"code":"idempotency_mismatch"}`)}
	}
	switch n.Say {
	case "", "accepted":
		amount := n.Amount
		if amount == "" {
			amount = "113.00"
		}
		e := coretest.Sale(n.Order).Goods("茶杯", "1", amount).Event()
		e.Key = n.ID
		p.Events = []core.Event{e}
	case "unverified":
		p.Verdict = core.Unverified
		sale := coretest.Sale(n.Order).Goods("茶杯", "1", "1.00").Event()
		p.Events = []core.Event{sale, {Key: "ref:" + n.ID, Kind: core.EventRef, OrderNo: n.Order}}
	case "parked":
		p.Verdict, p.Authentic, p.Reason = core.Malformed, true, "lines[0].price"
	case "malformed":
		p.Verdict, p.Reason = core.Malformed, "lines[0].price"
	case "panics":
		panic("a fault of the test")
	case "hangs":
		<-ctx.Done()
		return core.Parsed{}, fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
	case "breaks":
		return core.Parsed{}, core.ErrUnavailable
	default:
		p.Verdict = core.Verdict(n.Say)
	}
	return p, nil
}

func (s *source) requests() []core.RawRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]core.RawRequest(nil), s.seen...)
}

// world is a public edge over the real use cases and the real store.
type world struct {
	*testing.T
	store     core.Store
	clock     *coretest.Clock
	ids       *coretest.IDs
	source    *source
	terminals *webhooks.Terminals
	public    *webhooks.Public
	addr      string
	acts      []string // verbs of the acts that were recorded
}

// actStore notes acts, which no view shows.
type actStore struct {
	core.Store
	note func(verb string)
}

type actTx struct {
	core.Tx
	note func(verb string)
}

func (s actStore) Do(ctx context.Context, name string, fn func(core.Tx) error) error {
	return s.Store.Do(ctx, name, func(tx core.Tx) error { return fn(actTx{tx, s.note}) })
}

func (t actTx) PutAct(a core.ActRecord) error {
	t.note(a.Verb)
	return t.Tx.PutAct(a)
}

func openStore(t testing.TB, path string) core.Store {
	t.Helper()
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := sqlite.OpenStore(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func newWorld(t *testing.T, change ...func(*webhooks.PublicOptions)) *world {
	t.Helper()
	w := &world{T: t, store: openStore(t, filepath.Join(t.TempDir(), "test.db")), clock: coretest.NewClock(coretest.T0), ids: coretest.NewIDs(1), source: &source{}}
	w.open(change...)
	return w
}

// open starts an edge on the world's store; a second one is what a restart is.
func (w *world) open(change ...func(*webhooks.PublicOptions)) {
	w.Helper()
	noted := actStore{w.store, func(verb string) { w.acts = append(w.acts, verb) }}
	w.terminals = webhooks.NewTerminals(webhooks.TerminalsOptions{Store: noted, Vault: vault{}, Stores: book{}, Clock: w.clock, IDs: w.ids})
	log := slog.New(slog.DiscardHandler)
	o := webhooks.PublicOptions{Source: w.source, Hooks: []webhooks.Hook{{Instance: coretest.Instance, Token: token}}, Terminals: w.terminals,
		TerminalRate: 6000, Clock: w.clock, IDs: w.ids, Log: log,
		Inbox: flow.New(flow.Options{Store: w.store, Vault: vault{}, Book: book{}, Clock: w.clock, IDs: w.ids, Log: log})}
	for _, f := range change {
		f(&o)
	}
	var err error
	if w.public, err = webhooks.NewPublic(o); err != nil {
		w.Fatal(err)
	}
	w.addr = serve(w.T, w.public)
}

type server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
}

func serve(t testing.TB, s server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// reply is an answer off the wire.
type reply struct {
	status int
	header http.Header
	body   string
	// closed says that the server ended the connection after it.
	closed bool
}

func (r reply) code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal([]byte(r.body), &p)
	return p.Code
}

// dial opens a connection that a test can write anything to.
func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// raw sends bytes on a fresh connection and reads every answer until the server closes or stays silent behind the last.
func raw(t testing.TB, addr, bytes string) []reply {
	t.Helper()
	conn := dial(t, addr)
	defer conn.Close()
	_, _ = io.WriteString(conn, bytes) // a server that has heard enough may close before the end
	_ = conn.(*net.TCPConn).CloseWrite()
	br := bufio.NewReader(conn)
	var out []reply
	for {
		r, err := readReply(br)
		if err != nil {
			return out
		}
		out = append(out, r)
	}
}

func readReply(br *bufio.Reader) (reply, error) {
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(b), res.Close}, err
}

// one sends bytes and wants exactly one answer.
func one(t testing.TB, addr, bytes string) reply {
	t.Helper()
	replies := raw(t, addr, bytes)
	if len(replies) != 1 {
		t.Fatalf("%d answers, want one: %v", len(replies), replies)
	}
	return replies[0]
}

func post(path, body string, headers ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: edge.test\r\nContent-Length: %d\r\n%s\r\n%s", path, len(body),
		strings.Join(append(headers, ""), "\r\n"), body)
}

func (w *world) hook(n note, headers ...string) reply {
	w.Helper()
	b, err := json.Marshal(n)
	if err != nil {
		w.Fatal(err)
	}
	return one(w, w.addr, post("/hooks/"+token, string(b), headers...))
}

// events counts the events of an order by state.
func (w *world) events(order string) map[core.EventState]int {
	w.Helper()
	out := map[core.EventState]int{}
	w.view(func(v core.View) error {
		list, err := v.EventsOf(coretest.Instance, order)
		for _, e := range list {
			out[e.State]++
		}
		return err
	})
	return out
}

func (w *world) problems() (list []core.Problem) {
	w.Helper()
	w.view(func(v core.View) (err error) { list, err = v.Problems(core.ProblemFilter{Limit: 100}); return err })
	return list
}

func (w *world) view(f func(core.View) error) {
	w.Helper()
	if err := w.store.View(context.Background(), f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) count(kind string) uint64 {
	for _, c := range w.public.Counts() {
		if c.Kind == kind {
			return c.N
		}
	}
	return 0
}
