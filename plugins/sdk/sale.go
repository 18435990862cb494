package sdk

import "time"

// Event is one fact from a shop or till. Its ID is unique within the instance for ever: it holds the revision of a sale,
// or the number and state of a refund. The same ID with other content is a conflict.
type Event struct {
	ID         string
	OccurredAt time.Time
	// FetchStartedAt is when reading from the platform began. [Fetcher] fills it; others leave it zero.
	FetchStartedAt time.Time
	// Body is a SaleSnapshot, Refund, InvoiceRequest, OrderRef or DayClose.
	Body EventBody
}

// EventBody is one of the five kinds of fact.
type EventBody interface{ eventBody() }

func (SaleSnapshot) eventBody()   {}
func (Refund) eventBody()         {}
func (InvoiceRequest) eventBody() {}
func (OrderRef) eventBody()       {}
func (DayClose) eventBody()       {}

// OrderRef says that something happened to an order, which the host then fetches.
type OrderRef struct{ OrderNo string }

// SaleSnapshot is what the store says the order or receipt is now: complete, with paid amounts after edits and never
// net of refunds. Amounts are decimal strings in yuan, tax included; "" means that the store does not say.
type SaleSnapshot struct {
	OrderNo   string // the number that merchant and buyer know
	OrderUID  string // the platform's own id, where it differs
	Aliases   []Alias
	StoreCode string
	Kind      SaleKind
	// Revision grows with every change: RevisionTime is compared first, then Revision as number or text.
	Revision          string
	RevisionTime      time.Time
	Status            SaleStatus
	Currency          string // ISO 4217; "" means CNY
	PaidAt            time.Time
	CompletedAt       time.Time
	AftersaleClosedAt time.Time
	Lines             []Line
	Tenders           []Tender
	Total             string // what the lines' paid amounts sum to
	Buyer             Buyer
	InvoiceRequested  bool
	Links             []Link
	Receipt           *ReceiptRef      // of receipts only
	AlreadyInvoiced   *ExternalInvoice // an invoice that this host did not issue
}

// Alias is another name of the same sale, such as the marketplace's number in a shop system.
type Alias struct{ Platform, Number string }

// SaleKind says what sort of paper a snapshot is.
type SaleKind string

const (
	Order             SaleKind = "ORDER"
	ReceiptSale       SaleKind = "RECEIPT_SALE"
	ReceiptReturn     SaleKind = "RECEIPT_RETURN" // quantities and amounts are negative
	Exchange          SaleKind = "EXCHANGE"
	PostVoid          SaleKind = "POST_VOID" // cancels the receipt that its link names
	TopUp             SaleKind = "TOPUP"
	AccountSettlement SaleKind = "ACCOUNT_SETTLEMENT"
	NonSale           SaleKind = "NON_SALE" // kept for the sequence, never invoiced
)

// SaleStatus is how far a sale has come.
type SaleStatus string

const (
	Unpaid        SaleStatus = "UNPAID"
	Paid          SaleStatus = "PAID"
	PartlyShipped SaleStatus = "PARTLY_SHIPPED"
	Shipped       SaleStatus = "SHIPPED"
	Completed     SaleStatus = "COMPLETED"
	Closed        SaleStatus = "CLOSED" // without a sale, or after a full refund
	Cancelled     SaleStatus = "CANCELLED"
	Voided        SaleStatus = "VOIDED"
	Suspended     SaleStatus = "SUSPENDED"
	Training      SaleStatus = "TRAINING"
	Reversed      SaleStatus = "REVERSED" // a settled bill was opened again (反结账)
)

// Line is one thing sold, or a shipping or other fee.
type Line struct {
	LineNo      string   // stable over all revisions
	Parent      string   // line of the set that this one is part of
	Kind        LineKind // "" means GOODS
	SKU         string
	Barcode     string
	OuterSKU    string
	Name        string
	Spec        string
	Unit        string
	Quantity    string
	ListAmount  string // before discounts
	Discounts   []Discount
	PaidAmount  string // after discounts, never net of refunds
	Category    string
	TaxCodeHint string // 19-digit classification code
	TaxRateHint string // "0.13"
	Flags       []LineFlag
}

