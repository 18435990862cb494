package webhooks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/webhooks"
)

func TestVerdictsAndTheirAnswers(t *testing.T) {
	tests := []struct {
		name   string
		note   note
		status int
		body   string // or
		code   string
		stored int
	}{
		{"accepted", note{ID: "e1", Order: "SO-1"}, 200, `{"status":"stored"}`, "", 1},
		{"ignored", note{ID: "e1", Order: "SO-1", Say: "ignored"}, 200, `{"status":"ignored"}`, "", 0},
		{"only a reference is believed", note{ID: "e1", Order: "SO-1", Say: "unverified"}, 200, `{"status":"stored"}`, "", 1},
		{"body changed by one byte", note{Order: "SO-1", Say: "forged", Code: "bad_signature"}, 401, "", "bad_signature", 0},
		{"signed 20 minutes ago", note{Order: "SO-1", Say: "forged", Code: "stale_timestamp"}, 401, "", "stale_timestamp", 0},
		{"forged without a code", note{Order: "SO-1", Say: "forged"}, 401, "", "bad_signature", 0},
		{"a verdict nobody knows", note{Order: "SO-1", Say: "perhaps"}, 401, "", "bad_signature", 0},
		{"duplicate key", note{Order: "SO-1", Say: "malformed", Code: "duplicate_key"}, 400, "", "duplicate_key", 0},
		{"malformed without a code", note{Order: "SO-1", Say: "malformed"}, 400, "", "malformed", 0},
		{"no verdict", note{Order: "SO-1", Say: "breaks"}, 503, "", "unavailable", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			r := w.hook(test.note)
			if r.status != test.status || (test.body != "" && r.body != test.body) || r.code() != test.code {
				t.Errorf("answer %d %s", r.status, r.body)
			}
			if n := len(w.events("SO-1")); n != test.stored {
				t.Errorf("%d states of events, want %d", n, test.stored)
			}
			if test.code != "" && w.count(test.code) != 1 {
				t.Errorf("not counted: %v", w.public.Counts())
			}
			checkProblem(t, r)
		})
	}
}

// checkProblem checks what every refusal has, and that retryable ones say when.
func checkProblem(t *testing.T, r reply) {
	t.Helper()
	if r.status < 400 {
		return
	}
	var p struct {
		Code, Title, Detail, ID string
		Status                  int
		Retryable               bool
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || p.Code == "" || p.Title == "" || p.Status != r.status || !core.ID(p.ID).Valid() {
		t.Errorf("no problem: %s", r.body)
	}
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %s", got)
	}
	after, err := strconv.Atoi(r.header.Get("Retry-After"))
	if p.Retryable != (r.status == 429 || r.status >= 500) || p.Retryable != (err == nil) || (r.status == 503 && (after < 5 || after > 60)) {
		t.Errorf("retryable %v, Retry-After %q", p.Retryable, r.header.Get("Retry-After"))
	}
}

func TestForgedRequestsGetOneShapeOfAnswer(t *testing.T) {
	w := newWorld(t)
	shape := func(r reply) string {
		return strings.ReplaceAll(r.body[:strings.Index(r.body, `"id"`)], r.code(), "CODE")
	}
	first := shape(w.hook(note{Say: "forged", Code: "bad_signature"}))
	for _, code := range []string{"stale_timestamp", "missing_signature"} {
		if got := shape(w.hook(note{Say: "forged", Code: code})); got != first {
			t.Errorf("%s: %s, want %s", code, got, first)
		}
	}
}

func TestDuplicateHasNoTimeLimit(t *testing.T) {
	w := newWorld(t)
	n := note{ID: "e1", Order: "SO-1"}
	w.hook(n)
	for _, later := range []time.Duration{time.Second, 400 * 24 * time.Hour} {
		w.clock.Advance(later)
		if r := w.hook(n); r.status != 200 || r.body != `{"status":"duplicate"}` || r.header.Get("Idempotency-Hit") != "true" {
			t.Errorf("after %s: %d %v %s", later, r.status, r.header, r.body)
		}
	}
	if diff := cmp.Diff(map[core.EventState]int{core.EventNew: 1}, w.events("SO-1")); diff != "" {
		t.Error(diff)
	}
}

