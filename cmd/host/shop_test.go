package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"github.com/kaipiao/kaipiao/internal/admin"
)

// store is an online store that signs by Standard Webhooks, with its own code.
type store struct {
	url    string
	secret []byte
}

func (w *world) store() *store {
	w.t.Helper()
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(w.secret("web.secret"), "whsec_"))
	if err != nil {
		w.t.Fatal(err)
	}
	return &store{"http://" + w.public + "/hooks/" + w.secret("web.token"), secret}
}

// secret reads what init drew.
func (w *world) secret(name string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, "keys", name))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// sign makes the headers of a push.
func (s *store) sign(id string, at time.Time, body []byte) http.Header {
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, s.secret)
	mac.Write(append([]byte(id+"."+stamp+"."), body...))
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", stamp)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

func (s *store) push(id string, body []byte) (reply, error) {
	return send(http.MethodPost, s.url, s.sign(id, time.Now(), body), body)
}

// paidOrder is an order of one cup for somebody with a mobile number.
func paidOrder(no, amount, mobile string) []byte {
	now := time.Now().UTC().Format(time.RFC3339)
	b, err := json.Marshal(map[string]any{"type": "order.paid", "timestamp": now, "data": map[string]any{
		"order_no": no, "updated_at": now, "status": "paid", "paid_at": now, "total": amount,
		"lines": []any{map[string]any{"line_no": "1", "sku": "CUP-1", "name": "不锈钢保温杯", "unit": "个", "quantity": "1", "paid_amount": amount, "tax_code_hint": codeHome}},
		"buyer": map[string]any{"title_type": "personal", "title": "王五", "mobile": mobile}}})
	if err != nil {
		panic(err)
	}
	return b
}

// order waits until an order is as it should be, and returns it.
func (w *world) order(no string, class string) admin.Order {
	w.t.Helper()
	var o admin.Order
	w.until("order "+no+" does not become "+class, func() error {
		out, errs, code := w.try("orders", "show", no, "--json")
		if code != 0 {
			return errors.New(errs)
		}
		o = admin.Order{}
		if err := json.Unmarshal(out, &o); err != nil {
			return err
		}
		if string(o.Class) != class {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	return o
}

// till is a terminal that signs by HMAC-SM3, with a library of its own.
type till struct {
	w              *world
	id, key        string
	secret         []byte
	store, address string
	sequence       int
}

func (w *world) till(label string) *till {
	w.t.Helper()
	var code admin.Activation
	w.data(&code, "terminals", "activate", "--store", "S01", "--label", label)
	body := fmt.Appendf(nil, `{"code":%q,"device":%q}`, code.Code, label)
	r := w.do(http.MethodPost, "http://"+w.public+"/pos/v1/enrol", http.Header{"Content-Type": {"application/json"}}, body)
	var got struct {
		Terminal string `json:"terminal_id"`
		Key      string `json:"key_id"`
		Secret   string `json:"secret"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != http.StatusOK {
		w.t.Fatalf("enrol: %d %s", r.status, r.body)
	}
	if r := w.do(http.MethodPost, "http://"+w.public+"/pos/v1/enrol", http.Header{"Content-Type": {"application/json"}}, body); r.status != 401 || r.code() != "bad_activation_code" {
		w.t.Errorf("the same code once more: %d %s", r.status, r.body)
	}
	return &till{w: w, id: got.Terminal, key: got.Key, secret: []byte(got.Secret), store: "S01", address: "http://" + w.public + receiptsPath}
}

const receiptsPath = "/pos/v1/receipts"

// headers sign a body as the next request of the till.
func (t *till) headers(body []byte, at time.Time) http.Header {
	t.sequence++
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	sum := sm3.Sum(body)
	text := strings.Join([]string{"POST", receiptsPath, fmt.Sprint(at.Unix()), hex.EncodeToString(nonce), fmt.Sprint(t.sequence), hex.EncodeToString(sum[:])}, "\n")
	mac := hmac.New(sm3.New, t.secret)
	mac.Write([]byte(text))
	h := http.Header{}
	for k, v := range map[string]string{"Content-Type": "application/x-ndjson", "X-Terminal": t.id, "X-Key-Id": t.key, "X-Timestamp": fmt.Sprint(at.Unix()),
		"X-Nonce": hex.EncodeToString(nonce), "X-Sequence": fmt.Sprint(t.sequence), "X-Signature": hex.EncodeToString(mac.Sum(nil))} {
		h.Set(k, v)
	}
	return h
}

// post sends lines and counts what became of them.
func (t *till) post(lines ...map[string]any) map[string]int {
	t.w.t.Helper()
	body := ndjson(t.w, lines)
	var r reply
	t.w.until("post receipts", func() (err error) { // each try is signed by itself, as a till does it
		if r, err = send(http.MethodPost, t.address, t.headers(body, time.Now()), body); err == nil && r.status == http.StatusServiceUnavailable {
			err = errors.New(r.body)
		}
		return err
	})
	var got struct {
		Results []struct {
			Line         int
			Status, Code string
		}
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != http.StatusOK || len(got.Results) != len(lines) {
		t.w.t.Fatalf("%d receipts: %d %s", len(lines), r.status, r.body)
	}
	counts := map[string]int{}
	for i, line := range got.Results {
		if line.Line != i+1 {
			t.w.t.Errorf("result %d belongs to line %d", i+1, line.Line)
		}
		counts[strings.TrimSpace(line.Status+" "+line.Code)]++
	}
	return counts
}

func ndjson(w *world, lines []map[string]any) []byte {
	var body bytes.Buffer
	for _, l := range lines {
		b, err := json.Marshal(l)
		if err != nil {
			w.t.Fatal(err)
		}
		body.Write(append(b, '\n'))
	}
	return body.Bytes()
}

func (t *till) receipt(day string, n int, amount string) map[string]any {
	return map[string]any{"kind": "SALE", "business_day": day, "number": fmt.Sprintf("%06d", n), "sold_at": time.Now().Format(time.RFC3339),
		"lines":   []any{map[string]any{"line_no": "1", "sku": "CUP-1", "name": "不锈钢保温杯", "unit": "个", "qty": "1", "gross": amount, "tax_code": codeHome}},
		"tenders": []any{map[string]any{"kind": "CASH", "amount": amount}}, "payable": amount}
}

func (t *till) dayClose(day string, revision, count int, gross string) map[string]any {
	at := time.Now().Format(time.RFC3339)
	return map[string]any{"kind": "DAY_CLOSE", "business_day": day, "number": "Z1", "revision": revision, "sold_at": at,
		"day_close": map[string]any{"z_number": "1", "opened_at": at, "closed_at": at, "count_sales": count, "gross": gross, "net": gross, "status": "CLOSED"}}
}
