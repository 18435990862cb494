package flow

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

func (f *Flow) act(who, verb, subject, detail string) core.ActRecord {
	return core.ActRecord{ID: f.IDs.New(), At: f.now(), Who: who, Verb: verb, Subject: subject, Detail: detail}
}

// Amend changes what a person may decide about a sale and looks at it again. The change and the act are one commit;
// detail must be masked text. The change is repeated on what others wrote meanwhile.
func (f *Flow) Amend(ctx context.Context, who, verb, detail string, id core.ID, change func(*core.SaleBody) error) error {
	err := f.again(ctx, func() error { return f.amend(ctx, f.act(who, verb, string(id), detail), id, change) })
	if err != nil {
		return fmt.Errorf("%s of sale %s: %w", verb, id, err)
	}
	return nil
}

func (f *Flow) amend(ctx context.Context, act core.ActRecord, id core.ID, change func(*core.SaleBody) error) error {
	var s saleState
	if err := f.Store.View(ctx, func(v core.View) error { return f.loadSale(v, id, &s) }); err != nil {
		return err
	}
	if err := f.unseal(&s); err != nil {
		return err
	}
	if err := change(&s.body); err != nil {
		return err
	}
	f.indexBuyer(&s)
	var err error
	if s.rec.Body, err = f.seal(s.rec.Seller, salePlace(id), s.body); err != nil {
		return err
	}
	return f.Store.Do(ctx, "act."+act.Verb, func(tx core.Tx) error {
		if err := tx.PutSale(s.rec); err != nil {
			return err
		}
		if err := tx.Enqueue(f.settleTask(s.rec)); err != nil {
			return err
		}
		return tx.PutAct(act)
	})
}

// BuyerChange is a person's correction of a buyer; empty fields keep what is known.
type BuyerChange struct {
	Title, TaxNo, Email, Mobile string
	Kind                        core.InvoiceKind
	TitleKind                   core.TitleKind
}

// SetBuyer corrects the buyer of a sale. An invoice that is already issued is replaced.
func (f *Flow) SetBuyer(ctx context.Context, who string, id core.ID, c BuyerChange) error {
	return f.Amend(ctx, who, "buyer", "", id, func(b *core.SaleBody) error {
		buyer := b.Addressee()
		set := func(dst *string, v string) {
			if v != "" {
				*dst = v
			}
		}
		set(&buyer.Title, c.Title)
		if c.TaxNo != "" {
			buyer.TaxNo, buyer.Kind = core.NormalTaxNo(c.TaxNo), core.Company
		}
		if c.Email != "" {
			buyer.Email = core.Contact(c.Email)
		}
		if c.Mobile != "" {
			buyer.Mobile = core.Contact(c.Mobile)
		}
		if c.TitleKind != "" {
			buyer.Kind = c.TitleKind
			if c.TitleKind == core.Personal {
				buyer.TaxNo = ""
			}
		}
		if c.Kind != "" {
			b.KindOverride = c.Kind
		}
		b.BuyerOverride = &buyer
		return nil
	})
}

// Decide records a person's decision to issue now or that the sale was issued elsewhere.
func (f *Flow) Decide(ctx context.Context, who string, id core.ID, act core.Act) error {
	return f.Amend(ctx, who, "act", string(act), id, func(b *core.SaleBody) error { b.Act = act; return nil })
}

// SetTender records whether a kind of tender of one sale is invoiced.
func (f *Flow) SetTender(ctx context.Context, who string, id core.ID, kind core.TenderKind, rule core.TenderRule) error {
	return f.Amend(ctx, who, "tender", string(kind)+"="+string(rule), id, func(b *core.SaleBody) error {
		if b.Tenders == nil {
			b.Tenders = map[core.TenderKind]core.TenderRule{}
		}
		b.Tenders[kind] = rule
		return nil
	})
}

// DropRefund declares a refund void, for refunds that were recorded twice.
func (f *Flow) DropRefund(ctx context.Context, who string, id core.ID, refund string) error {
	return f.Amend(ctx, who, "drop-refund", refund, id, func(b *core.SaleBody) error {
		if b.DroppedRefunds == nil {
			b.DroppedRefunds = map[string]bool{}
		}
		b.DroppedRefunds[refund] = true
		return nil
	})
}

// ApproveRed lets the reds of a sale go out whose policy does not reverse by itself.
func (f *Flow) ApproveRed(ctx context.Context, who string, id core.ID) error {
	return f.Amend(ctx, who, "red", "", id, func(b *core.SaleBody) error { b.RedApproved = true; return nil })
}

