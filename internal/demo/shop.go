package demo

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// shop is an online store that signs its events as Standard Webhooks wants it.
type shop struct {
	url    string
	secret []byte
}

func newShop(a Addresses) (*shop, error) {
	token, err := os.ReadFile(filepath.Join(a.Dir, "keys", "web.token"))
	if err != nil {
		return nil, fmt.Errorf("the shop's token: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(a.Dir, "keys", "web.secret"))
	if err != nil {
		return nil, fmt.Errorf("the shop's secret: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(string(text)), "whsec_"))
	if err != nil {
		return nil, fmt.Errorf("the shop's secret: %w", err)
	}
	return &shop{url: "http://" + a.Public + "/hooks/" + strings.TrimSpace(string(token)), secret: secret}, nil
}

// send posts one event under an id and wants one of the given statuses.
func (s *shop) send(id, kind string, data any, want int) error {
	now := time.Now()
	body, err := json.Marshal(map[string]any{"type": kind, "timestamp": now.UTC().Format(time.RFC3339), "data": data})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	stamp := fmt.Sprint(now.Unix())
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(id + "." + stamp + "." + string(body)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", stamp)
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return expect(req, want)
}

func expect(req *http.Request, want int) error {
	client := http.Client{Timeout: 30 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != want {
		return fmt.Errorf("%s %s answered %s, want %d: %s", req.Method, req.URL.Path, res.Status, want, text)
	}
	return nil
}
