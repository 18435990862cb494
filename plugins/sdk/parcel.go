package sdk

import "time"

// Parcel is one invoice for one recipient. Its ID is the key by which a provider can refuse repeats.
type Parcel struct {
	ID        string
	Attempt   int
	Recipient Recipient
	Invoice   Invoice
	Language  string // BCP 47: "zh-CN", "en"
}

// Recipient is where a parcel goes: exactly one field is set.
type Recipient struct {
	Email  string
	Mobile string
	Order  *OrderAddress
}

// OrderAddress is an order's page in the shop that sold it.
type OrderAddress struct {
	OrderNo   string
	OrderUID  string
	RequestID string // the invoice request that the platform wants answered, or ""
}

// Invoice is what the recipient is told about a finished invoice.
type Invoice struct {
	OrderNo         string
	Number          string
	Kind            InvoiceKind
	Color           InvoiceColor
	IssuedAt        time.Time
	SellerName      string
	BuyerTitle      string
	Gross, Net, Tax string // negative for a red invoice
	OriginalNumber  string // of a red one: the blue invoice that it reverses
	StoreName       string
	PickUpCode      string
	PageURL         string
	Files           []File
}

// InvoiceColor tells a blue invoice (a sale) from a red one (its reversal).
type InvoiceColor string

const (
	Blue InvoiceColor = "BLUE"
	Red  InvoiceColor = "RED"
)

// File is a read-only file of the host's, valid for the call.
type File struct {
	Format FileFormat
	Name   string
	Path   string
	SHA256 string // lower-case hex
	Size   int64
}

// FileFormat is a form in which an invoice is handed over.
type FileFormat string

const (
	PDF FileFormat = "PDF"
	OFD FileFormat = "OFD"
	XML FileFormat = "XML"
)

// Channel is a way to reach a buyer.
type Channel string

const (
	ByEmail  Channel = "EMAIL"
	ByMobile Channel = "MOBILE"
	ByOrder  Channel = "ORDER"
)

// ReasonClass says who can mend a parcel that was not delivered.
type ReasonClass string

const (
	RecipientProblem   ReasonClass = "RECIPIENT" // wrong or refusing address: another channel may do
	ContentProblem     ReasonClass = "CONTENT"   // template, signature, size or text refused
	CredentialsProblem ReasonClass = "CREDENTIALS"
	RateProblem        ReasonClass = "RATE"
	BalanceProblem     ReasonClass = "BALANCE"
	ProviderProblem    ReasonClass = "PROVIDER" // busy, broken or out of reach
	OrderProblem       ReasonClass = "ORDER"    // unknown to the platform, or takes no invoice any more
	OtherProblem       ReasonClass = "OTHER"
)

// Outcome is what became of sending a parcel.
type Outcome string

const (
	OutcomeSent     Outcome = "SENT"     // the provider took it
	OutcomeRetry    Outcome = "RETRY"    // certainly not sent
	OutcomeRejected Outcome = "REJECTED" // certainly not sent, and never will be as it stands
	OutcomeUnknown  Outcome = "UNKNOWN"  // perhaps sent: tracked before it is sent again
)

// Receipt is the answer for one parcel. Make one with [Sent], [Retry], [Rejected] or [Unknown]; the zero Receipt counts
// as unknown. Reasons never hold an address.
type Receipt struct {
	Outcome     Outcome
	ProviderRef string
	RetryAfter  time.Duration
	Reason      string
	Class       ReasonClass
}

// Sent says that the provider took the parcel, under this reference of its own.
func Sent(providerRef string) Receipt { return Receipt{Outcome: OutcomeSent, ProviderRef: providerRef} }

// Retry says that the parcel was certainly not sent and may be sent again, at the earliest after this time.
func Retry(after time.Duration, class ReasonClass, reason string) Receipt {
	return Receipt{Outcome: OutcomeRetry, RetryAfter: after, Class: class, Reason: reason}
}

// Rejected says that the parcel was certainly not sent and never will be as it stands.
func Rejected(class ReasonClass, reason string) Receipt {
	return Receipt{Outcome: OutcomeRejected, Class: class, Reason: reason}
}

// Unknown says that the parcel may have been sent: time ran out after the request was written, for example.
func Unknown(providerRef, reason string) Receipt {
	return Receipt{Outcome: OutcomeUnknown, ProviderRef: providerRef, Class: ProviderProblem, Reason: reason}
}

// ParcelRef names a parcel that was sent, or perhaps sent.
type ParcelRef struct {
	ParcelID      string
	Attempt       int
	ProviderRef   string
	Recipient     Recipient
	SentAt        time.Time
	InvoiceNumber string
}

// TrackState is what the provider knows of a parcel.
type TrackState string

const (
	TrackSent         TrackState = "SENT"     // the provider has it
	TrackNotSent      TrackState = "NOT_SENT" // the provider certainly does not have it
	TrackDelivered    TrackState = "DELIVERED"
	TrackFailed       TrackState = "FAILED"
	TrackStillUnknown TrackState = "STILL_UNKNOWN"
)

// Standing is what became of a parcel. The zero Standing counts as still unknown.
type Standing struct {
	State       TrackState
	ProviderRef string
	At          time.Time
	Reason      string
	Class       ReasonClass
}
