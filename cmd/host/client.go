package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"time"

	"github.com/kaipiao/kaipiao/internal/admin"
	"github.com/kaipiao/kaipiao/internal/config"
)

// client speaks the admin API: to the running host through its socket, or, when none runs, to a host that is opened
// for this one command without listeners or workers.
type client struct {
	app  *app
	http http.RoundTripper
	end  func() error
}

// connect finds the host of the configuration.
func (a *app) connect(ctx context.Context) (*client, error) {
	cfg, err := config.Load(a.config)
	if err != nil {
		return nil, err
	}
	socket := cfg.DataPath("admin.sock")
	if conn, err := net.DialTimeout("unix", socket, time.Second); err == nil {
		_ = conn.Close()
		t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}}
		return &client{a, t, func() error { t.CloseIdleConnections(); return nil }}, nil
	}
	h, err := openHost(ctx, cfg, hostOptions{offline: true, log: quietLog(a.err)})
	if err != nil {
		return nil, fmt.Errorf("no host answers at %s, and the database can't be opened here: %w", socket, err)
	}
	return &client{a, direct{h.api}, func() error { return h.close(context.WithoutCancel(ctx)) }}, nil
}

// direct calls a handler in this process.
type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return w.Result(), nil
}

// get reads; into is filled from the JSON answer.
func (c *client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

// post acts, unless --dry-run was given: then it says what would be asked.
func (c *client) post(ctx context.Context, path string, body, into any) error {
	if c.app.dry {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		c.app.say("试运行, 未执行: POST %s %s", "dry run, nothing done: POST %s %s", path, b)
		return nil
	}
	return c.do(ctx, http.MethodPost, path, body, into)
}

func (c *client) do(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var rd io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		rd = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://kaipiao"+path, rd)
	if err != nil {
		return err
	}
	if u, err := user.Current(); err == nil {
		req.Header.Set("X-Kaipiao-User", u.Username)
	}
	res, err := c.http.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("ask the host: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return failure(res)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("read the host's answer: %w", err)
	}
	return nil
}

func failure(res *http.Response) error {
	var p admin.Problem
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p); err != nil {
		return fmt.Errorf("the host answered %s", res.Status)
	}
	code := exitFailed
	switch res.StatusCode {
	case http.StatusNotFound:
		code = exitNotFound
	case http.StatusBadRequest:
		code = exitUsage
	}
	return exitError{code, errors.New(p.Detail)}
}

// with runs a command against the host.
func (a *app) with(ctx context.Context, f func(*client) error) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.end())
}

// quietLog is for commands: only warnings and worse, to stderr.
func quietLog(w *os.File) logOptions { return logOptions{out: w, level: "warn", format: "text"} }
