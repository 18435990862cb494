package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// pullLimit is how many events one pull asks for.
const pullLimit = 200

// Fetch fetches one order from its platform. A fetched snapshot is no event with an id of its own: it has no dedupe
// row, and the latest fetch wins at equal revision. What says nothing new is not stored. A fetch brings the whole
// order: a refund that is known and that it no longer brings was deleted at the platform.
func (f *Flow) Fetch(ctx context.Context, task core.Task) error {
	instance := core.InstanceID(task.Subject)
	info, ok := f.Book.Instance(instance)
	if !ok {
		return fmt.Errorf("fetch %s from instance %s: %w in the configuration", task.Name, instance, core.ErrNotFound)
	}
	got, err := f.Source.Fetch(ctx, instance, []string{task.Name})
	if err != nil {
		return f.fetchLater(ctx, task, err.Error(), 0)
	}
	if len(got.Failures) > 0 { // one order was asked for
		fail := got.Failures[0]
		if !fail.Permanent {
			return f.fetchLater(ctx, task, fail.Reason, fail.RetryAfter)
		}
		return f.fetchFailed(ctx, task, fail.Reason)
	}
	in, err := f.fetchedEvents(ctx, info, task.Name, got.Events)
	if err != nil {
		return fmt.Errorf("fetch %s from instance %s: %w", task.Name, instance, err)
	}
	return f.Store.Do(ctx, "fetch", func(tx core.Tx) error {
		for _, e := range in.events {
			if err := e.put(tx); err != nil {
				return err
			}
		}
		if err := tx.CloseProblem(core.ScopeFeed, core.ProblemFetch, task.Name, f.now()); err != nil {
			return err
		}
		return tx.Finish(task)
	})
}

func (f *Flow) fetchedEvents(ctx context.Context, info core.InstanceInfo, name string, events []core.Event) (inbound, error) {
	in := inbound{}
	var s saleState
	err := f.Store.View(ctx, func(v core.View) (err error) {
		s, err = f.load(v, info.ID, name)
		return err
	})
	if err != nil {
		return in, err
	}
	if err := f.unseal(&s); err != nil {
		return in, err
	}
	if _, err := f.fold(&s); err != nil { // what is stored and not looked at yet counts as known
		return in, err
	}
	for _, e := range append(events, vanished(s, events)...) {
		if e.Kind == core.EventRef || tellsNothing(s, e) {
			continue // a fetch that only refers to itself would never end
		}
		if err := f.addEvent(&in, info, e, f.now()); err != nil {
			return in, err
		}
	}
	return in, nil
}

// tellsNothing says that an event carries only what is known.
func tellsNothing(s saleState, e core.Event) bool {
	switch e.Kind {
	case core.EventSale:
		known := s.body.Sale
		return known != nil && e.Sale.Revision.Number == known.Revision.Number && e.Sale.Revision.At.Equal(known.Revision.At) && sameSnapshot(*e.Sale, *known)
	case core.EventRefund:
		known, ok := s.refunds[e.Refund.No]
		return ok && sameRefund(*e.Refund, known)
	}
	return false
}

// vanished makes a deletion of each succeeded refund that a fetch of the whole order no longer brings.
func vanished(s saleState, events []core.Event) []core.Event {
	var at core.Revision
	brought := map[string]bool{}
	for _, e := range events {
		switch {
		case e.Sale != nil && e.Sale.Number == s.rec.Name:
			at = e.Sale.Revision
		case e.Refund != nil:
			brought[e.Refund.No] = true
		}
	}
	if at.Fetched.IsZero() {
		return nil
	}
	var out []core.Event
	for no, r := range s.refunds {
		if r.State != core.RefundSucceeded || brought[no] || r.Revision.Fetched.IsZero() {
			continue // only what an earlier fetch brought can vanish from a later one
		}
		r.State, r.Revision = core.RefundDeleted, core.Revision{At: r.Revision.At, Fetched: at.Fetched}
		out = append(out, core.Event{Key: "vanished:" + no, Kind: core.EventRefund, OccurredAt: at.Fetched, Refund: &r})
	}
	return out
}

