package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEnvelopeCodes(t *testing.T) {
	b := newBench(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, tt := range []struct {
		name   string
		mangle func(*http.Request)
		want   code
	}{
		{"nothing wrong", nil, codeNotFound},
		{"T30 signature", header("X-Signature", "AAAA"), codeSignature},
		{"another nonce than signed", header("X-Nonce", strings.Repeat("a", 32)), codeSignature},
		{"upper-case nonce", header("X-Nonce", strings.Repeat("A", 32)), codeField},
		{"timestamp of letters", header("X-Timestamp", "now"), codeField},
		{"body changed", func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(make([]byte, r.ContentLength))) }, codeSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.client.mangle = tt.mangle
			b.call("query", queryRequest{Serial: b.nextSerial()}, tt.want, nil)
		})
	}
	b.client.mangle = nil
	query := queryRequest{Serial: b.nextSerial()}

	b.client.now = func() time.Time { return b.now().Add(-301 * time.Second) }
	b.call("query", query, codeTimestamp, nil)
	b.client.now = func() time.Time { return b.now().Add(301 * time.Second) }
	b.call("query", query, codeTimestamp, nil)
	b.client.now = func() time.Time { return b.now().Add(300 * time.Second) }
	b.call("query", query, codeNotFound, nil)
	b.client.now = b.now
	b.set(map[string]any{"skew": "10m"})
	b.call("query", query, codeTimestamp, nil)
	b.set(map[string]any{"skew": "0s"})
	b.advance("72h") // the calendar moves, the window stays
	b.call("query", query, codeNotFound, nil)

	b.client.nonce = func() string { return strings.Repeat("b", 32) }
	b.call("query", query, codeNotFound, nil)
	b.call("query", query, codeNonce, nil)
	b.client.nonce = b.nextNonce
	b.call("unheard_of", query, codeField, nil)

	key := b.client.key
	b.client.key = []byte("another key of16")
	if _, _, _, err := b.client.call("query", query); err == nil {
		t.Error("the answer opened under another key")
	}
	b.client.key = key
	if c, _, _, err := b.client.callRaw("issue", []byte(`{"lines":[{"net":1}]}`)); err != nil || c != codeField {
		t.Errorf("a JSON number for money: %s, %v", c, err)
	}
	if c, _, _, err := b.client.callRaw("issue", []byte(`[]`)); err != nil || c != codeField {
		t.Errorf("a list: %s, %v", c, err)
	}
}

func TestStrangers(t *testing.T) {
	b := newBench(t)
	b.client.app = "nobody"
	_, _, _, err := b.client.call("query", queryRequest{})
	if err == nil || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), `"code":"2001"`) {
		t.Errorf("an unknown application got %v", err)
	}
	b.client.app = testApp
	b.control("POST", "/sandbox/apps", map[string]any{"app_id": testApp, "key": testKey, "secret": testSecret,
		"operations": []string{"query"}}, nil)
	b.call("query", queryRequest{Serial: b.nextSerial()}, codeNotFound, nil)
	b.call("issue", b.sale("1.00"), codeApplication, nil)
	b.control("POST", "/sandbox/apps", map[string]any{"app_id": testApp, "key": testKey, "secret": testSecret,
		"disabled": true}, nil)
	b.call("query", queryRequest{Serial: b.nextSerial()}, codeApplication, nil)
	b.control("POST", "/sandbox/apps", map[string]any{"app_id": testApp, "key": testKey, "secret": testSecret}, nil)
	b.control("POST", "/sandbox/sellers", map[string]any{"tax_no": sellerNo, "apps": []string{"app-2"}}, nil)
	b.call("issue", b.sale("1.00"), codeSeller, nil)
	resp, err := b.client.http.Get(b.server.URL + "/gm/v1/query")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", resp.StatusCode)
	}
}

func TestEveryConfiguration(t *testing.T) {
	b := newBench(t)
	for _, mode := range []string{cipherCBC, cipherECB} {
		for _, encoding := range []string{encodingBase64, encodingHex} {
			for _, signature := range []string{signatureHMAC, signatureWrap} {
				id := strings.Join([]string{"app", mode, encoding, strings.ReplaceAll(signature, "-", "_")}, "-")
				b.control("POST", "/sandbox/apps", map[string]any{"app_id": id, "key": testKey, "secret": testSecret,
					"cipher": mode, "encoding": encoding, "signature": signature, "window": "10s"}, nil)
				b.client.app, b.client.ecb, b.client.hex = id, mode == cipherECB, encoding == encodingHex
				b.client.wrap = signature == signatureWrap
				r := b.sale("1.00")
				b.issue(r)
				b.client.now = func() time.Time { return b.now().Add(11 * time.Second) }
				b.call("query", queryRequest{Serial: r.Serial}, codeTimestamp, nil)
				b.client.now = b.now
			}
		}
	}
	// Serials belong to an application: another one sees nothing.
	b.client.app, b.client.ecb, b.client.hex, b.client.wrap = testApp, false, false, false
	b.call("query", queryRequest{Serial: "S0000000000000000001"}, codeNotFound, nil)
}

func TestPrefix(t *testing.T) {
	bureau, err := Open(Options{Dir: t.TempDir(), Prefix: "/tax/"})
	if err != nil {
		t.Fatal(err)
	}
	defer bureau.Close()
	req, err := http.NewRequest("GET", "/tax/sandbox/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, pattern := bureau.mux.Handler(req); pattern != "GET /tax/sandbox/health" {
		t.Errorf("health is served by %q", pattern)
	}
	req.Method, req.URL.Path = "POST", "/tax/gm/v1/issue"
	if _, pattern := bureau.mux.Handler(req); pattern != "POST /tax/gm/v1/{operation}" {
		t.Errorf("issue is served by %q", pattern)
	}
}

func TestNonces(t *testing.T) {
	now := testStart
	n := newNonces(10*time.Minute, now)
	if !n.take("a", "1", now) || n.take("a", "1", now) || !n.take("b", "1", now) {
		t.Error("a nonce is taken once by each application")
	}
	for _, later := range []time.Duration{9 * time.Minute, 11 * time.Minute, 19 * time.Minute} {
		if n.take("a", "1", now.Add(later)) {
			t.Errorf("forgotten after %s", later)
		}
	}
	n.take("a", "2", now.Add(22*time.Minute))
	if !n.take("a", "1", now.Add(33*time.Minute)) {
		t.Error("never forgotten: memory would grow for ever")
	}
}
