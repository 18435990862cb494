package demo

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// till is a terminal that signs its posts with HMAC-SM3.
type till struct {
	base, store string
	sequence    int
	id          string
	keyID       string
	secret      []byte
}

// enrol trades a one-time activation code for a key.
func enrol(public, store, code string) (*till, error) {
	body, err := json.Marshal(map[string]string{"code": code, "device": "demo-" + store})
	if err != nil {
		return nil, err
	}
	res, err := http.Post("http://"+public+"/pos/v1/enrol", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("enrol a till: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var got struct {
		Terminal string `json:"terminal_id"`
		KeyID    string `json:"key_id"`
		Secret   string `json:"secret"`
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("enrol a till: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("enrol a till: %s %s", res.Status, text)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return nil, fmt.Errorf("enrol a till: %w", err)
	}
	// The secret is text; its characters are the key as they stand.
	return &till{base: "http://" + public, store: store, id: got.Terminal, keyID: got.KeyID, secret: []byte(got.Secret)}, nil
}

// post sends receipts, one a line, and returns each line's status.
func (t *till) post(receipts ...map[string]any) ([]string, error) {
	var body bytes.Buffer
	for _, r := range receipts {
		b, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		body.Write(append(b, '\n'))
	}
	const path = "/pos/v1/receipts"
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	t.sequence++
	sum := gmcrypto.SM3(body.Bytes())
	stamp, seq, n := fmt.Sprint(time.Now().Unix()), fmt.Sprint(t.sequence), hex.EncodeToString(nonce)
	mac := gmcrypto.HMACSM3(t.secret, []byte(strings.Join([]string{"POST", path, stamp, n, seq, hex.EncodeToString(sum[:])}, "\n")))
	req, err := http.NewRequest(http.MethodPost, t.base+path, &body)
	if err != nil {
		return nil, err
	}
	for k, v := range map[string]string{"Content-Type": "application/x-ndjson", "X-Terminal": t.id, "X-Key-Id": t.keyID, "X-Timestamp": stamp,
		"X-Nonce": n, "X-Sequence": seq, "X-Signature": hex.EncodeToString(mac[:])} {
		req.Header.Set(k, v)
	}
	client := http.Client{Timeout: 30 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("post receipts: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("post receipts: %s %s", res.Status, text)
	}
	var out struct {
		Results []struct {
			Status string `json:"status"`
			Code   string `json:"code"`
		} `json:"results"`
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("post receipts: %w: %s", err, text)
	}
	var statuses []string
	for _, r := range out.Results {
		statuses = append(statuses, strings.TrimSuffix(r.Status+" "+r.Code, " "))
	}
	return statuses, nil
}
