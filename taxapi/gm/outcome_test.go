package gm

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// expected is what the page of the channel says each code comes to, for a send and for a question.
var expected = map[string]struct {
	send     core.Outcome
	refusal  core.Refusal
	question core.Outcome
}{
	"1001": {core.OutcomeRefused, core.RefusedParameter, core.OutcomeUnsure},
	"1101": {core.OutcomeRefused, core.RefusedParameter, core.OutcomeUnsure},
	"1102": {core.OutcomeRefused, core.RefusedParameter, core.OutcomeUnsure},
	"1103": {core.OutcomeRefused, core.RefusedParameter, core.OutcomeUnsure},
	"1104": {core.OutcomeRefused, core.RefusedParameter, core.OutcomeUnsure},
	"1105": {core.OutcomeRefused, core.RefusedParameter, core.OutcomeUnsure},
	"2001": {core.OutcomeNotTaken, core.RefusedAuthority, core.OutcomeUnsure},
	"2002": {core.OutcomeNotTaken, core.RefusedSignature, core.OutcomeUnsure},
	"2003": {core.OutcomeNotTaken, core.RefusedSignature, core.OutcomeUnsure},
	"2004": {core.OutcomeUnsure, core.RefusedSignature, core.OutcomeUnsure},
	"2005": {core.OutcomeNotTaken, core.RefusedAuthority, core.OutcomeUnsure},
	"2006": {core.OutcomeNotTaken, core.RefusedLogin, core.OutcomeUnsure},
	"3001": {core.OutcomeNotTaken, core.RefusedBusy, core.OutcomeUnsure},
	"3002": {core.OutcomeUnsure, "", core.OutcomeUnsure},
	"4002": {core.OutcomeUnsure, "", core.OutcomeUnsure},
	"5001": {core.OutcomeNotTaken, core.RefusedQuota, core.OutcomeUnsure},
	"6001": {core.OutcomeRefused, core.RefusedRedState, core.OutcomeUnsure},
	"6002": {core.OutcomeRefused, core.RefusedRedState, core.OutcomeUnsure},
	"6003": {core.OutcomeRefused, core.RefusedRedState, core.OutcomeUnsure},
	"6004": {core.OutcomeRefused, core.RefusedRedState, core.OutcomeUnsure},
	"6005": {core.OutcomeRefused, core.RefusedRedState, core.OutcomeUnsure},
	"6006": {core.OutcomeRefused, core.RefusedRedState, core.OutcomeUnsure},
	"7001": {core.OutcomeRefused, core.RefusedSupport, core.OutcomeUnsure},
	"9999": {core.OutcomeUnsure, "", core.OutcomeUnsure}, // not in the table
}

func TestEveryCode(t *testing.T) {
	table, err := loadCodes("")
	if err != nil {
		t.Fatal(err)
	}
	for code := range table {
		switch _, ok := expected[code]; {
		case !ok && code != "0000" && code != "4001" && code != "4004":
			t.Errorf("code %s of the table is not tested", code)
		}
	}
	g := newGateway(t)
	c := g.client()
	for code, want := range expected {
		g.says(script{code: code, message: "说明"})
		for op, send := range sends(t) {
			var h hook
			outcome, refusal, x, err := send(t.Context(), c, h.before)
			if err != nil || outcome != want.send || refusal != want.refusal || x.Code != code || x.Status != 200 {
				t.Errorf("%s answered %s: %s %q %+v (%v), want %s %q", op, code, outcome, refusal, x.Code, err, want.send, want.refusal)
			}
			if len(h.shown) != 1 {
				t.Errorf("%s: the hook was called %d times", op, len(h.shown))
			}
		}
		for op, ask := range questions() {
			if outcome, _, err := ask(t.Context(), c); err != nil || outcome != want.question {
				t.Errorf("%s answered %s: %s (%v), want %s", op, code, outcome, err, want.question)
			}
		}
	}
}

func TestNotFound(t *testing.T) {
	g := newGateway(t)
	c := g.client()
	g.says(script{code: "4004", message: "未查询到"})
	for op, ask := range questions() {
		if outcome, _, err := ask(t.Context(), c); err != nil || outcome != core.OutcomeNotFound {
			t.Errorf("%s: %s (%v), want not found", op, outcome, err)
		}
	}
	want := map[core.Operation]core.Outcome{core.OpIssue: core.OutcomeUnsure, core.OpApply: core.OutcomeUnsure,
		core.OpIssueRed: core.OutcomeRefused, core.OpWithdraw: core.OutcomeRefused, core.OpVoid: core.OutcomeRefused}
	for op, send := range sends(t) {
		if outcome, _, _, err := send(t.Context(), c, new(hook).before); err != nil || outcome != want[op] {
			t.Errorf("%s: %s (%v), want %s", op, outcome, err, want[op])
		}
	}
}

