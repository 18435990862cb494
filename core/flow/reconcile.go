package flow

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Difference is one thing that does not agree, with the row it is about.
type Difference struct {
	Sale     core.ID `json:"sale,omitempty"`
	Document core.ID `json:"document,omitempty"`
	Order    string  `json:"order,omitempty"`
	// Row names the row or, for the bureau's ledger, the invoice number.
	Row    string `json:"row"`
	Detail string `json:"detail"`
	// Unknown: the bureau has an invoice that has no record here.
	Unknown bool `json:"unknown,omitempty"`
}

// ClassSum is what a class of sales comes to.
type ClassSum struct {
	Class    core.Class `json:"class"`
	Sales    int        `json:"sales"`
	Paid     core.Yuan  `json:"paid"`
	Refunded core.Yuan  `json:"refunded"`
	Invoiced core.Yuan  `json:"invoiced"`
	Reversed core.Yuan  `json:"reversed"`
}

// Report is the outcome of a reconciliation: the classes, which sum to all sales, and every difference by name.
type Report struct {
	Classes     []ClassSum   `json:"classes"`
	Differences []Difference `json:"differences"`
	Ledger      int          `json:"ledger"` // rows of the bureaus' ledgers that were compared
}

const reconcilePage = 200

// Reconcile compares, for every sale, the events with the stored refunds, each document's row with its sealed content,
// and what is invoiced with what the policy computes (promise 3); then our invoices issued since a time with the
// bureaus' ledgers. Every difference becomes a problem that names its row. With dry set nothing is written.
func (f *Flow) Reconcile(ctx context.Context, since time.Time, dry bool) (Report, error) {
	a := audit{flow: f, dry: dry, sums: map[core.Class]*ClassSum{}, days: dayBook{}}
	if _, err := a.sales(ctx, func() bool { return false }); err != nil {
		return a.report, err
	}
	return a.close(ctx, since)
}

// audit is a walk over all sales, newest first.
type audit struct {
	flow   *Flow
	dry    bool
	after  core.ID // the last sale looked at
	sums   map[core.Class]*ClassSum
	days   dayBook
	report Report
}

// sales looks at page after page until it is told that this is enough, and says whether all were seen.
func (a *audit) sales(ctx context.Context, enough func() bool) (done bool, err error) {
	for {
		var page []core.SaleRecord
		err := a.flow.Store.View(ctx, func(v core.View) (err error) {
			page, err = v.Sales(core.SaleFilter{After: a.after, Limit: reconcilePage})
			return err
		})
		if err != nil {
			return false, fmt.Errorf("reconcile: %w", err)
		}
		for _, rec := range page {
			diffs, balance, err := a.flow.reconcileSale(ctx, rec, a.days)
			if err != nil {
				return false, fmt.Errorf("reconcile sale %s: %w", rec.ID, err)
			}
			add(a.sums, rec.Class, balance)
			a.report.Differences = append(a.report.Differences, diffs...)
			if err := a.flow.reportSale(ctx, rec, diffs, a.dry); err != nil {
				return false, err
			}
			a.after = rec.ID
		}
		if len(page) < reconcilePage {
			return true, nil
		}
		if enough() {
			return false, nil
		}
	}
}

// close sums the classes and compares what needs all sales: day closes and the bureaus' ledgers.
func (a *audit) close(ctx context.Context, since time.Time) (Report, error) {
	for _, c := range a.sums {
		a.report.Classes = append(a.report.Classes, *c)
	}
	sort.Slice(a.report.Classes, func(i, j int) bool { return a.report.Classes[i].Class < a.report.Classes[j].Class })
	differ, err := a.flow.compareDays(ctx, a.days, a.dry)
	if err != nil {
		return a.report, err
	}
	a.report.Differences = append(a.report.Differences, differ...)
	return a.report, a.flow.reconcileLedgers(ctx, since, a.dry, &a.report)
}

func add(sums map[core.Class]*ClassSum, class core.Class, b core.Balance) {
	c := sums[class]
	if c == nil {
		c = &ClassSum{Class: class}
		sums[class] = c
	}
	c.Sales++
	c.Paid, c.Refunded = c.Paid.Add(b.Paid), c.Refunded.Add(b.Refunded)
	c.Invoiced, c.Reversed = c.Invoiced.Add(b.Invoiced), c.Reversed.Add(b.Reversed)
}

