package taxapi

import (
	"context"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// sent passes a send about an invoice through the guard.
func (g *guard) sent(ctx context.Context, seller core.Seller, op core.Operation, serial string,
	do func() (core.Answer, error)) (core.Answer, error) {
	p, held := g.send(ctx, seller)
	if held != nil {
		return core.Answer{Outcome: core.OutcomeNotTaken, Refusal: core.RefusedBusy, Message: held.Error(),
			Exchange: core.Exchange{Operation: op, Serial: serial}}, nil
	}
	h := healthUnknown
	defer func() { p.done(h) }() // also if the channel panics: a trial must not block the lane for ever
	a, err := do()
	h = healthOf(a.Outcome, a.Refusal, err)
	return a, err
}

// sentConfirmation passes a send about a confirmation through the guard.
func (g *guard) sentConfirmation(ctx context.Context, seller core.Seller, op core.Operation, name string,
	do func() (core.ConfirmationAnswer, error)) (core.ConfirmationAnswer, error) {
	p, held := g.send(ctx, seller)
	if held != nil {
		return core.ConfirmationAnswer{Outcome: core.OutcomeNotTaken, Refusal: core.RefusedBusy, Message: held.Error(),
			Exchange: core.Exchange{Operation: op, Serial: name}}, nil
	}
	h := healthUnknown
	defer func() { p.done(h) }()
	a, err := do()
	h = healthOf(a.Outcome, a.Refusal, err)
	return a, err
}

func (g *guard) Issue(ctx context.Context, o core.IssueOrder, before core.Before) (core.Answer, error) {
	return g.sent(ctx, o.Invoice.Seller, core.OpIssue, o.Serial, func() (core.Answer, error) {
		return g.inner.Issuer.Issue(ctx, o, before)
	})
}

func (g *guard) Query(ctx context.Context, seller core.Seller, serial string) (core.Answer, error) {
	if err := g.question(ctx, seller); err != nil {
		return core.Answer{}, err
	}
	return g.inner.Issuer.Query(ctx, seller, serial)
}

func (g *guard) Apply(ctx context.Context, o core.RedOrder, before core.Before) (core.ConfirmationAnswer, error) {
	return g.sentConfirmation(ctx, o.Invoice.Seller, core.OpApply, o.Application, func() (core.ConfirmationAnswer, error) {
		return g.inner.Reverser.Apply(ctx, o, before)
	})
}

func (g *guard) QueryConfirmation(ctx context.Context, seller core.Seller, application string) (core.ConfirmationAnswer, error) {
	if err := g.question(ctx, seller); err != nil {
		return core.ConfirmationAnswer{}, err
	}
	return g.inner.Reverser.QueryConfirmation(ctx, seller, application)
}

func (g *guard) Withdraw(ctx context.Context, seller core.Seller, uuid string, before core.Before) (core.ConfirmationAnswer, error) {
	return g.sentConfirmation(ctx, seller, core.OpWithdraw, uuid, func() (core.ConfirmationAnswer, error) {
		return g.inner.Reverser.Withdraw(ctx, seller, uuid, before)
	})
}

func (g *guard) IssueRed(ctx context.Context, o core.RedIssueOrder, before core.Before) (core.Answer, error) {
	return g.sent(ctx, o.Invoice.Seller, core.OpIssueRed, o.Serial, func() (core.Answer, error) {
		return g.inner.Reverser.IssueRed(ctx, o, before)
	})
}

func (g *guard) Void(ctx context.Context, seller core.Seller, number string, before core.Before) (core.Answer, error) {
	return g.sent(ctx, seller, core.OpVoid, number, func() (core.Answer, error) {
		return g.inner.Voider.Void(ctx, seller, number, before)
	})
}

func (g *guard) File(ctx context.Context, seller core.Seller, number string, format core.FileFormat) (core.File, bool, error) {
	if err := g.question(ctx, seller); err != nil {
		return core.File{}, false, err
	}
	return g.inner.Files.File(ctx, seller, number, format)
}

func (g *guard) Quota(ctx context.Context, seller core.Seller) (core.Quota, error) {
	if err := g.question(ctx, seller); err != nil {
		return core.Quota{}, err
	}
	return g.inner.Quotas.Quota(ctx, seller)
}

func (g *guard) List(ctx context.Context, seller core.Seller, from, to time.Time, cursor string) ([]core.Listed, string, bool, error) {
	if err := g.question(ctx, seller); err != nil {
		return nil, "", false, err
	}
	return g.inner.Ledger.List(ctx, seller, from, to, cursor)
}
