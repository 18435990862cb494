package flow

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// fallback is what happens when a parcel's channel fails for good: the next channel's parcel, or a problem.
type fallback struct {
	next *core.ParcelRecord
	code core.ProblemCode
}

// fallbacks makes the next channels' parcels before the transaction, for the parcels that may need one.
func (f *Flow) fallbacks(ctx context.Context, sent []*delivery, receipts map[core.ID]core.DeliveryReceipt) ([]fallback, error) {
	out := make([]fallback, len(sent))
	for i, d := range sent {
		r := receipts[d.rec.ID]
		if r.Outcome != core.DeliveryRejected && (r.Outcome != core.DeliveryRetry || d.parcel.Attempt < maxDeliveries) {
			continue
		}
		fb, err := f.fallback(ctx, d.doc, d.sale, d.rec)
		if err != nil {
			return nil, err
		}
		out[i] = fb
	}
	return out, nil
}

// fallback finds the next channel behind a failed parcel's.
func (f *Flow) fallback(_ context.Context, d core.DocumentRecord, sale core.SaleRecord, failed core.ParcelRecord) (fallback, error) {
	fb := fallback{code: core.ProblemDelivery}
	buyer := d.Content.Invoice().Buyer
	for rank, c := range f.Book.Deliveries(d.Store) {
		if rank <= failed.Rank || c.Kind == core.ByOrder {
			continue
		}
		p, ok, err := f.parcel(d, sale, c, rank, buyer)
		if err != nil {
			return fb, err
		}
		if ok {
			fb.next = &p
			return fb, nil
		}
	}
	return fb, nil
}

// giveUp commits that a channel failed for good and what follows.
func (f *Flow) giveUp(tx core.Tx, task core.Task, d core.DocumentRecord, rec core.ParcelRecord, fb fallback) error {
	from := rec.State
	rec.State = core.ParcelFailed
	if err := tx.MoveParcel(from, rec); err != nil {
		return err
	}
	fresh := false
	if fb.next != nil {
		var err error
		if fresh, err = tx.PutParcel(*fb.next); err != nil {
			return err
		}
		if fresh {
			if err := tx.Enqueue(f.parcelTask(*fb.next, core.TaskDeliver)); err != nil {
				return err
			}
		}
	}
	if !fresh {
		if err := tx.OpenProblem(f.deliveryProblem(d, fb.code, rec.Reason)); err != nil {
			return err
		}
	}
	return tx.Finish(task)
}

// Track asks a provider what became of a parcel whose outcome is unknown, before anything is sent again.
func (f *Flow) Track(ctx context.Context, task core.Task) error {
	var rec core.ParcelRecord
	var d core.DocumentRecord
	var sale core.SaleRecord
	err := f.Store.View(ctx, func(v core.View) (err error) {
		if rec, err = v.Parcel(core.ID(task.Subject)); err != nil {
			return err
		}
		if d, err = v.Document(rec.Document); err != nil {
			return err
		}
		sale, err = v.Sale(rec.Sale)
		return err
	})
	if err != nil {
		return fmt.Errorf("track parcel %s: %w", task.Subject, err)
	}
	if rec.State != core.ParcelUnknown {
		return f.finish(ctx, task)
	}
	if d, err = f.document(d); err != nil {
		return err
	}
	said, err := f.track(ctx, d, sale, rec)
	if err != nil {
		return err
	}
	fb, err := f.fallback(ctx, d, sale, rec)
	if err != nil {
		return err
	}
	return f.Store.Do(ctx, "track", func(tx core.Tx) error { return f.tracked(tx, task, d, rec, said, fb) })
}

func (f *Flow) track(ctx context.Context, d core.DocumentRecord, sale core.SaleRecord, rec core.ParcelRecord) (core.Tracking, error) {
	var to recipient
	if err := f.open(parcelPlace(rec.ID), rec.Recipient, &to); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
	defer cancel()
	said, err := f.Courier.Track(ctx, rec.Instance, []core.TrackQuery{{Parcel: rec.ID, Attempt: rec.Attempt, Number: d.Number,
		Order: sale.Name, ProviderRef: rec.ProviderRef, Mobile: to.Mobile, Email: to.Email, SentAt: rec.SentAt}})
	if err != nil || said[rec.ID] == "" {
		return core.TrackUnknown, nil //nolint:nilerr // a provider that can't say leaves it unknown; it is asked again
	}
	return said[rec.ID], nil
}

// maxTracks is how often a provider is asked before the policy for unknown outcomes decides.
const maxTracks = 3

func (f *Flow) tracked(tx core.Tx, task core.Task, d core.DocumentRecord, rec core.ParcelRecord, said core.Tracking, fb fallback) error {
	switch said {
	case core.TrackSent, core.TrackDelivered:
		rec.State = core.ParcelSent
		if said == core.TrackDelivered {
			rec.State = core.ParcelDelivered
		}
		if err := f.closeDelivery(tx, d.ID); err != nil {
			return err
		}
	case core.TrackFailed:
		return f.giveUp(tx, task, d, rec, fb)
	case core.TrackNotSent:
		return f.resend(tx, task, rec)
	default:
		if task.Attempt < maxTracks {
			return tx.Retry(task, f.now().Add(f.Schedule.QueryWait(task.Attempt, string(rec.ID))))
		}
		if f.resendsUnknown(rec) {
			return f.resend(tx, task, rec)
		}
		if err := tx.OpenProblem(f.deliveryProblem(d, core.ProblemDeliveryUnknown, "the provider can't say whether it was sent")); err != nil {
			return err
		}
		return tx.Finish(task)
	}
	if err := tx.MoveParcel(core.ParcelUnknown, rec); err != nil {
		return err
	}
	return tx.Finish(task)
}

func (f *Flow) resendsUnknown(rec core.ParcelRecord) bool {
	for _, c := range f.Book.Deliveries(rec.Store) {
		if c.Instance == rec.Instance {
			return c.ResendUnknown
		}
	}
	return false
}

func (f *Flow) resend(tx core.Tx, task core.Task, rec core.ParcelRecord) error {
	rec.State = core.ParcelPending
	if err := tx.MoveParcel(core.ParcelUnknown, rec); err != nil {
		return err
	}
	if err := tx.Enqueue(f.parcelTask(rec, core.TaskDeliver)); err != nil {
		return err
	}
	return tx.Finish(task)
}
