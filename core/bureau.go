package core

import (
	"context"
	"time"
)

// Outcome is what is known after an exchange with a bureau.
type Outcome string

// Outcomes. Everything that is not certainly one of the others is Unsure.
const (
	OutcomeIssued   Outcome = "issued"
	OutcomeAccepted Outcome = "accepted"
	// OutcomeRefused: a business error; nothing exists under the serial.
	OutcomeRefused Outcome = "refused"
	// OutcomeNotTaken: certainly nothing was taken: a well-formed "busy", or a connection refused before the first byte.
	OutcomeNotTaken Outcome = "not_taken"
	// OutcomeNotFound: the bureau answered a query that it has nothing (or shows nothing yet).
	OutcomeNotFound Outcome = "not_found"
	OutcomeUnsure   Outcome = "unsure"
)

// Refusal classes a refused or not-taken outcome, so that callers know who has to act.
type Refusal string

// Classes of refusals.
const (
	RefusedParameter Refusal = "parameter"
	RefusedAuthority Refusal = "authority"
	RefusedSignature Refusal = "signature"
	RefusedLogin     Refusal = "login"
	RefusedQuota     Refusal = "quota"
	RefusedRedState  Refusal = "red_state"
	RefusedSupport   Refusal = "not_supported"
	RefusedBusy      Refusal = "busy"
)

// Operation names an exchange with a bureau.
type Operation string

// Operations.
const (
	OpIssue    Operation = "issue"
	OpQuery    Operation = "query"
	OpApply    Operation = "red_apply"
	OpConfirm  Operation = "red_query"
	OpIssueRed Operation = "red_issue"
	OpWithdraw Operation = "red_withdraw"
	OpVoid     Operation = "void"
	OpFiles    Operation = "files"
	OpQuota    Operation = "quota"
	OpList     Operation = "list"
)

// Exchange is one request and its answer as they were on the wire, before any encryption of the transport.
type Exchange struct {
	Operation  Operation
	Serial     string
	SentAt     time.Time
	AnsweredAt time.Time
	// Request and Response are the readable JSON; they hold personal data and are stored sealed.
	Request  []byte
	Response []byte
	Status   int
	Code     string
}

// Before is called once by a channel, after the request is built and before its first byte leaves. The caller commits
// the attempt in it; an error stops the send.
type Before func(ctx context.Context, x Exchange) error

// Answer is the end of an exchange about an invoice.
type Answer struct {
	Outcome  Outcome
	Refusal  Refusal
	Code     string
	Message  string
	Number   string
	IssuedAt time.Time
	// Found is what the bureau shows under the serial, for comparing; nil when the answer does not say.
	Found    *Found
	Exchange Exchange
}

// Found is an invoice as the bureau shows it.
type Found struct {
	Color      Color
	Kind       InvoiceKind
	BuyerName  string
	BuyerTaxNo TaxNo
	Net        Yuan
	Tax        Yuan
	Gross      Yuan
}

// ConfirmationAnswer is the end of an exchange about a red confirmation.
type ConfirmationAnswer struct {
	// Outcome is Accepted when State is known, else Refused, NotTaken, NotFound or Unsure.
	Outcome   Outcome
	Refusal   Refusal
	Code      string
	Message   string
	State     ConfirmationState
	UUID      string
	Number    string
	ExpiresAt time.Time
	RedNumber string
	Exchange  Exchange
}

// IssueOrder asks for a blue invoice.
type IssueOrder struct {
	Serial  string
	Invoice Invoice
	At      time.Time
}

// RedOrder asks for a red confirmation.
type RedOrder struct {
	Application string
	Invoice     Invoice // the red content
}

// RedIssueOrder asks for the red invoice of a usable confirmation.
type RedIssueOrder struct {
	Serial       string
	Confirmation Confirmation
	Invoice      Invoice
	At           time.Time
}

// Issuer issues blue invoices. An error means that nothing was sent (the before hook failed, or the request could not
// be built); every doubt about a send is an Answer with OutcomeUnsure.
type Issuer interface {
	Issue(ctx context.Context, order IssueOrder, before Before) (Answer, error)
	Query(ctx context.Context, seller Seller, serial string) (Answer, error)
}

// Reverser issues red invoices.
type Reverser interface {
	Apply(ctx context.Context, order RedOrder, before Before) (ConfirmationAnswer, error)
	QueryConfirmation(ctx context.Context, seller Seller, application string) (ConfirmationAnswer, error)
	Withdraw(ctx context.Context, seller Seller, uuid string, before Before) (ConfirmationAnswer, error)
	IssueRed(ctx context.Context, order RedIssueOrder, before Before) (Answer, error)
}

// FileFormat is a format of an invoice's file.
type FileFormat string

// Formats. The XML is the legal data carrier, the OFD the original voucher where both exist, the PDF is for people.
const (
	PDF FileFormat = "pdf"
	OFD FileFormat = "ofd"
	XML FileFormat = "xml"
)

// File is a file of an issued invoice.
type File struct {
	Format  FileFormat
	Name    string
	Content []byte
}

// Files fetches the files of issued invoices; ready is false while the bureau still makes them.
type Files interface {
	File(ctx context.Context, seller Seller, number string, format FileFormat) (f File, ready bool, err error)
}

// Quota is a month's total of net amounts that a seller may invoice.
type Quota struct {
	Month                  string
	Total, Used, Available Yuan
}

// Quotas tells a seller's quota.
type Quotas interface {
	Quota(ctx context.Context, seller Seller) (Quota, error)
}

// Listed is a row of the bureau's ledger.
type Listed struct {
	Serial     string
	Number     string
	Color      Color
	BlueNumber string
	IssuedAt   time.Time
	Net        Yuan
	Tax        Yuan
	Gross      Yuan
}

// Ledger lists what the bureau has issued for a seller in [from, to), so that unknown invoices can be seen.
type Ledger interface {
	List(ctx context.Context, seller Seller, from, to time.Time, cursor string) (rows []Listed, next string, more bool, err error)
}

// Voider voids invoices where the kind allows it; digital invoices can't be voided.
type Voider interface {
	Void(ctx context.Context, seller Seller, number string, before Before) (Answer, error)
}

// Channel is a connection to a bureau or vendor. Issue and reverse are what makes it one; the rest is by capability
// (nil where it can't).
type Channel struct {
	ID       ChannelID
	Issuer   Issuer
	Reverser Reverser
	Files    Files
	Quotas   Quotas
	Ledger   Ledger
	Voider   Voider
}

// Channels finds a channel by its id.
type Channels interface {
	Channel(id ChannelID) (Channel, bool)
}
