package core

import (
	"context"
	"errors"
	"time"
)

// Errors of a Store.
var (
	// ErrNotStored says that nothing of the use case is on disk.
	ErrNotStored = errors.New("not stored")
	// ErrConflict says that a row changed since it was read: look again.
	ErrConflict = errors.New("changed meanwhile")
	// ErrLeaseLost says that the task belongs to somebody else by now: the result is dropped.
	ErrLeaseLost = errors.New("lease lost")
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("not found")
)

// Store gives one transaction to one use case. The closure may run twice and must neither block nor call out; what
// has to be sealed is sealed before it. Do returns nil only when everything is on disk.
type Store interface {
	Do(ctx context.Context, name string, fn func(Tx) error) error
	// View runs fn on a consistent snapshot that sees only committed rows.
	View(ctx context.Context, fn func(View) error) error
}

// View reads.
type View interface {
	InboxView
	SaleView
	DocumentView
	DeliveryView
	ProblemView
	ReviewView
	TaskView
	TerminalView
	SecretView
}

// Tx reads and writes.
type Tx interface {
	View
	InboxTx
	SaleTx
	DocumentTx
	DeliveryTx
	ProblemTx
	ReviewTx
	TaskTx
	ActTx
	TerminalTx
	SecretTx
}

// Dedupe says which of the two keys that are remembered for ever a key is.
type Dedupe string

// Kinds of dedupe keys.
const (
	DedupeRequest Dedupe = "request"
	DedupeEvent   Dedupe = "event"
)

// Seen is what a dedupe key says.
type Seen string

// What a key may say.
const (
	SeenFresh Seen = "fresh"
	SeenSame  Seen = "same"
	// SeenOther: the key is known with other content.
	SeenOther Seen = "other"
)

// RequestRecord is one accepted request; Raw is sealed.
type RequestRecord struct {
	ID       ID
	Instance InstanceID
	Seller   SellerID
	Key      string
	At       time.Time
	Raw      Sealed
}

// EventState is what became of an event.
type EventState string

// States of events.
const (
	EventNew EventState = "new"
	// EventApplied: it is part of its sale's story.
	EventApplied EventState = "applied"
	// EventSuperseded: an older snapshot than the one known, or an order reference whose order came.
	EventSuperseded EventState = "superseded"
	// EventConflict: the same id or revision with other content.
	EventConflict EventState = "conflict"
	// EventParked: authentic, but unusable; a problem names it.
	EventParked EventState = "parked"
)

// EventRecord is one event; Body is its sealed JSON.
type EventRecord struct {
	ID       ID
	Request  ID
	Instance InstanceID
	Seller   SellerID
	Key      string
	Hash     string
	Kind     EventKind
	SaleName string
	At       time.Time
	State    EventState
	Body     Sealed
}

// InboxView reads requests and events.
type InboxView interface {
	// NewEvents lists the events of a sale that are not applied yet, oldest first.
	NewEvents(instance InstanceID, saleName string) ([]EventRecord, error)
	Event(id ID) (EventRecord, error)
	// EventsOf lists all events of a sale, oldest first.
	EventsOf(instance InstanceID, saleName string) ([]EventRecord, error)
	Request(id ID) (RequestRecord, error)
	// EventByKey finds an event by its id at the source.
	EventByKey(instance InstanceID, key string) (EventRecord, error)
	Cursor(instance InstanceID) ([]byte, error)
	// DayCloses lists the day closes of a store and business day, newest revision first.
	DayCloses(store StoreCode, day string) ([]DayClose, error)
}

// InboxTx writes requests and events.
type InboxTx interface {
	// Remember records a dedupe key with the hash of its content and says whether it was known. Keys are kept for ever.
	Remember(kind Dedupe, instance InstanceID, key, hash string) (Seen, error)
	PutRequest(r RequestRecord) error
	PutEvent(e EventRecord) error
	MarkEvents(state EventState, ids ...ID) error
	SetCursor(instance InstanceID, cursor []byte) error
	PutDayClose(instance InstanceID, d DayClose) error
}

