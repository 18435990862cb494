package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// blindQueries is how many queries in a row may go without a usable answer before the lane pauses.
const blindQueries = 3

// Query asks what became of a document whose outcome is unknown or that the bureau has accepted. Only when the bureau
// has twice said, after the grace, that it has nothing is the same serial sent again.
func (f *Flow) Query(ctx context.Context, task core.Task) error {
	d, sale, err := f.readDocument(ctx, core.ID(task.Subject))
	if err != nil {
		return fmt.Errorf("query document %s: %w", task.Subject, err)
	}
	if d.State != core.DocUnsure && d.State != core.DocAccepted {
		return f.finish(ctx, task)
	}
	channel, ok := f.Channels.Channel(d.Channel)
	if !ok {
		return fmt.Errorf("query document %s: channel %s: %w in the configuration", d.ID, d.Channel, core.ErrNotFound)
	}
	qctx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
	defer cancel()
	answer, err := channel.Issuer.Query(qctx, d.Content.Invoice().Seller, d.Serial)
	if err != nil {
		return fmt.Errorf("query document %s: %w", d.ID, err)
	}
	x, err := f.asked(d, core.OpQuery, d.Serial, answer.Exchange, answer.Outcome)
	if err != nil {
		return err
	}
	q := query{f, task, d, sale, x}
	return q.settle(ctx, answer)
}

// asked makes the record of a question; unlike a send it is stored with its answer in one go.
func (f *Flow) asked(d core.DocumentRecord, op core.Operation, serial string, x core.Exchange, o core.Outcome) (core.ExchangeRecord, error) {
	r := core.ExchangeRecord{ID: f.IDs.New(), Document: d.ID, Seller: d.Seller, Channel: d.Channel, Serial: serial}
	if err := f.recordRequest(&r, x); err != nil {
		return r, err
	}
	if err := f.recordAnswer(&r, x, o); err != nil {
		return r, err
	}
	r.Operation = op
	return r, nil
}

type query struct {
	flow *Flow
	task core.Task
	doc  core.DocumentRecord
	sale core.SaleRecord
	x    core.ExchangeRecord
}

func (q query) settle(ctx context.Context, a core.Answer) error {
	f, d := q.flow, q.doc
	if a.Found != nil && !matches(a.Found, d) {
		return q.differs(ctx)
	}
	switch a.Outcome {
	case core.OutcomeIssued:
		d.Blind, d.Code, d.Note = 0, a.Code, core.MaskText(a.Message)
		return f.Store.Do(ctx, "query.issued", func(tx core.Tx) error { return q.end(tx, d, core.HapIssued, a) })
	case core.OutcomeRefused:
		if pauses(a.Refusal) { // the question was refused, not the invoice
			return q.blind(ctx)
		}
		d.Blind, d.Code, d.Note = 0, a.Code, core.MaskText(a.Message)
		return f.Store.Do(ctx, "query.refused", func(tx core.Tx) error { return q.end(tx, d, core.HapRefused, a) })
	case core.OutcomeAccepted:
		return q.goesOn(ctx)
	case core.OutcomeNotFound:
		return q.notFound(ctx)
	}
	return q.blind(ctx)
}

// end commits a final answer.
func (q query) end(tx core.Tx, d core.DocumentRecord, h core.Happening, a core.Answer) error {
	f := q.flow
	next, err := q.doc.State.Next(h)
	if err != nil {
		return err
	}
	d.State = next
	if h == core.HapIssued {
		d.Number, d.IssuedAt = a.Number, a.IssuedAt
	}
	if err := q.move(tx, d); err != nil {
		return err
	}
	if q.doc.State == core.DocUnsure || q.task.Attempt > 0 { // else nothing can be open: it was accepted and is there
		if err := f.closeIssueProblems(tx, d); err != nil {
			return err
		}
	}
	if h == core.HapIssued {
		if err := tx.Enqueue(f.documentTask(d, core.TaskFiles, core.PriorityBlue, f.now())); err != nil {
			return err
		}
	} else if err := tx.Uncover(d.ID); err != nil {
		return err
	}
	if err := tx.Enqueue(f.settleTask(q.sale)); err != nil {
		return err
	}
	return tx.Finish(q.task)
}

