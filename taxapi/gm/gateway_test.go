package gm

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gmcipher "github.com/emmansun/gmsm/cipher"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

var (
	testKey    = gmcrypto.Key([]byte("0123456789abcdef"))
	testSecret = Secret("correct horse battery staple")
	testNow    = time.Date(2026, 11, 25, 9, 0, 0, 0, beijing)
)

type fixedClock struct{ now time.Time }

func (c fixedClock) Now() time.Time { return c.now }

// lie is a way in which the test gateway spoils its answer.
type lie string

const (
	honest       lie = ""
	lieSilence   lie = "says nothing until the client is gone"
	lieReset     lie = "cuts the connection"
	lieTruncated lie = "ends in the middle of the body"
	lieUnsigned  lie = "does not sign"
	lieSignature lie = "signs with another secret"
	lieBody      lie = "signs, then changes the body"
	lieNonce     lie = "echoes another nonce, signed"
	lieKey       lie = "encrypts with another key"
	lieNotSealed lie = "signs a body without data"
	lieEncoding  lie = "signs data in another encoding"
	lieNotJSON   lie = "encrypts something that is not JSON"
	lieNoCode    lie = "encrypts JSON without a code"
	lieTooLong   lie = "never ends"
	lieEmpty     lie = "has no body"
	lieRedirect  lie = "redirects"
	lieStatus    lie = "answers 503"
	lieForeign   lie = "answers 401 in plain text"
)

// lies names what the client makes of each lie.
var lies = map[lie]doubt{
	lieSilence: doubtCut, lieReset: doubtCut, lieTruncated: doubtCut, lieTooLong: doubtTooLong,
	lieUnsigned: doubtSignature, lieSignature: doubtSignature, lieBody: doubtSignature, lieNonce: doubtNonce, lieEmpty: doubtNonce,
	lieKey: doubtSealed, lieNotSealed: doubtSealed, lieEncoding: doubtSealed, lieNotJSON: doubtShape, lieNoCode: doubtShape,
	lieRedirect: doubtStatus, lieStatus: doubtStatus, lieForeign: doubtStatus,
}

// script is what the gateway answers next.
type script struct {
	code, message string
	result        any
	lie           lie
	clock         time.Duration // added to the answer's timestamp
}

// received is a request that the gateway could verify and read.
type received struct {
	op    string
	plain string
}

// gateway is a server of the gm channel written from its page alone, with another SM library than the client's.
type gateway struct {
	t         testing.TB
	server    *httptest.Server
	prefix    string
	mode      Mode
	encoding  Encoding
	signature Signature

	mu       sync.Mutex
	script   script
	requests []received
	nonces   map[string]bool
	arrival  func() // called when a request is there
}

func newGateway(t testing.TB, edit ...func(*gateway)) *gateway {
	g := &gateway{t: t, mode: CBC, encoding: Base64, signature: HMACSM3, nonces: map[string]bool{},
		script: script{code: "0000", result: map[string]any{}}}
	for _, e := range edit {
		e(g)
	}
	g.server = httptest.NewServer(g)
	t.Cleanup(g.server.Close)
	return g
}

func (g *gateway) says(s script) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.script = s
}

// onArrival has a function called for each request, before its answer.
func (g *gateway) onArrival(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.arrival = f
}

func (g *gateway) seen() []received {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]received(nil), g.requests...)
}