// AcceptSnapshot makes the snapshot of a conflicting event the sale's own.
func (f *Flow) AcceptSnapshot(ctx context.Context, who string, id, event core.ID) error {
	var rec core.EventRecord
	var sale core.SaleRecord
	err := f.Store.View(ctx, func(v core.View) (err error) {
		if rec, err = v.Event(event); err != nil {
			return err
		}
		sale, err = v.Sale(id)
		return err
	})
	if err != nil {
		return fmt.Errorf("accept event %s: %w", event, err)
	}
	if rec.Instance != sale.Instance || rec.SaleName != sale.Name {
		return fmt.Errorf("accept event %s: it is about another order than sale %s", event, id)
	}
	var e core.Event
	if err := f.open(eventPlace(rec.ID), rec.Body, &e); err != nil {
		return err
	}
	if e.Sale == nil {
		return fmt.Errorf("accept event %s: it carries no snapshot", event)
	}
	return f.Amend(ctx, who, "accept", string(event), id, func(b *core.SaleBody) error {
		b.Sale, b.Conflicts = e.Sale, nil
		return nil
	})
}

// Retry clears the refused documents of a sale, so that the same may be sent once more under a new serial.
func (f *Flow) Retry(ctx context.Context, who string, id core.ID) error {
	var s saleState
	if err := f.Store.View(ctx, func(v core.View) error { return f.loadSale(v, id, &s) }); err != nil {
		return fmt.Errorf("retry sale %s: %w", id, err)
	}
	return f.Store.Do(ctx, "act.retry", func(tx core.Tx) error {
		for _, d := range s.documents {
			if d.State != core.DocRefused || d.Cleared {
				continue
			}
			d.Cleared = true
			if err := tx.MoveDocument(core.DocRefused, d); err != nil {
				return err
			}
		}
		if err := tx.Enqueue(f.settleTask(s.rec)); err != nil {
			return err
		}
		return tx.PutAct(f.act(who, "retry", string(id), ""))
	})
}

// AnswerReview remembers a product's code as a confirmed rule and looks again at every sale that waited for it. It
// returns how many did.
func (f *Flow) AnswerReview(ctx context.Context, who string, id core.ID, code core.ClassificationCode, pref core.Preference) (int, error) {
	var r core.Review
	if err := f.Store.View(ctx, func(v core.View) (err error) { r, err = v.Review(id); return err }); err != nil {
		return 0, fmt.Errorf("answer review %s: %w", id, err)
	}
	seller, _ := f.seller(r.Seller)
	rule, err := f.Mapper.Remember(r, seller.Type, core.MapRule{ID: f.IDs.New(), Code: code, Preference: pref, Author: who, CreatedAt: f.now()})
	if err != nil {
		return 0, fmt.Errorf("answer review %s: %w", id, err)
	}
	released := 0
	err = f.Store.Do(ctx, "act.map", func(tx core.Tx) error {
		if err := tx.PutRule(rule); err != nil {
			return err
		}
		sales, err := tx.AnswerReview(id, code, who, f.now())
		if err != nil {
			return err
		}
		released = len(sales)
		for _, sale := range sales {
			rec, err := tx.Sale(sale)
			if err != nil {
				return err
			}
			if err := tx.Enqueue(f.settleTask(rec)); err != nil {
				return err
			}
		}
		return tx.PutAct(f.act(who, "map", string(id), string(code)))
	})
	if err != nil {
		return 0, fmt.Errorf("answer review %s: %w", id, err)
	}
	return released, nil
}

// Touch looks at a sale again.
func (f *Flow) Touch(ctx context.Context, who string, id core.ID) error {
	return f.Amend(ctx, who, "look", "", id, func(*core.SaleBody) error { return nil })
}

// FetchNow enqueues a fetch of an order.
func (f *Flow) FetchNow(ctx context.Context, who string, instance core.InstanceID, order string) error {
	t := core.Task{ID: f.IDs.New(), Kind: core.TaskFetch, Lane: core.FeedLane(instance), Key: "fetch:" + string(instance) + "/" + order,
		Subject: string(instance), Name: order, RunAt: f.now(), EnqueuedAt: f.now()}
	return f.Store.Do(ctx, "act.fetch", func(tx core.Tx) error {
		if err := tx.Enqueue(t); err != nil {
			return err
		}
		return tx.PutAct(f.act(who, "fetch", string(instance)+"/"+order, ""))
	})
}

// CloseProblem closes a problem that a person has settled outside.
func (f *Flow) CloseProblem(ctx context.Context, who string, id core.ID) error {
	return f.Store.Do(ctx, "act.close", func(tx core.Tx) error {
		if err := tx.CloseProblemID(id, f.now()); err != nil {
			return err
		}
		return tx.PutAct(f.act(who, "close", string(id), ""))
	})
}
