package battery

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// answer is how the host answered one message.
type answer string

const (
	stored    answer = "stored"
	duplicate answer = "duplicate"
	conflict  answer = "conflict" // the same id with other content
	refused   answer = "refused"  // any other 4xx
	later     answer = "later"    // no answer, or one that asks to come again
)

// errRefused says that the host turned a right message down.
var errRefused = errors.New("refused")

// sender is a shop: it signs by Standard Webhooks, repeats what was not acknowledged, and keeps its own list of what was.
type sender struct {
	url    string
	key    []byte
	client *http.Client

	mu    sync.Mutex
	acked []message
	posts int
}

func newSender(url string, key []byte) *sender {
	return &sender{url: url, key: key, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

// post sends a message once. zip sends the body compressed, with the signature over the plain one.
func (s *sender) post(ctx context.Context, m message, zip bool) (answer, string, error) {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(m.id + "." + now + "."))
	mac.Write(m.body)
	body := m.body
	if zip {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(body); err != nil {
			return later, "", err
		}
		if err := w.Close(); err != nil {
			return later, "", err
		}
		body = b.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return later, "", err
	}
	req.GetBody = nil // the transport must not repeat anything by itself
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", m.id)
	req.Header.Set("webhook-timestamp", now)
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if zip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return later, err.Error(), nil
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return later, err.Error(), nil
	}
	s.mu.Lock()
	s.posts++
	s.mu.Unlock()
	detail := res.Status + " " + string(text)
	switch {
	case res.StatusCode/100 == 2 && res.Header.Get("Idempotency-Hit") == "true":
		return duplicate, detail, nil
	case res.StatusCode/100 == 2:
		return stored, detail, nil
	case res.StatusCode == http.StatusUnprocessableEntity:
		return conflict, detail, nil
	case res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests:
		return refused, detail, nil
	}
	return later, detail, nil
}

// tell sends a message until the host has said what became of it.
func (s *sender) tell(ctx context.Context, m message) error {
	wait := time.NewTicker(20 * time.Millisecond)
	defer wait.Stop()
	for {
		a, detail, err := s.post(ctx, m, false)
		switch {
		case err != nil:
			return err
		case m.conflict && a == conflict:
			return nil
		case !m.conflict && (a == stored || a == duplicate):
			s.mu.Lock()
			s.acked = append(s.acked, m)
			s.mu.Unlock()
			return nil
		case a != later:
			return fmt.Errorf("message %s (known id with other content: %v): %w: answered %s: %s", m.id, m.conflict, errRefused, a, detail)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("message %s: no answer in time, the last was %q: %w", m.id, detail, ctx.Err())
		case <-wait.C:
		}
	}
}

// tellAll tells several stories at the same time, each in its own order.
func (s *sender) tellAll(ctx context.Context, stories [][]message) error {
	errs := make([]error, len(stories))
	var all sync.WaitGroup
	for i, messages := range stories {
		all.Go(func() {
			for _, m := range messages {
				errs[i] = errors.Join(errs[i], s.tell(ctx, m))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// recheck sends everything acknowledged once more: all of it must be known. What is not known was lost after its 2xx.
func (s *sender) recheck(ctx context.Context) (wrong []string, err error) {
	s.mu.Lock()
	acked := s.acked
	s.acked = nil
	s.mu.Unlock()
	for _, m := range acked {
		a, detail, err := s.post(ctx, m, false)
		if err != nil {
			return wrong, err
		}
		if a != duplicate {
			wrong = append(wrong, fmt.Sprintf("message %s was acknowledged; sent again it is answered %s: %s", m.id, a, detail))
		}
	}
	return wrong, nil
}
