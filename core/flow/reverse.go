package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Apply applies for the red confirmation of a red document, with the same care as a send: intent first, and what is
// not certain afterwards is asked for by Confirm.
func (f *Flow) Apply(ctx context.Context, task core.Task) error {
	d, sale, err := f.readDocument(ctx, core.ID(task.Subject))
	if err != nil {
		return fmt.Errorf("apply for red %s: %w", task.Subject, err)
	}
	if d.State != core.DocDraft || d.Confirmation == nil {
		return f.finish(ctx, task)
	}
	switch d.Confirmation.State {
	case core.ConfNew:
	case core.ConfApplying:
		return f.applicationCrashed(ctx, task, d)
	default:
		return f.finish(ctx, task)
	}
	channel, ok := f.Channels.Channel(d.Channel)
	if !ok {
		return fmt.Errorf("apply for red %s: channel %s: %w in the configuration", d.ID, d.Channel, core.ErrNotFound)
	}
	a := application{flow: f, task: task, doc: d, sale: sale, conf: *d.Confirmation, record: core.ExchangeRecord{ID: f.IDs.New(),
		Document: d.ID, Seller: d.Seller, Channel: d.Channel, Serial: d.Confirmation.Application}}
	sctx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
	defer cancel()
	answer, err := channel.Reverser.Apply(sctx, core.RedOrder{Application: a.conf.Application, Invoice: d.Content.Invoice()}, a.intent)
	if err != nil {
		if errors.Is(err, core.ErrConflict) || errors.Is(err, core.ErrLeaseLost) {
			return f.lookAgain(ctx, task)
		}
		return fmt.Errorf("apply for red %s: %w", d.ID, err)
	}
	return a.settle(ctx, answer)
}

// application is one application for one confirmation.
type application struct {
	flow   *Flow
	task   core.Task
	doc    core.DocumentRecord
	sale   core.SaleRecord
	conf   core.Confirmation
	record core.ExchangeRecord
}

func (a *application) intent(ctx context.Context, x core.Exchange) error {
	f := a.flow
	if err := f.recordRequest(&a.record, x); err != nil {
		return err
	}
	from, conf, d := a.conf.State, a.conf, a.doc
	next, err := from.See(core.ConfApplying)
	if err != nil {
		return err
	}
	conf.State = next
	d.SentAt, d.NotFoundAt, d.Blind = f.now(), time.Time{}, 0
	err = f.Store.Do(ctx, "apply.intent", func(tx core.Tx) error {
		if err := tx.MoveDocument(d.State, d); err != nil {
			return err
		}
		if err := tx.MoveConfirmation(d.ID, from, conf); err != nil {
			return err
		}
		return tx.PutExchange(a.record)
	})
	if err == nil {
		a.conf, a.doc = conf, d
	}
	return err
}

func (a *application) settle(ctx context.Context, answer core.ConfirmationAnswer) error {
	f := a.flow
	if a.conf.State == core.ConfNew { // refused before the intent
		return a.notTaken(ctx, answer, nil)
	}
	if err := f.recordAnswer(&a.record, answer.Exchange, answer.Outcome); err != nil {
		return err
	}
	c := seen{flow: f, task: a.task, doc: a.doc, sale: a.sale, from: a.conf.State, answer: &a.record}
	switch answer.Outcome {
	case core.OutcomeAccepted, core.OutcomeIssued:
		return c.commit(ctx, "apply.seen", answer)
	case core.OutcomeRefused:
		if pauses(answer.Refusal) {
			return a.notTaken(ctx, answer, &a.record)
		}
		answer.State = core.ConfRejected
		return c.commit(ctx, "apply.refused", answer)
	case core.OutcomeNotTaken:
		return a.notTaken(ctx, answer, &a.record)
	}
	answer.State = core.ConfUnsure
	return c.commit(ctx, "apply.unsure", answer)
}

