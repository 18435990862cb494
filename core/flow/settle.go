package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Settle looks at the whole story of one sale and commits what shall happen next: new invoices, reds, problems. It is
// Prepare and Reverse in one, and running it again without news changes nothing.
func (f *Flow) Settle(ctx context.Context, task core.Task) error {
	return f.again(ctx, func() error { return f.settle(ctx, task) })
}

// conflicts is how often a use case looks again at rows that changed under it before it counts as failed.
const conflicts = 5

// again repeats what found a row changed since it was read.
func (f *Flow) again(ctx context.Context, do func() error) (err error) {
	for range conflicts {
		if err = do(); !errors.Is(err, core.ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (f *Flow) settle(ctx context.Context, task core.Task) error {
	instance, name := core.InstanceID(task.Subject), task.Name
	info, ok := f.Book.Instance(instance)
	if !ok {
		return fmt.Errorf("settle %s of instance %s: %w in the configuration", name, instance, core.ErrNotFound)
	}
	var s saleState
	err := f.Store.View(ctx, func(v core.View) (err error) {
		s, err = f.load(v, instance, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("settle %s: %w", name, err)
	}
	if s.rec.ID == "" && len(s.events) == 0 {
		return f.finish(ctx, task)
	}
	step, err := f.look(ctx, &s, info)
	if err != nil {
		return fmt.Errorf("settle %s: %w", name, err)
	}
	return f.Store.Do(ctx, "settle", func(tx core.Tx) error {
		if err := f.applyStep(tx, step); err != nil {
			return err
		}
		if step.decision.Wake.IsZero() {
			return tx.Finish(task)
		}
		return tx.Release(task, step.decision.Wake)
	})
}

// step is everything that one look at a sale commits, sealed and ready.
type step struct {
	rec      core.SaleRecord
	fold     folded
	fixed    bool // the policy was fixed in this look
	aliases  []core.Alias
	taken    map[core.Alias]bool // names that another sale has
	policy   core.Policy
	decision core.Decision
	problems []core.Problem
	reviews  map[string]core.Review // by line
	drops    []core.DocumentRecord
	docs     []core.DocumentRecord
	covers   []core.CoverRecord
}

// look folds new events in, maps the lines, decides and makes the new rows.
func (f *Flow) look(ctx context.Context, s *saleState, info core.InstanceInfo) (step, error) {
	var st step
	if err := f.unseal(s); err != nil {
		return st, err
	}
	if s.rec.ID == "" {
		s.rec.ID = f.IDs.New()
	}
	var err error
	if st.fold, err = f.fold(s); err != nil {
		return st, err
	}
	before := s.rec.Policy
	st.problems = f.fix(s, info)
	st.fixed = s.rec.Policy != before
	if err := f.checkAliases(ctx, s, &st); err != nil {
		return st, err
	}
	story := s.story()
	if st.reviews, err = f.mapLines(ctx, s, &story); err != nil {
		return st, err
	}
	if st.decision.Class = core.ClassHeld; len(st.problems) == 0 || (len(st.taken) > 0 && len(s.documents) > 0) {
		st.decision = core.Decide(story, f.now())
		st.problems = append(st.problems, st.decision.Problems...)
	}
	st.policy = s.policy
	if err := f.documents(s, &st); err != nil {
		return st, err
	}
	s.rec.Class = st.decision.Class
	f.indexBuyer(s)
	if s.rec.Version == 0 || st.fold.changed || before == "" { // else the body is as it was read
		if s.rec.Body, err = f.seal(s.rec.Seller, salePlace(s.rec.ID), s.body); err != nil {
			return st, err
		}
	}
	st.rec = s.rec
	return st, nil
}

// checkAliases finds that another sale has one of this sale's names already: one order reported by two sources. The
// second never makes an invoice by itself; what it has made is still reversed on refunds. A person who says that it is
// invoiced elsewhere has answered the problem.
func (f *Flow) checkAliases(ctx context.Context, s *saleState, st *step) error {
	if s.body.Sale == nil || len(s.body.Sale.Aliases) == 0 {
		return nil
	}
	st.aliases = s.body.Sale.Aliases
	return f.Store.View(ctx, func(v core.View) error {
		st.taken = map[core.Alias]bool{}
		for _, a := range st.aliases {
			owner, err := v.SaleByPlatform(a)
			if errors.Is(err, core.ErrNotFound) || (err == nil && owner == s.rec.ID) {
				continue
			}
			if err != nil {
				return err
			}
			st.taken[a] = true
			if s.body.Act == core.ActElsewhere {
				continue
			}
			st.problems = append(st.problems, core.Problem{Scope: core.ScopePlan, Code: core.ProblemAliasConflict, Sale: s.rec.ID,
				Subject: a.Platform + ":" + a.Number, Detail: "another source reports the same platform order; that one is invoiced"})
		}
		return nil
	})
}

// mapLines asks for the code of every line that may be printed. A shipping line that no rule knows follows the goods
// it was charged with, where all of them have one rate.
func (f *Flow) mapLines(ctx context.Context, s *saleState, story *core.Story) (map[string]core.Review, error) {
	if s.body.Sale == nil || s.body.Seller.ID == "" {
		return nil, nil
	}
	answers := map[string]core.MapAnswer{}
	story.Mapped = map[string]core.Mapped{}
	for _, l := range s.body.Sale.Lines {
		if l.Paid.Sign() <= 0 || l.Has(core.Tip) || l.Has(core.Deposit) || l.Has(core.Gift) {
			continue
		}
		answer, err := f.Mapper.Map(ctx, core.MapQuery{Seller: s.body.Seller.ID, Type: s.body.Seller.Type, Store: s.rec.Store,
			Date: f.now(), Rules: s.rules, Item: core.ItemOf(l)})
		if err != nil {
			return nil, fmt.Errorf("map line %s: %w", l.No, err)
		}
		if answer.Found {
			story.Mapped[l.No] = answer.Mapped
		} else {
			answers[l.No] = answer
		}
	}
	goods, follow := core.GoodsCode(s.body.Sale.Lines, story.Mapped)
	reviews := map[string]core.Review{}
	for _, l := range s.body.Sale.Lines {
		answer, open := answers[l.No]
		switch {
		case !open:
		case l.Kind == core.Shipping && follow:
			story.Mapped[l.No] = goods
		default:
			story.Unmapped = append(story.Unmapped, core.Unmapped{Line: l.No, Review: l.No, Why: answer.Why})
			reviews[l.No] = core.Review{ID: f.IDs.New(), Seller: s.body.Seller.ID, Store: s.rec.Store, Item: core.ItemOf(l),
				Candidates: answer.Candidates, Why: answer.Why, CreatedAt: f.now()}
		}
	}
	return reviews, nil
}

// documents makes the rows of new documents and finds those to drop.
func (f *Flow) documents(s *saleState, st *step) error {
	for _, id := range st.decision.Drop {
		for _, d := range s.documents {
			if d.ID == id {
				d.State = core.DocDropped
				st.drops = append(st.drops, d)
			}
		}
	}
	for _, n := range st.decision.New {
		inv := n.Draft.Invoice()
		d := core.DocumentRecord{Document: core.Document{ID: f.IDs.New(), Sale: s.rec.ID, Part: n.Part, Color: inv.Color, Kind: inv.Kind,
			State: core.DocReady, Seller: inv.Seller.ID, Store: s.rec.Store, Channel: inv.Seller.Channel, Digest: n.Digest,
			Original: n.Original, CreatedAt: f.now()}, Net: inv.Net, Tax: inv.Tax, Gross: inv.Gross}
		d.Serial = string(f.IDs.New())
		if inv.Color == core.Red {
			d.State = core.DocDraft
			d.Confirmation = &core.Confirmation{Application: string(f.IDs.New()), State: core.ConfNew}
		}
		var err error
		if d.Body, err = f.seal(d.Seller, documentPlace(d.ID), documentBody{n.Draft, n.Basis}); err != nil {
			return err
		}
		st.docs = append(st.docs, d)
		for _, ref := range n.Covers {
			st.covers = append(st.covers, core.CoverRecord{Cover: core.Cover{Part: n.Part, PortionRef: ref}, Document: d.ID})
		}
	}
	for _, c := range st.decision.Nothing {
		st.covers = append(st.covers, core.CoverRecord{Cover: c})
	}
	return nil
}

func (f *Flow) indexBuyer(s *saleState) {
	b := s.body.Addressee()
	index := func(v string) string {
		if v == "" {
			return ""
		}
		return PersonIndex(f.Vault, v)
	}
	s.rec.BuyerTax, s.rec.BuyerMobile, s.rec.BuyerEmail = index(b.TaxNo.Clear()), index(b.Mobile.Clear()), index(b.Email.Clear())
}

// applyStep commits a look.
func (f *Flow) applyStep(tx core.Tx, st step) error {
	if st.fixed {
		b, err := json.Marshal(st.policy)
		if err != nil {
			return fmt.Errorf("encode policy: %w", err)
		}
		if err := tx.PutPolicy(st.policy.Version, b); err != nil {
			return err
		}
	}
	if err := tx.PutSale(st.rec); err != nil {
		return err
	}
	for _, a := range st.aliases {
		owner, err := tx.NameSale(st.rec.ID, a)
		if err != nil {
			return err
		}
		if owner != st.rec.ID && !st.taken[a] {
			return fmt.Errorf("name %s of sale %s: %w", a.Platform, st.rec.ID, core.ErrConflict)
		}
	}
	for _, r := range st.fold.refunds {
		if err := tx.PutRefund(st.rec.ID, r); err != nil {
			return err
		}
	}
	for state, ids := range st.fold.marks {
		if err := tx.MarkEvents(state, ids...); err != nil {
			return err
		}
	}
	if err := f.putDocuments(tx, st); err != nil {
		return err
	}
	return f.putProblems(tx, st)
}

func (f *Flow) putDocuments(tx core.Tx, st step) error {
	for _, d := range st.drops {
		if err := tx.MoveDocument(core.DocReady, d); err != nil {
			return err
		}
		if d.Code+d.Note != "" {
			if err := f.closeIssueProblems(tx, d); err != nil {
				return err
			}
		}
		if err := tx.Uncover(d.ID); err != nil {
			return err
		}
	}
	for _, d := range st.docs {
		if err := tx.PutDocument(d); err != nil {
			return err
		}
		kind, priority := core.TaskIssue, core.PriorityBlue
		if d.Color == core.Red {
			kind, priority = core.TaskApply, core.PriorityRed
		}
		if err := tx.Enqueue(f.documentTask(d, kind, priority, f.now())); err != nil {
			return err
		}
	}
	return tx.PutCovers(st.rec.ID, st.covers)
}

func (f *Flow) putProblems(tx core.Tx, st step) error {
	problems := append([]core.Problem(nil), st.problems...) // the closure may run twice
	for i, p := range problems {
		if p.Code == core.ProblemUnmapped {
			id, err := tx.PutReview(st.reviews[p.Subject], st.rec.ID)
			if err != nil {
				return err
			}
			problems[i].Subject = string(id)
			problems[i].Detail = fmt.Sprintf("line %s: %s", p.Subject, st.reviews[p.Subject].Item.Name)
		}
		problems[i].ID, problems[i].Sale, problems[i].Store, problems[i].OpenedAt = f.IDs.New(), st.rec.ID, st.rec.Store, f.now()
	}
	return tx.SetProblems(st.rec.ID, core.ScopePlan, f.now(), problems)
}

// finish ends a task that has nothing to do.
func (f *Flow) finish(ctx context.Context, task core.Task) error {
	return f.Store.Do(ctx, "finish", func(tx core.Tx) error { return tx.Finish(task) })
}

// documentTask makes the task that does the next thing to a document.
func (f *Flow) documentTask(d core.DocumentRecord, kind core.TaskKind, p core.Priority, at time.Time) core.Task {
	lane := core.SendLane(d.Channel, d.Seller)
	switch kind {
	case core.TaskQuery, core.TaskConfirm, core.TaskFiles:
		lane = core.QueryLane(d.Channel, d.Seller)
	}
	return core.Task{ID: f.IDs.New(), Kind: kind, Lane: lane, Key: string(kind) + ":" + string(d.ID), Subject: string(d.ID),
		Store: d.Store, RunAt: at, Priority: p, EnqueuedAt: f.now()}
}

// settleTask makes the task that looks at a sale again.
func (f *Flow) settleTask(s core.SaleRecord) core.Task {
	return core.Task{ID: f.IDs.New(), Kind: core.TaskSettle, Lane: core.LanePrepare, Key: core.SettleKey(s.Instance, s.Name),
		Subject: string(s.Instance), Name: s.Name, Store: s.Store, RunAt: f.now(), EnqueuedAt: f.now()}
}
