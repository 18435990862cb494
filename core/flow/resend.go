package flow

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// Resend delivers an issued invoice again by a person's act, to a new address or to the ones it has. It returns how
// many parcels go out.
func (f *Flow) Resend(ctx context.Context, who string, document core.ID, to string) (int, error) {
	d, sale, err := f.readDocument(ctx, document)
	if err != nil {
		return 0, fmt.Errorf("deliver document %s: %w", document, err)
	}
	if d.State != core.DocIssued {
		return 0, fmt.Errorf("deliver document %s: it is %s, not issued", document, d.State)
	}
	if to != "" {
		return f.resendTo(ctx, who, d, sale, to)
	}
	var parcels []core.ParcelRecord
	if err := f.Store.View(ctx, func(v core.View) (err error) { parcels, err = v.ParcelsOf(document); return err }); err != nil {
		return 0, fmt.Errorf("deliver document %s: %w", document, err)
	}
	sent := 0
	err = f.Store.Do(ctx, "act.deliver", func(tx core.Tx) error {
		sent = 0
		for _, p := range parcels {
			if !resendable(p) {
				continue
			}
			if err := f.sendAgain(tx, p); err != nil {
				return err
			}
			sent++
		}
		return tx.PutAct(f.act(who, "deliver", string(document), ""))
	})
	return sent, err
}

// resendable says that a parcel is not on its way already.
func resendable(p core.ParcelRecord) bool {
	switch p.State {
	case core.ParcelSent, core.ParcelDelivered, core.ParcelFailed, core.ParcelUnknown:
		return true
	}
	return false
}

func (f *Flow) sendAgain(tx core.Tx, p core.ParcelRecord) error {
	from := p.State
	p.State, p.Attempt = core.ParcelPending, 0
	if err := tx.MoveParcel(from, p); err != nil {
		return err
	}
	return tx.Enqueue(f.parcelTask(p, core.TaskDeliver))
}

func (f *Flow) resendTo(ctx context.Context, who string, d core.DocumentRecord, sale core.SaleRecord, to string) (int, error) {
	buyer := core.Buyer{}
	kind := core.ByEmail
	switch mobile, ok := NormalMobile(to); {
	case ValidEmail(to):
		buyer.Email = core.Contact(to)
	case ok:
		kind, buyer.Mobile = core.BySMS, core.Contact(mobile)
	default:
		return 0, fmt.Errorf("deliver document %s: the address is neither an e-mail address nor a mainland mobile number", d.ID)
	}
	for rank, c := range f.Book.Deliveries(d.Store) {
		if c.Kind != kind {
			continue
		}
		p, ok, err := f.parcel(d, sale, c, rank, buyer)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		return 1, f.Store.Do(ctx, "act.deliver", func(tx core.Tx) error {
			fresh, err := tx.PutParcel(p)
			if err != nil {
				return err
			}
			if fresh {
				err = tx.Enqueue(f.parcelTask(p, core.TaskDeliver))
			} else {
				err = f.sendToKnown(tx, p)
			}
			if err != nil {
				return err
			}
			if err := f.closeDelivery(tx, d.ID); err != nil {
				return err
			}
			return tx.PutAct(f.act(who, "deliver", string(d.ID), "to a new address"))
		})
	}
	return 0, fmt.Errorf("deliver document %s: store %s has no %s channel; add one to the configuration", d.ID, d.Store, kind)
}

// sendToKnown sends again to a recipient that had the invoice before.
func (f *Flow) sendToKnown(tx core.Tx, p core.ParcelRecord) error {
	known, err := tx.ParcelsOf(p.Document)
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.Instance == p.Instance && k.Index == p.Index && resendable(k) {
			return f.sendAgain(tx, k)
		}
	}
	return nil // on its way
}

// FilesNow fetches an invoice's files now.
func (f *Flow) FilesNow(ctx context.Context, who string, document core.ID) error {
	d, _, err := f.readDocument(ctx, document)
	if err != nil {
		return fmt.Errorf("files of document %s: %w", document, err)
	}
	return f.Store.Do(ctx, "act.files", func(tx core.Tx) error {
		if err := tx.Enqueue(f.documentTask(d, core.TaskFiles, core.PriorityBlue, f.now())); err != nil {
			return err
		}
		return tx.PutAct(f.act(who, "files", string(document), ""))
	})
}
