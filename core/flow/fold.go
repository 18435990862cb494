package flow

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// folded is what a look adds to a sale.
type folded struct {
	// marks says what became of each new event.
	marks map[core.EventState][]core.ID
	// refunds are those that changed.
	refunds []core.Refund
	// changed says that there was a new event.
	changed bool
}

// fold applies new events to a sale. Its result does not depend on their order: the newest snapshot and the newest
// state of each refund and request win, whenever they come.
func (f *Flow) fold(s *saleState) (folded, error) {
	out := folded{marks: map[core.EventState][]core.ID{}}
	for _, rec := range s.events {
		var e core.Event
		if err := f.open(eventPlace(rec.ID), rec.Body, &e); err != nil {
			return out, err
		}
		state := core.EventApplied
		switch e.Kind {
		case core.EventSale:
			state = foldSale(s, *e.Sale, rec)
		case core.EventRefund:
			state = foldRefund(s, *e.Refund, &out)
		case core.EventRequest:
			r := *e.Request
			if r.At.IsZero() {
				r.At = e.OccurredAt
			}
			s.body.Requests = append(s.body.Requests, r)
		}
		out.changed = true
		out.marks[state] = append(out.marks[state], rec.ID)
		if s.rec.FirstSeen.IsZero() || rec.At.Before(s.rec.FirstSeen) {
			s.rec.FirstSeen = rec.At
		}
	}
	return out, nil
}

func foldSale(s *saleState, sale core.Sale, rec core.EventRecord) core.EventState {
	known := s.body.Sale
	if known == nil {
		s.body.Sale = &sale
		return core.EventApplied
	}
	switch c := sale.Revision.Compare(known.Revision); {
	case c > 0:
		s.body.Sale, s.body.Conflicts = &sale, nil
		return core.EventApplied
	case c < 0:
		return core.EventSuperseded
	}
	if sameSnapshot(sale, *known) {
		return core.EventApplied
	}
	s.body.Conflicts = append(s.body.Conflicts, string(rec.ID))
	return core.EventConflict
}

func foldRefund(s *saleState, r core.Refund, out *folded) core.EventState {
	r.Reason = "" // free text stays sealed in its event
	known, ok := s.refunds[r.No]
	if ok {
		c := r.Revision.Compare(known.Revision)
		if c < 0 || (c == 0 && rank(r.State) <= rank(known.State)) {
			return core.EventSuperseded
		}
	}
	s.refunds[r.No] = r
	out.refunds = append(out.refunds, r)
	return core.EventApplied
}

// rank orders the states of a refund that carry no revision of their own.
func rank(s core.RefundState) int {
	switch s {
	case core.RefundSucceeded:
		return 1
	case core.RefundClosed:
		return 2
	case core.RefundDeleted:
		return 3
	}
	return 0
}

// sameRefund compares two states of a refund but for when they were fetched.
func sameRefund(a, b core.Refund) bool {
	a.Revision.Fetched, b.Revision.Fetched = time.Time{}, time.Time{}
	a.Reason, b.Reason = "", ""
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// sameSnapshot compares two snapshots but for when they were fetched. One that names no store is of the known one's.
func sameSnapshot(a, b core.Sale) bool {
	if a.Store == "" {
		a.Store = b.Store
	}
	a.Revision, b.Revision = core.Revision{}, core.Revision{}
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// fix settles what is decided once: store, seller and policy, when the sale is first seen paid.
func (f *Flow) fix(s *saleState, info core.InstanceInfo) []core.Problem {
	sale := s.body.Sale
	s.rec.HasSale = sale != nil
	if sale == nil {
		if s.rec.Seller == "" {
			s.rec.Seller, s.rec.Store = info.Seller, info.Store
		}
		return nil
	}
	if sale.Store == "" {
		sale.Store = info.Store
	}
	s.rec.Store, s.rec.PaidAt, s.rec.Total = sale.Store, sale.PaidAt, sale.Total
	if s.rec.Policy != "" {
		return nil
	}
	at := sale.PaidAt
	if at.IsZero() {
		at = f.now()
	}
	seller, ok := f.Book.SellerFor(sale.Store, at)
	if !ok {
		if s.rec.Seller == "" {
			s.rec.Seller = info.Seller
		}
		return []core.Problem{{Scope: core.ScopePlan, Code: core.ProblemUnknownStore, Sale: s.rec.ID, Subject: string(sale.Store),
			Detail: fmt.Sprintf("no seller is configured for store %q on %s", sale.Store, at.In(beijing).Format(time.DateOnly))}}
	}
	policy := f.Book.PolicyFor(seller.ID, sale.Store, s.rec.Instance, at)
	s.body.Seller, s.rec.Seller, s.policy = seller, seller.ID, policy
	if !sale.PaidAt.IsZero() { // an unpaid sale may still be paid under another seller or policy
		s.rec.Policy, s.rec.RollOut = policy.Version, policy.RollOut
	}
	s.rec.Selected = core.SelectedByRollOut(string(s.rec.Instance)+"/"+s.rec.Name, policy.RollOut)
	return nil
}
