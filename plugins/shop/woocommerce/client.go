package woocommerce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// client speaks wc/v3 with basic authentication.
type client struct {
	base        *url.URL
	key, secret string
	http        *http.Client
}

// maxAnswer bounds what is read of an answer; a page of 100 orders with many lines is about 2 MiB.
const maxAnswer = 16 << 20

// statusError is an answer that is not a success.
type statusError struct {
	what   string
	status int
	after  time.Duration
}

func (e *statusError) Error() string {
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("%s: the shop answered %d; check the consumer key and its permissions", e.what, e.status)
	case http.StatusNotFound:
		return fmt.Sprintf("%s: the shop does not know it (404)", e.what)
	}
	return fmt.Sprintf("%s: the shop answered %d", e.what, e.status)
}

// passing says whether the same call may succeed later.
func (e *statusError) passing() bool {
	return e.status == http.StatusTooManyRequests || e.status == http.StatusRequestTimeout || e.status >= 500
}

// defaultPause is how long to leave a shop alone that is busy and doesn't say for how long.
const defaultPause = 30 * time.Second

// instructed turns an error of a call into what the host is to do.
func instructed(err error) error {
	var s *statusError
	switch {
	case !errors.As(err, &s):
		return err
	case s.passing():
		return sdk.RetryAfter(s.after, err)
	}
	return sdk.Permanent(err)
}

func (c *client) get(ctx context.Context, query url.Values, into any, path ...string) error {
	return c.call(ctx, http.MethodGet, query, nil, into, path...)
}

// call makes one call. Errors name the path, never the query or the body.
func (c *client) call(ctx context.Context, method string, query url.Values, body, into any, path ...string) error {
	at := c.base.JoinPath(path...)
	what := method + " " + at.Path
	at.RawQuery = query.Encode()
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s: encode: %w", what, err)
		}
		payload = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, at.String(), payload)
	if err != nil {
		return fmt.Errorf("%s: %w", what, withoutURL(err))
	}
	request.SetBasicAuth(c.key, c.secret)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", what, withoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case answer.StatusCode >= 300:
		return &statusError{what: what, status: answer.StatusCode, after: retryAfter(answer.Header)}
	case err != nil:
		return fmt.Errorf("%s: read the answer: %w", what, err)
	case len(raw) > maxAnswer:
		return sdk.Permanent(fmt.Errorf("%s: the answer is longer than %d bytes", what, maxAnswer))
	case into == nil:
		return nil
	}
	if err := sdk.DecodeJSON(raw, into); err != nil {
		return sdk.Permanent(fmt.Errorf("%s: answer: %w", what, err))
	}
	return nil
}

// withoutURL keeps queries, which may hold an order number, out of error texts.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds <= 0 || seconds > 3600 {
		return defaultPause
	}
	return time.Duration(seconds) * time.Second
}
