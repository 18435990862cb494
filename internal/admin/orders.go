package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
)

// OrderRow is a sale in a list.
type OrderRow struct {
	ID       core.ID         `json:"id"`
	Order    string          `json:"order"`
	Source   core.InstanceID `json:"source"`
	Store    core.StoreCode  `json:"store"`
	Total    core.Yuan       `json:"total"`
	PaidAt   time.Time       `json:"paid_at,omitzero"`
	Class    core.Class      `json:"class"`
	Invoiced core.Yuan       `json:"invoiced"`
	Problems []ProblemRow    `json:"problems,omitempty"`
	Blues    int             `json:"blues"`
	Reds     int             `json:"reds"`
	// Delivered says that every issued invoice reached its buyer or that nothing is delivered.
	Delivered bool `json:"delivered"`
}

// Order is one sale with everything that belongs to it.
type Order struct {
	OrderRow
	Buyer    string           `json:"buyer"`
	Lines    []OrderLine      `json:"lines,omitempty"`
	Refunds  []core.Refund    `json:"refunds,omitempty"`
	Invoices []Invoice        `json:"invoices,omitempty"`
	Events   []EventRow       `json:"events,omitempty"`
	Acts     []core.ActRecord `json:"acts,omitempty"`
}

// OrderLine is a line of a sale.
type OrderLine struct {
	No       string        `json:"no"`
	Name     string        `json:"name"`
	Quantity core.Quantity `json:"quantity"`
	Paid     core.Yuan     `json:"paid"`
}

// EventRow is an event of a sale.
type EventRow struct {
	ID    core.ID         `json:"id"`
	Kind  core.EventKind  `json:"kind"`
	Key   string          `json:"key"`
	At    time.Time       `json:"at"`
	State core.EventState `json:"state"`
}

func (a *API) orders() {
	a.on("GET /v1/orders", a.listOrders)
	a.on("GET /v1/orders/{id}", func(r *http.Request) (any, error) { return a.order(r.Context(), core.ID(r.PathValue("id"))) })
	a.on("POST /v1/orders/{id}/buyer", func(r *http.Request) (any, error) {
		var c flow.BuyerChange
		if err := decode(r, &c); err != nil {
			return nil, err
		}
		if err := checkChange(c); err != nil {
			return nil, err
		}
		return done{true}, a.Flow.SetBuyer(r.Context(), who(r), core.ID(r.PathValue("id")), c)
	})
	a.on("POST /v1/orders/{id}/issue", a.act(func(ctx context.Context, who string, id core.ID) error {
		return a.Flow.Decide(ctx, who, id, core.ActIssue)
	}))
	a.on("POST /v1/orders/{id}/retry", a.act(a.Flow.Retry))
	a.on("POST /v1/orders/{id}/red", a.act(a.Flow.ApproveRed))
	a.on("POST /v1/orders/{id}/look", a.act(a.Flow.Touch))
	a.on("GET /v1/orders/{id}/plan", a.plan)
	a.on("POST /v1/orders/{id}/elsewhere", a.elsewhere)
	a.on("POST /v1/orders/{id}/external", a.external)
	a.on("POST /v1/orders/{id}/tender", a.tender)
	a.on("POST /v1/orders/{id}/drop-refund", a.dropRefund)
	a.on("POST /v1/orders/{id}/accept", a.accept)
}

// checkChange refuses what changes nothing and words that mean nothing.
func checkChange(c flow.BuyerChange) error {
	switch {
	case c == flow.BuyerChange{}:
		return fmt.Errorf("%w: say what is to be corrected: title, tax number, e-mail address, mobile number or kind", errBad)
	case c.Kind != "" && c.Kind != core.GeneralInvoice && c.Kind != core.SpecialInvoice:
		return fmt.Errorf("%w: kind %q is neither general nor special", errBad, c.Kind)
	case c.TitleKind != "" && c.TitleKind != core.Personal && c.TitleKind != core.Company:
		return fmt.Errorf("%w: title kind %q is neither personal nor company", errBad, c.TitleKind)
	}
	return nil
}

