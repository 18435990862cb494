package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// maxDeliveries is how often one channel is tried before the next takes over.
const maxDeliveries = 8

// delivery is one parcel made ready for its plugin.
type delivery struct {
	task   core.Task
	rec    core.ParcelRecord
	doc    core.DocumentRecord
	sale   core.SaleRecord
	parcel core.Parcel
	skip   bool // nothing to do any more
	track  bool // a send was cut off: ask before sending again
}

// Deliver hands parcels of one instance to its delivery plugin. The intent is committed before the call; a parcel
// whose outcome is unknown is tracked before any resend. All tasks must be of one lane.
func (f *Flow) Deliver(ctx context.Context, tasks []core.Task) error {
	ready := make([]*delivery, 0, len(tasks))
	err := f.Store.View(ctx, func(v core.View) error {
		ready = ready[:0]
		for _, t := range tasks {
			d, err := readDelivery(v, t)
			if err != nil {
				return fmt.Errorf("deliver parcel %s: %w", t.Subject, err)
			}
			ready = append(ready, d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var send, whole []*delivery
	var parcels []core.Parcel
	for _, d := range ready {
		if !d.skip && !d.track {
			if err := f.fill(ctx, d); err != nil { // one that can't be opened must not hold up the others
				f.Log.Warn("parcel left out of its batch", "key", d.task.Key, "error", err)
				if err := f.Failed(ctx, d.task, err); err != nil {
					return err
				}
				continue
			}
			send, parcels = append(send, d), append(parcels, d.parcel)
		}
		whole = append(whole, d)
		f.worked(ctx, d.task)
	}
	if err := f.intend(ctx, whole); err != nil || len(send) == 0 {
		return err
	}
	instance := send[0].rec.Instance
	dctx, cancel := context.WithTimeout(ctx, f.Schedule.Lease/2) // a provider is no bureau: many parcels share the call
	defer cancel()
	receipts, err := f.Courier.Deliver(dctx, instance, parcels)
	return f.delivered(ctx, send, receipts, err)
}

func readDelivery(v core.View, t core.Task) (*delivery, error) {
	d := &delivery{task: t}
	var err error
	if d.rec, err = v.Parcel(core.ID(t.Subject)); err != nil {
		return nil, err
	}
	switch d.rec.State {
	case core.ParcelPending:
	case core.ParcelSending:
		d.track = true
		return d, nil
	default:
		d.skip = true
		return d, nil
	}
	if d.doc, err = v.Document(d.rec.Document); err != nil {
		return nil, err
	}
	d.sale, err = v.Sale(d.rec.Sale)
	return d, err
}

// fill opens what the plugin needs: the recipient, the invoice and, for e-mail and order pages, its files.
func (f *Flow) fill(ctx context.Context, d *delivery) error {
	var err error
	if d.doc, err = f.document(d.doc); err != nil {
		return err
	}
	var to recipient
	if err := f.open(parcelPlace(d.rec.ID), d.rec.Recipient, &to); err != nil {
		return err
	}
	store, _ := f.Book.Store(d.doc.Store)
	d.parcel = core.Parcel{ID: d.rec.ID, Attempt: d.rec.Attempt + 1, Email: to.Email, Mobile: to.Mobile, Order: d.sale.Name,
		Invoice: d.doc.Content.Invoice(), Number: d.doc.Number, IssuedAt: d.doc.IssuedAt, StoreName: store.Name, PageURL: f.Book.PageURL()}
	var files []core.FileRecord
	var pick core.PickUpRecord
	err = f.Store.View(ctx, func(v core.View) (err error) {
		if pick, err = v.PickUpOf(d.doc.ID); err != nil {
			return err
		}
		if to.Mobile != "" {
			return nil // an SMS carries a code, never a file
		}
		files, err = v.FilesOf(d.doc.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("deliver parcel %s: %w", d.rec.ID, err)
	}
	code, err := f.Vault.Open(pickUpPlace(d.doc.ID), pick.Code)
	if err != nil {
		return fmt.Errorf("open pick-up code of %s: %w", d.doc.ID, err)
	}
	d.parcel.PickUp = string(code)
	for _, rec := range files {
		content, err := f.Vault.Open(filePlace(d.doc.ID, rec.Format), rec.Content)
		if err != nil {
			return fmt.Errorf("open %s file of %s: %w", rec.Format, d.doc.ID, err)
		}
		d.parcel.Files = append(d.parcel.Files, core.File{Format: rec.Format, Name: rec.Name, Content: content})
	}
	return nil
}

// intend commits which parcels are about to be sent, and sends those that a crash cut off to tracking.
func (f *Flow) intend(ctx context.Context, all []*delivery) error {
	return f.Store.Do(ctx, "deliver.intent", func(tx core.Tx) error {
		for _, d := range all {
			rec := d.rec
			switch {
			case d.skip:
				if err := tx.Finish(d.task); err != nil {
					return err
				}
			case d.track:
				rec.State = core.ParcelUnknown
				if err := tx.MoveParcel(core.ParcelSending, rec); err != nil {
					return err
				}
				if err := tx.Enqueue(f.parcelTask(rec, core.TaskTrack)); err != nil {
					return err
				}
				if err := tx.Finish(d.task); err != nil {
					return err
				}
			default:
				rec.State, rec.SentAt, rec.Attempt = core.ParcelSending, f.now(), d.parcel.Attempt
				if err := tx.MoveParcel(core.ParcelPending, rec); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// delivered commits what became of each parcel. A parcel without a receipt may have been sent: its outcome is unknown.
func (f *Flow) delivered(ctx context.Context, sent []*delivery, receipts []core.DeliveryReceipt, callErr error) error {
	by := map[core.ID]core.DeliveryReceipt{}
	for _, r := range receipts {
		by[r.Parcel] = r
	}
	next := make([]core.ParcelRecord, len(sent))
	for i, d := range sent {
		r, ok := by[d.rec.ID]
		if !ok {
			r = core.DeliveryReceipt{Outcome: core.DeliveryUnknown, Reason: "no receipt"}
			if callErr != nil {
				r.Reason = callErr.Error()
			}
		}
		next[i] = d.rec
		next[i].State, next[i].Attempt, next[i].SentAt = core.ParcelSending, d.parcel.Attempt, f.now()
		next[i].ProviderRef, next[i].Reason = r.ProviderRef, core.MaskText(r.Reason)
		by[d.rec.ID] = r
	}
	fallbacks, err := f.fallbacks(ctx, sent, by)
	if err != nil {
		return err
	}
	return f.Store.Do(ctx, "deliver.result", func(tx core.Tx) error {
		for i, d := range sent {
			if err := f.deliveryResult(tx, d, next[i], by[d.rec.ID], fallbacks[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *Flow) deliveryResult(tx core.Tx, d *delivery, rec core.ParcelRecord, r core.DeliveryReceipt, fb fallback) error {
	switch r.Outcome {
	case core.DeliverySent:
		rec.State = core.ParcelSent
		if err := f.closeDelivery(tx, d.doc.ID); err != nil {
			return err
		}
	case core.DeliveryRetry:
		if rec.Attempt < maxDeliveries {
			rec.State = core.ParcelPending
			if err := tx.MoveParcel(core.ParcelSending, rec); err != nil {
				return err
			}
			return tx.Retry(d.task, f.now().Add(f.retryIn(r.RetryAfter, d.task.Attempt, string(rec.ID))))
		}
		return f.giveUp(tx, d.task, d.doc, rec, fb)
	case core.DeliveryRejected:
		return f.giveUp(tx, d.task, d.doc, rec, fb)
	default:
		rec.State = core.ParcelUnknown
		if err := tx.Enqueue(f.parcelTask(rec, core.TaskTrack)); err != nil {
			return err
		}
	}
	if err := tx.MoveParcel(core.ParcelSending, rec); err != nil {
		return err
	}
	return tx.Finish(d.task)
}

func (f *Flow) retryIn(asked time.Duration, attempt int, key string) time.Duration {
	if wait := f.Schedule.BusyWait(attempt, key); wait > asked {
		return wait
	}
	return asked
}

func (f *Flow) closeDelivery(tx core.Tx, document core.ID) error {
	for _, code := range []core.ProblemCode{core.ProblemDelivery, core.ProblemDeliveryUnknown, core.ProblemNoRecipient} {
		if err := tx.CloseProblem(core.ScopeDelivery, code, string(document), f.now()); err != nil {
			return err
		}
	}
	return nil
}
