package sandbox

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

const (
	testApp    = "app-1"
	testKey    = "0123456789abcdeffedcba9876543210"
	testSecret = "a secret of the test"

	sellerNo   = "911000000000000018" // general
	smallNo    = "922000000000000026" // small-scale
	companyNo  = "913000000000000034" // a buyer that books nothing
	bookingNo  = "914000000000000042" // a buyer that books
	goodsCode  = "1030201020000000000"
	serviceCod = "3040201010000000000"
)

var testStart = time.Date(2026, 11, 25, 9, 0, 0, 0, beijing)

// bench is a bureau on a real socket with a clock of its own.
type bench struct {
	t      testing.TB
	dir    string
	clock  atomic.Int64 // real time as the bureau sees it, in Unix ms
	bureau *Bureau
	server *httptest.Server
	client *testClient
	nonce  atomic.Int64
	serial atomic.Int64
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.clock.Store(testStart.UnixMilli())
	b.start()
	t.Cleanup(b.stop)
	b.control("POST", "/sandbox/apps", map[string]any{"app_id": testApp, "key": testKey, "secret": testSecret}, nil)
	b.control("POST", "/sandbox/sellers", []any{
		map[string]any{"tax_no": sellerNo, "name": "沙箱商贸有限公司", "type": "general", "quota": "1000000000.00"},
		map[string]any{"tax_no": smallNo, "type": "small"}}, nil)
	b.control("POST", "/sandbox/buyers", map[string]any{"tax_no": bookingNo, "books": true}, nil)
	return b
}

func (b *bench) now() time.Time { return time.UnixMilli(b.clock.Load()) }

func (b *bench) start() {
	b.t.Helper()
	var err error
	b.bureau, err = Open(Options{Dir: b.dir, Now: b.now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.t.Fatal(err)
	}
	b.server = httptest.NewServer(b.bureau.Handler())
	b.client = newTestClient(b.server.URL, testApp, testKey, testSecret)
	b.client.now, b.client.nonce = b.now, b.nextNonce
}

func (b *bench) nextNonce() string { return fmt.Sprintf("%032x", b.nonce.Add(1)) }

func (b *bench) stop() {
	if err := b.bureau.Close(); err != nil {
		b.t.Error(err)
	}
	b.server.Close()
	b.client.http.CloseIdleConnections()
}

func (b *bench) nextSerial() string { return fmt.Sprintf("S%019d", b.serial.Add(1)) }

// control calls the control API and fails the test on any status but 200.
func (b *bench) control(method, path string, body, into any) {
	b.t.Helper()
	if status, text := b.tryControl(method, path, body); status != http.StatusOK {
		b.t.Fatalf("%s %s: status %d: %s", method, path, status, text)
	} else if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			b.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

func (b *bench) tryControl(method, path string, body any) (int, []byte) {
	b.t.Helper()
	var r io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, b.server.URL+path, r)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.client.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, text
}

func (b *bench) set(settings map[string]any) {
	b.t.Helper()
	b.control("POST", "/sandbox/settings", settings, nil)
}

func (b *bench) advance(d string) {
	b.t.Helper()
	b.control("POST", "/sandbox/clock", map[string]any{"advance": d}, nil)
}

func (b *bench) fault(rules ...any) {
	b.t.Helper()
	b.control("POST", "/sandbox/faults", rules, nil)
}

type testInvoice struct {
	invoice
	State state `json:"state"`
}

type testLedger struct {
	Invoices      []testInvoice  `json:"invoices"`
	Confirmations []confirmation `json:"confirmations"`
}

func (b *bench) ledger() (l testLedger) {
	b.t.Helper()
	b.control("GET", "/sandbox/ledger", nil, &l)
	return l
}

// call expects a code and reads the result.
func (b *bench) call(op string, request any, want code, into any) {
	b.t.Helper()
	got, message, result, err := b.client.call(op, request)
	if err != nil {
		b.t.Fatalf("%s: %v", op, err)
	}
	if got != want {
		b.t.Fatalf("%s answered %s (%s), want %s", op, got, message, want)
	}
	if into != nil {
		if err := json.Unmarshal(result, into); err != nil {
			b.t.Fatalf("%s: %v in %s", op, err, result)
		}
	}
}

// issue issues a request and returns the number.
func (b *bench) issue(r issueRequest) string {
	b.t.Helper()
	var result taken
	b.call("issue", r, codeDone, &result)
	if result.State != stateIssued || result.Number == "" {
		b.t.Fatalf("not issued: %+v", result)
	}
	return result.Number
}

// testClient speaks the gm channel. It is written from the document, not from envelope.go.
type testClient struct {
	base, app string
	key       []byte
	secret    []byte
	ecb, hex  bool
	wrap      bool
	http      *http.Client
	now       func() time.Time
	nonce     func() string

	mangle func(*http.Request) // last touch before the send
}

func newTestClient(base, app, keyHex, secret string) *testClient {
	key, err := hex.DecodeString(keyHex)
	if err != nil {
		panic(err)
	}
	return &testClient{base: base, app: app, key: key, secret: []byte(secret), now: time.Now,
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}, Timeout: time.Minute}}
}

func (c *testClient) encrypt(plain []byte) string {
	block, err := sm4.NewCipher(c.key)
	if err != nil {
		panic(err)
	}
	n := 16 - len(plain)%16
	for range n {
		plain = append(plain[:len(plain):len(plain)], byte(n))
	}
	var out []byte
	if c.ecb {
		out = make([]byte, len(plain))
		for i := 0; i < len(plain); i += 16 {
			block.Encrypt(out[i:], plain[i:])
		}
	} else {
		out = make([]byte, 16+len(plain))
		if _, err := rand.Read(out[:16]); err != nil {
			panic(err)
		}
		cipher.NewCBCEncrypter(block, out[:16]).CryptBlocks(out[16:], plain)
	}
	if c.hex {
		return hex.EncodeToString(out)
	}
	return base64.StdEncoding.EncodeToString(out)
}

