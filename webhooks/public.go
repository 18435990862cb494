// Package webhooks is the public edge: the webhooks of stores, the receipts of tills and the buyer's page. Nothing is
// answered 2xx before it is on disk, and every other answer says whether to try again.
package webhooks

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/fault"
)

// Parser verifies and decodes one request; core.Source has it. Errors mean that there is no verdict.
type Parser interface {
	Parse(ctx context.Context, instance core.InstanceID, r core.RawRequest) (core.Parsed, error)
}

// Ingester stores requests and says what each came to once that is on disk; *flow.Flow has it.
type Ingester interface {
	Ingest(ctx context.Context, instance core.InstanceID, in []flow.Inbound) ([]flow.Receipt, error)
}

// Bounds on the time of one request and on what waits at a time.
const (
	parseTime  = 3 * time.Second
	batchTime  = 8 * time.Second
	ingestTime = 10 * time.Second
	inFlight   = 1024
)

// Hook is the address of one instance.
type Hook struct {
	Instance core.InstanceID
	// Token is the unguessable end of the address, at least 16 characters of [0-9A-Za-z_-]. Only its digest is kept.
	Token string
	// InFlight bounds the requests of the instance that wait for their answer, 1024 if it is 0.
	InFlight int
}

// PublicOptions are what the public edge works on.
type PublicOptions struct {
	Source Parser
	Inbox  Ingester
	Hooks  []Hook
	// Terminals may be nil: then no till is known here and /pos answers 404.
	Terminals *Terminals
	// TerminalRate bounds the receipts of one till per minute; 0 is no bound.
	TerminalRate int
	// TrustedProxies are addresses or networks whose X-Forwarded-For is believed.
	TrustedProxies []string
	// TLS is nil behind a proxy that ends it.
	TLS   *tls.Config
	Clock core.Clock
	IDs   core.IDs
	Log   *slog.Logger
}

// Public serves stores and tills.
type Public struct {
	PublicOptions
	edge   *edge
	hooks  map[[sha256.Size]byte]*hook
	posts  *gate
	tills  tillLimits
	enrols *limits
	counts counts
	late   sync.WaitGroup
}

// hook is an instance behind its token.
type hook struct {
	instance core.InstanceID
	gate     *gate
}

var tokenShape = regexp.MustCompile(`^[0-9A-Za-z_-]{16,128}$`)

// NewPublic makes the public edge. Nothing listens before Serve.
func NewPublic(o PublicOptions) (*Public, error) {
	p := &Public{PublicOptions: o, hooks: map[[sha256.Size]byte]*hook{}, posts: newGate(0),
		tills: tillLimits{perMinute: o.TerminalRate}, enrols: newLimits(10, 10*time.Minute)}
	for _, h := range o.Hooks {
		if !tokenShape.MatchString(h.Token) {
			return nil, fmt.Errorf("webhook of %s: the token needs 16 to 128 characters of [0-9A-Za-z_-]", h.Instance)
		}
		digest := sha256.Sum256([]byte(h.Token))
		if other, ok := p.hooks[digest]; ok {
			return nil, fmt.Errorf("webhooks of %s and %s: both have the same token", other.instance, h.Instance)
		}
		p.hooks[digest] = &hook{h.Instance, newGate(h.InFlight)}
	}
	p.PublicOptions.Hooks = nil
	var err error
	p.edge, err = newEdge(edgeOptions{ids: o.IDs, log: o.Log, proxies: o.TrustedProxies, tls: o.TLS, bodyLimit: publicBodyLimit})
	if err != nil {
		return nil, err
	}
	p.edge.app.Post("/hooks/:token", p.hook)
	if o.Terminals != nil {
		p.edge.app.Post(receiptsPath, p.receipts)
		p.edge.app.Post(enrolPath, p.enrol)
		p.edge.app.Post(rotatePath, p.rotate)
	}
	return p, nil
}

// Serve answers on a listener until Shutdown; it closes the listener.
func (p *Public) Serve(ln net.Listener) error { return p.edge.serve(ln) }

// Shutdown takes no new requests and waits for those that run, at most until ctx ends.
func (p *Public) Shutdown(ctx context.Context) error {
	err := p.edge.shutdown(ctx)
	p.late.Wait()
	return err
}

// Counts are the answers since the start, by instance and kind.
func (p *Public) Counts() []Count { return p.counts.list() }

