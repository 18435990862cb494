package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Invoice is a blue or red invoice with its parcels and exchanges, people masked.
type Invoice struct {
	ID           core.ID            `json:"id"`
	Sale         core.ID            `json:"sale"`
	Color        core.Color         `json:"color"`
	Kind         core.InvoiceKind   `json:"kind"`
	State        core.DocumentState `json:"state"`
	Serial       string             `json:"serial"`
	Number       string             `json:"number,omitempty"`
	IssuedAt     time.Time          `json:"issued_at,omitzero"`
	Seller       core.SellerID      `json:"seller"`
	Store        core.StoreCode     `json:"store"`
	Net          core.Yuan          `json:"net"`
	Tax          core.Yuan          `json:"tax"`
	Gross        core.Yuan          `json:"gross"`
	Original     core.ID            `json:"original,omitempty"`
	Confirmation string             `json:"confirmation,omitempty"`
	Code         string             `json:"code,omitempty"`
	Note         string             `json:"note,omitempty"`
	Parcels      []Parcel           `json:"parcels,omitempty"`
	Exchanges    []Exchange         `json:"exchanges,omitempty"`
}

// Parcel is one delivery of an invoice.
type Parcel struct {
	ID       core.ID          `json:"id"`
	Channel  core.InstanceID  `json:"channel"`
	State    core.ParcelState `json:"state"`
	Attempts int              `json:"attempts"`
	Reason   string           `json:"reason,omitempty"`
}

// Exchange is one exchange with the bureau.
type Exchange struct {
	Operation  core.Operation `json:"operation"`
	SentAt     time.Time      `json:"sent_at"`
	AnsweredAt time.Time      `json:"answered_at,omitzero"`
	Outcome    core.Outcome   `json:"outcome,omitempty"`
	Code       string         `json:"code,omitempty"`
}

func (a *API) invoices() {
	a.on("GET /v1/invoices", a.listInvoices)
	a.on("GET /v1/invoices/{id}", a.invoice)
	a.on("POST /v1/invoices/{id}/files", func(r *http.Request) (any, error) {
		return done{true}, a.Flow.FilesNow(r.Context(), who(r), core.ID(r.PathValue("id")))
	})
	a.on("POST /v1/invoices/{id}/deliver", a.deliver)
}

func (a *API) invoiceRow(v core.View, d core.DocumentRecord) (Invoice, error) {
	out := Invoice{ID: d.ID, Sale: d.Sale, Color: d.Color, Kind: d.Kind, State: d.State, Serial: d.Serial, Number: d.Number, IssuedAt: d.IssuedAt,
		Seller: d.Seller, Store: d.Store, Net: d.Net, Tax: d.Tax, Gross: d.Gross, Original: d.Original, Code: d.Code, Note: d.Note}
	if d.Confirmation != nil {
		out.Confirmation = string(d.Confirmation.State)
	}
	parcels, err := v.ParcelsOf(d.ID)
	if err != nil {
		return out, err
	}
	for _, p := range parcels {
		out.Parcels = append(out.Parcels, Parcel{p.ID, p.Instance, p.State, p.Attempt, p.Reason})
	}
	return out, nil
}

func (a *API) listInvoices(r *http.Request) (any, error) {
	q := r.URL.Query()
	f := core.DocumentFilter{Store: core.StoreCode(q.Get("store")), Seller: core.SellerID(q.Get("seller")), State: core.DocumentState(q.Get("state")),
		Color: core.Color(q.Get("color")), Number: q.Get("number"), After: core.ID(q.Get("after")), Limit: limit(r)}
	rows := []Invoice{}
	err := a.Store.View(r.Context(), func(v core.View) error {
		docs, err := v.Documents(f)
		if err != nil {
			return err
		}
		rows = rows[:0]
		for _, d := range docs {
			row, err := a.invoiceRow(v, d)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

func (a *API) invoice(r *http.Request) (any, error) {
	id := core.ID(r.PathValue("id"))
	var out Invoice
	err := a.Store.View(r.Context(), func(v core.View) error {
		d, err := v.Document(id)
		if err != nil {
			return fmt.Errorf("invoice %s: %w", id, err)
		}
		if out, err = a.invoiceRow(v, d); err != nil {
			return err
		}
		exchanges, err := v.Exchanges(id)
		if err != nil {
			return err
		}
		for _, x := range exchanges {
			out.Exchanges = append(out.Exchanges, Exchange{x.Operation, x.SentAt, x.AnsweredAt, x.Outcome, x.Code})
		}
		return nil
	})
	return out, err
}

// Delivered is the answer of a resend.
type Delivered struct {
	Parcels int `json:"parcels"`
}

func (a *API) deliver(r *http.Request) (any, error) {
	var in struct {
		To string `json:"to"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	n, err := a.Flow.Resend(r.Context(), who(r), core.ID(r.PathValue("id")), in.To)
	return Delivered{n}, err
}
