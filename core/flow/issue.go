package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Issue sends a document that is Ready: a blue invoice, or a red one whose confirmation is usable. The intent and the
// request are committed before the first byte leaves; whatever is not certain afterwards is asked for by Query.
func (f *Flow) Issue(ctx context.Context, task core.Task) error {
	d, sale, err := f.readDocument(ctx, core.ID(task.Subject))
	if err != nil {
		return fmt.Errorf("issue document %s: %w", task.Subject, err)
	}
	switch d.State {
	case core.DocReady:
	case core.DocSending:
		return f.crashed(ctx, task, d)
	default:
		return f.finish(ctx, task)
	}
	channel, ok := f.Channels.Channel(d.Channel)
	if !ok {
		return fmt.Errorf("issue document %s: channel %s: %w in the configuration", d.ID, d.Channel, core.ErrNotFound)
	}
	a := attempt{flow: f, task: task, doc: d, sale: sale, tried: task.Attempt > 0 || !d.SentAt.IsZero(), record: core.ExchangeRecord{ID: f.IDs.New(), Document: d.ID, Seller: d.Seller,
		Channel: d.Channel, Serial: d.Serial}}
	answer, err := a.send(ctx, channel)
	if err != nil {
		if errors.Is(err, core.ErrConflict) || errors.Is(err, core.ErrLeaseLost) {
			return f.lookAgain(ctx, task) // the sale changed or the task has another owner; nothing was sent
		}
		return fmt.Errorf("issue document %s: %w", d.ID, err)
	}
	return a.settle(ctx, answer)
}

// lookAgain puts a task back whose document changed before the send: the next run sees what it is now.
func (f *Flow) lookAgain(ctx context.Context, task core.Task) error {
	return f.Store.Do(ctx, "changed", func(tx core.Tx) error { return tx.Release(task, f.now()) })
}

// readDocument reads a document with its content and its sale's row.
func (f *Flow) readDocument(ctx context.Context, id core.ID) (d core.DocumentRecord, sale core.SaleRecord, err error) {
	err = f.Store.View(ctx, func(v core.View) (err error) {
		if d, err = v.Document(id); err != nil {
			return err
		}
		sale, err = v.Sale(d.Sale)
		return err
	})
	if err != nil {
		return d, sale, err
	}
	d, err = f.document(d)
	return d, sale, err
}

// crashed finds a document whose send may have left before a crash: nobody knows its outcome.
func (f *Flow) crashed(ctx context.Context, task core.Task, d core.DocumentRecord) error {
	next, err := d.State.Next(core.HapUnsure)
	if err != nil {
		return err
	}
	d.State = next
	return f.Store.Do(ctx, "issue.crashed", func(tx core.Tx) error {
		if err := tx.MoveDocument(core.DocSending, d); err != nil {
			return err
		}
		if err := tx.Enqueue(f.documentTask(d, core.TaskQuery, core.PriorityBlue, f.now())); err != nil {
			return err
		}
		return tx.Finish(task)
	})
}

// attempt is one send of one document.
type attempt struct {
	flow   *Flow
	task   core.Task
	doc    core.DocumentRecord
	sale   core.SaleRecord
	tried  bool // it was put off or sent before, and problems may be open
	record core.ExchangeRecord
}

func (a *attempt) send(ctx context.Context, channel core.Channel) (core.Answer, error) {
	f, inv := a.flow, a.doc.Content.Invoice()
	ctx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
	defer cancel()
	if a.doc.Color == core.Red {
		order := core.RedIssueOrder{Serial: a.doc.Serial, Confirmation: *a.doc.Confirmation, Invoice: inv, At: f.now()}
		return channel.Reverser.IssueRed(ctx, order, a.intent)
	}
	return channel.Issuer.Issue(ctx, core.IssueOrder{Serial: a.doc.Serial, Invoice: inv, At: f.now()}, a.intent)
}

// intent commits that the send is about to happen, with the request as it will be on the wire.
func (a *attempt) intent(ctx context.Context, x core.Exchange) error {
	f := a.flow
	next, err := a.doc.State.Next(core.HapSend)
	if err != nil {
		return err
	}
	if err := f.recordRequest(&a.record, x); err != nil {
		return err
	}
	d := a.doc
	d.State, d.SentAt, d.NotFoundAt, d.Blind = next, f.now(), time.Time{}, 0
	err = f.Store.Do(ctx, "issue.intent", func(tx core.Tx) error {
		if err := tx.MoveDocument(a.doc.State, d); err != nil {
			return err
		}
		return tx.PutExchange(a.record)
	})
	if err == nil {
		a.doc = d
	}
	return err
}