func (a *application) notTaken(ctx context.Context, answer core.ConfirmationAnswer, x *core.ExchangeRecord) error {
	f, from := a.flow, a.conf.State
	conf := a.conf
	conf.State = core.ConfNew
	at := f.now().Add(f.Schedule.BusyWait(a.task.Attempt, conf.Application))
	return f.Store.Do(ctx, "apply.not_taken", func(tx core.Tx) error {
		if err := tx.MoveConfirmation(a.doc.ID, from, conf); err != nil {
			return err
		}
		if x != nil {
			if err := tx.AnswerExchange(*x); err != nil {
				return err
			}
		}
		if pauses(answer.Refusal) {
			if err := f.pause(tx, a.doc, problemOf(answer.Refusal), core.MaskText(answer.Message)); err != nil {
				return err
			}
		} else if f.now().Sub(a.task.EnqueuedAt) >= f.Schedule.BusyProblem {
			if err := tx.OpenProblem(f.issueProblem(a.doc, core.ProblemNotTaken, core.MaskText(answer.Message))); err != nil {
				return err
			}
		}
		return tx.Retry(a.task, at)
	})
}

func (f *Flow) applicationCrashed(ctx context.Context, task core.Task, d core.DocumentRecord) error {
	conf := *d.Confirmation
	conf.State = core.ConfUnsure
	return f.Store.Do(ctx, "apply.crashed", func(tx core.Tx) error {
		if err := tx.MoveConfirmation(d.ID, core.ConfApplying, conf); err != nil {
			return err
		}
		if err := tx.Enqueue(f.documentTask(d, core.TaskConfirm, core.PriorityRed, f.now())); err != nil {
			return err
		}
		return tx.Finish(task)
	})
}

// seen commits a state of a confirmation that the bureau showed, and what follows from it.
type seen struct {
	flow   *Flow
	task   core.Task
	doc    core.DocumentRecord
	sale   core.SaleRecord
	from   core.ConfirmationState
	answer *core.ExchangeRecord // to be answered
	asked  *core.ExchangeRecord // to be inserted
}

func (s seen) commit(ctx context.Context, name string, a core.ConfirmationAnswer) error {
	f, d := s.flow, s.doc
	next, err := s.from.See(a.State)
	if err != nil {
		return fmt.Errorf("red %s: %w", d.ID, err)
	}
	conf := *d.Confirmation
	conf.State = next
	if a.UUID != "" {
		conf.UUID, conf.Number, conf.ExpiresAt, conf.RedNumber = a.UUID, a.Number, a.ExpiresAt, a.RedNumber
	}
	from := d.State
	d.Code, d.Note, d.Confirmation, d.Blind, d.NotFoundAt = a.Code, core.MaskText(a.Message), &conf, 0, time.Time{}
	switch {
	case next.Usable():
		d.State, err = d.State.Next(core.HapConfirmed)
	case next.Dead():
		d.State, err = d.State.Next(core.HapRefused)
	}
	if err != nil {
		return err
	}
	return f.Store.Do(ctx, name, func(tx core.Tx) error {
		if err := tx.MoveDocument(from, d); err != nil {
			return err
		}
		if err := tx.MoveConfirmation(d.ID, s.from, conf); err != nil {
			return err
		}
		if err := s.exchange(tx); err != nil {
			return err
		}
		if next != core.ConfUnsure && (next != s.from || s.doc.Blind > 0 || !s.doc.NotFoundAt.IsZero()) {
			if err := f.closeIssueProblems(tx, d); err != nil {
				return err
			}
		}
		return s.follow(tx, d, next)
	})
}

func (s seen) exchange(tx core.Tx) error {
	if s.answer != nil {
		return tx.AnswerExchange(*s.answer)
	}
	return tx.PutExchange(*s.asked)
}

// follow enqueues the next step: the red invoice, another question, or a new look at the sale.
func (s seen) follow(tx core.Tx, d core.DocumentRecord, state core.ConfirmationState) error {
	f, now := s.flow, s.flow.now()
	var next core.Task
	switch {
	case state.Usable():
		next = f.documentTask(d, core.TaskIssue, core.PriorityRed, now)
	case state.Dead():
		if err := tx.Uncover(d.ID); err != nil {
			return err
		}
		next = f.settleTask(s.sale)
	default:
		at := now.Add(f.Schedule.QueryWait(0, d.Serial))
		if state.Waiting() {
			at = now.Add(f.Schedule.PollWait(s.task.Attempt, d.Serial))
		}
		if state.Waiting() && state != s.from {
			if err := tx.Enqueue(f.settleTask(s.sale)); err != nil { // its class says that it waits
				return err
			}
		}
		if s.task.Kind == core.TaskConfirm {
			return tx.Retry(s.task, at)
		}
		next = f.documentTask(d, core.TaskConfirm, core.PriorityRed, at)
	}
	if err := tx.Enqueue(next); err != nil {
		return err
	}
	return tx.Finish(s.task)
}