func (q query) move(tx core.Tx, d core.DocumentRecord) error {
	if err := tx.MoveDocument(q.doc.State, d); err != nil {
		return err
	}
	return tx.PutExchange(q.x)
}

// goesOn commits that the bureau is still at it.
func (q query) goesOn(ctx context.Context) error {
	f, d := q.flow, q.doc
	d.State, d.Blind, d.NotFoundAt = core.DocAccepted, 0, time.Time{}
	at := f.now().Add(f.Schedule.PollWait(q.task.Attempt, d.Serial))
	return f.Store.Do(ctx, "query.accepted", func(tx core.Tx) error {
		if err := q.move(tx, d); err != nil {
			return err
		}
		if f.now().Sub(d.SentAt) >= f.Schedule.PollProblem {
			if err := tx.OpenProblem(f.issueProblem(d, core.ProblemStillRunning, "the bureau accepted it and has not issued it")); err != nil {
				return err
			}
		}
		return tx.Retry(q.task, at)
	})
}

// notFound commits a "not found". It is a usable answer: only this order waits for its grace.
func (q query) notFound(ctx context.Context) error {
	f, d, now := q.flow, q.doc, q.flow.now()
	d.Blind = 0
	first := d.NotFoundAt
	if first.IsZero() {
		d.NotFoundAt = now
	}
	if d.State == core.DocUnsure && !first.IsZero() && now.Sub(first) >= f.Schedule.NotFoundGap && now.Sub(d.SentAt) >= f.Schedule.Grace {
		d.State = core.DocReady
		return f.Store.Do(ctx, "query.not_found", func(tx core.Tx) error {
			if err := q.move(tx, d); err != nil {
				return err
			}
			if err := tx.Enqueue(f.documentTask(d, core.TaskIssue, core.PriorityBlue, now)); err != nil {
				return err
			}
			return tx.Finish(q.task)
		})
	}
	wait, lost := f.Schedule.NotFoundGap, now.Sub(d.SentAt) >= f.Schedule.PollProblem
	if left := d.SentAt.Add(f.Schedule.Grace).Sub(now); left > wait {
		wait = f.Schedule.QueryWait(q.task.Attempt, d.Serial)
	}
	return f.Store.Do(ctx, "query.not_yet", func(tx core.Tx) error {
		if err := q.move(tx, d); err != nil {
			return err
		}
		if lost { // accepted, and unknown since: it is never sent again by itself
			if err := tx.OpenProblem(f.issueProblem(d, core.ProblemUnsure, "the bureau accepted it and does not find it")); err != nil {
				return err
			}
		}
		return tx.Retry(q.task, now.Add(wait))
	})
}

// blind commits a query without a usable answer; the third in a row pauses the lane.
func (q query) blind(ctx context.Context) error {
	f, d := q.flow, q.doc
	d.Blind++
	at := f.now().Add(f.Schedule.QueryWait(q.task.Attempt+1, d.Serial))
	return f.Store.Do(ctx, "query.blind", func(tx core.Tx) error {
		if err := q.move(tx, d); err != nil {
			return err
		}
		if d.Blind == blindQueries { // once: while the lane probes, one deaf question must not close it again and again
			if err := f.pause(tx, d, core.ProblemLanePaused, "three queries in a row got no usable answer"); err != nil {
				return err
			}
		}
		if f.now().Sub(d.SentAt) >= f.Schedule.PollProblem {
			if err := tx.OpenProblem(f.issueProblem(d, core.ProblemUnsure, "it was sent, and the bureau does not say what became of it")); err != nil {
				return err
			}
		}
		return tx.Retry(q.task, at)
	})
}

// differs commits that the bureau shows something else under our serial. Nothing is sent again until a person knows why.
func (q query) differs(ctx context.Context) error {
	f, d := q.flow, q.doc
	d.Blind = 0
	at := f.now().Add(f.Schedule.QueryWait(q.task.Attempt+3, d.Serial))
	return f.Store.Do(ctx, "query.differs", func(tx core.Tx) error {
		if err := q.move(tx, d); err != nil {
			return err
		}
		if err := tx.OpenProblem(f.issueProblem(d, core.ProblemOtherAnswer, "the bureau shows other amounts or another buyer under our serial")); err != nil {
			return err
		}
		return tx.Retry(q.task, at)
	})
}
