package webhooks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
	"github.com/kaipiao/kaipiao/webhooks"
)

// till is a terminal's side: it signs as docs/http.md says.
type till struct {
	*world
	Terminal string `json:"terminal_id"`
	KeyID    string `json:"key_id"`
	Secret   string `json:"secret"`
	sequence uint64
	// skew is how far its clock is off.
	skew time.Duration
	// alter changes the headers after signing.
	alter func(name, value string) string
}

func (w *world) activate() string {
	w.Helper()
	code, expires, err := w.terminals.NewActivation(w.Context(), "tester", coretest.Instance, coretest.Store, "till 1")
	if err != nil {
		w.Fatal(err)
	}
	if want := w.clock.Now().Add(7 * 24 * time.Hour); !expires.Equal(want) {
		w.Errorf("expires %s, want %s", expires, want)
	}
	return code
}

func (w *world) enrolWith(code string) reply {
	w.Helper()
	return one(w, w.addr, post("/pos/v1/enrol", fmt.Sprintf(`{"code":%q,"device":"till-9f2c"}`, code)))
}

func (w *world) enrol() *till {
	w.Helper()
	r := w.enrolWith(w.activate())
	t := &till{world: w}
	if err := json.Unmarshal([]byte(r.body), t); err != nil || r.status != 200 || len(t.Secret) != 64 || r.header.Get("Cache-Control") != "no-store" {
		w.Fatalf("enrol: %d %s %v", r.status, r.body, err)
	}
	return t
}

// signed makes a request under the next sequence number.
func (t *till) signed(path, contentType, body string) string {
	t.sequence++
	return t.signedAs(path, contentType, body, fmt.Sprintf("nonce-%020d", t.sequence))
}

func (t *till) signedAs(path, contentType, body, nonce string) string {
	at := t.clock.Now().Add(t.skew).Unix()
	text := fmt.Sprintf("POST\n%s\n%d\n%s\n%d\n%x", path, at, nonce, t.sequence, gmcrypto.SM3([]byte(body)))
	headers := []string{"Content-Type: " + contentType}
	for _, h := range [][2]string{{"X-Terminal", t.Terminal}, {"X-Key-Id", t.KeyID}, {"X-Timestamp", fmt.Sprint(at)}, {"X-Nonce", nonce},
		{"X-Sequence", fmt.Sprint(t.sequence)}, {"X-Signature", fmt.Sprintf("%x", gmcrypto.HMACSM3([]byte(t.Secret), []byte(text)))}} {
		if t.alter != nil {
			h[1] = t.alter(h[0], h[1])
		}
		headers = append(headers, h[0]+": "+h[1])
	}
	return post(path, body, headers...)
}

const receipts = "/pos/v1/receipts"

func receipt(id, order string) string { return fmt.Sprintf(`{"id":%q,"order":%q}`, id, order) }

func (t *till) post(body string) reply {
	t.Helper()
	return one(t, t.addr, t.signed(receipts, "application/json", body))
}

func (t *till) batch(lines ...string) (reply, []webhooks.LineResult) {
	t.Helper()
	r := one(t, t.addr, t.signed(receipts, "application/x-ndjson; charset=utf-8", strings.Join(lines, "\n")+"\n"))
	var out struct{ Results []webhooks.LineResult }
	if r.status == 200 {
		if err := json.Unmarshal([]byte(r.body), &out); err != nil {
			t.Fatal(err)
		}
	}
	return r, out.Results
}

func (t *till) want(what string, r reply, status int, code string) {
	t.Helper()
	if r.status != status || r.code() != code {
		t.Errorf("%s: %d %s, want %d %s", what, r.status, r.body, status, code)
	}
	checkProblem(t.T, r)
}

