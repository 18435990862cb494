// Package flow is the use cases over the ports of core: Ingest, Settle (Prepare and Reverse), Issue, Deliver,
// Reconcile, and the acts of persons. It has no I/O of its own. Everything between two of its steps is a committed
// state and a task; a process may die anywhere and the task is found again.
package flow

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Options are the ports that the use cases work on. All are needed.
type Options struct {
	Store    core.Store
	Vault    core.Vault
	Mapper   core.Mapper
	Channels core.Channels
	Source   core.Source
	Courier  core.Courier
	Book     core.Book
	Clock    core.Clock
	IDs      core.IDs
	Schedule core.Schedule
	Log      *slog.Logger
}

// Flow runs the use cases. It is safe for concurrent use.
type Flow struct {
	Options
	policies policyCache
	kept     kept
	failing  failures
}

// New makes a Flow.
func New(o Options) *Flow { return &Flow{Options: o} }

// Places of sealed values.
func requestPlace(id core.ID) core.Place {
	return core.Place{Table: "request", Row: string(id), Column: "raw"}
}
func eventPlace(id core.ID) core.Place {
	return core.Place{Table: "event", Row: string(id), Column: "body"}
}
func salePlace(id core.ID) core.Place {
	return core.Place{Table: "sale", Row: string(id), Column: "body"}
}
func documentPlace(id core.ID) core.Place {
	return core.Place{Table: "document", Row: string(id), Column: "body"}
}
func parcelPlace(id core.ID) core.Place {
	return core.Place{Table: "parcel", Row: string(id), Column: "recipient"}
}
func pickUpPlace(id core.ID) core.Place {
	return core.Place{Table: "pickup", Row: string(id), Column: "code"}
}

func filePlace(id core.ID, f core.FileFormat) core.Place {
	return core.Place{Table: "file", Row: string(id) + "/" + string(f), Column: "content"}
}

func exchangePlace(id core.ID, column string) core.Place {
	return core.Place{Table: "exchange", Row: string(id), Column: column}
}

// seal encodes a value as JSON and seals it.
func (f *Flow) seal(seller core.SellerID, place core.Place, v any) (core.Sealed, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", place.Table, place.Row, err)
	}
	return f.sealBytes(seller, place, plain)
}

func (f *Flow) sealBytes(seller core.SellerID, place core.Place, plain []byte) (core.Sealed, error) {
	sealed, err := f.Vault.Seal(seller, f.Clock.Now(), place, plain)
	if err != nil {
		return nil, fmt.Errorf("seal %s %s: %w", place.Table, place.Row, err)
	}
	return sealed, nil
}

// open opens a sealed JSON value.
func (f *Flow) open(place core.Place, sealed core.Sealed, v any) error {
	plain, err := f.Vault.Open(place, sealed)
	if err != nil {
		return fmt.Errorf("open %s %s: %w", place.Table, place.Row, err)
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("decode %s %s: %w", place.Table, place.Row, err)
	}
	return nil
}

// documentBody is what a document's sealed value holds.
type documentBody struct {
	Content core.Draft       `json:"content"`
	Basis   []core.BasisLine `json:"basis,omitempty"`
}

// document opens a document's sealed part into its record. The content is shared: nobody may change it.
func (f *Flow) document(d core.DocumentRecord) (core.DocumentRecord, error) {
	body, ok := f.kept.get(d, f.now())
	if !ok {
		if err := f.open(documentPlace(d.ID), d.Body, &body); err != nil {
			return d, err
		}
		f.kept.put(d, body, f.now())
	}
	d.Content, d.Basis = body.Content, body.Basis
	return d, nil
}

func (f *Flow) now() time.Time { return f.Clock.Now() }

// beijing is the time zone of the tax authorities and of dates in messages.
var beijing = time.FixedZone("CST", 8*60*60)
