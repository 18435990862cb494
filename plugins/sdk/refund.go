package sdk

import "time"

// Refund is money on its way back to a buyer. Only SUCCEEDED reduces a sale.
type Refund struct {
	RefundNo    string
	OrderNo     string
	State       RefundState
	Kind        RefundKind
	Amount      string // the portions sum to it
	SucceededAt time.Time
	Portions    []RefundPortion
	Tender      TenderKind // where it went back to; "" when the platform does not say
	Reason      string
}

// RefundState is how far a refund has come.
type RefundState string

const (
	RefundOpened    RefundState = "OPENED"
	RefundSucceeded RefundState = "SUCCEEDED"
	RefundClosed    RefundState = "CLOSED"
	RefundDeleted   RefundState = "DELETED" // the platform no longer knows it
)

// RefundKind is why money goes back.
type RefundKind string

const (
	Return          RefundKind = "RETURN"
	AmountOnly      RefundKind = "AMOUNT_ONLY"
	PriceProtection RefundKind = "PRICE_PROTECTION"
	Compensation    RefundKind = "COMPENSATION"
	ExchangeRefund  RefundKind = "EXCHANGE"
)

// RefundPortion is the share of a refund that falls on one line, on shipping, or on nothing in particular.
type RefundPortion struct {
	LineNo   string
	Kind     PortionKind
	Quantity string
	Amount   string
}

// PortionKind is what a portion pays back.
type PortionKind string

const (
	GoodsQuantity  PortionKind = "GOODS_QUANTITY" // goods came back or were never sent
	GoodsAmount    PortionKind = "GOODS_AMOUNT"   // the goods stay, their price falls
	ShippingRefund PortionKind = "SHIPPING"
	Money          PortionKind = "MONEY" // no line named
)

// InvoiceRequest is a buyer's wish, told to the shop.
type InvoiceRequest struct {
	ID          string
	OrderNo     string
	State       InvoiceRequestState
	Buyer       Buyer
	Kind        InvoiceKind // "" means GENERAL
	RequestedAt time.Time
}

// InvoiceRequestState is what became of the wish.
type InvoiceRequestState string

const (
	Requested        InvoiceRequestState = "REQUESTED"
	TitleChanged     InvoiceRequestState = "TITLE_CHANGED"
	RequestCancelled InvoiceRequestState = "CANCELLED"
)

// InvoiceKind tells 普通发票 from 增值税专用发票.
type InvoiceKind string

const (
	General InvoiceKind = "GENERAL"
	Special InvoiceKind = "SPECIAL"
)

// DayClose is the closing report (Z) of a till, or of a store when Terminal is "".
type DayClose struct {
	StoreCode                           string
	Terminal                            string
	BusinessDay                         string // 2006-01-02
	ZNumber                             string
	OpenedAt, ClosedAt                  time.Time
	CountSales, CountReturns, CountVoid int64
	Gross, Discount, Returns, Net       string
	ByTender                            []Tender
	FirstNo, LastNo                     string
	Revision                            string
	Status                              DayCloseStatus
}

// DayCloseStatus is how final a closing report is.
type DayCloseStatus string

const (
	DayOpen    DayCloseStatus = "OPEN"
	DayClosing DayCloseStatus = "CLOSING"
	DayClosed  DayCloseStatus = "CLOSED"
	DayChanged DayCloseStatus = "CHANGED" // closed before, then changed
)
