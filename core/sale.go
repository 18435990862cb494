package core

import "time"

// SaleStatus is what the source says an order or receipt is now.
type SaleStatus string

// Statuses of a sale.
const (
	Unpaid    SaleStatus = "unpaid"
	Paid      SaleStatus = "paid"
	Completed SaleStatus = "completed"
	// Closed: the after-sale window is over.
	Closed SaleStatus = "closed"
	// Cancelled is not refunded: money moves only by a Refund.
	Cancelled SaleStatus = "cancelled"
	// Voided: a receipt taken back as a whole at the till (post void, 反结账).
	Voided SaleStatus = "voided"
)

// SaleKind tells online orders and receipts of tills apart; their invoices differ in nothing but defaults.
type SaleKind string

// Kinds of sales.
const (
	Order   SaleKind = "order"
	Receipt SaleKind = "receipt"
	// NonSale is a document that never makes an invoice by itself: a top-up, a settlement of an account.
	NonSale SaleKind = "non_sale"
)

// LineKind says what a line sells.
type LineKind string

// Kinds of sale lines.
const (
	Goods    LineKind = "goods"
	Shipping LineKind = "shipping"
	Fee      LineKind = "fee"
)

// LineFlag marks a line that needs its own treatment.
type LineFlag string

// Flags of sale lines.
const (
	// Gift lines are paid with 0.00 and are left out of invoices.
	Gift LineFlag = "gift"
	// GiftCardSale is the sale of a prepaid card: a 不征税 general invoice.
	GiftCardSale LineFlag = "gift_card"
	// Tip and deposit lines are not invoiced.
	Tip     LineFlag = "tip"
	Deposit LineFlag = "deposit"
)

// SaleLine is one line of a sale; amounts are tax included.
type SaleLine struct {
	// No is the source's stable line number; refunds name it.
	No       string   `json:"no"`
	Kind     LineKind `json:"kind"`
	SKU      string   `json:"sku,omitempty"`
	Barcode  string   `json:"barcode,omitempty"`
	Category string   `json:"category,omitempty"`
	Name     string   `json:"name"`
	Spec     string   `json:"spec,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	Quantity Quantity `json:"quantity"`
	// List is the amount before discounts; equal to Paid when there was none.
	List Yuan `json:"list"`
	// Paid is what the line costs after all discounts and edits, never net of refunds.
	Paid     Yuan       `json:"paid"`
	CodeHint string     `json:"code_hint,omitempty"`
	RateHint string     `json:"rate_hint,omitempty"`
	Flags    []LineFlag `json:"flags,omitempty"`
}

// Has says whether the line carries a flag.
func (l SaleLine) Has(f LineFlag) bool {
	for _, g := range l.Flags {
		if g == f {
			return true
		}
	}
	return false
}

// TenderKind is how a part of a sale was paid.
type TenderKind string

// Kinds of tenders that policies treat differently. Any other text counts as money.
const (
	Cash            TenderKind = "cash"
	PrepaidCard     TenderKind = "prepaid_card"
	StoreCredit     TenderKind = "store_credit"
	Points          TenderKind = "points"
	PlatformSubsidy TenderKind = "platform_subsidy"
	GovSubsidy      TenderKind = "gov_subsidy"
)

// Tender is one payment of a sale.
type Tender struct {
	Kind   TenderKind `json:"kind"`
	Amount Yuan       `json:"amount"`
}

// Revision orders the snapshots of one sale: by the platform's revision, then by the start of the fetch.
type Revision struct {
	// Number is the platform's own revision, compared as an integer when both are digits.
	Number string `json:"number,omitempty"`
	// At is the platform's time of the change.
	At time.Time `json:"at"`
	// Fetched is the start of the fetch that brought the snapshot, zero for a pushed one.
	Fetched time.Time `json:"fetched,omitzero"`
}

// Compare returns -1, 0 or 1.
func (r Revision) Compare(o Revision) int {
	if digits(r.Number) && digits(o.Number) {
		if c := compareDigits(r.Number, o.Number); c != 0 {
			return c
		}
	}
	if c := r.At.Compare(o.At); c != 0 {
		return c
	}
	return r.Fetched.Compare(o.Fetched)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func compareDigits(a, b string) int {
	for len(a) > 1 && a[0] == '0' {
		a = a[1:]
	}
	for len(b) > 1 && b[0] == '0' {
		b = b[1:]
	}
	switch {
	case len(a) != len(b):
		return sign(len(a) - len(b))
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// Alias is another name of the same sale, such as the platform's order number known to a till.
type Alias struct {
	Platform string `json:"platform"`
	Number   string `json:"number"`
}

// ReceiptRef names a receipt of a till: the number alone is never a name.
type ReceiptRef struct {
	Terminal    string `json:"terminal"`
	BusinessDay string `json:"business_day"`
	Number      string `json:"number"`
}

// Sale is a complete snapshot of an order or receipt, never a difference.
type Sale struct {
	Number   string      `json:"number"`
	Aliases  []Alias     `json:"aliases,omitempty"`
	Store    StoreCode   `json:"store"`
	Kind     SaleKind    `json:"kind"`
	Status   SaleStatus  `json:"status"`
	Revision Revision    `json:"revision"`
	Currency string      `json:"currency"`
	PaidAt   time.Time   `json:"paid_at,omitzero"`
	DoneAt   time.Time   `json:"done_at,omitzero"`
	ClosedAt time.Time   `json:"closed_at,omitzero"`
	Lines    []SaleLine  `json:"lines"`
	Tenders  []Tender    `json:"tenders,omitempty"`
	Total    Yuan        `json:"total"`
	Buyer    Buyer       `json:"buyer"`
	Receipt  *ReceiptRef `json:"receipt,omitempty"`
	// InvoicedElsewhere is the number of an invoice that the source says exists already.
	InvoicedElsewhere string `json:"invoiced_elsewhere,omitempty"`
}

// Line finds a line by its number.
func (s Sale) Line(no string) (SaleLine, bool) {
	for _, l := range s.Lines {
		if l.No == no {
			return l, true
		}
	}
	return SaleLine{}, false
}
