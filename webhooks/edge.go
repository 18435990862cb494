package webhooks

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"

	"github.com/kaipiao/kaipiao/core"
)

// Limits of every listener. fasthttp's own defaults are no timeouts at all and 262,144 connections.
const (
	readTimeout    = 10 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 30 * time.Second
	connections    = 4096
	readBufferSize = 16 << 10
)

// Limits of bodies in bytes.
const (
	hookBodyLimit    = 1 << 20
	receiptBodyLimit = 8 << 20
	smallBodyLimit   = 4 << 10
)

type edgeOptions struct {
	ids     core.IDs
	log     *slog.Logger
	proxies []string
	tls     *tls.Config
	// bodyLimit says by the request target how large a body may be.
	bodyLimit func(target []byte) int
	// failed, if set, answers in place of problem+json.
	failed func(ctx *fasthttp.RequestCtx, r refusal)
}

// edge is a Fiber application behind the limits that every listener of ours has.
type edge struct {
	edgeOptions
	app     *fiber.App
	trusted networks
	// ctx bounds the work of handlers; it ends when a shutdown can't wait any longer.
	ctx    context.Context
	cancel context.CancelFunc
	// failures keeps a full disk from filling the log as well.
	failures rate.Sometimes

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
}

func newEdge(o edgeOptions) (*edge, error) {
	trusted, err := parseNetworks(o.proxies)
	if err != nil {
		return nil, err
	}
	e := &edge{edgeOptions: o, trusted: trusted, failures: rate.Sometimes{First: 10, Interval: time.Second}}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.app = fiber.New(fiber.Config{
		Immutable:   true, // without it strings of the request change under a handler that keeps them
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, Concurrency: connections,
		ReadBufferSize: readBufferSize, BodyLimit: hookBodyLimit, CaseSensitive: true, StrictRouting: true,
		RequestMethods: []string{fiber.MethodGet, fiber.MethodHead, fiber.MethodPost}, DisablePreParseMultipartForm: true,
		DisableStartupMessage: true, ErrorHandler: func(c *fiber.Ctx, err error) error { e.fail(c.Context(), err); return nil },
	})
	s := e.app.Server()
	s.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		return fasthttp.RequestConfig{MaxRequestBodySize: o.bodyLimit(h.RequestURI())}
	}
	s.CloseOnShutdown = true
	return e, nil
}

// serve answers on a listener until shutdown.
func (e *edge) serve(ln net.Listener) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return errors.Join(net.ErrClosed, ln.Close())
	}
	if len(e.trusted) == 0 { // behind a proxy every connection comes from the same address
		ln = newClientListener(ln, connections/4)
	}
	if e.tls != nil {
		ln = tls.NewListener(ln, e.tls)
	}
	if len(e.listeners) == 0 { // by now all routes are there
		e.app.Server().Handler = e.guard(e.app.Handler())
	}
	e.listeners = append(e.listeners, ln)
	e.mu.Unlock()
	if err := e.app.Server().Serve(ln); err != nil {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}

func (e *edge) shutdown(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	for _, ln := range e.listeners {
		_ = ln.Close() // the server closes it too; whichever comes first
	}
	e.mu.Unlock()
	defer e.cancel()
	if err := e.app.ShutdownWithContext(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

// guard stands before the router: what is ambiguous on the wire, or no method of ours, goes no further, and a panic
// harms only its own request.
func (e *edge) guard(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if r := recover(); r != nil {
				e.log.Error("panic in a handler", "panic", core.MaskText(fmt.Sprint(r)), "stack", string(debug.Stack()))
				e.fail(ctx, refusal{status: fasthttp.StatusInternalServerError, code: CodeInternal, close: true})
			}
		}()
		switch {
		case ambiguous(&ctx.Request.Header):
			e.fail(ctx, refusal{status: fasthttp.StatusBadRequest, code: CodeBadFraming, detail: "both Content-Length and Transfer-Encoding, or a folded header", close: true})
		case !ctx.IsGet() && !ctx.IsPost() && !ctx.IsHead():
			ctx.Response.Header.Set("Allow", "GET, HEAD, POST")
			e.fail(ctx, refusal{status: fasthttp.StatusMethodNotAllowed, code: CodeMethod, close: true})
		default:
			next(ctx)
		}
	}
}

// ambiguous finds what two readers could take for two different requests and fasthttp lets pass: a length beside chunks
// (RFC 9112, 6.1) and folded header lines (5.2).
func ambiguous(h *fasthttp.RequestHeader) bool {
	head := h.RawHeaders()
	if bytes.Contains(head, []byte("\n ")) || bytes.Contains(head, []byte("\n\t")) {
		return true
	}
	length, transfer := false, false
	for key := range h.AllInOrder() { // the parsed headers no longer hold both
		length = length || bytes.EqualFold(key, []byte(fasthttp.HeaderContentLength))
		transfer = transfer || bytes.EqualFold(key, []byte(fasthttp.HeaderTransferEncoding))
	}
	return length && transfer
}

// fail answers with an error of a handler, of the router or of the server.
func (e *edge) fail(ctx *fasthttp.RequestCtx, err error) {
	r := asRefusal(err)
	id := string(e.ids.New())
	if r.cause != nil {
		e.failures.Do(func() { e.log.Error("request failed", "status", r.status, "code", r.code, "id", id, "error", r.cause) })
	}
	if e.failed != nil {
		e.failed(ctx, r)
		return
	}
	r.write(ctx, id)
}

// asRefusal gives every error its answer. Texts of the server's errors hold bytes of the request and are not repeated.
func asRefusal(err error) refusal {
	var r refusal
	if errors.As(err, &r) {
		return r
	}
	var f *fiber.Error
	if !errors.As(err, &f) {
		return refusal{status: fiber.StatusInternalServerError, code: CodeInternal, cause: err}
	}
	r = refusal{status: f.Code, code: CodeBadRequest}
	switch f.Code {
	case fiber.StatusNotFound:
		r.code, r.detail = CodeNotFound, "no such address"
	case fiber.StatusMethodNotAllowed:
		r.code, r.close = CodeMethod, true
	case fiber.StatusRequestTimeout:
		r.code, r.close = CodeTooSlow, true
	case fiber.StatusRequestEntityTooLarge:
		r.code, r.close = CodeTooLarge, true
	case fiber.StatusRequestHeaderFieldsTooLarge:
		r.code, r.close = CodeHeadersTooLarge, true
	default:
		r.status, r.close = fiber.StatusBadRequest, true
	}
	return r
}