// TestLiesProveNothing sends every operation against every way to spoil an answer that would mean "issued".
func TestLiesProveNothing(t *testing.T) {
	for l, doubt := range lies {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			c := g.client()
			g.says(script{code: "0000", lie: l, result: map[string]any{"serial": testSerial, "state": "issued", "number": testNumber,
				"issued_at": "2026-11-25T09:00:01+08:00", "application": testApplication, "uuid": testUUID, "confirmation_no": testConfNumber}})
			patience := func() context.Context {
				ctx, cancel := context.WithCancel(t.Context())
				t.Cleanup(cancel)
				if l == lieSilence { // wait until it has the request, then no longer
					g.onArrival(cancel)
				}
				return ctx
			}
			for op, send := range sends(t) {
				var h hook
				outcome, _, x, err := send(patience(), c, h.before)
				if err != nil || outcome != core.OutcomeUnsure || x.Code != "" {
					t.Errorf("%s: %s, code %q (%v), want unsure", op, outcome, x.Code, err)
				}
				if len(h.shown) != 1 {
					t.Errorf("%s: the hook was called %d times", op, len(h.shown))
				}
			}
			for op, ask := range questions() {
				if outcome, _, err := ask(patience(), c); err != nil || outcome != core.OutcomeUnsure {
					t.Errorf("%s: %s (%v), want unsure", op, outcome, err)
				}
			}
			if a, err := c.Query(patience(), testSeller, testSerial); err != nil || !strings.HasPrefix(a.Message, string(doubt)) {
				t.Errorf("the doubt is %q (%v), want %q", a.Message, err, doubt)
			}
			if n := len(g.seen()); n != 8 {
				t.Errorf("the gateway saw %d requests, want 8: each is sent once", n)
			}
		})
	}
}

func TestTheTimeoutEndsAnExchange(t *testing.T) {
	g := newGateway(t)
	c := g.client(func(o *Options) { o.Timeout = time.Second })
	if _, err := c.Query(t.Context(), testSeller, testSerial); err != nil { // opens the connection
		t.Fatal(err)
	}
	g.says(script{lie: lieSilence})
	a, err := c.Issue(t.Context(), blueOrder(t), new(hook).before)
	if err != nil || a.Outcome != core.OutcomeUnsure || !strings.HasPrefix(a.Message, string(doubtTimeout)) {
		t.Errorf("%s %q (%v), want unsure for want of time", a.Outcome, a.Message, err)
	}
}

func TestNothingLeftMeansNotTaken(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + closed.Addr().String()
	closed.Close()
	g := newGateway(t)
	tests := map[string]func(*Options){
		"connection refused": func(o *Options) { o.BaseURL = refusing },
		"no such host":       func(o *Options) { o.BaseURL = "https://bureau.invalid" },
		"TLS fails":          func(o *Options) { o.BaseURL = strings.Replace(g.server.URL, "http:", "https:", 1) },
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			c := g.client(edit)
			for op, send := range sends(t) {
				var h hook
				outcome, refusal, x, err := send(t.Context(), c, h.before)
				if err != nil || outcome != core.OutcomeNotTaken || refusal != core.RefusedBusy || x.AnsweredAt.IsZero() {
					t.Errorf("%s: %s %s (%v), want not taken, busy", op, outcome, refusal, err)
				}
				if len(h.shown) != 1 {
					t.Errorf("%s: the hook was called %d times", op, len(h.shown))
				}
			}
			for op, ask := range questions() {
				if outcome, _, err := ask(t.Context(), c); err != nil || outcome != core.OutcomeUnsure {
					t.Errorf("%s: %s (%v), want unsure: the question was not taken, the invoice may have been", op, outcome, err)
				}
			}
		})
	}
	if n := len(g.seen()); n != 0 {
		t.Errorf("the gateway saw %d requests", n)
	}
}