func (a *API) act(f func(ctx context.Context, who string, id core.ID) error) handler {
	return func(r *http.Request) (any, error) {
		return done{true}, f(r.Context(), who(r), core.ID(r.PathValue("id")))
	}
}

func (a *API) listOrders(r *http.Request) (any, error) {
	q := r.URL.Query()
	f := core.SaleFilter{Store: core.StoreCode(q.Get("store")), Instance: core.InstanceID(q.Get("source")), Class: core.Class(q.Get("class")),
		Name: q.Get("order"), After: core.ID(q.Get("after")), Limit: limit(r)}
	if p := q.Get("person"); p != "" {
		f.Person = flow.PersonIndex(a.Vault, p)
	}
	rows := []OrderRow{}
	err := a.Store.View(r.Context(), func(v core.View) error {
		sales, err := v.Sales(f)
		if err != nil {
			return err
		}
		rows = rows[:0]
		for _, s := range sales {
			row, err := a.orderRow(v, s)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

func (a *API) orderRow(v core.View, s core.SaleRecord) (OrderRow, error) {
	row := OrderRow{ID: s.ID, Order: s.Name, Source: s.Instance, Store: s.Store, Total: s.Total, PaidAt: s.PaidAt, Class: s.Class, Delivered: true}
	docs, err := v.DocumentsOf(s.ID)
	if err != nil {
		return row, err
	}
	for _, d := range docs {
		if d.State != core.DocIssued {
			continue
		}
		row.Invoiced = row.Invoiced.Add(d.Gross)
		if d.Color == core.Blue {
			row.Blues++
		} else {
			row.Reds++
		}
		ok, err := delivered(v, d)
		if err != nil {
			return row, err
		}
		row.Delivered = row.Delivered && ok
	}
	problems, err := v.Problems(core.ProblemFilter{Sale: s.ID, Limit: 20})
	if err != nil {
		return row, err
	}
	for _, p := range problems {
		row.Problems = append(row.Problems, problemRow(p, s.Name))
	}
	return row, nil
}

// delivered says whether a document's parcels have arrived: at least one, and none on its way.
func delivered(v core.View, d core.DocumentRecord) (bool, error) {
	parcels, err := v.ParcelsOf(d.ID)
	if err != nil || d.External {
		return d.External, err
	}
	any := false
	for _, p := range parcels {
		switch p.State {
		case core.ParcelSent, core.ParcelDelivered:
			any = true
		case core.ParcelFailed:
		default:
			return false, nil
		}
	}
	return any, nil
}

// find accepts an id or an order number.
func (a *API) find(v core.View, id core.ID) (core.SaleRecord, error) {
	if s, err := v.Sale(id); err == nil || !errors.Is(err, core.ErrNotFound) {
		return s, err
	}
	sales, err := v.Sales(core.SaleFilter{Name: string(id), Limit: 2})
	if err != nil {
		return core.SaleRecord{}, err
	}
	switch len(sales) {
	case 0:
		return core.SaleRecord{}, fmt.Errorf("order %s: %w", id, core.ErrNotFound)
	case 1:
		return sales[0], nil
	}
	return core.SaleRecord{}, fmt.Errorf("%w: several orders are called %s; name one by its id", errBad, id)
}

func (a *API) order(ctx context.Context, id core.ID) (Order, error) {
	var o Order
	var sale core.SaleRecord
	err := a.Store.View(ctx, func(v core.View) (err error) {
		if sale, err = a.find(v, id); err != nil {
			return err
		}
		if o.OrderRow, err = a.orderRow(v, sale); err != nil {
			return err
		}
		if o.Refunds, err = v.Refunds(sale.ID); err != nil {
			return err
		}
		if o.Acts, err = v.Acts(string(sale.ID)); err != nil {
			return err
		}
		events, err := v.EventsOf(sale.Instance, sale.Name)
		if err != nil {
			return err
		}
		o.Events = nil
		for _, e := range events {
			o.Events = append(o.Events, EventRow{e.ID, e.Kind, e.Key, e.At, e.State})
		}
		docs, err := v.DocumentsOf(sale.ID)
		if err != nil {
			return err
		}
		o.Invoices = nil
		for _, d := range docs {
			inv, err := a.invoiceRow(v, d)
			if err != nil {
				return err
			}
			o.Invoices = append(o.Invoices, inv)
		}
		return nil
	})
	if err != nil {
		return o, err
	}
	var body core.SaleBody
	plain, err := a.Vault.Open(core.Place{Table: "sale", Row: string(sale.ID), Column: "body"}, sale.Body)
	if err != nil {
		return o, fmt.Errorf("open sale %s: %w", sale.ID, err)
	}
	if err := json.Unmarshal(plain, &body); err != nil {
		return o, fmt.Errorf("decode sale %s: %w", sale.ID, err)
	}
	if body.Sale != nil {
		o.Buyer = maskedBuyer(body)
		for _, l := range body.Sale.Lines {
			o.Lines = append(o.Lines, OrderLine{l.No, l.Name, l.Quantity, l.Paid})
		}
	}
	return o, nil
}

func maskedBuyer(body core.SaleBody) string {
	b := body.Sale.Buyer
	if body.BuyerOverride != nil {
		b = *body.BuyerOverride
	}
	b = b.Resolved()
	out := b.Title
	if b.TaxNo != "" {
		out += " " + b.TaxNo.Masked()
	}
	for _, c := range []core.Contact{b.Email, b.Mobile} {
		if c != "" {
			out += " " + c.String()
		}
	}
	return out
}

// Plan is what a look at an order would do now.
type Plan struct {
	Order     core.ID        `json:"order"`
	Documents []flow.Planned `json:"documents"`
	Expected  core.Yuan      `json:"expected"`
	Actual    core.Yuan      `json:"actual"`
}

func (a *API) plan(r *http.Request) (any, error) {
	id := core.ID(r.PathValue("id"))
	docs, b, err := a.Flow.Preview(r.Context(), id)
	return Plan{id, docs, b.Expected(), b.Actual()}, err
}

func (a *API) elsewhere(r *http.Request) (any, error) {
	return done{true}, a.Flow.Decide(r.Context(), who(r), core.ID(r.PathValue("id")), core.ActElsewhere)
}

func (a *API) external(r *http.Request) (any, error) {
	var in struct {
		Number   string    `json:"number"`
		IssuedAt time.Time `json:"issued_at"`
		Gross    core.Yuan `json:"gross"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Number == "" {
		return nil, fmt.Errorf("%w: the invoice's number is needed", errBad)
	}
	return done{true}, a.Flow.RegisterExternal(r.Context(), who(r), core.ID(r.PathValue("id")), flow.External(in))
}

func (a *API) tender(r *http.Request) (any, error) {
	var in struct {
		Kind core.TenderKind `json:"kind"`
		Rule core.TenderRule `json:"rule"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Kind == "" || (in.Rule != core.TenderCounts && in.Rule != core.TenderExcluded) {
		return nil, fmt.Errorf("%w: give a kind and a rule, counts or excluded", errBad)
	}
	return done{true}, a.Flow.SetTender(r.Context(), who(r), core.ID(r.PathValue("id")), in.Kind, in.Rule)
}

func (a *API) dropRefund(r *http.Request) (any, error) {
	var in struct {
		Refund string `json:"refund"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	id, known := core.ID(r.PathValue("id")), false
	err := a.Store.View(r.Context(), func(v core.View) error {
		refunds, err := v.Refunds(id)
		known = slices.ContainsFunc(refunds, func(x core.Refund) bool { return x.No == in.Refund })
		return err
	})
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, fmt.Errorf("refund %q of order %s: %w", in.Refund, id, core.ErrNotFound)
	}
	return done{true}, a.Flow.DropRefund(r.Context(), who(r), id, in.Refund)
}

func (a *API) accept(r *http.Request) (any, error) {
	var in struct {
		Event core.ID `json:"event"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	return done{true}, a.Flow.AcceptSnapshot(r.Context(), who(r), core.ID(r.PathValue("id")), in.Event)
}