// SaleRecord is a sale's row. Body is the sealed JSON of SaleBody; the other columns are for finding and counting.
type SaleRecord struct {
	ID       ID
	Instance InstanceID
	Name     string
	Seller   SellerID
	Store    StoreCode
	// Version grows with every write; PutSale compares it.
	Version int64
	// HasSale is false while only refunds or requests have come.
	HasSale   bool
	PaidAt    time.Time
	FirstSeen time.Time
	Total     Yuan
	Class     Class
	Policy    string // version
	RollOut   int    // share at the draw
	Selected  bool
	// BuyerTax, BuyerMobile and BuyerEmail are blind indexes, empty when unknown.
	BuyerTax, BuyerMobile, BuyerEmail string
	Body                              Sealed
}

// CoverRecord is one portion's account; Document is empty when no document was needed.
type CoverRecord struct {
	Cover
	Document ID
}

// SaleFilter selects sales for lists. Zero fields do not select.
type SaleFilter struct {
	Store    StoreCode
	Instance InstanceID
	Class    Class
	// Name matches an order number exactly; Person matches any of the blind indexes.
	Name   string
	Person string
	// After continues behind the last id of the page before; newest first.
	After ID
	Limit int
}

// SaleView reads sales.
type SaleView interface {
	FindSale(instance InstanceID, name string) (ID, error)
	Sale(id ID) (SaleRecord, error)
	Refunds(sale ID) ([]Refund, error)
	Covers(sale ID) ([]CoverRecord, error)
	Sales(f SaleFilter) ([]SaleRecord, error)
	PolicyJSON(version string) ([]byte, error)
	// SaleByPlatform finds a sale by a platform's order number.
	SaleByPlatform(a Alias) (ID, error)
}

// SaleTx writes sales.
type SaleTx interface {
	// PutSale inserts (Version 0) or updates a sale whose version is still the given one, and bumps it. ErrConflict.
	PutSale(s SaleRecord) error
	// NameSale records a platform's name of a sale; it returns the sale that has it already, or the given one.
	NameSale(sale ID, a Alias) (ID, error)
	PutRefund(sale ID, r Refund) error
	PutCovers(sale ID, covers []CoverRecord) error
	// Uncover frees the portions that a document accounts for.
	Uncover(document ID) error
	PutPolicy(version string, json []byte) error
}

// DocumentRecord is a document's row; Body is the sealed JSON of its content and basis.
type DocumentRecord struct {
	Document // Content and Basis are empty; they live in Body
	Net      Yuan
	Tax      Yuan
	Gross    Yuan
	Body     Sealed
	// SentAt is the time of the last intent, NotFoundAt that of the first "not found" since.
	SentAt     time.Time
	NotFoundAt time.Time
	// Blind counts queries in a row without a usable answer.
	Blind int
	Code  string // the bureau's last code
	Note  string // the bureau's last message, masked
}

// DocumentFilter selects documents for lists.
type DocumentFilter struct {
	Seller SellerID
	Store  StoreCode
	State  DocumentState
	Color  Color
	Number string
	// IssuedFrom and IssuedTo bound the issue time, [from, to).
	IssuedFrom, IssuedTo time.Time
	After                ID
	Limit                int
}

// ExchangeRecord is an attempt: its request is committed before the send, its answer after.
type ExchangeRecord struct {
	ID         ID
	Document   ID
	Seller     SellerID
	Channel    ChannelID
	Operation  Operation
	Serial     string
	SentAt     time.Time
	AnsweredAt time.Time
	Outcome    Outcome
	Code       string
	Request    Sealed
	Response   Sealed
}

// DocumentView reads documents.
type DocumentView interface {
	Document(id ID) (DocumentRecord, error)
	DocumentsOf(sale ID) ([]DocumentRecord, error)
	Documents(f DocumentFilter) ([]DocumentRecord, error)
	Exchanges(document ID) ([]ExchangeRecord, error)
	// FilesOf lists an invoice's stored files; Content is sealed.
	FilesOf(document ID) ([]FileRecord, error)
	// PickUpByHash finds a pick-up code by the hash of its clear form.
	PickUpByHash(hash string) (PickUpRecord, error)
	PickUpOf(document ID) (PickUpRecord, error)
}

