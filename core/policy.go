package core

import "time"

// IssueTime says when a store's sales are invoiced.
type IssueTime string

// Issue times.
const (
	// OnRequest: only when the buyer asks.
	OnRequest IssueTime = "on_request"
	// WhenNamed: on paid if the buyer gave a title, else on request. The default of online stores.
	WhenNamed IssueTime = "when_named"
	OnPaid    IssueTime = "on_paid"
	// OnCompleted: when the order is completed.
	OnCompleted IssueTime = "on_completed"
	// AfterSale: when the after-sale window is over.
	AfterSale IssueTime = "after_sale"
)

// RefundWay says how a refund of an issued invoice is reversed.
type RefundWay string

// Ways of reversing.
const (
	// PartialRed: a red invoice for the refunded part. The default.
	PartialRed RefundWay = "partial"
	// FullRedAndReissue: the whole invoice is reversed and a smaller one issued after the red is there; for
	// platforms that only know whole invoices.
	FullRedAndReissue RefundWay = "full_red_and_reissue"
)

// TenderRule says what a tender does to the invoiceable amount.
type TenderRule string

// Tender rules.
const (
	// TenderCounts: the part paid so is invoiced to the buyer.
	TenderCounts TenderRule = "counts"
	// TenderExcluded: the part paid so is not invoiced again, as with an invoiced prepaid card.
	TenderExcluded TenderRule = "excluded"
	// TenderAsks: a person decides; the sale is held. The default of credit, points and subsidies.
	TenderAsks TenderRule = "asks"
)

// Policy is the outcome of the layers seller < store < source on the day a sale was paid. A sale keeps the version
// that it was first looked at with.
type Policy struct {
	// Version is the digest of the content; the same content is the same version.
	Version string                    `json:"version"`
	Issue   IssueTime                 `json:"issue"`
	Refunds RefundWay                 `json:"refunds"`
	Kinds   []InvoiceKind             `json:"kinds"`
	Tenders map[TenderKind]TenderRule `json:"tenders,omitempty"`
	// AutoRed reverses on refunds without asking.
	AutoRed bool `json:"auto_red"`
	// RollOut is the share of sales invoiced automatically, in percent; the draw is stored with the sale.
	RollOut int `json:"roll_out"`
	// StrictTaxNo holds sales whose buyer's 18-character tax number fails its check digits.
	StrictTaxNo bool `json:"strict_tax_no"`
	// ShowDiscounts prints a discounted line and its discount line; otherwise the price is printed net of it.
	ShowDiscounts bool `json:"show_discounts"`
	// MaxLines and MaxGross bound one invoice; a sale beyond them is split into parts. Zero is no bound.
	MaxLines   int        `json:"max_lines"`
	MaxGross   Yuan       `json:"max_gross"`
	Tolerances Tolerances `json:"tolerances"`
	// GoLive: sales paid before are somebody else's to invoice.
	GoLive time.Time `json:"go_live,omitzero"`
	// Shipping decides the red reason of a shipping refund; the law names none [K].
	ShippingReason RedReason `json:"shipping_reason"`
}

// DefaultPolicy is what applies where no layer says otherwise.
func DefaultPolicy() Policy {
	return Policy{
		Issue: WhenNamed, Refunds: PartialRed, Kinds: []InvoiceKind{GeneralInvoice}, AutoRed: true, RollOut: 100,
		StrictTaxNo: true, ShowDiscounts: true, MaxLines: 2000, Tolerances: DefaultTolerances(), ShippingReason: Allowance,
		Tenders: map[TenderKind]TenderRule{
			PrepaidCard: TenderExcluded, StoreCredit: TenderAsks, Points: TenderAsks,
			PlatformSubsidy: TenderAsks, GovSubsidy: TenderAsks,
		},
	}
}

func (p Policy) allows(k InvoiceKind) bool {
	for _, a := range p.Kinds {
		if a == k {
			return true
		}
	}
	return false
}

func (p Policy) tender(k TenderKind) TenderRule {
	if r, ok := p.Tenders[k]; ok {
		return r
	}
	return TenderCounts
}

// SelectedByRollOut is the draw: the same sale always draws the same, so raising the share never unselects one.
func SelectedByRollOut(sale string, share int) bool {
	if share >= 100 {
		return true
	}
	h := uint32(2166136261) // FNV-1a
	for i := range len(sale) {
		h = (h ^ uint32(sale[i])) * 16777619
	}
	return int(h%100) < share
}