func TestSameIDWithOtherContent(t *testing.T) {
	for _, test := range []struct {
		templates bool
		status    int
	}{{false, 200}, {true, 422}} {
		w := newWorld(t)
		w.source.templates = test.templates
		w.hook(note{ID: "e1", Order: "SO-1"})
		r := w.hook(note{ID: "e1", Order: "SO-1", Amount: "999.00"})
		if r.status != test.status || r.code() != "idempotency_mismatch" || r.header.Get("Idempotency-Hit") != "" {
			t.Errorf("answer %d %s", r.status, r.body)
		}
		if p := w.problems(); len(p) != 1 || p[0].Code != core.ProblemEventConflict {
			t.Errorf("problems %v", p)
		}
	}
}

func TestTheSourcesOwnAnswersAreUsed(t *testing.T) {
	w := newWorld(t)
	w.source.templates = true
	for _, want := range []struct {
		say, body string
		status    int
	}{{"accepted", "success", 202}, {"accepted", "again", 200}, {"ignored", "success", 202}, {"parked", "success", 202}} {
		r := w.hook(note{ID: "e" + want.say, Order: "SO-1", Say: want.say})
		if r.status != want.status || r.body != want.body {
			t.Errorf("%s: %d %s", want.say, r.status, r.body)
		}
		if hit := r.header.Get("Idempotency-Hit"); (hit == "true") != (want.body == "again") {
			t.Errorf("%s: Idempotency-Hit %q", want.say, hit)
		}
	}
}

func TestAuthenticButUnusableIsKeptAsAProblem(t *testing.T) {
	w := newWorld(t)
	if r := w.hook(note{ID: "e1", Say: "parked", Code: "bad_number"}); r.status != 200 || r.body != `{"status":"stored"}` {
		t.Errorf("answer %d %s", r.status, r.body)
	}
	if p := w.problems(); len(p) != 1 || p[0].Code != core.ProblemBadNumber || !strings.Contains(p[0].Detail, "lines[0].price") {
		t.Errorf("problems %v", p)
	}
}

// TestTheSameRequestTwiceAtOnce: one of many equal requests is stored, the others learn of it.
func TestTheSameRequestTwiceAtOnce(t *testing.T) {
	w := newWorld(t)
	const n = 20
	w.source.meet = barrierOfRounds(n)
	got := make(chan string, n)
	for range n {
		go func() { got <- w.hook(note{ID: "e1", Order: "SO-1"}).body }()
	}
	answers := map[string]int{}
	for range n {
		answers[<-got]++
	}
	if diff := cmp.Diff(map[string]int{`{"status":"stored"}`: 1, `{"status":"duplicate"}`: n - 1}, answers); diff != "" {
		t.Error(diff)
	}
}

func TestHeadersReachTheSourceInOrderWithRepeats(t *testing.T) {
	w := newWorld(t)
	w.hook(note{ID: "e1", Order: "SO-1"}, "x-shop-sign: one", "X-B: 2", "X-Shop-Sign: two")
	r := w.source.requests()[0]
	if r.Method != "POST" || r.Path != "/hooks/"+token || r.Query != "" || !r.ReceivedAt.Equal(coretest.T0) || r.Caller != (core.Caller{}) {
		t.Errorf("request %+v", r)
	}
	var got []core.Header
	for _, h := range r.Headers {
		if strings.HasPrefix(h.Name, "X-") {
			got = append(got, h)
		}
	}
	if diff := cmp.Diff([]core.Header{{Name: "X-Shop-Sign", Value: "one"}, {Name: "X-B", Value: "2"}, {Name: "X-Shop-Sign", Value: "two"}}, got); diff != "" {
		t.Error(diff)
	}
	one(t, w.addr, post("/hooks/"+token+"?a=%20b&c", `{}`))
	if q := w.source.requests()[1].Query; q != "a=%20b&c" {
		t.Errorf("query %q", q)
	}
}

func TestUnknownAddresses(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/hooks/", "/hooks/x", "/hooks/" + token + "x", "/hooks/" + token[:len(token)-1], "/hooks/" + strings.ToUpper(token),
		"/hooks/" + token + "/", "/HOOKS/" + token, "/callbacks/bureau", "/pos/v1/other", "/"} {
		r := one(t, w.addr, post(path, `{}`))
		if r.status != 404 || r.code() != "not_found" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
		checkProblem(t, r)
	}
}

// inbox is an ingester that does as the test says.
type inbox func(ctx context.Context, in []flow.Inbound) ([]flow.Receipt, error)