// FileRecord is a stored file of an invoice.
type FileRecord struct {
	Document ID
	Format   FileFormat
	Name     string
	// SHA256 is the hex digest of the content in clear.
	SHA256  string
	Size    int
	Content Sealed
}

// PickUpRecord is the code by which a buyer picks up an invoice.
type PickUpRecord struct {
	Document ID
	Hash     string
	Code     Sealed
	MadeAt   time.Time
}

// DocumentTx writes documents.
type DocumentTx interface {
	// PutDocument inserts a document with its confirmation. A second live blue of one part is ErrConflict.
	PutDocument(d DocumentRecord) error
	// MoveDocument writes a document whose state is still from. ErrConflict otherwise.
	MoveDocument(from DocumentState, d DocumentRecord) error
	// MoveConfirmation writes a document's confirmation whose state is still from. ErrConflict otherwise.
	MoveConfirmation(document ID, from ConfirmationState, c Confirmation) error
	PutExchange(x ExchangeRecord) error
	// AnswerExchange fills in the answer of an exchange.
	AnswerExchange(x ExchangeRecord) error
	PutFile(f FileRecord) error
	PutPickUp(p PickUpRecord) error
}

// ParcelState is where a parcel stands.
type ParcelState string

// States of parcels.
const (
	ParcelPending ParcelState = "pending"
	// ParcelSending: the intent is committed.
	ParcelSending ParcelState = "sending"
	// ParcelUnknown: perhaps sent; tracked before any resend.
	ParcelUnknown   ParcelState = "unknown"
	ParcelSent      ParcelState = "sent"
	ParcelDelivered ParcelState = "delivered"
	// ParcelFailed is final for this channel; the next channel takes over.
	ParcelFailed ParcelState = "failed"
)

// ParcelRecord is one invoice for one recipient through one channel. Recipient is sealed.
type ParcelRecord struct {
	ID          ID
	Document    ID
	Sale        ID
	Instance    InstanceID
	Store       StoreCode
	Seller      SellerID
	Index       string // blind index of the recipient; unique with document and instance
	Recipient   Sealed
	State       ParcelState
	Attempt     int
	ProviderRef string
	Reason      string
	SentAt      time.Time
	// Rank orders the channels of one invoice; a failed one is followed by the next.
	Rank int
}

// DeliveryView reads parcels.
type DeliveryView interface {
	Parcel(id ID) (ParcelRecord, error)
	ParcelsOf(document ID) ([]ParcelRecord, error)
}

// DeliveryTx writes parcels.
type DeliveryTx interface {
	// PutParcel inserts a parcel unless one of the same document, instance and recipient exists; it says whether it did.
	PutParcel(p ParcelRecord) (bool, error)
	// MoveParcel writes a parcel whose state is still from. ErrConflict otherwise.
	MoveParcel(from ParcelState, p ParcelRecord) error
}

// ProblemFilter selects problems for lists.
type ProblemFilter struct {
	Store  StoreCode
	Code   ProblemCode
	Sale   ID
	Closed bool
	After  ID
	Limit  int
}

// ProblemView reads problems.
type ProblemView interface {
	Problem(id ID) (Problem, error)
	Problems(f ProblemFilter) ([]Problem, error)
}

// ProblemTx writes problems.
type ProblemTx interface {
	// SetProblems makes the open problems of a sale and scope exactly these: missing ones are opened (their ids are
	// used then), vanished ones closed, known ones left alone.
	SetProblems(sale ID, scope Scope, at time.Time, problems []Problem) error
	// OpenProblem opens one unless the same (scope, code, sale, subject) is open.
	OpenProblem(p Problem) error
	// CloseProblem closes the open ones of a scope, code and subject, of any sale.
	CloseProblem(scope Scope, code ProblemCode, subject string, at time.Time) error
	CloseProblemID(id ID, at time.Time) error
}

// Review is a product without a code, on the list for a person.
type Review struct {
	ID         ID
	Seller     SellerID
	Store      StoreCode
	Item       Item
	Candidates []Candidate
	Why        string
	// Answer is set when a person decided.
	Answer     ClassificationCode
	AnsweredBy string
	AnsweredAt time.Time
	CreatedAt  time.Time
	Waiting    int // sales that wait for it
}

