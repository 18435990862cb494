package gm

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

func TestOptionsAreChecked(t *testing.T) {
	good := Options{BaseURL: "https://gateway.example/tax/", AppID: "shop-1", Key: testKey, Secret: testSecret}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string]func(*Options){
		"https://host":       func(o *Options) { o.BaseURL = "gateway.example" },
		"https://host ":      func(o *Options) { o.BaseURL = "ftp://gateway.example" },
		"not a URL":          func(o *Options) { o.BaseURL = "https://u:pa ss@[" },
		"user, a query":      func(o *Options) { o.BaseURL = "https://gateway.example?x=1" },
		"user, a query ":     func(o *Options) { o.BaseURL = "https://u:hunter2@gateway.example" },
		"use https":          func(o *Options) { o.BaseURL = "http://gateway.example" },
		"application id":     func(o *Options) { o.AppID = "a b" },
		"key is missing":     func(o *Options) { o.Key = gmcrypto.Key{} },
		"secret is empty":    func(o *Options) { o.Secret = nil },
		"neither cbc":        func(o *Options) { o.Mode = "gcm" },
		"neither base64":     func(o *Options) { o.Encoding = "base32" },
		"neither hmac":       func(o *Options) { o.Signature = "md5" },
		"can't be negative":  func(o *Options) { o.Timeout = -1 },
		"reading the code":   func(o *Options) { o.CodesFile = filepath.Join(t.TempDir(), "none.json") },
		"can't be negative ": func(o *Options) { o.MaxConns = -1 },
	} {
		o := good
		edit(&o)
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("got %v, want an error about %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v shows a password", err)
		}
	}
	good.BaseURL, good.AllowPlain = "http://gateway.example", true
	if _, err := New(good); err != nil {
		t.Errorf("plain http, allowed: %v", err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	o := Options{Key: testKey, Secret: testSecret}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		if got := fmt.Sprintf(verb, o); strings.Contains(got, "0123456789") || strings.Contains(got, "correct") ||
			strings.Contains(got, "3031323334") || strings.Contains(got, "0x30, 0x31") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestParseKey(t *testing.T) {
	for text, want := range map[string]string{"0123456789abcdef": "0123456789abcdef", "30313233343536373839616263646566": "0123456789abcdef"} {
		if key, err := ParseKey(text); err != nil || string(key[:]) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, bad := range []string{"", "short", "3031323334353637383961626364656g", strings.Repeat("0", 33)} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		} else if bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%v shows the key", err)
		}
	}
}

// TestEveryEnvelope speaks all combinations, under a base URL with a path that has to be escaped.
func TestEveryEnvelope(t *testing.T) {
	for _, mode := range []Mode{CBC, ECB} {
		for _, encoding := range []Encoding{Base64, Hex} {
			for _, signature := range []Signature{HMACSM3, WrappedSM3} {
				for _, prefix := range []string{"", "/tax/%E6%B2%AA"} {
					t.Run(fmt.Sprint(mode, encoding, signature, prefix), func(t *testing.T) {
						g := newGateway(t, func(g *gateway) {
							g.mode, g.encoding, g.signature, g.prefix = mode, encoding, signature, prefix
						})
						g.says(script{code: "0000", result: takenIssued})
						a, err := g.client().Issue(t.Context(), blueOrder(t), new(hook).before)
						if err != nil || a.Outcome != core.OutcomeIssued {
							t.Errorf("%s %q (%v)", a.Outcome, a.Message, err)
						}
					})
				}
			}
		}
	}
}

func TestACodesFileReplacesTheTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "codes.json")
	table := `{"0000":{"class":"ok"},"5001":{"class":"quota","outcome":"refused"},"E9":{"class":"busy","outcome":"not_taken"}}`
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGateway(t)
	c := g.client(func(o *Options) { o.CodesFile = path })
	for code, want := range map[string]core.Outcome{"5001": core.OutcomeRefused, "E9": core.OutcomeNotTaken, "3001": core.OutcomeUnsure} {
		g.says(script{code: code})
		if a, err := c.Issue(t.Context(), blueOrder(t), new(hook).before); err != nil || a.Outcome != want {
			t.Errorf("%s: %s (%v), want %s", code, a.Outcome, err, want)
		}
	}
}

func TestBadCodeTables(t *testing.T) {
	for _, bad := range []string{
		``, `[]`, `{}`, `{"0000":{"class":"busy","outcome":"not_taken"}}`,
		`{"0000":{"class":"ok"},"1":{"class":"odd","outcome":"unsure"}}`,
		`{"0000":{"class":"ok"},"1":{"class":"busy","outcome":"issued"}}`,
		`{"0000":{"class":"ok"},"1":{"class":"busy"}}`,
		`{"0000":{"class":"ok"},"1":{"class":"unknown","outcome":"not_taken"}}`,
		`{"0000":{"class":"ok"},"1":{"class":"conflict","outcome":"refused"}}`,
		`{"0000":{"class":"ok","outcom":""}}`,
		`{"0000":{"class":"ok"}} {}`,
	} {
		if _, err := parseCodes([]byte(bad)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestWithoutANonceNothingIsSent(t *testing.T) {
	g := newGateway(t)
	c := g.client(func(o *Options) { o.Rand = iotest.ErrReader(os.ErrClosed) })
	var h hook
	if _, err := c.Issue(t.Context(), blueOrder(t), h.before); err == nil || len(h.shown) != 0 || len(g.seen()) != 0 {
		t.Errorf("error %v, hook called %d times, %d requests", err, len(h.shown), len(g.seen()))
	}
}

func TestClientCertificate(t *testing.T) {
	g := newGateway(t)
	g.says(script{code: "0000", result: takenIssued})
	server := httptest.NewUnstartedServer(g)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	config := &tls.Config{RootCAs: roots, Certificates: server.TLS.Certificates}
	for name, test := range map[string]struct {
		config *tls.Config
		want   core.Outcome
	}{
		"with root and certificate": {config, core.OutcomeIssued},
		"unknown root":              {nil, core.OutcomeNotTaken},
	} {
		c := g.client(func(o *Options) { o.BaseURL, o.TLS = server.URL, test.config })
		for range 2 { // the second goes over the first's connection
			if a, err := c.Issue(t.Context(), blueOrder(t), new(hook).before); err != nil || a.Outcome != test.want {
				t.Errorf("%s: %s %q (%v), want %s", name, a.Outcome, a.Message, err, test.want)
			}
		}
	}
	if config.NextProtos != nil || config.MinVersion != 0 {
		t.Error("the caller's TLS configuration was changed")
	}
}

func TestProxyOnlyIfConfigured(t *testing.T) {
	var through atomic.Int32
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) { through.Add(1) }})
	t.Cleanup(proxy.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	t.Setenv("HTTP_PROXY", proxy.URL)
	g := newGateway(t)
	g.says(script{code: "0000", result: takenIssued})
	if a, err := g.client().Issue(t.Context(), blueOrder(t), new(hook).before); err != nil || a.Outcome != core.OutcomeIssued || through.Load() != 0 {
		t.Errorf("without: %s (%v), %d through the proxy", a.Outcome, err, through.Load())
	}
	to, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := g.client(func(o *Options) { o.Proxy = to })
	if a, err := c.Issue(t.Context(), blueOrder(t), new(hook).before); err != nil || a.Outcome != core.OutcomeIssued || through.Load() != 1 {
		t.Errorf("with: %s %q (%v), %d through the proxy", a.Outcome, a.Message, err, through.Load())
	}
}
