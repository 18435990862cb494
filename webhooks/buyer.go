package webhooks

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"

	"github.com/kaipiao/kaipiao/core"
)

// BuyerOptions are what the buyer's page works on.
type BuyerOptions struct {
	Store core.Store
	Vault core.Vault
	Clock core.Clock
	IDs   core.IDs
	Log   *slog.Logger
	// Language is used unless ?lang= asks otherwise: zh or en.
	Language string
	// TrustedProxies are addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string
	// PickUpLife is how long a pick-up code opens its invoice, a year if it is 0.
	PickUpLife time.Duration
}

// Buyer serves the page where a buyer picks an invoice up by code and amount. It has no cookies, no scripts, and
// answers everything that does not fit alike.
type Buyer struct {
	BuyerOptions
	edge     *edge
	everyone *rate.Limiter
	networks *limits
	codes    *limits
}

// failureTime is how long every answer to a code that does not fit takes at least, so that its time tells nothing.
const failureTime = 100 * time.Millisecond

// NewBuyer makes the buyer's listener. Nothing listens before Serve.
func NewBuyer(o BuyerOptions) (*Buyer, error) {
	if o.PickUpLife == 0 {
		o.PickUpLife = 365 * 24 * time.Hour
	}
	b := &Buyer{BuyerOptions: o, everyone: rate.NewLimiter(20, 60), networks: newLimits(30, 10*time.Minute), codes: newLimits(10, 10*time.Minute)}
	var err error
	b.edge, err = newEdge(edgeOptions{ids: o.IDs, log: o.Log, proxies: o.TrustedProxies, failed: b.failed,
		bodyLimit: func([]byte) int { return smallBodyLimit }})
	if err != nil {
		return nil, err
	}
	b.edge.app.Get("/", func(c *fiber.Ctx) error { return b.write(c.Context(), fiber.StatusOK, page{}) })
	b.edge.app.Post("/pickup", b.pickUp)
	b.edge.app.Get("/files/:link", b.file)
	return b, nil
}

// Serve answers on a listener until Shutdown; it closes the listener.
func (b *Buyer) Serve(ln net.Listener) error { return b.edge.serve(ln) }

// Shutdown takes no new requests and waits for those that run, at most until ctx ends.
func (b *Buyer) Shutdown(ctx context.Context) error { return b.edge.shutdown(ctx) }

// pickUp shows an invoice to whoever knows its code and its amount.
func (b *Buyer) pickUp(c *fiber.Ctx) error {
	begun := time.Now()
	if err := plainBody(c); err != nil {
		return err
	}
	form, err := url.ParseQuery(string(copyBody(c)))
	if err != nil {
		return refusal{status: fiber.StatusBadRequest, code: CodeMalformed}
	}
	a := b.attempt(form.Get("code"), form.Get("amount"))
	if err := b.within(c, a.hash); err != nil {
		return err
	}
	found, err := b.look(a)
	if err != nil {
		return err
	}
	if found == nil {
		b.pause(time.Until(begun.Add(failureTime)))
		return b.write(c.Context(), fiber.StatusNotFound, page{Message: b.language(c.Context()).NoFit})
	}
	return b.write(c.Context(), fiber.StatusOK, page{Invoice: found})
}

// within keeps guessing slow: for one code, for one network and for everybody together.
func (b *Buyer) within(c *fiber.Ctx, code string) error {
	now := b.Clock.Now()
	network := neighbourhood(b.edge.trusted.client(c.Context()))
	if !b.networks.allow(network, now) || (code != "" && !b.codes.allow(code, now)) || !b.everyone.AllowN(now, 1) {
		return refusal{status: fiber.StatusTooManyRequests, code: CodeTooManyRequests, retryAfter: 60}
	}
	return nil
}

func (b *Buyer) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-b.edge.ctx.Done():
	}
}

// failed shows every other answer as a page that says as little as can be.
func (b *Buyer) failed(ctx *fasthttp.RequestCtx, r refusal) {
	t := b.language(ctx)
	message := t.NoPage
	switch {
	case r.status == fiber.StatusTooManyRequests:
		message = t.TooMany
	case r.retryable():
		message = t.Later
	}
	r.write(ctx, "")
	ctx.Response.ResetBody()
	if err := b.write(ctx, r.status, page{Message: message}); err != nil {
		b.Log.Error("page could not be written", "error", err)
	}
}

// page is what the template shows: the form with a message, or an invoice.
type page struct {
	Text    texts
	Other   string // the language to switch to
	Lang    string
	Message string
	Invoice *shownInvoice
}

func (b *Buyer) write(ctx *fasthttp.RequestCtx, status int, p page) error {
	p.Text = b.language(ctx)
	p.Lang, p.Other = "zh", "en"
	if p.Text == english {
		p.Lang, p.Other = "en", "zh"
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, p); err != nil {
		return fmt.Errorf("render the buyer's page: %w", err)
	}
	harden(ctx)
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.Response.SetBodyRaw(out.Bytes())
	return nil
}

// language is the one asked for in the address, else the configured one.
func (b *Buyer) language(ctx *fasthttp.RequestCtx) texts {
	lang := string(ctx.QueryArgs().Peek("lang"))
	if lang != "zh" && lang != "en" {
		lang = b.Language
	}
	if lang == "en" {
		return english
	}
	return chinese
}

// harden sets what a browser has to keep to on every page and file.
func harden(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}