// MapRule is a remembered answer or a rule that a person wrote.
type MapRule struct {
	ID     ID
	Seller SellerID
	Store  StoreCode // empty: all stores
	// By is what is compared: sku, barcode, category, text, default.
	By         string
	Value      string
	Code       ClassificationCode
	Preference Preference
	From, To   time.Time // To zero: no end
	Author     string
	Confirmed  bool
	CreatedAt  time.Time
}

// ReviewView reads the review list and the rules.
type ReviewView interface {
	Review(id ID) (Review, error)
	Reviews(open bool, limit int) ([]Review, error)
	Rules(seller SellerID) ([]MapRule, error)
	// RulesVersion grows with every written rule.
	RulesVersion() (int64, error)
}

// ReviewTx writes the review list and the rules.
type ReviewTx interface {
	// PutReview records that a sale waits for a product's code and returns the review's id: products are one per
	// seller and identity (SKU, else name and spec).
	PutReview(r Review, sale ID) (ID, error)
	// AnswerReview closes a review and returns the sales that waited for it.
	AnswerReview(id ID, code ClassificationCode, by string, at time.Time) ([]ID, error)
	PutRule(r MapRule) error
}

// LaneState is a lane's row.
type LaneState struct {
	Lane    Lane
	Cap     int
	Ready   int
	Running int
	Paused  bool
	Reason  string
}

// TaskView reads tasks and lanes.
type TaskView interface {
	Lanes() ([]LaneState, error)
	TaskCount(kind TaskKind) (int, error)
	// Acts lists what persons did to a subject, oldest first.
	Acts(subject string) ([]ActRecord, error)
	// NextTask is the time of the earliest task that waits in a lane neither paused nor full, zero if none does.
	NextTask() (time.Time, error)
}

// Claimant asks for tasks.
type Claimant struct {
	Owner string
	Now   time.Time
	Lease time.Duration
	// Max bounds the tasks of one claim.
	Max int
}

// TaskTx writes tasks.
type TaskTx interface {
	Enqueue(t Task) error
	// Claim leases ready tasks: every lane up to its cap (running ones counted), fair between stores, expired leases
	// first. It never returns a task of a paused lane.
	Claim(c Claimant) ([]Task, error)
	// Finish ends a running task; a task that was enqueued again meanwhile becomes ready. ErrLeaseLost.
	Finish(t Task) error
	// Retry puts a running task back for a later time and counts the attempt. ErrLeaseLost.
	Retry(t Task, at time.Time) error
	// Release puts a running task back without counting the attempt. ErrLeaseLost.
	Release(t Task, at time.Time) error
	SetLaneCap(l Lane, limit int) error
	// PauseLane stops claims from a lane until resumed.
	PauseLane(l Lane, reason string) error
	ResumeLane(l Lane) error
}

// ActRecord is an act of a person, kept for the audit.
type ActRecord struct {
	ID      ID
	At      time.Time
	Who     string
	Verb    string
	Subject string
	Detail  string
}

// ActTx records acts of persons; there is no way to change or delete one.
type ActTx interface {
	PutAct(a ActRecord) error
}

// SaleBody is what a sale's sealed value holds.
type SaleBody struct {
	Sale           *Sale                     `json:"sale,omitempty"`
	Requests       []InvoiceRequest          `json:"requests,omitempty"`
	BuyerOverride  *Buyer                    `json:"buyer_override,omitempty"`
	KindOverride   InvoiceKind               `json:"kind_override,omitempty"`
	Tenders        map[TenderKind]TenderRule `json:"tenders,omitempty"`
	DroppedRefunds map[string]bool           `json:"dropped_refunds,omitempty"`
	Act            Act                       `json:"act,omitempty"`
	RedApproved    bool                      `json:"red_approved,omitempty"`
	Conflicts      []string                  `json:"conflicts,omitempty"`
	// Seller is fixed at the first look, by store and paid date.
	Seller Seller `json:"seller"`
}