func TestOneReceipt(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	r := till.post(receipt("r1", "T-1"))
	if r.status != 200 || r.body != `{"status":"stored"}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	seen := w.source.requests()[0]
	if want := (core.Caller{Terminal: till.Terminal, Store: coretest.Store}); seen.Caller != want || seen.Path != receipts || header(seen, "X-Signature") != "" {
		t.Errorf("the source saw %+v", seen)
	}
	if r := till.post(receipt("r1", "T-1")); r.body != `{"status":"duplicate"}` || r.header.Get("Idempotency-Hit") != "true" {
		t.Errorf("%d %s", r.status, r.body)
	}
	till.want("other content", till.post(receipt("r1", "T-2")), 422, "idempotency_mismatch")
	till.want("malformed", till.post(`{"say":"malformed","code":"bad_number"}`), 400, "bad_number")
	till.want("empty", till.post(" \n"), 400, "malformed")
	till.want("2 MiB", till.post(strings.Repeat(" ", 2<<20)+"{}"), 413, "body_too_large")
	till.want("no verdict", till.post(`{"say":"breaks"}`), 503, "unavailable")
	for _, media := range []string{"text/plain", "application/xml", "", "application/json, application/json"} {
		till.want(media, one(t, w.addr, till.signed(receipts, media, "{}")), 415, "media_type_unsupported")
	}
}

func TestABatchIsAnsweredLineByLine(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	till.post(receipt("r0", "T-0"))
	lines := []string{receipt("r1", "T-1"), receipt("r0", "T-0"), receipt("r0", "T-9"), "no json", `{"id":"p1","say":"parked","code":"bad_number"}`,
		"", `{"say":"ignored","id":"i1"}`, receipt("r2", "T-2") + "\r", strings.Repeat("x", 1<<20+1), receipt("r1", "T-1"), `{"say":"forged"}`}
	r, results := till.batch(lines...)
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for i := range results {
		stored := results[i].Status == webhooks.LineStored || results[i].Code == "bad_number" || results[i].Status == webhooks.LineConflict
		if results[i].ID.Valid() != stored {
			t.Errorf("line %d has id %q", i+1, results[i].ID)
		}
		results[i].ID = ""
	}
	want := []webhooks.LineResult{
		{Line: 1, Status: "stored"}, {Line: 2, Status: "duplicate"}, {Line: 3, Status: "conflict", Code: "idempotency_mismatch"},
		{Line: 4, Status: "malformed", Code: "bad_json"}, {Line: 5, Status: "malformed", Code: "bad_number"},
		{Line: 6, Status: "malformed", Code: "empty_line"}, {Line: 7, Status: "ignored"}, {Line: 8, Status: "stored"},
		{Line: 9, Status: "malformed", Code: "line_too_long"}, {Line: 10, Status: "duplicate"}, {Line: 11, Status: "malformed", Code: "malformed"},
	}
	if diff := cmp.Diff(want, results); diff != "" {
		t.Error(diff)
	}
	if p := w.problems(); len(p) != 2 {
		t.Errorf("problems %v", p)
	}
	_, again := till.batch(lines...)
	for i, status := range []webhooks.LineStatus{"duplicate", "duplicate", "conflict", "malformed", "duplicate", "malformed", "ignored", "duplicate"} {
		if again[i].Status != status {
			t.Errorf("line %d again: %s, want %s", i+1, again[i].Status, status)
		}
	}
}

func TestABatchWithoutAllVerdictsIsNotStored(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	r, _ := till.batch(receipt("r1", "T-1"), `{"say":"breaks"}`, receipt("r2", "T-2"))
	till.want("batch", r, 503, "unavailable")
	if n := len(w.events("T-1")); n != 0 {
		t.Error("a part of the batch was stored")
	}
	if r, results := till.batch(receipt("r1", "T-1"), receipt("r2", "T-2")); r.status != 200 || results[0].Status != "stored" || results[1].Status != "stored" {
		t.Errorf("retry: %d %s", r.status, r.body)
	}
}

func TestTheLargestBatch(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	var lines []string
	for i := range 500 {
		lines = append(lines, receipt(fmt.Sprintf("r%d", i), fmt.Sprintf("T-%d", i)))
	}
	r, results := till.batch(lines...)
	if r.status != 200 || len(results) != 500 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for i, each := range results {
		if each.Line != i+1 || each.Status != webhooks.LineStored {
			t.Errorf("line %d: %+v", i+1, each)
		}
	}
	r, _ = till.batch(append(lines, lines[0])...)
	till.want("501 lines", r, 413, "too_many_lines")
}

func TestReplays(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	request := till.signed(receipts, "application/json", receipt("r1", "T-1"))
	till.want("first", one(t, w.addr, request), 200, "")
	till.want("the same bytes", one(t, w.addr, request), 401, "replayed_sequence")
	till.sequence = 0
	till.want("an old number", till.post(receipt("r2", "T-2")), 401, "replayed_sequence")
	till.sequence = 9
	till.want("an old nonce", one(t, w.addr, till.signedAs(receipts, "application/json", receipt("r2", "T-2"), "nonce-00000000000000000001")), 401, "replayed_nonce")
	till.want("the number was not used up by that", one(t, w.addr, till.signedAs(receipts, "application/json", receipt("r2", "T-2"), "nonce-of-its-own-00001")), 200, "")
	w.open() // a restart forgets neither
	till.sequence = 8
	till.want("after a restart", till.post(receipt("r3", "T-3")), 401, "replayed_sequence")
	till.sequence = 10
	till.want("after a restart", one(t, w.addr, till.signedAs(receipts, "application/json", receipt("r3", "T-3"), "nonce-of-its-own-00001")), 401, "replayed_nonce")
	r := till.post(receipt("r1", "T-1"))
	if r.body != `{"status":"duplicate"}` {
		t.Errorf("a retry under a new number: %d %s", r.status, r.body)
	}
}

func TestClocks(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	for i, test := range []struct {
		skew   time.Duration
		status int
		code   string
	}{{-300 * time.Second, 200, ""}, {300 * time.Second, 200, ""}, {-301 * time.Second, 401, "stale_timestamp"}, {301 * time.Second, 401, "stale_timestamp"}, {-20 * time.Minute, 401, "stale_timestamp"}} {
		till.skew = test.skew
		till.want(test.skew.String(), till.post(receipt(fmt.Sprint("r", i), "T-1")), test.status, test.code)
	}
}

// TestWhatIsNotProven: whatever is wrong with a signature, the answer is the same.
func TestWhatIsNotProven(t *testing.T) {
	w := newWorld(t)
	till, other := w.enrol(), w.enrol()
	for name, alter := range map[string]func(header, value string) string{
		"unknown terminal": func(h, v string) string { return pick(h == "X-Terminal", string(w.ids.New()), v) },
		"unknown key":      func(h, v string) string { return pick(h == "X-Key-Id", string(w.ids.New()), v) },
		"another's key":    func(h, v string) string { return pick(h == "X-Key-Id", other.KeyID, v) },
		"another terminal": func(h, v string) string { return pick(h == "X-Terminal", other.Terminal, v) },
		"other sequence":   func(h, v string) string { return pick(h == "X-Sequence", "99", v) },
		"other nonce":      func(h, v string) string { return pick(h == "X-Nonce", "nonce-of-somebody", v) },
		"other time":       func(h, v string) string { return pick(h == "X-Timestamp", "1793494801", v) },
		"other signature":  func(h, v string) string { return pick(h == "X-Signature", strings.Repeat("0", 64), v) },
		"short signature":  func(h, v string) string { return pick(h == "X-Signature", v[:max(len(v)-2, 0)], v) },
		"no signature":     func(h, v string) string { return pick(h == "X-Signature", "", v) },
		"two signatures":   func(h, v string) string { return pick(h == "X-Signature", v+"\r\nX-Signature: "+v, v) },
		"no hexadecimal":   func(h, v string) string { return pick(h == "X-Signature", strings.Repeat("g", 64), v) },
		"leading zero":     func(h, v string) string { return pick(h == "X-Sequence", "0"+v, v) },
	} {
		till.alter = alter
		till.want(name, till.post(receipt("r1", "T-1")), 401, "bad_signature")
	}
	till.alter = nil
	request := till.signed(receipts, "application/json", receipt("r1", "T-1"))
	till.want("other body", one(t, w.addr, strings.Replace(request, "T-1", "T-2", 1)), 401, "bad_signature")
	till.want("other path", one(t, w.addr, strings.Replace(request, receipts, "/pos/v1/rotate", 1)), 401, "bad_signature")
	if n := len(w.source.requests()); n != 0 {
		t.Errorf("the source saw %d requests", n)
	}
	till.want("as it was signed", one(t, w.addr, request), 200, "")
}

func pick(which bool, a, b string) string {
	if which {
		return a
	}
	return b
}

func TestRevocationIsImmediateEverywhere(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	first := w.terminals
	till.want("before", till.post(receipt("r1", "T-1")), 200, "")
	w.open() // another host, whose cache knows the till as good
	till.want("before, elsewhere", till.post(receipt("r2", "T-1")), 200, "")
	if err := first.Revoke(t.Context(), "tester", till.Terminal); err != nil {
		t.Fatal(err)
	}
	till.want("after", till.post(receipt("r3", "T-1")), 401, "terminal_revoked")
	w.clock.Advance(time.Second)
	till.want("later", till.post(receipt("r3", "T-1")), 401, "terminal_revoked")
	list, err := w.terminals.List(t.Context())
	if err != nil || len(list) != 1 || !list[0].Revoked || list[0].Label != "till 1" || list[0].Store != coretest.Store || list[0].Sequence != 2 {
		t.Errorf("list %+v, %v", list, err)
	}
	if err := first.Revoke(t.Context(), "tester", "nobody"); err == nil {
		t.Error("nobody was revoked")
	}
}

func TestActivationCodesWorkOnce(t *testing.T) {
	w := newWorld(t)
	code := w.activate()
	swapped := code[:9] + code[10:] + code[9:10]
	late := w.activate()
	till := &till{world: w}
	till.want("mistyped", w.enrolWith(swapped), 401, "bad_activation_code")
	till.want("as a person types it", w.enrolWith(strings.ToLower(code[:5]+"-"+code[5:])), 200, "")
	till.want("again", w.enrolWith(code), 401, "bad_activation_code")
	w.clock.Advance(7 * 24 * time.Hour)
	till.want("too late", w.enrolWith(late), 401, "bad_activation_code")
	for _, body := range []string{"", "[]", `{"code":"x","device":"y","store":"S002"}`, `{"code":"x","device":"` + strings.Repeat("y", 65) + `"}`} {
		till.want(body, one(t, w.addr, post("/pos/v1/enrol", body)), 400, "malformed")
	}
}

func TestGuessingActivationCodesIsSlow(t *testing.T) {
	w := newWorld(t)
	till := &till{world: w}
	for range 10 {
		till.want("guess", w.enrolWith("0000000000"), 401, "bad_activation_code")
	}
	till.want("one too many", w.enrolWith("0000000000"), 429, "too_many_requests")
	w.clock.Advance(time.Minute)
	till.want("a minute later", w.enrolWith("0000000000"), 401, "bad_activation_code")
}

func (t *till) rotate() reply {
	t.Helper()
	return one(t, t.addr, t.signed("/pos/v1/rotate", "application/json", ""))
}

// with returns the same till under the key of an answer.
func (t *till) with(r reply) *till {
	t.Helper()
	fresh := *t
	if err := json.Unmarshal([]byte(r.body), &fresh); err != nil || r.status != 200 || fresh.KeyID == t.KeyID || fresh.Secret == t.Secret || fresh.Terminal != t.Terminal {
		t.Fatalf("rotate: %d %s", r.status, r.body)
	}
	return &fresh
}

func TestRotation(t *testing.T) {
	w := newWorld(t)
	old := w.enrol()
	lost := old.with(old.rotate())
	old.want("old key beside an unused new one", old.post(receipt("r1", "T-1")), 200, "")
	fresh := old.with(old.rotate()) // as if the first answer had been lost
	lost.sequence = old.sequence
	lost.want("the lost key", lost.post(receipt("r2", "T-2")), 401, "bad_signature")
	fresh.sequence = old.sequence
	fresh.want("new key", fresh.post(receipt("r2", "T-2")), 200, "")
	old.sequence = fresh.sequence
	old.want("old key after the new one was used", old.post(receipt("r3", "T-3")), 401, "bad_signature")

	newest := fresh.with(fresh.rotate())
	w.clock.Advance(24 * time.Hour)
	fresh.want("old key after a day", fresh.post(receipt("r3", "T-3")), 401, "bad_signature")
	newest.sequence = fresh.sequence
	newest.want("newest key", newest.post(receipt("r3", "T-3")), 200, "")
}

func TestReceiptsPerMinute(t *testing.T) {
	w := newWorld(t, func(o *webhooks.PublicOptions) { o.TerminalRate = 60 })
	till, other := w.enrol(), w.enrol()
	lines := make([]string, 500)
	for i := range lines {
		lines[i] = `{"say":"ignored"}`
	}
	r, _ := till.batch(lines...)
	till.want("a full bucket", r, 200, "")
	till.sequence++
	request := till.signedAs(receipts, "application/x-ndjson", lines[0]+"\n"+lines[1], "nonce-of-its-own-00001")
	r = one(t, w.addr, request)
	till.want("an empty one", r, 429, "too_many_requests")
	if got := r.header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %s, want the 2 seconds that two receipts take", got)
	}
	other.want("another till", other.post(lines[0]), 200, "")
	w.clock.Advance(2 * time.Second)
	till.want("the same bytes afterwards", one(t, w.addr, request), 200, "")
}

func TestPersonsActsAreRecorded(t *testing.T) {
	w := newWorld(t)
	till := w.enrol()
	till.rotate()
	if err := w.terminals.Revoke(t.Context(), "王会计", till.Terminal); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(w.acts, " "), "terminal.activation terminal.enrol terminal.rotate terminal.revoke"; got != want {
		t.Errorf("acts %q, want %q", got, want)
	}
}