// hook takes one webhook of a store.
func (p *Public) hook(c *fiber.Ctx) error {
	h, ok := p.hooks[sha256.Sum256([]byte(c.Params("token")))]
	if !ok {
		return refusal{status: fiber.StatusNotFound, code: CodeNotFound, detail: "no such address"}
	}
	if err := plainBody(c); err != nil {
		return err
	}
	if !h.gate.enter() {
		p.counts.add(h.instance, string(CodeBusy))
		return busy
	}
	defer h.gate.leave()
	raw := copyRequest(c, p.Clock.Now())
	parsed, err := p.parse(h.instance, raw, parseTime)
	if err != nil {
		return err
	}
	result, err := p.take(h.instance, flow.Inbound{Raw: raw, Parsed: parsed})
	if err != nil {
		return err
	}
	return answer(c, parsed, result, false)
}

// parse asks the source for a verdict.
func (p *Public) parse(instance core.InstanceID, raw core.RawRequest, limit time.Duration) (core.Parsed, error) {
	ctx, cancel := context.WithTimeout(p.edge.ctx, limit)
	defer cancel()
	parsed, err := p.Source.Parse(ctx, instance, raw)
	if err == nil {
		return parsed, nil
	}
	p.counts.add(instance, string(CodeUnavailable))
	return parsed, refusal{status: fiber.StatusServiceUnavailable, code: CodeUnavailable, detail: "the source's plugin gave no verdict",
		cause: fmt.Errorf("parse for %s: %w", instance, err)}
}

// take acts on a verdict. The result is empty when there was nothing to store.
func (p *Public) take(instance core.InstanceID, in flow.Inbound) (flow.Result, error) {
	if !storable(in.Parsed) {
		return "", p.turnAway(instance, in.Parsed)
	}
	receipts, err := p.ingest(instance, []flow.Inbound{in})
	if err != nil {
		return "", err
	}
	return receipts[0].Result, nil
}

// storable says whether a verdict lets a request into the store.
func storable(p core.Parsed) bool {
	switch p.Verdict {
	case core.Accepted, core.Unverified:
		return true
	case core.Malformed:
		return p.Authentic
	}
	return false
}

// turnAway counts what is not stored. Forged requests get one shape of answer, whatever was wrong with them.
func (p *Public) turnAway(instance core.InstanceID, parsed core.Parsed) error {
	switch parsed.Verdict {
	case core.Ignored:
		p.counts.add(instance, string(core.Ignored))
		return nil
	case core.Malformed:
		code := Code(parsed.Code)
		if code == "" {
			code = CodeMalformed
		}
		p.counts.add(instance, string(code))
		return refusal{status: fiber.StatusBadRequest, code: code, detail: parsed.Reason}
	}
	code := Code(parsed.Code)
	if code == "" {
		code = CodeBadSignature
	}
	p.counts.add(instance, string(code))
	return refusal{status: fiber.StatusUnauthorized, code: code, detail: forgedDetail}
}

// ingest stores requests; its receipts are true once it returns.
func (p *Public) ingest(instance core.InstanceID, in []flow.Inbound) ([]flow.Receipt, error) {
	if fault.Bug(fault.BugReplyBeforeCommit) {
		return p.ingestLater(instance, in), nil
	}
	ctx, cancel := context.WithTimeout(p.edge.ctx, ingestTime)
	defer cancel()
	fault.Point("edge.ingest")
	receipts, err := p.Inbox.Ingest(ctx, instance, in)
	if err != nil {
		p.counts.add(instance, string(CodeNotStored))
		return nil, refusal{status: fiber.StatusServiceUnavailable, code: CodeNotStored, detail: "nothing was stored; send it again", cause: err}
	}
	if len(receipts) != len(in) {
		return nil, fmt.Errorf("ingest for %s: %d requests got %d receipts", instance, len(in), len(receipts))
	}
	for i := range receipts {
		p.counts.add(instance, string(receipts[i].Result))
	}
	fault.Point("edge.ingested")
	return receipts, nil
}

// ingestLater is a seeded bug: it calls everything stored while the commit is still to come.
func (p *Public) ingestLater(instance core.InstanceID, in []flow.Inbound) []flow.Receipt {
	p.late.Go(func() {
		if _, err := p.Inbox.Ingest(context.Background(), instance, in); err != nil {
			p.Log.Error("requests answered and not stored", "instance", instance, "error", err)
		}
	})
	receipts := make([]flow.Receipt, len(in))
	for i := range receipts {
		receipts[i].Result = flow.Stored
	}
	return receipts
}
