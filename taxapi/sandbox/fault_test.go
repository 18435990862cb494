package sandbox

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		rule   map[string]any
		err    string // part of the error that the client sees; empty: a proper answer
		want   code
		taken  bool
		status int // in the wire log
	}{
		{rule: map[string]any{"kind": "timeout_before"}, err: "Timeout", taken: false, status: 0},
		{rule: map[string]any{"kind": "timeout_after"}, err: "Timeout", taken: true, status: 0},
		{rule: map[string]any{"kind": "timeout_after", "hold": "1ms"}, err: "E", taken: true, status: 0},
		{rule: map[string]any{"kind": "reset_before"}, err: "reset", taken: false, status: 0},
		{rule: map[string]any{"kind": "reset_after"}, err: "reset", taken: true, status: 0},
		{rule: map[string]any{"kind": "http_status", "status": 502}, err: "status 502", taken: false, status: 502},
		{rule: map[string]any{"kind": "http_status", "status": 500, "done": true}, err: "status 500", taken: true, status: 500},
		{rule: map[string]any{"kind": "busy", "done": true}, want: codeBusy, taken: false, status: 200},
		{rule: map[string]any{"kind": "system_timeout"}, want: codeSystemTimeout, taken: false, status: 200},
		{rule: map[string]any{"kind": "system_timeout", "done": true}, want: codeSystemTimeout, taken: true, status: 200},
		{rule: map[string]any{"kind": "code", "code": "5001", "message": "授信额度不足"}, want: codeQuota, taken: false, status: 200},
		{rule: map[string]any{"kind": "code", "code": "9999", "done": true}, want: "9999", taken: true, status: 200},
		{rule: map[string]any{"kind": "truncated"}, err: "unexpected EOF", taken: true, status: 200},
		{rule: map[string]any{"kind": "invalid_json"}, err: "unexpected end of JSON", taken: true, status: 200},
		{rule: map[string]any{"kind": "html"}, err: "another nonce", taken: true, status: 200},
		{rule: map[string]any{"kind": "html", "done": false}, err: "another nonce", taken: false, status: 200},
		{rule: map[string]any{"kind": "bad_signature"}, err: "bad signature", taken: true, status: 200},
		{rule: map[string]any{"kind": "wrong_nonce"}, err: "another nonce", taken: true, status: 200},
		{rule: map[string]any{"kind": "empty"}, err: "another nonce", taken: true, status: 200},
		{rule: map[string]any{"kind": "slow", "hold": "16ms"}, want: codeDone, taken: true, status: 200},
		{rule: map[string]any{"kind": "delay", "hold": "10ms"}, want: codeDone, taken: true, status: 200},
	}
	b := newBench(t)
	for _, tt := range tests {
		kind := tt.rule["kind"].(string)
		t.Run(kind, func(t *testing.T) {
			tt.rule["op"], tt.rule["times"] = "issue", 1
			b.fault(tt.rule)
			defer b.control("DELETE", "/sandbox/faults", nil, nil)
			b.client.http.Timeout = time.Minute
			if tt.err == "Timeout" {
				b.client.http.Timeout = 100 * time.Millisecond
			}
			r := b.sale("100.00")
			got, _, _, err := b.client.call("issue", r)
			b.client.http.Timeout = time.Minute
			if tt.err == "" && (err != nil || got != tt.want) {
				t.Errorf("answered %s, %v; want %s", got, err, tt.want)
			}
			if tt.err != "" && (err == nil || !strings.Contains(describeError(err), tt.err)) {
				t.Errorf("got %v, want an error with %q", err, tt.err)
			}
			if n := countSerial(b.ledger(), r.Serial); n != btoi(tt.taken) {
				t.Errorf("the ledger holds %d, want %v", n, tt.taken)
			}
			wire := b.wire("?ref=" + r.Serial)
			if len(wire) != 1 || wire[0].HTTPStatus != tt.status || !strings.HasSuffix(wire[0].Fault, " "+kind) || wire[0].Done != tt.taken {
				t.Errorf("wire log: %+v", wire)
			}
			// Whatever was taken is found and not taken twice; whatever was not can be sent again.
			want := codeDone
			if tt.taken {
				want = codeDuplicate
			}
			b.call("issue", r, want, nil)
		})
	}
}

// describeError gives the cases one name each, whatever the kernel made of them.
func describeError(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "Timeout"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset E"
	}
	return err.Error()
}

func (b *bench) wire(query string) []exchange {
	b.t.Helper()
	var w struct{ Exchanges []exchange }
	b.control("GET", "/sandbox/wire"+query, nil, &w)
	return w.Exchanges
}

