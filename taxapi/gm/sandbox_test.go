package gm_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/taxapi"
	"github.com/kaipiao/kaipiao/taxapi/gm"
	"github.com/kaipiao/kaipiao/taxapi/sandbox"
)

const (
	sandboxKey    = "0123456789abcdeffedcba9876543210"
	sandboxSecret = "a secret of the test"
)

// TestSandbox proves the client against the bureau in a box, which shares no code with it.
func TestSandbox(t *testing.T) {
	coretest.BureauSuite(t, func(t *testing.T) (core.Channel, coretest.BureauControl) {
		b := openBench(t)
		return b.client(b.server.URL).Channel("bureau"), b
	})
}

// TestGuardedSandbox proves that a guard keeps the ports' promises.
func TestGuardedSandbox(t *testing.T) {
	coretest.BureauSuite(t, func(t *testing.T) (core.Channel, coretest.BureauControl) {
		b := openBench(t)
		limits := taxapi.DefaultLimits()
		limits.Failures = 0 // the suite fails more often in a row than a breaker bears
		limits.Every = 0
		return taxapi.Guard(b.client(b.server.URL).Channel("bureau"), limits, b.clock), b
	})
}

func TestProbeOfTheSandbox(t *testing.T) {
	b := openBench(t)
	if err := b.client(b.server.URL).Probe(t.Context(), b.Seller()); err != nil {
		t.Error(err)
	}
	stranger := b.Seller()
	stranger.TaxNo = "91330100MA2B000099"
	if err := b.client(b.server.URL).Probe(t.Context(), stranger); err == nil {
		t.Error("a seller that is not registered passes")
	}
	for name, edit := range map[string]func(*gm.Options){
		"application": func(o *gm.Options) { o.AppID = "nobody" },
		"secret":      func(o *gm.Options) { o.Secret = gm.Secret("wrong") },
		"key":         func(o *gm.Options) { o.Key[0] ^= 1 },
		"mode":        func(o *gm.Options) { o.Mode = gm.ECB },
		"encoding":    func(o *gm.Options) { o.Encoding = gm.Hex },
		"signature":   func(o *gm.Options) { o.Signature = gm.WrappedSM3 },
		"path":        func(o *gm.Options) { o.BaseURL += "/elsewhere" },
	} {
		err := b.client(b.server.URL, edit).Probe(t.Context(), b.Seller())
		if err == nil {
			t.Errorf("a wrong %s passes", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

// bench is a bureau on a real socket and the control of it.
type bench struct {
	t      *testing.T
	clock  *coretest.Clock
	server *httptest.Server
}

func openBench(t *testing.T) *bench {
	b := &bench{t: t, clock: coretest.NewClock(coretest.T0)}
	bureau, err := sandbox.Open(sandbox.Options{Dir: t.TempDir(), Now: b.clock.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.server = httptest.NewServer(bureau.Handler())
	t.Cleanup(func() {
		if err := bureau.Close(); err != nil {
			t.Error(err)
		}
		b.server.Close()
	})
	seller := b.Seller()
	b.post("/sandbox/apps", object{"app_id": "host-1", "key": sandboxKey, "secret": sandboxSecret})
	b.post("/sandbox/sellers", object{"tax_no": seller.TaxNo.Clear(), "name": seller.Name, "type": "general", "quota": "10000.00"})
	b.post("/sandbox/buyers", object{"tax_no": b.BookingBuyer().TaxNo.Clear(), "books": true})
	return b
}

type object = map[string]any

func (b *bench) client(base string, edit ...func(*gm.Options)) *gm.Client {
	b.t.Helper()
	key, err := gm.ParseKey(sandboxKey)
	if err != nil {
		b.t.Fatal(err)
	}
	o := gm.Options{BaseURL: base, AppID: "host-1", Key: key, Secret: gm.Secret(sandboxSecret), Clock: b.clock}
	for _, e := range edit {
		e(&o)
	}
	c, err := gm.New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

func (b *bench) post(path string, body any) {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(http.MethodPost, path, bytes.NewReader(text), nil)
}

func (b *bench) do(method, path string, body io.Reader, into any) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.server.Client().Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: HTTP %d %s (%v)", method, path, response.StatusCode, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			b.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

func (b *bench) Seller() core.Seller { return coretest.Seller() }

func (b *bench) BookingBuyer() core.Buyer { return coretest.Company() }

// Unreachable is a client of a port that nobody listens on.
func (b *bench) Unreachable() core.Channel {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	return b.client(gone.URL).Channel("bureau")
}

func (b *bench) Spoil(op core.Operation, how coretest.Spoiling) {
	rule := map[coretest.Spoiling]object{
		coretest.SpoilBusy:          {"kind": "busy"},
		coretest.SpoilSilenceBefore: {"kind": "timeout_before", "hold": "50ms"},
		coretest.SpoilResetBefore:   {"kind": "reset_before"},
		coretest.SpoilSilence:       {"kind": "timeout_after", "hold": "50ms"},
		coretest.SpoilReset:         {"kind": "reset_after"},
		coretest.SpoilStatus:        {"kind": "http_status", "status": 502, "done": true},
		coretest.SpoilGarbage:       {"kind": "html"},
		coretest.SpoilForged:        {"kind": "bad_signature"},
		coretest.SpoilHalf:          {"kind": "truncated"},
		coretest.SpoilDoubt:         {"kind": "system_timeout", "done": true},
		coretest.SpoilFailure:       {"kind": "fail", "code": "5001", "message": "授信额度不足"},
	}[how]
	rule["op"], rule["times"] = op, 1
	b.post("/sandbox/faults", rule)
}

func (b *bench) Hide(on bool) {
	b.post("/sandbox/settings", object{"grace": map[bool]string{true: "1h", false: "0s"}[on]})
}

func (b *bench) Delay(on bool) {
	b.post("/sandbox/settings", object{"asynchronous": on, "latency": map[bool]string{true: "1m", false: "0s"}[on]})
}

func (b *bench) Settle() { b.post("/sandbox/clock", object{"advance": "2m"}) }

func (b *bench) Agree(uuid string) { b.post("/sandbox/confirmations/"+uuid, object{"act": "agree"}) }

func (b *bench) Requests(op core.Operation) int {
	var wire struct {
		Exchanges []json.RawMessage `json:"exchanges"`
	}
	b.do(http.MethodGet, "/sandbox/wire?op="+url.QueryEscape(string(op)), nil, &wire)
	return len(wire.Exchanges)
}

func (b *bench) Taken(serial string) int {
	var ledger struct {
		Invoices []struct {
			Serial string `json:"serial"`
		} `json:"invoices"`
	}
	b.do(http.MethodGet, "/sandbox/ledger", nil, &ledger)
	n := 0
	for _, i := range ledger.Invoices {
		if i.Serial == serial {
			n++
		}
	}
	return n
}