// reconcileSale finds what does not agree within one sale.
func (f *Flow) reconcileSale(ctx context.Context, rec core.SaleRecord, days dayBook) ([]Difference, core.Balance, error) {
	var s saleState
	var events []core.EventRecord
	err := f.Store.View(ctx, func(v core.View) (err error) {
		if err := f.loadSale(v, rec.ID, &s); err != nil {
			return err
		}
		events, err = v.EventsOf(rec.Instance, rec.Name)
		return err
	})
	if err != nil {
		return nil, core.Balance{}, err
	}
	diff := func(row, format string, args ...any) Difference {
		return Difference{Sale: rec.ID, Order: rec.Name, Row: row, Detail: fmt.Sprintf(format, args...)}
	}
	var out []Difference
	if err := f.open(salePlace(rec.ID), s.rec.Body, &s.body); err != nil {
		return []Difference{diff("sale "+string(rec.ID), "its content can't be opened: %v", err)}, core.Balance{}, nil
	}
	for i, d := range s.documents {
		opened, err := f.document(d)
		if err != nil {
			out = append(out, diff("document "+string(d.ID), "its content can't be opened: %v", err))
			continue
		}
		s.documents[i] = opened
		inv := opened.Content.Invoice()
		if !inv.Net.Equal(d.Net) || !inv.Tax.Equal(d.Tax) || !inv.Gross.Equal(d.Gross) || inv.Color != d.Color {
			out = append(out, diff("document "+string(d.ID), "the row says %s + %s = %s, its content %s + %s = %s", d.Net, d.Tax, d.Gross, inv.Net, inv.Tax, inv.Gross))
		}
	}
	missing, err := f.refoldRefunds(s, events, diff)
	if err != nil {
		return nil, core.Balance{}, err
	}
	out = append(out, missing...)
	days.add(s.body, s.refunds)
	balance := core.BalanceOf(s.story())
	if rec.Class == core.ClassSettled || rec.Class == core.ClassNothing {
		if e, a := balance.Expected(), balance.Actual(); !e.Equal(a) && len(out) == 0 {
			out = append(out, diff("sale "+string(rec.ID), "invoiced − reversed is %s, paid − refunded is %s", a, e))
		}
	}
	return out, balance, nil
}

// refoldRefunds folds the stored events once more and compares the refunds: a lost or changed row shows.
func (f *Flow) refoldRefunds(s saleState, events []core.EventRecord, diff func(row, format string, args ...any) Difference) ([]Difference, error) {
	again := saleState{refunds: map[string]core.Refund{}}
	for _, e := range events {
		if e.Kind == core.EventRefund && (e.State == core.EventApplied || e.State == core.EventSuperseded) {
			again.events = append(again.events, e)
		}
	}
	if _, err := f.fold(&again); err != nil {
		return []Difference{diff("events of "+s.rec.Name, "%v", err)}, nil
	}
	var out []Difference
	for no, want := range again.refunds {
		have, ok := s.refunds[no]
		switch {
		case !ok:
			out = append(out, diff("refund "+no, "its event of %s yuan was accepted, its row is gone", want.Amount))
		case !have.Amount.Equal(want.Amount) || have.State != want.State:
			out = append(out, diff("refund "+no, "the row says %s %s, the event %s %s", have.State, have.Amount, want.State, want.Amount))
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Row < out[j].Row })
	return out, nil
}

func (f *Flow) reportSale(ctx context.Context, rec core.SaleRecord, diffs []Difference, dry bool) error {
	if dry {
		return nil
	}
	open := []core.Problem{}
	err := f.Store.View(ctx, func(v core.View) (err error) {
		open, err = v.Problems(core.ProblemFilter{Sale: rec.ID, Code: core.ProblemReconcile, Limit: 1})
		return err
	})
	if err != nil || (len(diffs) == 0 && len(open) == 0) {
		return err
	}
	var problems []core.Problem
	for _, d := range diffs {
		problems = append(problems, core.Problem{ID: f.IDs.New(), Scope: core.ScopeReconcile, Code: core.ProblemReconcile, Sale: rec.ID,
			Subject: d.Row, Store: rec.Store, Detail: d.Detail, OpenedAt: f.now()})
	}
	return f.Store.Do(ctx, "reconcile", func(tx core.Tx) error {
		return tx.SetProblems(rec.ID, core.ScopeReconcile, f.now(), problems)
	})
}
