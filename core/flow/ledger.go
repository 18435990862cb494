package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// reconcileLedgers compares our issued invoices since a time with what each seller's bureau lists.
func (f *Flow) reconcileLedgers(ctx context.Context, since time.Time, dry bool, report *Report) error {
	for _, seller := range f.Book.Sellers() {
		channel, ok := f.Channels.Channel(seller.Channel)
		if !ok || channel.Ledger == nil {
			continue
		}
		diffs, rows, err := f.compareLedger(ctx, channel.Ledger, seller, since)
		if err != nil {
			return fmt.Errorf("ledger of seller %s: %w", seller.ID, err)
		}
		report.Ledger += rows
		report.Differences = append(report.Differences, diffs...)
		if dry {
			continue
		}
		if err := f.reportLedger(ctx, diffs); err != nil {
			return err
		}
	}
	return nil
}

// compareLedger walks the bureau's list first and our own invoices after, so that what is issued meanwhile is not
// mistaken for a difference.
func (f *Flow) compareLedger(ctx context.Context, ledger core.Ledger, seller core.Seller, since time.Time) ([]Difference, int, error) {
	until := f.now()
	listed := map[string]core.Listed{}
	cursor := ""
	for {
		pageCtx, cancel := context.WithTimeout(ctx, f.Schedule.SendDeadline)
		rows, next, more, err := ledger.List(pageCtx, seller, since, until.Add(time.Second), cursor)
		cancel()
		if err != nil {
			return nil, 0, err
		}
		for _, r := range rows {
			listed[r.Number] = r
		}
		if !more {
			break
		}
		cursor = next
	}
	ours, err := f.issuedSince(ctx, seller.ID, since)
	if err != nil {
		return nil, 0, err
	}
	var out []Difference
	known := map[string]bool{}
	for _, d := range ours {
		known[d.Number] = true
		row, ok := listed[d.Number]
		switch {
		case !ok && d.External, !ok && !d.IssuedAt.Before(until):
		case !ok:
			out = append(out, Difference{Sale: d.Sale, Document: d.ID, Row: "document " + string(d.ID), Detail: "invoice " + d.Number + " is not in the bureau's ledger"})
		case !row.Gross.Equal(d.Gross) || !row.Tax.Equal(d.Tax) || row.Color != d.Color:
			out = append(out, Difference{Sale: d.Sale, Document: d.ID, Row: "document " + string(d.ID),
				Detail: fmt.Sprintf("invoice %s: the row says %s (tax %s), the bureau %s (tax %s)", d.Number, d.Gross, d.Tax, row.Gross, row.Tax)})
		}
	}
	for number, row := range listed {
		if !known[number] {
			out = append(out, Difference{Row: "invoice " + number, Unknown: true,
				Detail: fmt.Sprintf("the bureau has a %s invoice of %s yuan that is unknown here", row.Color, row.Gross)})
		}
	}
	return out, len(listed), nil
}

func (f *Flow) issuedSince(ctx context.Context, seller core.SellerID, since time.Time) ([]core.DocumentRecord, error) {
	var out []core.DocumentRecord
	after := core.ID("")
	for {
		var page []core.DocumentRecord
		err := f.Store.View(ctx, func(v core.View) (err error) {
			page, err = v.Documents(core.DocumentFilter{Seller: seller, State: core.DocIssued, IssuedFrom: since, After: after, Limit: reconcilePage})
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < reconcilePage {
			return out, nil
		}
		after = page[len(page)-1].ID
	}
}

func (f *Flow) reportLedger(ctx context.Context, diffs []Difference) error {
	if len(diffs) == 0 {
		return nil
	}
	return f.Store.Do(ctx, "reconcile.ledger", func(tx core.Tx) error {
		for _, d := range diffs {
			code := core.ProblemReconcile
			if d.Unknown {
				code = core.ProblemForeignInvoice
			}
			p := core.Problem{ID: f.IDs.New(), Scope: core.ScopeReconcile, Code: code, Sale: d.Sale, Document: d.Document, Subject: d.Row,
				Detail: d.Detail, OpenedAt: f.now()}
			if err := tx.OpenProblem(p); err != nil {
				return err
			}
		}
		return nil
	})
}