func (f inbox) Ingest(ctx context.Context, _ core.InstanceID, in []flow.Inbound) ([]flow.Receipt, error) {
	return f(ctx, in)
}

// TestNothingIs2xxUnlessStored: whatever fails on the way to the disk, the sender is told to come back.
func TestNothingIs2xxUnlessStored(t *testing.T) {
	for name, err := range map[string]error{
		"disk full": fmt.Errorf("ingest: %w", core.ErrNotStored), "vault": fmt.Errorf("seal: no key"), "late": context.DeadlineExceeded,
	} {
		w := newWorld(t, func(o *webhooks.PublicOptions) {
			o.Inbox = inbox(func(context.Context, []flow.Inbound) ([]flow.Receipt, error) { return nil, err })
		})
		r := w.hook(note{ID: "e1", Order: "SO-1"})
		if r.status != 503 || r.code() != "not_stored" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		checkProblem(t, r)
	}
	w := newWorld(t, func(o *webhooks.PublicOptions) {
		o.Inbox = inbox(func(context.Context, []flow.Inbound) ([]flow.Receipt, error) { return nil, nil })
	})
	if r := w.hook(note{ID: "e1", Order: "SO-1"}); r.status != 500 {
		t.Errorf("no receipts: %d %s", r.status, r.body)
	}
}

func TestAHangingSourceIsGivenUp(t *testing.T) {
	w := newWorld(t)
	begun := time.Now()
	r := w.hook(note{ID: "e1", Order: "SO-1", Say: "hangs"})
	if took := time.Since(begun); r.status != 503 || r.code() != "unavailable" || took < 3*time.Second {
		t.Errorf("%d %s after %s", r.status, r.body, took)
	}
}

func TestAPanicHarmsOnlyItsRequest(t *testing.T) {
	w := newWorld(t)
	if r := w.hook(note{Say: "panics"}); r.status != 500 || r.code() != "internal" || !r.closed {
		t.Errorf("%d %s closed %v", r.status, r.body, r.closed)
	}
	if r := w.hook(note{ID: "e1", Order: "SO-1"}); r.status != 200 {
		t.Errorf("afterwards: %d %s", r.status, r.body)
	}
}

func TestOnlySoManyRequestsWait(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(o *webhooks.PublicOptions) { o.Hooks[0].InFlight = 1 })
	w.source.meet = func(core.RawRequest) { inside <- struct{}{}; <-leave }
	first := make(chan reply)
	go func() { first <- w.hook(note{ID: "e1", Order: "SO-1"}) }()
	<-inside
	if r := w.hook(note{ID: "e2", Order: "SO-2"}); r.status != 503 || r.code() != "busy" {
		t.Errorf("second: %d %s", r.status, r.body)
	}
	close(leave)
	if r := <-first; r.status != 200 {
		t.Errorf("first: %d %s", r.status, r.body)
	}
}

// TestBodiesNeverMix: what a source was given stays what it was while the server's buffers serve other requests.
func TestBodiesNeverMix(t *testing.T) {
	const senders, rounds = 32, 8
	w := newWorld(t)
	w.source.meet = barrierOfRounds(senders)
	done := make(chan error, senders)
	for s := range senders {
		go func() { done <- w.sendRounds(s, rounds) }()
	}
	for range senders {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	seen := w.source.requests()
	if len(seen) != senders*rounds {
		t.Fatalf("%d requests", len(seen))
	}
	for _, r := range seen {
		var n note
		if err := json.Unmarshal(r.Body, &n); err != nil {
			t.Fatal(err)
		}
		if name := header(r, "X-Name"); name != n.ID || r.Query != "name="+name || r.Path != "/hooks/"+token {
			t.Errorf("body %s with header %s and query %s", n.ID, name, r.Query)
		}
	}
}

func header(r core.RawRequest, name string) string {
	for _, h := range r.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

func TestSettingsAreChecked(t *testing.T) {
	for _, test := range []struct {
		options webhooks.PublicOptions
		want    string
	}{
		{webhooks.PublicOptions{Hooks: []webhooks.Hook{{Instance: "a", Token: "short"}}}, "16 to 128"},
		{webhooks.PublicOptions{Hooks: []webhooks.Hook{{Instance: "a", Token: token}, {Instance: "b", Token: token}}}, "same token"},
		{webhooks.PublicOptions{TrustedProxies: []string{"proxy.example"}}, "trusted proxy"},
	} {
		if _, err := webhooks.NewPublic(test.options); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), token) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}