func (f *Flow) recordRequest(r *core.ExchangeRecord, x core.Exchange) (err error) {
	r.Operation, r.SentAt = x.Operation, x.SentAt
	r.Request, err = f.sealBytes(r.Seller, exchangePlace(r.ID, "request"), x.Request)
	return err
}

func (f *Flow) recordAnswer(r *core.ExchangeRecord, x core.Exchange, o core.Outcome) (err error) {
	r.AnsweredAt, r.Outcome, r.Code = x.AnsweredAt, o, x.Code
	r.Response, err = f.sealBytes(r.Seller, exchangePlace(r.ID, "response"), x.Response)
	return err
}

// settle commits what the answer says.
func (a *attempt) settle(ctx context.Context, answer core.Answer) error {
	f := a.flow
	if a.doc.State == core.DocReady { // the channel refused before the intent: breaker, rate limit, maintenance
		return f.notTaken(ctx, a, answer)
	}
	if err := f.recordAnswer(&a.record, answer.Exchange, answer.Outcome); err != nil {
		return err
	}
	if answer.Found != nil && !matches(answer.Found, a.doc) {
		answer.Outcome = core.OutcomeUnsure
	}
	d := a.doc
	d.Code, d.Note = answer.Code, core.MaskText(answer.Message)
	switch answer.Outcome {
	case core.OutcomeIssued:
		return f.issued(ctx, a, d, answer)
	case core.OutcomeRefused:
		if pauses(answer.Refusal) {
			return f.notTaken(ctx, a, answer)
		}
		return f.refused(ctx, a.task, &a.record, d, a.sale)
	case core.OutcomeNotTaken:
		return f.notTaken(ctx, a, answer)
	case core.OutcomeAccepted:
		return f.wait(ctx, a, d, core.HapAccepted, f.Schedule.PollWait(0, d.Serial))
	}
	if seededResend() {
		return f.resendBlindly(ctx, a, d)
	}
	return f.wait(ctx, a, d, core.HapUnsure, f.Schedule.QueryWait(0, d.Serial))
}

// pauses says whether a refusal concerns the whole taxpayer rather than one invoice: the same serial goes out again
// when a person or the next month has mended it.
func pauses(r core.Refusal) bool {
	switch r {
	case core.RefusedQuota, core.RefusedLogin, core.RefusedAuthority, core.RefusedSignature:
		return true
	}
	return false
}

// matches compares what the bureau shows under our serial with what we sent.
func matches(found *core.Found, d core.DocumentRecord) bool {
	inv := d.Content.Invoice()
	return found.Color == d.Color && (found.Kind == "" || found.Kind == inv.Kind) && found.Net.Equal(inv.Net) && found.Tax.Equal(inv.Tax) && found.Gross.Equal(inv.Gross) &&
		(found.BuyerName == "" || found.BuyerName == inv.Buyer.Title) && (found.BuyerTaxNo == "" || found.BuyerTaxNo == inv.Buyer.TaxNo)
}

// wait commits that the outcome is awaited and enqueues the query for it.
func (f *Flow) wait(ctx context.Context, a *attempt, d core.DocumentRecord, h core.Happening, after time.Duration) error {
	from := d.State
	next, err := from.Next(h)
	if err != nil {
		return err
	}
	d.State = next
	query := f.documentTask(d, core.TaskQuery, core.PriorityBlue, f.now().Add(after))
	return f.Store.Do(ctx, "issue."+string(h), func(tx core.Tx) error {
		if err := f.moveAnswered(tx, from, d, &a.record); err != nil {
			return err
		}
		if a.tried && h == core.HapAccepted {
			if err := f.closeIssueProblems(tx, d); err != nil {
				return err
			}
		}
		if err := tx.Enqueue(query); err != nil {
			return err
		}
		return tx.Finish(a.task)
	})
}

func (f *Flow) moveAnswered(tx core.Tx, from core.DocumentState, d core.DocumentRecord, x *core.ExchangeRecord) error {
	if err := tx.MoveDocument(from, d); err != nil {
		return err
	}
	if x == nil {
		return nil
	}
	return tx.AnswerExchange(*x)
}

