package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/admin"
)

// TestHost sends everything through the real doors of one running host.
func TestHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	for name, test := range map[string]func(*testing.T, *world){"Store": testStore, "POS": testPOS, "Buyer": testBuyer, "Operators": testOperators} {
		t.Run(name, func(t *testing.T) {
			inside := *w
			inside.t = t
			test(t, &inside)
		})
	}
}

func testStore(t *testing.T, w *world) {
	s := w.store()
	body := paidOrder("ST-1", "59.00", "13800138000")
	changed := bytes.Replace(body, []byte("59.00"), []byte("58.00"), 2)
	flipped := bytes.Clone(body)
	flipped[len(flipped)/2] ^= 1
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	encoded := s.sign("msg-1", time.Now(), zipped.Bytes())
	encoded.Set("Content-Encoding", "gzip")
	unsigned := s.sign("msg-1", time.Now(), body)
	unsigned.Del("webhook-signature")
	number := bytes.Replace(paidOrder("ST-2", "59.00", "13800138000"), []byte(`"total":"59.00"`), []byte(`"total":59.00`), 1)
	for _, step := range []struct {
		name   string
		header http.Header
		body   []byte
		status int
		says   string
		hit    string
	}{
		{"forged body", s.sign("msg-1", time.Now(), body), flipped, 401, "bad_signature", ""},
		{"no signature", unsigned, body, 401, "", ""},
		{"signed 20 minutes ago", s.sign("msg-1", time.Now().Add(-20*time.Minute), body), body, 401, "stale_timestamp", ""},
		{"gzip", encoded, zipped.Bytes(), 415, "encoding_unsupported", ""},
		{"stored", s.sign("msg-1", time.Now(), body), body, 200, `"stored"`, ""},
		{"once more", s.sign("msg-1", time.Now(), body), body, 200, `"duplicate"`, "true"},
		{"the same id, other content", s.sign("msg-1", time.Now(), changed), changed, 422, "idempotency_mismatch", ""},
		{"a number where a text belongs", s.sign("msg-2", time.Now(), number), number, 200, `"stored"`, ""},
	} {
		r := w.do(http.MethodPost, s.url, step.header, step.body)
		if r.status != step.status || !strings.Contains(r.body, step.says) || r.header.Get("Idempotency-Hit") != step.hit {
			t.Errorf("%s: %d %v %s", step.name, r.status, r.header, r.body)
		}
	}
	if r := w.do(http.MethodPost, "http://"+w.public+"/hooks/no-such-token-here", nil, body); r.status != 404 {
		t.Errorf("unknown token: %d %s", r.status, r.body)
	}

	o := w.order("ST-1", "settled")
	if len(o.Invoices) != 1 || o.Invoices[0].State != "issued" || o.Invoices[0].Gross.String() != "59.00" || len(o.Invoices[0].Number) != 20 {
		t.Errorf("the order's invoice: %+v", o.Invoices)
	}
	if strings.Contains(fmt.Sprintf("%+v", o), "13800138000") {
		t.Errorf("the buyer is not masked: %+v", o.Buyer)
	}
	var problems []admin.ProblemRow
	w.data(&problems, "problems")
	codes := map[string]string{}
	for _, p := range problems {
		codes[string(p.Code)] = p.Command
	}
	if codes["bad_number"] == "" || codes["event_conflict"] == "" {
		t.Errorf("problems %v, want bad_number and event_conflict with their commands", codes)
	}
	if text := string(w.cli("problems", "--lang", "zh")); !strings.Contains(text, "kaipiao ") || !regexp.MustCompile(`\p{Han}`).MatchString(text) {
		t.Errorf("the list of problems in Chinese:\n%s", text)
	}
}