// Confirm asks how a red confirmation stands.
func (f *Flow) Confirm(ctx context.Context, task core.Task) error {
	d, sale, err := f.readDocument(ctx, core.ID(task.Subject))
	if err != nil {
		return fmt.Errorf("query confirmation of red %s: %w", task.Subject, err)
	}
	if d.State != core.DocDraft || d.Confirmation == nil || !(d.Confirmation.State.OnItsWay() || d.Confirmation.State.Waiting()) {
		return f.finish(ctx, task)
	}
	channel, ok := f.Channels.Channel(d.Channel)
	if !ok {
		return fmt.Errorf("query confirmation of red %s: channel %s: %w in the configuration", d.ID, d.Channel, core.ErrNotFound)
	}
	qctx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
	defer cancel()
	a, err := channel.Reverser.QueryConfirmation(qctx, d.Content.Invoice().Seller, d.Confirmation.Application)
	if err != nil {
		return fmt.Errorf("query confirmation of red %s: %w", d.ID, err)
	}
	x, err := f.asked(d, core.OpConfirm, d.Confirmation.Application, a.Exchange, a.Outcome)
	if err != nil {
		return err
	}
	s := seen{flow: f, task: task, doc: d, sale: sale, from: d.Confirmation.State, asked: &x}
	switch {
	case a.Outcome == core.OutcomeAccepted || a.Outcome == core.OutcomeIssued:
		return s.commit(ctx, "confirm.seen", a)
	case a.Outcome == core.OutcomeNotFound:
		return s.notFound(ctx)
	}
	return s.blind(ctx)
}

// notFound commits that the bureau shows no such application. After two of them and the grace it is applied for again
// under the same application id.
func (s seen) notFound(ctx context.Context) error {
	f, d, now := s.flow, s.doc, s.flow.now()
	d.Blind = 0
	first := d.NotFoundAt
	if first.IsZero() {
		d.NotFoundAt = now
	}
	again := s.from == core.ConfUnsure && !first.IsZero() && now.Sub(first) >= f.Schedule.NotFoundGap && now.Sub(d.SentAt) >= f.Schedule.Grace
	return f.Store.Do(ctx, "confirm.not_found", func(tx core.Tx) error {
		if err := tx.MoveDocument(d.State, d); err != nil {
			return err
		}
		if err := s.exchange(tx); err != nil {
			return err
		}
		if !again {
			if err := s.lost(tx, d); err != nil {
				return err
			}
			return tx.Retry(s.task, now.Add(f.Schedule.NotFoundGap))
		}
		conf := *d.Confirmation
		conf.State = core.ConfNew
		if err := tx.MoveConfirmation(d.ID, s.from, conf); err != nil {
			return err
		}
		if err := tx.Enqueue(f.documentTask(d, core.TaskApply, core.PriorityRed, now)); err != nil {
			return err
		}
		return tx.Finish(s.task)
	})
}

func (s seen) blind(ctx context.Context) error {
	f, d := s.flow, s.doc
	d.Blind++
	at := f.now().Add(f.Schedule.QueryWait(s.task.Attempt+1, d.Serial))
	return f.Store.Do(ctx, "confirm.blind", func(tx core.Tx) error {
		if err := tx.MoveDocument(d.State, d); err != nil {
			return err
		}
		if err := s.exchange(tx); err != nil {
			return err
		}
		if d.Blind == blindQueries {
			if err := f.pause(tx, d, core.ProblemLanePaused, "three queries in a row got no usable answer"); err != nil {
				return err
			}
		}
		if err := s.lost(tx, d); err != nil {
			return err
		}
		return tx.Retry(s.task, at)
	})
}

// lost tells a person of an application that nothing has been known of for long.
func (s seen) lost(tx core.Tx, d core.DocumentRecord) error {
	long, now := s.flow.Schedule.PollProblem, s.flow.now()
	missing := !d.NotFoundAt.IsZero() && now.Sub(d.NotFoundAt) >= long
	if now.Sub(d.SentAt) < long || (d.Blind < 2*blindQueries && !missing) {
		return nil
	}
	return tx.OpenProblem(s.flow.issueProblem(d, core.ProblemUnsure, "the bureau does not say how the red confirmation stands"))
}
