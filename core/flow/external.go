package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// External is an invoice that was issued elsewhere for a sale of ours.
type External struct {
	Number   string
	IssuedAt time.Time
	Gross    core.Yuan
}

// RegisterExternal records an invoice issued elsewhere, so that refunds of its sale are reversed through the channel
// like any other. Its lines are drafted from the sale; they must sum to the invoice, or nothing is registered.
func (f *Flow) RegisterExternal(ctx context.Context, who string, id core.ID, x External) error {
	var s saleState
	if err := f.Store.View(ctx, func(v core.View) (err error) {
		if err := f.loadSale(v, id, &s); err != nil {
			return err
		}
		s.rules, err = v.RulesVersion()
		return err
	}); err != nil {
		return fmt.Errorf("register invoice of sale %s: %w", id, err)
	}
	if err := f.unseal(&s); err != nil {
		return err
	}
	if s.body.Sale == nil {
		return fmt.Errorf("register invoice of sale %s: the order itself has not come; fetch it first", id)
	}
	story := s.story()
	if _, err := f.mapLines(ctx, &s, &story); err != nil {
		return err
	}
	n, err := core.ExternalDraft(story)
	if err != nil {
		return fmt.Errorf("register invoice of sale %s: %w", id, err)
	}
	inv := n.Draft.Invoice()
	if !x.Gross.IsZero() && !inv.Gross.Equal(x.Gross) {
		return fmt.Errorf("register invoice of sale %s: the sale comes to %s yuan, the invoice to %s; reverse it by hand", id, inv.Gross, x.Gross)
	}
	d := core.DocumentRecord{Document: core.Document{ID: f.IDs.New(), Sale: id, Color: core.Blue, Kind: inv.Kind, State: core.DocIssued,
		Seller: inv.Seller.ID, Store: s.rec.Store, Channel: inv.Seller.Channel, Serial: "", Number: x.Number, IssuedAt: x.IssuedAt,
		Digest: n.Digest, External: true, CreatedAt: f.now()}, Net: inv.Net, Tax: inv.Tax, Gross: inv.Gross}
	d.Serial = string(d.ID)
	if d.Body, err = f.seal(d.Seller, documentPlace(d.ID), documentBody{n.Draft, n.Basis}); err != nil {
		return err
	}
	err = f.Store.Do(ctx, "act.external", func(tx core.Tx) error {
		if err := tx.PutDocument(d); err != nil {
			return err
		}
		if err := tx.Enqueue(f.settleTask(s.rec)); err != nil {
			return err
		}
		return tx.PutAct(f.act(who, "external", string(id), x.Number))
	})
	if errors.Is(err, core.ErrConflict) {
		return fmt.Errorf("register invoice of sale %s: it has a live invoice already: %w", id, err)
	}
	return err
}