func (f *Flow) fetchLater(ctx context.Context, task core.Task, reason string, after time.Duration) error {
	at := f.now().Add(f.retryIn(after, task.Attempt, task.Name))
	return f.Store.Do(ctx, "fetch.later", func(tx core.Tx) error {
		if f.now().Sub(task.EnqueuedAt) >= f.Schedule.BusyProblem {
			if err := tx.OpenProblem(f.feedProblem(task, reason)); err != nil {
				return err
			}
		}
		return tx.Retry(task, at)
	})
}

func (f *Flow) fetchFailed(ctx context.Context, task core.Task, reason string) error {
	return f.Store.Do(ctx, "fetch.failed", func(tx core.Tx) error {
		if err := tx.OpenProblem(f.feedProblem(task, reason)); err != nil {
			return err
		}
		return tx.Finish(task)
	})
}

// feedSubject is what a feed's problem is about: the order that is fetched, or the instance that is pulled.
func feedSubject(task core.Task) string {
	if task.Kind == core.TaskPull {
		return task.Subject
	}
	return task.Name
}

func (f *Flow) feedProblem(task core.Task, reason string) core.Problem {
	return core.Problem{ID: f.IDs.New(), Scope: core.ScopeFeed, Code: core.ProblemFetch, Subject: feedSubject(task), Store: task.Store,
		Detail: fmt.Sprintf("fetch from %s: %s", task.Subject, core.MaskText(reason)), OpenedAt: f.now()}
}

// Pull takes an instance's next page: events and cursor in one transaction, so that handing the cursor back is the
// acknowledgement.
func (f *Flow) Pull(ctx context.Context, task core.Task) error {
	instance := core.InstanceID(task.Subject)
	info, ok := f.Book.Instance(instance)
	if !ok {
		return fmt.Errorf("pull from instance %s: %w in the configuration", instance, core.ErrNotFound)
	}
	var cursor []byte
	err := f.Store.View(ctx, func(v core.View) (err error) {
		cursor, err = v.Cursor(instance)
		if errors.Is(err, core.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("pull from %s: %w", instance, err)
	}
	page, err := f.Source.Pull(ctx, instance, cursor, pullLimit)
	if err != nil {
		return f.fetchLater(ctx, task, err.Error(), 0)
	}
	in := inbound{}
	for _, e := range page.Events {
		if err := f.addEvent(&in, info, e, f.now()); err != nil {
			return err
		}
	}
	return f.Store.Do(ctx, "pull", func(tx core.Tx) error {
		for _, e := range in.events {
			if err := e.putOnce(tx); err != nil {
				return err
			}
		}
		if err := tx.SetCursor(instance, page.Cursor); err != nil {
			return err
		}
		if err := tx.CloseProblem(core.ScopeFeed, core.ProblemFetch, feedSubject(task), f.now()); err != nil {
			return err
		}
		if !page.More {
			return tx.Finish(task) // the next tick enqueues the next pull
		}
		return tx.Release(task, f.now().Add(page.Next))
	})
}

// putOnce stores an event that may have come before. Other content under a known id is compared with the known one when
// its sale is looked at; pages overlap, so each content is taken once. A day close never replaces another.
func (a arrival) putOnce(tx core.Tx) error {
	seen, err := tx.Remember(core.DedupeEvent, a.Instance, a.Key, a.Hash)
	if err != nil || seen == core.SeenSame || (seen == core.SeenOther && a.day != nil) {
		return err
	}
	if seen == core.SeenOther {
		if seen, err = tx.Remember(core.DedupeEvent, a.Instance, "pulled:"+a.Key+":"+a.Hash, a.Hash); err != nil || seen != core.SeenFresh {
			return err
		}
	}
	return a.put(tx)
}

// PullTask makes the task that a tick enqueues for an instance that can be pulled.
func (f *Flow) PullTask(instance core.InstanceInfo) core.Task {
	return core.Task{ID: f.IDs.New(), Kind: core.TaskPull, Lane: core.FeedLane(instance.ID), Key: "pull:" + string(instance.ID),
		Subject: string(instance.ID), Store: instance.Store, RunAt: f.now(), EnqueuedAt: f.now()}
}
