package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// identity is what names a document for ever.
type identity struct {
	store, terminal, day, number string
	epoch, revision              uint64
	key                          string
}

// Why a document makes no event.
var leftOut = map[string]sdk.Reason{
	"CONTROL": "control", "NON_SALE": "non_sale", "SUSPENDED": "suspended", "CANCELLED": "cancelled", "TRAINING": "training",
}

// decode turns a document into events. Who calls comes from the host; a document may repeat it but not contradict it.
func (d *document) decode(c sdk.Caller) sdk.Parsed {
	var r reader
	id := d.identify(&r, c)
	if err := r.Err(); err != nil {
		return sdk.MalformedAuthentic(err)
	}
	requestKey := id.key + "/r" + strconv.FormatUint(id.revision, 10) + "/" + d.Kind
	if d.Status != "" && d.Status != "FINAL" {
		requestKey += "/" + d.Status
	}
	for _, word := range []string{d.Kind, d.Status} {
		if reason, ok := leftOut[word]; ok {
			return sdk.Ignored(reason).Key(requestKey)
		}
	}
	events := d.events(&r, id)
	if err := r.Err(); err != nil {
		return sdk.MalformedAuthentic(err).Key(requestKey)
	}
	return sdk.Accepted(events...).Key(requestKey)
}

func (d *document) identify(r *reader, c sdk.Caller) identity {
	id := identity{
		store: same(r, "store", d.Store, c.StoreCode), terminal: same(r, "terminal", d.Terminal, c.TerminalID),
		day: r.day("business_day", d.BusinessDay), number: string(d.Number),
		epoch: r.count("epoch", d.Epoch, 0), revision: r.count("revision", d.Revision, 1),
	}
	if id.epoch > math.MaxUint32 {
		r.Fail(sdk.BadNumber, "epoch", "too large")
	}
	switch d.Status {
	case "", "FINAL", "SUSPENDED", "CANCELLED", "TRAINING", "REVERSED":
	default:
		r.Fail(sdk.BadField, "status", "")
	}
	if d.Kind == dayCloseKind {
		if d.DayClose == nil {
			r.Fail(sdk.MissingField, "day_close", "")
			return id
		}
		id.number = "Z" + string(d.DayClose.ZNumber)
	} else {
		r.Required("number", id.number)
		r.Required("terminal", id.terminal)
	}
	id.key = key(id.store, id.terminal, id.day, id.number, id.epoch)
	return id
}

// same gives what the host has proven. A till may post for itself only: its key may be stolen.
func same(r *reader, path, said, proven string) string {
	if proven != "" && said != "" && said != proven {
		r.Fail(sdk.NotOurs, path, "differs from the caller that the host has proven")
	}
	if proven == "" {
		return said
	}
	return proven
}

const dayCloseKind = "DAY_CLOSE"

var kinds = map[string]func(*document, *reader, identity) []sdk.Event{
	"SALE":  func(d *document, r *reader, id identity) []sdk.Event { return d.saleEvents(r, id, sdk.ReceiptSale) },
	"TOPUP": func(d *document, r *reader, id identity) []sdk.Event { return d.saleEvents(r, id, sdk.TopUp) },
	"ACCOUNT_SETTLEMENT": func(d *document, r *reader, id identity) []sdk.Event {
		return d.saleEvents(r, id, sdk.AccountSettlement)
	},
	"EXCHANGE":   (*document).exchangeEvents,
	"RETURN":     (*document).returnEvents,
	"POST_VOID":  (*document).returnEvents,
	dayCloseKind: (*document).dayCloseEvents,
}

func (d *document) events(r *reader, id identity) []sdk.Event {
	if decode := oneOf(r, "kind", d.Kind, kinds); decode != nil {
		return decode(d, r, id)
	}
	return nil
}

// changed is when the document got its revision, by the till's clock.
func (d *document) changed(r *reader) (sold, changed time.Time) {
	sold = r.moment("sold_at", r.Required("sold_at", d.SoldAt))
	if changed = r.moment("updated_at", d.UpdatedAt); changed.IsZero() {
		changed = sold
	}
	return sold, changed
}

// target is the receipt that links of a type name: one, or none.
func (d *document) target(r *reader, id identity, linkType sdk.LinkType) (orderNo, line string) {
	for i, l := range d.readLinks(r, id) {
		switch {
		case l.Type != linkType:
		case orderNo != "" && orderNo != l.OrderNo:
			r.Fail(sdk.BadField, fmt.Sprintf("links.%d", i), "one document goes back to one receipt; send one for each")
		default:
			orderNo, line = l.OrderNo, l.Line
		}
	}
	return orderNo, line
}

var linkTypes = map[string]sdk.LinkType{
	"RETURN_OF": sdk.ReturnOf, "REPLACES": sdk.Replaces, "VOIDS": sdk.Voids, "RESUMES": sdk.Resumes, "SPLIT_OF": sdk.SplitOf,
	"MERGED_FROM": sdk.MergedFrom,
}

func (d *document) readLinks(r *reader, id identity) []sdk.Link {
	var out []sdk.Link
	for i, l := range d.Links {
		path := fmt.Sprintf("links.%d.", i)
		day := id.day
		if l.BusinessDay != "" {
			day = r.day(path+"business_day", l.BusinessDay)
		}
		out = append(out, sdk.Link{
			Type: oneOf(r, path+"type", l.Type, linkTypes), Line: string(l.Line),
			OrderNo: key(or(l.Store, id.store), or(l.Terminal, id.terminal), day, r.Required(path+"number", string(l.Number)),
				r.count(path+"epoch", l.Epoch, 0)),
		})
	}
	return out
}

func or(s, fallback string) string {
	if strings.TrimSpace(s) == "" {
		return fallback
	}
	return s
}
