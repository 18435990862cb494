package core

import (
	"errors"
	"fmt"
	"time"
)

// DocumentState is where a blue or red invoice stands.
type DocumentState string

// States of a document.
const (
	// DocDraft: a red invoice whose confirmation is not there yet. Left to Ready, Refused (the confirmation ended
	// without effect) or Dropped.
	DocDraft DocumentState = "draft"
	// DocReady: proven, with its serial, waiting for its turn.
	DocReady DocumentState = "ready"
	// DocSending: the intent is committed, the send may have begun. A crash leaves it here; it counts as unsure.
	DocSending DocumentState = "sending"
	// DocUnsure: a send whose outcome nobody knows; it is queried, never repeated.
	DocUnsure DocumentState = "unsure"
	// DocAccepted: the bureau took it and will say later.
	DocAccepted DocumentState = "accepted"
	// DocIssued is final: it has a number.
	DocIssued DocumentState = "issued"
	// DocRefused is final: the bureau said no; a new document with a new serial may follow.
	DocRefused DocumentState = "refused"
	// DocDropped is final: given up before any send.
	DocDropped DocumentState = "dropped"
)

// Happening moves a document.
type Happening string

// Happenings of documents.
const (
	HapConfirmed  Happening = "confirmed"   // a red's confirmation is there
	HapDrop       Happening = "drop"        // the sale changed before the send
	HapSend       Happening = "send"        // the intent is committed
	HapIssued     Happening = "issued"      // the bureau gave a number
	HapAccepted   Happening = "accepted"    // the bureau took it
	HapRefused    Happening = "refused"     // the bureau said no
	HapNotTaken   Happening = "not_taken"   // certainly nothing was taken
	HapUnsure     Happening = "unsure"      // anything else
	HapNotFound   Happening = "not_found"   // the bureau has twice said, after the grace, that it has nothing
	HapStillGoing Happening = "still_going" // a query answered that it is not done yet
)

// ErrTransition says that a happening is impossible in a state.
var ErrTransition = errors.New("impossible transition")

// documentMachine is the whole machine. What is not listed is impossible.
var documentMachine = map[DocumentState]map[Happening]DocumentState{
	DocDraft: {HapConfirmed: DocReady, HapRefused: DocRefused, HapDrop: DocDropped},
	DocReady: {HapSend: DocSending, HapDrop: DocDropped},
	DocSending: {HapIssued: DocIssued, HapAccepted: DocAccepted, HapRefused: DocRefused, HapNotTaken: DocReady,
		HapUnsure: DocUnsure},
	DocUnsure: {HapIssued: DocIssued, HapAccepted: DocAccepted, HapRefused: DocRefused, HapNotFound: DocReady,
		HapUnsure: DocUnsure},
	DocAccepted: {HapIssued: DocIssued, HapRefused: DocRefused, HapStillGoing: DocAccepted, HapUnsure: DocAccepted},
	DocIssued:   {},
	DocRefused:  {},
	DocDropped:  {},
}

// DocumentStates lists all states, for tests and storage constraints.
func DocumentStates() []DocumentState {
	return []DocumentState{DocDraft, DocReady, DocSending, DocUnsure, DocAccepted, DocIssued, DocRefused, DocDropped}
}

// Next returns the state after a happening, or ErrTransition.
func (s DocumentState) Next(h Happening) (DocumentState, error) {
	if to, ok := documentMachine[s][h]; ok {
		return to, nil
	}
	return s, fmt.Errorf("%w: %s in state %s", ErrTransition, h, s)
}

// OnItsWay says whether a send may have left and its end is not known.
func (s DocumentState) OnItsWay() bool {
	return s == DocSending || s == DocUnsure || s == DocAccepted
}

// Live says whether the document counts as an invoice that exists or may come to exist.
func (s DocumentState) Live() bool { return s != DocRefused && s != DocDropped }

// BasisLine remembers what a blue was computed from, so that later refunds and edits are measured against it.
type BasisLine struct {
	Line string `json:"line"`
	// Invoiceable is the line's invoiceable amount when the blue was made.
	Invoiceable Yuan `json:"invoiceable"`
	// Reduced and ReducedQuantity are what refunds had taken by then.
	Reduced         Yuan     `json:"reduced"`
	ReducedQuantity Quantity `json:"reduced_quantity"`
}

// Document is a blue or red invoice on its way through the bureau.
type Document struct {
	ID      ID
	Sale    ID
	Part    int
	Color   Color
	Kind    InvoiceKind
	State   DocumentState
	Seller  SellerID
	Store   StoreCode
	Channel ChannelID
	// Serial is drawn once, at Ready, and never changes: the key by which the bureau knows repeats.
	Serial   string
	Number   string
	IssuedAt time.Time
	Content  Draft
	// Digest is of the content; equal drafts have equal digests.
	Digest string
	Basis  []BasisLine
	// Original is, on a red, the blue document.
	Original ID
	// Cleared says that a person looked at a refused document and wants the same again.
	Cleared bool
	// External marks an invoice issued elsewhere and registered here so that it can be reversed.
	External     bool
	Confirmation *Confirmation
	CreatedAt    time.Time
}