// LineKind tells goods from what is charged beside them.
type LineKind string

const (
	Goods    LineKind = "GOODS"
	Shipping LineKind = "SHIPPING"
	Fee      LineKind = "FEE"
)

// LineFlag marks a line that is treated apart.
type LineFlag string

const (
	Gift      LineFlag = "GIFT"
	GiftCard  LineFlag = "GIFT_CARD"
	Virtual   LineFlag = "VIRTUAL"
	Service   LineFlag = "SERVICE"
	Tip       LineFlag = "TIP"
	Deposit   LineFlag = "DEPOSIT"
	Weighed   LineFlag = "WEIGHED"
	SetParent LineFlag = "SET_PARENT"
	SetChild  LineFlag = "SET_CHILD"
)

// Discount is a share of a reduction on one line, as a positive amount.
type Discount struct {
	Amount   string
	FundedBy FundedBy
	Kind     string // the platform's own word
}

// FundedBy is who bears a discount.
type FundedBy string

const (
	ByShop     FundedBy = "SHOP"
	ByPlatform FundedBy = "PLATFORM"
	ByOther    FundedBy = "OTHER"
)

// Tender is a means of payment and its share.
type Tender struct {
	Kind          TenderKind
	Amount        string
	TransactionNo string
}

// TenderKind is a means of payment.
type TenderKind string

const (
	Cash            TenderKind = "CASH"
	Card            TenderKind = "CARD"
	WeChat          TenderKind = "WECHAT"
	Alipay          TenderKind = "ALIPAY"
	UnionPay        TenderKind = "UNIONPAY"
	PrepaidCard     TenderKind = "PREPAID_CARD"
	StoreCredit     TenderKind = "STORE_CREDIT"
	Points          TenderKind = "POINTS"
	Voucher         TenderKind = "VOUCHER"
	PlatformSubsidy TenderKind = "PLATFORM_SUBSIDY"
	GovSubsidy      TenderKind = "GOV_SUBSIDY"
	OnAccount       TenderKind = "ON_ACCOUNT"
	OtherTender     TenderKind = "OTHER"
)

// Buyer is whom the invoice is for, as far as the store knows.
type Buyer struct {
	TitleType    TitleType // "" means UNKNOWN
	Title        string
	TaxNo        string
	Address      string
	Phone        string
	Bank         string
	Account      string
	Email        string
	Mobile       string
	MobileMasked bool // masked, virtual or encrypted: no message can be sent to it
}

// TitleType is what sort of buyer a title names.
type TitleType string

const (
	TitleUnknown TitleType = "UNKNOWN"
	Personal     TitleType = "PERSONAL"
	Company      TitleType = "COMPANY"
)

// Link ties a sale to an earlier one.
type Link struct {
	Type    LinkType
	OrderNo string
	Line    string // line of the other sale; "" means all of it
}

// LinkType is how two sales belong together.
type LinkType string

const (
	ReturnOf   LinkType = "RETURN_OF"
	Replaces   LinkType = "REPLACES"
	Voids      LinkType = "VOIDS"
	Resumes    LinkType = "RESUMES"
	SplitOf    LinkType = "SPLIT_OF"
	MergedFrom LinkType = "MERGED_FROM"
)

// ReceiptRef is a receipt's place in its terminal's sequence.
type ReceiptRef struct {
	Terminal    string
	BusinessDay string // 2006-01-02
	Number      string
	Seq         uint64
	Epoch       uint32 // grows by one when Seq starts again
}

// ExternalInvoice is an invoice issued elsewhere. Number is "" when the store only knows that there is one.
type ExternalInvoice struct{ Number string }