func (c *testClient) decrypt(data string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if c.hex {
		raw, err = hex.DecodeString(data)
	}
	if err != nil || len(raw) < 32-16*btoi(c.ecb) || len(raw)%16 != 0 {
		return nil, fmt.Errorf("bad data: %v", err)
	}
	block, err := sm4.NewCipher(c.key)
	if err != nil {
		return nil, err
	}
	if c.ecb {
		for i := 0; i < len(raw); i += 16 {
			block.Decrypt(raw[i:], raw[i:])
		}
	} else {
		cipher.NewCBCDecrypter(block, raw[:16]).CryptBlocks(raw[16:], raw[16:])
		raw = raw[16:]
	}
	pad := int(raw[len(raw)-1])
	if pad == 0 || pad > 16 || pad > len(raw) {
		return nil, fmt.Errorf("bad padding")
	}
	return raw[:len(raw)-pad], nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *testClient) sign(text string) string {
	if c.wrap {
		sum := sm3.Sum([]byte(string(c.secret) + text + string(c.secret)))
		return hex.EncodeToString(sum[:])
	}
	m := hmac.New(sm3.New, c.secret)
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func digest(body []byte) string {
	sum := sm3.Sum(body)
	return hex.EncodeToString(sum[:])
}

// call returns an error for everything that proves nothing.
func (c *testClient) call(op string, request any) (code, string, json.RawMessage, error) {
	plain, err := json.Marshal(request)
	if err != nil {
		return "", "", nil, err
	}
	return c.callRaw(op, plain)
}

func (c *testClient) callRaw(op string, plain []byte) (code, string, json.RawMessage, error) {
	body := []byte(`{"data":"` + c.encrypt(plain) + `"}`)
	path := "/gm/v1/" + op
	req, err := http.NewRequest("POST", c.base+path, bytes.NewReader(body))
	if err != nil {
		return "", "", nil, err
	}
	ts, nonce := strconv.FormatInt(c.now().UnixMilli(), 10), c.nonce()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-App-Id", c.app)
	req.Header.Set("X-Timestamp", ts)
	req.Header.Set("X-Nonce", nonce)
	req.Header.Set("X-Signature", c.sign(strings.Join([]string{"POST", path, ts, nonce, digest(body)}, "\n")))
	if c.mangle != nil {
		c.mangle(req)
		nonce = req.Header.Get("X-Nonce")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", "", nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", "", nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", "", nil, fmt.Errorf("status %d: %s", resp.StatusCode, answer)
	}
	if resp.Header.Get("X-Nonce") != nonce {
		return "", "", nil, fmt.Errorf("another nonce")
	}
	text := strings.Join([]string{path, resp.Header.Get("X-Timestamp"), nonce, digest(answer)}, "\n")
	if resp.Header.Get("X-Signature") != c.sign(text) {
		return "", "", nil, fmt.Errorf("bad signature")
	}
	var message struct{ Data string }
	if err := json.Unmarshal(answer, &message); err != nil {
		return "", "", nil, err
	}
	if plain, err = c.decrypt(message.Data); err != nil {
		return "", "", nil, err
	}
	var reply struct {
		Code    code
		Message string
		Result  json.RawMessage
	}
	err = json.Unmarshal(plain, &reply)
	return reply.Code, reply.Message, reply.Result, err
}

// sale makes an issue request of goods at 13 %, one line for each net amount, quantity 1.
func (b *bench) sale(nets ...string) issueRequest {
	r := issueRequest{Serial: b.nextSerial(), Kind: kindGeneral, RequestTime: "2026-11-25T09:00:00+08:00",
		Seller: party{Name: "沙箱商贸有限公司", TaxNo: sellerNo},
		Buyer:  party{Name: "个人", NaturalPerson: "N"}, Drawer: "张三"}
	for _, net := range nets {
		addLine(&r, "燕麦片", "谷物加工品", goodsCode, "1", net, "0.13")
	}
	return r
}

// addLine derives tax by round(net·rate) and keeps the totals right.
func addLine(r *issueRequest, name, short, code, quantity, net, vat string) *wireLine {
	n, _ := parseYuan(net)
	v, _ := parseRate(vat)
	tax := yuan{n.Mul(v.Decimal).Round(2)}
	l := wireLine{No: len(r.Lines) + 1, Nature: natureNormal, Name: name, ShortName: short, Code: code, Quantity: quantity,
		Net: net, Rate: vat, Tax: tax.String(), Gross: n.plus(tax).String()}
	if quantity != "" {
		q, _ := parseMeasure(quantity)
		l.Unit, l.Price = "件", n.DivRound(q.Decimal, 8).Abs().String()
	}
	r.Lines = append(r.Lines, l)
	total(r)
	return &r.Lines[len(r.Lines)-1]
}

func total(r *issueRequest) { r.Net, r.Tax, r.Gross = sumLines(r.Lines) }

func sumLines(lines []wireLine) (net, tax, gross string) {
	var n, t yuan
	for _, l := range lines {
		ln, _ := parseYuan(l.Net)
		lt, _ := parseYuan(l.Tax)
		n, t = n.plus(ln), t.plus(lt)
	}
	return n.String(), t.String(), n.plus(t).String()
}

// parallel runs f n times at once and waits.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