// TestWaitingForAConnection: a request that never got one of the few connections has not left.
func TestWaitingForAConnection(t *testing.T) {
	g := newGateway(t)
	c := g.client(func(o *Options) { o.MaxConns = 1 })
	g.says(script{lie: lieSilence})
	arrived := make(chan struct{})
	g.onArrival(func() { close(arrived) })
	blocked, release := context.WithCancel(t.Context())
	done := make(chan core.Answer)
	go func() {
		a, err := c.Query(blocked, testSeller, testSerial)
		if err != nil {
			t.Error(err)
		}
		done <- a
	}()
	<-arrived // the only connection is taken
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	a, err := c.Issue(ctx, blueOrder(t), new(hook).before)
	if err != nil || a.Outcome != core.OutcomeNotTaken {
		t.Errorf("%s (%v), want not taken", a.Outcome, err)
	}
	release()
	if a := <-done; a.Outcome != core.OutcomeUnsure {
		t.Errorf("the blocked query: %s, want unsure", a.Outcome)
	}
	if n := len(g.seen()); n != 1 {
		t.Errorf("the gateway saw %d requests, want 1", n)
	}
}

func TestTheHookComesFirstAndCanStop(t *testing.T) {
	g := newGateway(t)
	c := g.client()
	stop := errors.New("disk full")
	for op, send := range sends(t) {
		h := hook{err: stop, also: func() {
			if n := len(g.seen()); n != 0 {
				t.Errorf("%s: %d requests had arrived when the hook was called", op, n)
			}
		}}
		_, _, _, err := send(t.Context(), c, h.before)
		if !errors.Is(err, stop) {
			t.Errorf("%s: %v, want the hook's error", op, err)
		}
		if len(h.shown) != 1 || h.shown[0].Operation != op || len(h.shown[0].Request) == 0 || !h.shown[0].SentAt.Equal(testNow) {
			t.Errorf("%s: the hook was shown %+v", op, h.shown)
		}
		if _, _, _, err := send(t.Context(), c, nil); err == nil {
			t.Errorf("%s without a hook was sent", op)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h = hook{}
		if _, _, _, err := send(ctx, c, h.before); !errors.Is(err, context.Canceled) || len(h.shown) != 0 {
			t.Errorf("%s after the end: %v, hook called %d times", op, err, len(h.shown))
		}
	}
	if n := len(g.seen()); n != 0 {
		t.Errorf("the gateway saw %d requests", n)
	}
}

func TestTheExchangeIsReadable(t *testing.T) {
	g := newGateway(t)
	c := g.client()
	g.says(script{code: "0000", message: "成功", result: map[string]any{"serial": testSerial, "state": "accepted"}})
	var h hook
	a, err := c.Issue(t.Context(), blueOrder(t), h.before)
	if err != nil {
		t.Fatal(err)
	}
	x := a.Exchange
	if got := g.seen()[0].plain; got != string(x.Request) || string(h.shown[0].Request) != got {
		t.Errorf("the exchange keeps the request\n%s\nthe gateway read\n%s", x.Request, got)
	}
	if !strings.Contains(string(x.Response), `"message":"成功"`) || x.Serial != testSerial || x.Operation != core.OpIssue ||
		x.Code != "0000" || x.Status != 200 || !x.SentAt.Equal(testNow) || !x.AnsweredAt.Equal(testNow) {
		t.Errorf("exchange %+v", x)
	}
}

func TestABarredConnectionWritesNothingMore(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	defer client.Close()
	if err := client.SetDeadline(time.Now().Add(time.Second)); err != nil { // nobody reads: a write that gets through hangs
		t.Fatal(err)
	}
	conn := &meteredConn{Conn: client}
	m := meter{used: []use{{conn: conn}}}
	if m.left() {
		t.Error("a byte is said to have left")
	}
	if n, err := conn.Write([]byte("late")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("a late write: %d bytes, %v", n, err)
	}
	unknown := meter{used: []use{{}}}
	if !unknown.left() {
		t.Error("a connection that can't be watched counts as unwritten")
	}
}

func TestUnsignedWordsAreShownOnly(t *testing.T) {
	g := newGateway(t)
	c := g.client()
	g.says(script{lie: lieForeign})
	a, err := c.Issue(t.Context(), blueOrder(t), new(hook).before)
	if err != nil || a.Outcome != core.OutcomeUnsure || a.Code != "" || a.Exchange.Status != 401 || !strings.Contains(a.Message, "2001 应用未登记") {
		t.Errorf("%+v (%v)", a, err)
	}
	if !strings.Contains(string(a.Exchange.Response), "2001") {
		t.Errorf("the raw answer is not kept: %q", a.Exchange.Response)
	}
}
