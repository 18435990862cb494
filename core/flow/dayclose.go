package flow

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// tillDay names what a day close sums: a store's till on a business day; the till is empty for the whole store.
type tillDay struct {
	store    core.StoreCode
	terminal string
	day      string
}

func (k tillDay) String() string { return string(k.store) + "/" + k.terminal + "/" + k.day }

// daySums are the receipts of a business day as they came in.
type daySums struct {
	sales    int
	gross    core.Yuan
	refunded core.Yuan
}

// dayBook adds receipts up by till and day.
type dayBook map[tillDay]*daySums

func (b dayBook) at(store core.StoreCode, terminal, day string) []*daySums {
	var out []*daySums
	for _, k := range []tillDay{{store, terminal, day}, {store, "", day}} {
		if b[k] == nil {
			b[k] = &daySums{}
		}
		out = append(out, b[k])
	}
	return out
}

// add counts a sale and the returns against it. A return is named like a receipt: store/terminal/day/number.
func (b dayBook) add(body core.SaleBody, refunds map[string]core.Refund) {
	sale := body.Sale
	if sale == nil || sale.Receipt == nil {
		return
	}
	if sale.Kind == core.Receipt && sale.Status != core.Voided {
		for _, s := range b.at(sale.Store, sale.Receipt.Terminal, sale.Receipt.BusinessDay) {
			s.sales++
			s.gross = s.gross.Add(sale.Total)
		}
	}
	for _, r := range refunds {
		parts := strings.Split(r.No, "/")
		if r.State != core.RefundSucceeded || len(parts) < 4 {
			continue
		}
		for _, s := range b.at(core.StoreCode(parts[0]), parts[1], parts[2]) {
			s.refunded = s.refunded.Add(r.Amount)
		}
	}
}

// compareDays compares the receipts with the day closes that the tills sent. What agrees closes its problem.
func (f *Flow) compareDays(ctx context.Context, book dayBook, dry bool) ([]Difference, error) {
	keys := make([]tillDay, 0, len(book))
	for k := range book {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	var out []Difference
	for _, k := range keys {
		var closes []core.DayClose
		err := f.Store.View(ctx, func(v core.View) (err error) {
			closes, err = v.DayCloses(k.store, k.day)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("day closes of %s: %w", k, err)
		}
		c, ok := newestClose(closes, k.terminal)
		if !ok {
			continue
		}
		s := book[k]
		detail := ""
		if c.Sales != s.sales || !c.Gross.Equal(s.gross) || !c.Refunded.Equal(s.refunded) {
			detail = fmt.Sprintf("receipts: %d sales of %s, %s returned; day close: %d sales of %s, %s returned", s.sales, s.gross, s.refunded, c.Sales, c.Gross, c.Refunded)
			out = append(out, Difference{Row: "day close " + k.String(), Detail: detail})
		}
		if dry {
			continue
		}
		if err := f.reportDay(ctx, k, detail); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newestClose finds the newest revision for a till, or for the whole store.
func newestClose(closes []core.DayClose, terminal string) (core.DayClose, bool) {
	for _, c := range closes { // newest first
		if c.Terminal == terminal {
			return c, true
		}
	}
	return core.DayClose{}, false
}

func (f *Flow) reportDay(ctx context.Context, k tillDay, detail string) error {
	return f.Store.Do(ctx, "reconcile.day", func(tx core.Tx) error {
		if detail == "" {
			return tx.CloseProblem(core.ScopeReconcile, core.ProblemDayClose, k.String(), f.now())
		}
		return tx.OpenProblem(core.Problem{ID: f.IDs.New(), Scope: core.ScopeReconcile, Code: core.ProblemDayClose, Subject: k.String(),
			Store: k.store, Detail: detail, OpenedAt: f.now()})
	})
}