func testPOS(t *testing.T, w *world) {
	a, b := w.till("till A"), w.till("till B")
	const day = "2026-11-24"
	var batch []map[string]any
	for n := range 500 {
		batch = append(batch, a.receipt(day, n+1, "19.90"))
	}
	for _, want := range []string{"stored", "duplicate"} {
		if got := a.post(batch...); got[want] != 500 || len(got) != 1 {
			t.Errorf("500 receipts: %v, want all %s", got, want)
		}
	}
	changed := a.receipt(day, 1, "20.00")
	if got := a.post(changed, a.receipt(day, 501, "0.10")); got["conflict idempotency_mismatch"] != 1 || got["stored"] != 1 {
		t.Errorf("one changed, one new: %v", got)
	}
	if r := w.do(http.MethodPost, a.address, a.headers(nil, time.Now()), ndjson(w, append(batch, changed))); r.status != 401 {
		t.Errorf("signature over another body: %d %s", r.status, r.body)
	}
	many := ndjson(w, append(batch, changed))
	if r := w.do(http.MethodPost, a.address, a.headers(many, time.Now()), many); r.status != 413 || r.code() != "too_many_lines" {
		t.Errorf("501 lines: %d %s", r.status, r.body)
	}
	one := ndjson(w, batch[:1])
	old := a.headers(one, time.Now().Add(-20*time.Minute))
	if r := w.do(http.MethodPost, a.address, old, one); r.status != 401 {
		t.Errorf("signed 20 minutes ago: %d %s", r.status, r.body)
	}
	again := a.headers(one, time.Now())
	if r := w.do(http.MethodPost, a.address, again, one); r.status != 200 {
		t.Errorf("signed now: %d %s", r.status, r.body)
	}
	if r := w.do(http.MethodPost, a.address, again, one); r.status != 401 {
		t.Errorf("the same signed request twice: %d %s", r.status, r.body)
	}

	// The day close is kept and held against the receipts.
	differences := func() (out []string) {
		text, errs, code := w.try("reconcile", "--json")
		var r flow.Report
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("reconcile: %v: %s%s", err, text, errs)
		}
		if (code == exitFindings) != (len(r.Differences) > 0) {
			t.Errorf("reconcile ended with %d and %d differences", code, len(r.Differences))
		}
		for _, d := range r.Differences {
			if strings.HasPrefix(d.Row, "day close") {
				out = append(out, d.Row+": "+d.Detail)
			}
		}
		return out
	}
	for _, z := range []struct {
		revision, count int
		gross           string
		differ          int
	}{{1, 501, "9950.10", 0}, {2, 502, "9970.00", 1}, {3, 501, "9950.10", 0}} {
		if got := a.post(a.dayClose(day, z.revision, z.count, z.gross)); got["stored"] != 1 {
			t.Errorf("day close: %v", got)
		}
		if got := differences(); len(got) != z.differ {
			t.Errorf("day close of %d receipts with %s: differences %q", z.count, z.gross, got)
		}
	}

	// A revoked till is turned away with every request that begins a second later; the other one goes on.
	w.cli("terminals", "revoke", a.id)
	revoked, n := time.Now(), 1000
	w.until("the revoked till is served", func() error {
		n++
		begun, body := time.Now(), ndjson(w, []map[string]any{a.receipt(day, n, "1.00")})
		r := w.do(http.MethodPost, a.address, a.headers(body, begun), body)
		if r.status == 401 {
			return nil
		}
		if begun.Sub(revoked) > time.Second {
			t.Errorf("served %s after it was revoked: %d %s", begun.Sub(revoked), r.status, r.body)
		}
		return errors.New(r.body)
	})
	if got := b.post(b.receipt(day, 1, "19.90")); got["stored"] != 1 {
		t.Errorf("the other till: %v", got)
	}
	if text := string(w.cli("terminals", "list")); !regexp.MustCompile(`(?m)^`+a.id+` .*till A +revoked `).MatchString(text) || !strings.Contains(text, "active") {
		t.Errorf("terminals:\n%s", text)
	}
}

