package core

import "time"

// RefundState is the money state of a refund. Only Succeeded moves an invoice.
type RefundState string

// States of a refund.
const (
	RefundOpened    RefundState = "opened"
	RefundSucceeded RefundState = "succeeded"
	RefundClosed    RefundState = "closed"
	RefundDeleted   RefundState = "deleted"
)

// PortionKind says what a portion of a refund takes back.
type PortionKind string

// Kinds of refund portions.
const (
	// GoodsQuantity takes goods back: a line, a quantity and an amount.
	GoodsQuantity PortionKind = "goods_quantity"
	// GoodsAmount lowers a line's price: a line and an amount.
	GoodsAmount PortionKind = "goods_amount"
	// ShippingAmount gives shipping or a fee back; without a line it falls on the shipping lines.
	ShippingAmount PortionKind = "shipping"
	// MoneyOnly names no line (goodwill, compensation): it is spread over the sale's lines.
	MoneyOnly PortionKind = "money"
)

// Portion is the smallest part of a refund; it is covered by exactly one document.
type Portion struct {
	Line     string      `json:"line,omitempty"`
	Kind     PortionKind `json:"kind"`
	Quantity Quantity    `json:"quantity"`
	Amount   Yuan        `json:"amount"`
}

// Refund is money given back for a sale. Its portions sum to its amount.
type Refund struct {
	No     string      `json:"no"`
	Sale   string      `json:"sale"`
	State  RefundState `json:"state"`
	Amount Yuan        `json:"amount"`
	// At is when the money state became final; refunds are looked at in this order.
	At time.Time `json:"at"`
	// Tender is the payment it came from, when the platform says so.
	Tender   TenderKind `json:"tender,omitempty"`
	Portions []Portion  `json:"portions"`
	// Service marks a refund for a service that was stopped rather than goods returned.
	Service  bool     `json:"service,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Revision Revision `json:"revision"`
}

// PortionRef names a portion within a sale.
type PortionRef struct {
	Refund string `json:"refund"`
	Index  int    `json:"index"`
}

// RequestState is the state of a buyer's request for an invoice (开票申请).
type RequestState string

// States of an invoice request.
const (
	Requested    RequestState = "requested"
	TitleChanged RequestState = "title_changed"
	RequestOver  RequestState = "cancelled"
)

// InvoiceKind is the kind of invoice; the two that shops and tills issue.
type InvoiceKind string

// Kinds of invoices.
const (
	// GeneralInvoice is 电子发票（普通发票）.
	GeneralInvoice InvoiceKind = "general"
	// SpecialInvoice is 电子发票（增值税专用发票）: the buyer may deduct its tax.
	SpecialInvoice InvoiceKind = "special"
)

// InvoiceRequest is a buyer's own request, with an id and a life of its own.
type InvoiceRequest struct {
	ID    string       `json:"id"`
	Sale  string       `json:"sale"`
	State RequestState `json:"state"`
	Buyer Buyer        `json:"buyer"`
	Kind  InvoiceKind  `json:"kind"`
	At    time.Time    `json:"at"`
}

// follows says whether a state of a request is later than another of the same request. Platforms that give all states
// the time of the request leave only what they mean: a withdrawal is the last.
func (r InvoiceRequest) follows(o InvoiceRequest) bool {
	if c := r.At.Compare(o.At); c != 0 {
		return c > 0
	}
	rank := map[RequestState]int{Requested: 0, TitleChanged: 1, RequestOver: 2}
	return rank[r.State] >= rank[o.State]
}