func TestFaultMatching(t *testing.T) {
	request := traits{op: "issue", app: testApp, seller: sellerNo, serial: "S1", buyer: "某某公司", remark: "单号7", gross: "113.00"}
	for name, tt := range map[string]struct {
		rule faultRule
		want bool
	}{
		"everything":    {faultRule{}, true},
		"op":            {faultRule{Op: "query"}, false},
		"app":           {faultRule{App: "x"}, false},
		"seller":        {faultRule{Seller: smallNo}, false},
		"serial":        {faultRule{Serial: "S2"}, false},
		"buyer":         {faultRule{BuyerContains: "某司"}, false},
		"buyer's part":  {faultRule{BuyerContains: "公司"}, true},
		"remark":        {faultRule{RemarkContains: "8"}, false},
		"gross":         {faultRule{Gross: "113.01"}, false},
		"all of it":     {faultRule{Op: "issue", App: testApp, Seller: sellerNo, Serial: "S1", BuyerContains: "某", RemarkContains: "7", Gross: "113.00"}, true},
		"all but gross": {faultRule{Op: "issue", App: testApp, Seller: sellerNo, Serial: "S1", BuyerContains: "某", RemarkContains: "7", Gross: "1.00"}, false},
	} {
		if got := tt.rule.matches(request); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFaultCounting(t *testing.T) {
	pattern := func(rule faultRule) (s string) {
		for range 10 {
			s += map[bool]string{true: "x", false: "."}[rule.acts()]
		}
		return s
	}
	for want, rule := range map[string]faultRule{
		"xxxxxxxxxx": {}, "..xxxxxxxx": {Nth: 3}, "..xx......": {Nth: 3, Times: 2}, "x.........": {Times: 1},
	} {
		if got := pattern(rule); got != want {
			t.Errorf("nth %d times %d: %s, want %s", rule.Nth, rule.Times, got, want)
		}
	}
	one, two := pattern(faultRule{Percent: 50, Seed: 7}), pattern(faultRule{Percent: 50, Seed: 7})
	if one != two || !strings.Contains(one, "x") || !strings.Contains(one, ".") {
		t.Errorf("half of all, by seed: %s and %s", one, two)
	}
	if other := pattern(faultRule{Percent: 50, Seed: 8}); other == one {
		t.Errorf("seeds 7 and 8 draw the same: %s", one)
	}
}

func TestFaultRulesOverControl(t *testing.T) {
	b := newBench(t)
	for name, bad := range map[string]map[string]any{
		"kind": {"kind": "gremlin"}, "status": {"kind": "http_status"}, "code": {"kind": "code"}, "nth": {"kind": "busy", "nth": -1},
		"percent": {"kind": "busy", "percent": 101}, "field": {"kind": "busy", "oops": 1},
	} {
		if status, text := b.tryControl("POST", "/sandbox/faults", bad); status != http.StatusBadRequest {
			t.Errorf("%s: status %d: %s", name, status, text)
		}
	}
	b.fault(map[string]any{"kind": "busy", "op": "issue", "nth": 2, "times": 2}, map[string]any{"kind": "code", "code": "2006", "op": "issue"})
	for i, want := range []code{codeLogin, codeBusy, codeBusy, codeLogin} {
		if got, _, _, err := b.client.call("issue", b.sale("1.00")); err != nil || got != want {
			t.Errorf("request %d: %s, %v; want %s", i+1, got, err, want)
		}
	}
	var rules []faultRule
	b.control("GET", "/sandbox/faults", nil, &rules)
	if len(rules) != 2 || rules[0].Matched != 4 || rules[0].Acted != 2 || rules[1].Acted != 2 {
		t.Errorf("rules: %+v", rules)
	}
	b.control("DELETE", "/sandbox/faults/"+rules[1].ID, nil, &rules)
	if len(rules) != 1 || rules[0].Kind != faultBusy {
		t.Errorf("after dropping one: %+v", rules)
	}
	b.call("issue", b.sale("1.00"), codeDone, nil)
}

// A bureau that closes lets go of held answers.
func TestCloseEndsHolds(t *testing.T) {
	b := newBench(t)
	b.fault(map[string]any{"kind": "timeout_after", "hold": "1h"})
	answered := make(chan error)
	r := b.sale("1.00")
	go func() {
		_, _, _, err := b.client.call("issue", r)
		answered <- err
	}()
	for countSerial(b.ledger(), r.Serial) == 0 {
		continue
	}
	if err := b.bureau.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err == nil {
		t.Error("a held answer was sent")
	}
	if status, _ := b.tryControl("GET", "/sandbox/health", nil); status != http.StatusInternalServerError {
		t.Errorf("after closing: status %d", status)
	}
}