// issued commits the number, and with it the tasks that follow: the files and a new look at the sale.
func (f *Flow) issued(ctx context.Context, a *attempt, d core.DocumentRecord, answer core.Answer) error {
	from := d.State
	next, err := from.Next(core.HapIssued)
	if err != nil {
		return err
	}
	d.State, d.Number, d.IssuedAt = next, answer.Number, answer.IssuedAt
	return f.Store.Do(ctx, "issue.issued", func(tx core.Tx) error {
		if err := f.moveAnswered(tx, from, d, &a.record); err != nil {
			return err
		}
		if a.tried {
			if err := f.closeIssueProblems(tx, d); err != nil {
				return err
			}
		}
		if err := tx.Enqueue(f.documentTask(d, core.TaskFiles, core.PriorityBlue, f.now())); err != nil {
			return err
		}
		if err := tx.Enqueue(f.settleTask(a.sale)); err != nil {
			return err
		}
		return tx.Finish(a.task)
	})
}

// closeIssueProblems closes what was open about a document's send, and what kept its seller's lane closed: that it went
// through shows that a person has mended it.
func (f *Flow) closeIssueProblems(tx core.Tx, d core.DocumentRecord) error {
	for _, code := range []core.ProblemCode{core.ProblemNotTaken, core.ProblemUnsure, core.ProblemStillRunning, core.ProblemOtherAnswer} {
		if err := tx.CloseProblem(core.ScopeIssue, code, string(d.ID), f.now()); err != nil {
			return err
		}
	}
	for _, code := range []core.ProblemCode{core.ProblemQuota, core.ProblemLogin} {
		if err := tx.CloseProblem(core.ScopeIssue, code, string(core.SendLane(d.Channel, d.Seller)), f.now()); err != nil {
			return err
		}
	}
	return nil
}

// refused commits the bureau's no. The portions it accounted for are free again; the planner tells a person.
func (f *Flow) refused(ctx context.Context, task core.Task, x *core.ExchangeRecord, d core.DocumentRecord, sale core.SaleRecord) error {
	from := d.State
	next, err := from.Next(core.HapRefused)
	if err != nil {
		return err
	}
	d.State = next
	return f.Store.Do(ctx, "issue.refused", func(tx core.Tx) error {
		if err := f.moveAnswered(tx, from, d, x); err != nil {
			return err
		}
		if err := tx.Uncover(d.ID); err != nil {
			return err
		}
		if err := f.closeIssueProblems(tx, d); err != nil {
			return err
		}
		if err := tx.Enqueue(f.settleTask(sale)); err != nil {
			return err
		}
		return tx.Finish(task)
	})
}

// notTaken puts the same document, with the same serial, back for later. What concerns the whole taxpayer pauses its lane.
func (f *Flow) notTaken(ctx context.Context, a *attempt, answer core.Answer) error {
	d, from := a.doc, a.doc.State
	var x *core.ExchangeRecord
	if from == core.DocSending {
		d.State, x = core.DocReady, &a.record
	}
	d.Code, d.Note = answer.Code, core.MaskText(answer.Message)
	at := f.now().Add(f.Schedule.BusyWait(a.task.Attempt, d.Serial))
	return f.Store.Do(ctx, "issue.not_taken", func(tx core.Tx) error {
		if err := f.moveAnswered(tx, from, d, x); err != nil {
			return err
		}
		if pauses(answer.Refusal) {
			if err := f.pause(tx, d, problemOf(answer.Refusal), core.MaskText(answer.Message)); err != nil {
				return err
			}
		} else if f.now().Sub(a.task.EnqueuedAt) >= f.Schedule.BusyProblem {
			if err := tx.OpenProblem(f.issueProblem(d, core.ProblemNotTaken, core.MaskText(answer.Message))); err != nil {
				return err
			}
		}
		return tx.Retry(a.task, at)
	})
}

func problemOf(r core.Refusal) core.ProblemCode {
	if r == core.RefusedQuota {
		return core.ProblemQuota
	}
	return core.ProblemLogin
}

func (f *Flow) issueProblem(d core.DocumentRecord, code core.ProblemCode, detail string) core.Problem {
	return core.Problem{ID: f.IDs.New(), Scope: core.ScopeIssue, Code: code, Sale: d.Sale, Document: d.ID, Subject: string(d.ID),
		Store: d.Store, Detail: detail, OpenedAt: f.now()}
}
