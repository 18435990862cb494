package core

import (
	"context"
	"errors"
	"time"
)

// ErrUnavailable says that a plugin or provider can't answer now: nothing was decided, try again later.
var ErrUnavailable = errors.New("unavailable")

// RawRequest is an HTTP request as it came; the body's bytes are untouched, as signatures need.
type RawRequest struct {
	Method     string
	Path       string
	Query      string
	Headers    []Header
	Body       []byte
	ReceivedAt time.Time
	// Caller is who was authenticated by the host (a terminal), empty for store webhooks.
	Caller Caller
}

// Header is one HTTP header; order and repeats matter to some signatures.
type Header struct{ Name, Value string }

// Caller is a terminal that the host authenticated.
type Caller struct {
	Terminal string
	Store    StoreCode
}

// Verdict is what a source says of a request.
type Verdict string

// Verdicts.
const (
	Accepted  Verdict = "accepted"
	Ignored   Verdict = "ignored"
	Forged    Verdict = "forged"
	Malformed Verdict = "malformed"
	// Unverified: the source can't sign; only order references are taken, and the orders fetched.
	Unverified Verdict = "unverified"
)

// Reply is an HTTP answer.
type Reply struct {
	Status  int
	Headers []Header
	Body    []byte
}

// Parsed is a source's answer about one request.
type Parsed struct {
	Verdict Verdict
	// Authentic says of a malformed request that its signature was good.
	Authentic bool
	// RequestKey is taken from the signed part; repeats are known by it for ever.
	RequestKey string
	Events     []Event
	// Replies are templates: the host sends the right one after the commit.
	Stored, Duplicate, Conflict Reply
	// Code is a machine-readable reason such as bad_signature; Reason is for people and masked.
	Code   string
	Reason string
}

// EventKind says what an event carries.
type EventKind string

// Kinds of events.
const (
	EventSale     EventKind = "sale"
	EventRefund   EventKind = "refund"
	EventRequest  EventKind = "invoice_request"
	EventRef      EventKind = "order_ref"
	EventDayClose EventKind = "day_close"
)

// Event is one fact from a source; exactly one of the pointers is set, as Kind says. Its id is unique within the
// instance and contains the revision, or the refund's id and state.
type Event struct {
	Key        string          `json:"key"`
	Kind       EventKind       `json:"kind"`
	OccurredAt time.Time       `json:"occurred_at,omitzero"`
	Sale       *Sale           `json:"sale,omitempty"`
	Refund     *Refund         `json:"refund,omitempty"`
	Request    *InvoiceRequest `json:"request,omitempty"`
	// OrderNo is set for an order reference.
	OrderNo  string    `json:"order_no,omitempty"`
	DayClose *DayClose `json:"day_close,omitempty"`
}

// SaleName is the order or receipt that the event is about, "" for a day close.
func (e Event) SaleName() string {
	switch {
	case e.Sale != nil:
		return e.Sale.Number
	case e.Refund != nil:
		return e.Refund.Sale
	case e.Request != nil:
		return e.Request.Sale
	}
	return e.OrderNo
}

// DayClose is a till's or store's own sum of a business day (日结), kept to compare with the receipts.
type DayClose struct {
	Store       StoreCode `json:"store"`
	Terminal    string    `json:"terminal,omitempty"`
	BusinessDay string    `json:"business_day"`
	Number      string    `json:"number,omitempty"`
	Sales       int       `json:"sales"`
	Returns     int       `json:"returns"`
	Voids       int       `json:"voids"`
	Gross       Yuan      `json:"gross"`
	Refunded    Yuan      `json:"refunded"`
	Net         Yuan      `json:"net"`
	Revision    int       `json:"revision"`
}

// Fetched is the answer to a fetch of orders.
type Fetched struct {
	Events   []Event
	Failures []FetchFailure
}

// FetchFailure is one order that could not be had.
type FetchFailure struct {
	Order      string
	Permanent  bool
	RetryAfter time.Duration
	Reason     string
}

// Page is the answer to a pull; handing Cursor back acknowledges its events.
type Page struct {
	Events []Event
	Cursor []byte
	More   bool
	Next   time.Duration
}

// Source turns requests, order numbers and cursors into events. Errors wrap ErrUnavailable when a later call may work.
type Source interface {
	Parse(ctx context.Context, instance InstanceID, r RawRequest) (Parsed, error)
	Fetch(ctx context.Context, instance InstanceID, orders []string) (Fetched, error)
	Pull(ctx context.Context, instance InstanceID, cursor []byte, limit int) (Page, error)
}

// Delivery outcomes, as plugins report them.
type DeliveryOutcome string

// Outcomes of a delivery.
const (
	// DeliverySent: the provider took it.
	DeliverySent DeliveryOutcome = "sent"
	// DeliveryRetry: not sent, try again.
	DeliveryRetry DeliveryOutcome = "retry"
	// DeliveryRejected: not sent and never will be.
	DeliveryRejected DeliveryOutcome = "rejected"
	// DeliveryUnknown: perhaps sent; it is tracked before any resend.
	DeliveryUnknown DeliveryOutcome = "unknown"
)

// Parcel is one invoice for one recipient; its id lets a provider refuse repeats.
type Parcel struct {
	ID        ID
	Attempt   int
	Email     Contact
	Mobile    Contact
	Order     string
	Invoice   Invoice
	Number    string
	IssuedAt  time.Time
	StoreName string
	PickUp    string
	PageURL   string
	// Files are handed to the plugin as read-only files for the length of the call.
	Files []File
}

// DeliveryReceipt is what became of one parcel.
type DeliveryReceipt struct {
	Parcel      ID
	Outcome     DeliveryOutcome
	ProviderRef string
	RetryAfter  time.Duration
	Reason      string
}

// Tracking is what a provider knows of a parcel afterwards.
type Tracking string

// What tracking may say.
const (
	TrackSent      Tracking = "sent"
	TrackNotSent   Tracking = "not_sent"
	TrackDelivered Tracking = "delivered"
	TrackFailed    Tracking = "failed"
	TrackUnknown   Tracking = "unknown"
)

// TrackQuery asks about a parcel whose outcome is unknown.
type TrackQuery struct {
	Parcel      ID
	Attempt     int
	Number      string // of the invoice
	Order       string
	ProviderRef string
	Mobile      Contact
	Email       Contact
	SentAt      time.Time
}

// Courier hands finished invoices to buyers.
type Courier interface {
	Deliver(ctx context.Context, instance InstanceID, parcels []Parcel) ([]DeliveryReceipt, error)
	Track(ctx context.Context, instance InstanceID, queries []TrackQuery) (map[ID]Tracking, error)
}