// client makes a client of this gateway.
func (g *gateway) client(edit ...func(*Options)) *Client {
	o := Options{BaseURL: g.server.URL + g.prefix, AppID: "shop-1", Key: testKey, Secret: testSecret, Mode: g.mode,
		Encoding: g.encoding, Signature: g.signature, Clock: fixedClock{testNow}, Timeout: time.Minute}
	for _, e := range edit {
		e(&o)
	}
	c, err := New(o)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(c.Close)
	return c
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Errorf("gateway: reading the body: %v", err)
		return
	}
	timestamp, nonce := r.Header.Get("X-Timestamp"), r.Header.Get("X-Nonce")
	op, ok := strings.CutPrefix(r.URL.EscapedPath(), g.prefix+"/gm/v1/")
	if !ok || r.Method != http.MethodPost || r.Header.Get("X-App-Id") != "shop-1" || r.Header.Get("Content-Type") != "application/json" {
		g.t.Errorf("gateway: %s %s from %q as %q", r.Method, r.URL, r.Header.Get("X-App-Id"), r.Header.Get("Content-Type"))
	}
	want := g.sign(testSecret, "POST\n"+g.prefix+"/gm/v1/"+op+"\n"+timestamp+"\n"+nonce+"\n"+sum(body))
	if got := r.Header.Get("X-Signature"); got != want {
		g.t.Errorf("gateway: %s is signed %q, want %q", op, got, want)
	}
	if timestamp != strconv.FormatInt(testNow.UnixMilli(), 10) || len(nonce) != 32 || strings.ToLower(nonce) != nonce {
		g.t.Errorf("gateway: timestamp %q, nonce %q", timestamp, nonce)
	}
	var message struct {
		Data string `json:"data"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		g.t.Errorf("gateway: %v", err)
	}
	g.mu.Lock()
	s := g.script
	if g.nonces[nonce] {
		g.t.Errorf("gateway: nonce %s was used twice", nonce)
	}
	g.nonces[nonce] = true
	g.requests = append(g.requests, received{op, string(g.decrypt(message.Data))})
	arrival := g.arrival
	g.mu.Unlock()
	if arrival != nil {
		arrival()
	}
	g.answer(w, r, s, nonce)
}

func (g *gateway) answer(w http.ResponseWriter, r *http.Request, s script, nonce string) {
	plain, err := json.Marshal(map[string]any{"code": s.code, "message": s.message, "result": s.result, "later": "ignored"})
	if err != nil {
		g.t.Errorf("gateway: %v", err)
	}
	key, secret, encoding := testKey, testSecret, g.encoding
	switch s.lie {
	case lieSilence:
		<-r.Context().Done()
		return
	case lieReset:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			g.t.Errorf("gateway: %v", err)
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
		return
	case lieRedirect:
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return
	case lieStatus:
		http.Error(w, "bad gateway", http.StatusServiceUnavailable)
		return
	case lieForeign:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":"2001","message":"应用未登记"}`)
		return
	case lieEmpty:
		return
	case lieNotJSON:
		plain = []byte(`<html>请登录</html>`)
	case lieNoCode:
		plain = []byte(`{"result":{"state":"issued"}}`)
	case lieKey:
		key = gmcrypto.Key([]byte("fedcba9876543210"))
	case lieSignature:
		secret = Secret("guessed")
	case lieNonce:
		nonce = strings.Repeat("0", 32)
	case lieEncoding:
		if encoding = Hex; g.encoding == Hex {
			encoding = Base64
		}
	}
	body := []byte(`{"data":"` + g.encrypt(key, encoding, plain) + `"}`)
	if s.lie == lieNotSealed {
		body = []byte(`{"code":"0000","result":{"state":"issued"}}`)
	}
	if s.lie == lieTooLong {
		body = bytes.Repeat([]byte(" "), fileLimit+2)
	}
	timestamp := strconv.FormatInt(testNow.Add(s.clock).UnixMilli(), 10)
	h := w.Header()
	h.Set("X-Timestamp", timestamp)
	h.Set("X-Nonce", nonce)
	if s.lie != lieUnsigned {
		h.Set("X-Signature", g.sign(secret, r.URL.EscapedPath()+"\n"+timestamp+"\n"+nonce+"\n"+sum(body)))
	}
	if s.lie == lieBody {
		body[len(body)-4] ^= 1
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if s.lie == lieTruncated {
		body = body[:len(body)/2]
	}
	_, _ = w.Write(body)
}

func sum(b []byte) string { return fmt.Sprintf("%x", sm3.Sum(b)) }

func (g *gateway) sign(secret Secret, text string) string {
	if g.signature == WrappedSM3 {
		return sum([]byte(string(secret) + text + string(secret)))
	}
	mac := hmac.New(sm3.New, secret)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (g *gateway) encrypt(key gmcrypto.Key, encoding Encoding, plain []byte) string {
	block, err := sm4.NewCipher(key[:])
	if err != nil {
		g.t.Fatal(err)
	}
	pad := 16 - len(plain)%16
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	iv := []byte("a rather fixed iv"[:16])
	out := padded
	if g.mode == ECB {
		gmcipher.NewECBEncrypter(block).CryptBlocks(padded, padded)
	} else {
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
		out = append(iv, padded...)
	}
	if encoding == Hex {
		return hex.EncodeToString(out)
	}
	return base64.StdEncoding.EncodeToString(out)
}

func (g *gateway) decrypt(data string) []byte {
	block, err := sm4.NewCipher(testKey[:])
	if err != nil {
		g.t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(data)
	if g.encoding == Hex {
		sealed, err = hex.DecodeString(data)
	}
	if err != nil || len(sealed) < 32 || len(sealed)%16 != 0 {
		g.t.Errorf("gateway: %d bytes of data: %v", len(sealed), err)
		return nil
	}
	if g.mode == ECB {
		gmcipher.NewECBDecrypter(block).CryptBlocks(sealed, sealed)
	} else {
		iv := sealed[:16]
		sealed = sealed[16:]
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(sealed, sealed)
	}
	return sealed[:len(sealed)-int(sealed[len(sealed)-1])]
}