func testBuyer(t *testing.T, w *world) {
	const no, mobile = "BU-1", "13900139000"
	s, body := w.store(), paidOrder(no, "1130.00", mobile)
	if r := w.do(http.MethodPost, s.url, s.sign("msg-"+no, time.Now(), body), body); r.status != 200 {
		t.Fatalf("push: %d %s", r.status, r.body)
	}
	w.order(no, "settled")
	var sms struct{ Mobile, Code string }
	w.until("no SMS", func() error {
		f, err := os.Open(filepath.Join(w.dir, "sms.jsonl"))
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if err := json.Unmarshal(lines.Bytes(), &sms); err == nil && strings.HasSuffix(sms.Mobile, mobile) {
				return nil
			}
		}
		return errors.New("none for the buyer")
	})
	page := "http://" + w.buyer
	if r := w.do(http.MethodGet, page+"/", nil, nil); r.status != 200 || !strings.Contains(r.body, "领取电子发票") {
		t.Errorf("the page: %d %s", r.status, r.body)
	}
	pick := func(code, amount string) reply {
		return w.do(http.MethodPost, page+"/pickup", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			[]byte(url.Values{"code": {code}, "amount": {amount}}.Encode()))
	}
	wrong := pick(sms.Code, "1130.01")
	if other := pick("0123456789A", "1130.00"); wrong.status != 404 || other.status != 404 || wrong.body != other.body || !strings.Contains(wrong.body, "没有找到") {
		t.Errorf("wrong amount: %d %s\nwrong code: %d %s", wrong.status, wrong.body, other.status, other.body)
	}
	link := regexp.MustCompile(`href="(/files/[^"]*\.pdf\.[^"]*)"`)
	var address string
	w.until("no PDF on the buyer's page", func() error {
		r := pick(sms.Code, "￥1,130.00")
		m := link.FindStringSubmatch(r.body)
		if r.status != 200 || m == nil {
			return fmt.Errorf("%d %s", r.status, r.body)
		}
		address = m[1]
		return nil
	})
	pdf := w.do(http.MethodGet, page+address, nil, nil)
	if pdf.status != 200 || !strings.HasPrefix(pdf.body, "%PDF") || pdf.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("the file: %d %v %.100s", pdf.status, pdf.header, pdf.body)
	}
	if r := w.do(http.MethodGet, page+address[:len(address)-1]+"_", nil, nil); r.status != 404 {
		t.Errorf("a changed link: %d", r.status)
	}
}

func testOperators(t *testing.T, w *world) {
	base := "http://" + w.admin
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/v1/status": 200, "/v1/orders": 200, "/v1/orders/NO-SUCH": 404, "/nothing": 404} {
		if r := w.do(http.MethodGet, base+path, nil, nil); r.status != status {
			t.Errorf("GET %s: %d %s", path, r.status, r.body)
		}
	}
	for _, path := range []string{"/v1/terminals", "/v1/orders/NO-SUCH/issue", "/v1/reconcile", "/v1/lanes/resume"} {
		if r := w.do(http.MethodPost, base+path, nil, []byte("{}")); r.status != 403 {
			t.Errorf("POST %s on the loopback listener: %d %s", path, r.status, r.body)
		}
	}
	req, err := http.NewRequest(http.MethodGet, base+"/v1/orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "rebound.example.com"
	res, err := web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != 403 {
		t.Errorf("asked for under another name: %s", res.Status)
	}
	var checks []admin.Check
	w.data(&checks, "doctor")
	if len(checks) < 9 {
		t.Errorf("the diagnosis has %d rows: %+v", len(checks), checks)
	}
}

// TestTermUnderLoad: what was acknowledged before or while the host was asked to end is there when it is opened again.
func TestTermUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	s := w.store()
	const senders = 8
	var acknowledged sync.Map
	var count struct {
		sync.Mutex
		n int
	}
	enough, ended := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for n := 0; ; n++ {
				no := fmt.Sprintf("LO-%d-%d", i, n)
				r, err := s.push("msg-"+no, paidOrder(no, "59.00", ""))
				if err != nil { // the door is closed
					return
				}
				if r.status != 200 && r.status != 503 {
					t.Errorf("%s: %d %s", no, r.status, r.body)
				}
				if r.status == 200 {
					acknowledged.Store(no, true)
					count.Lock()
					if count.n++; count.n == 100 {
						close(enough)
					}
					count.Unlock()
				}
				select {
				case <-ended:
					return
				default:
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(patience):
		t.Fatal("100 orders were not taken")
	}
	code := w.stop(w.host, syscall.SIGTERM)
	close(ended)
	all.Wait()
	if code != 0 {
		t.Errorf("the host ended with %d", code)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "data", "admin.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	w.serve() // what was only received becomes an order now
	w.until("acknowledged orders are lost", func() error {
		kept, after := map[string]bool{}, ""
		for full := true; full; {
			var rows []admin.OrderRow
			w.data(&rows, "orders", "list", "--limit", "1000", "--after", after)
			for _, r := range rows {
				kept[r.Order] = true
				after = string(r.ID)
			}
			full = len(rows) == 1000
		}
		var lost []string
		acknowledged.Range(func(no, _ any) bool {
			if !kept[no.(string)] {
				lost = append(lost, no.(string))
			}
			return true
		})
		if len(lost) > 0 {
			return errors.New(strings.Join(lost, " "))
		}
		return nil
	})
}
