package core

import (
	"sort"
	"time"
)

// Class names where the money of a sale stands that is not (yet) invoiced. With the invoiced money the classes sum to
// paid − refunded (promise 3).
type Class string

// Classes of a sale.
const (
	// ClassSettled: live blue − red = invoiceable − refunded.
	ClassSettled Class = "settled"
	// ClassNothing: nothing (left) to invoice: free, fully refunded, or paid by what is not invoiced again.
	ClassNothing Class = "nothing_to_invoice"
	// ClassUnpaid: not paid yet.
	ClassUnpaid Class = "unpaid"
	// ClassNotAsked: the policy waits for the buyer's request.
	ClassNotAsked Class = "not_asked"
	// ClassNotYet: the policy waits for completion or for the end of the after-sale window.
	ClassNotYet Class = "not_yet"
	// ClassManual: left to a person by the roll-out draw.
	ClassManual Class = "manual"
	// ClassElsewhere: issued elsewhere, or before the store went live.
	ClassElsewhere Class = "issued_elsewhere"
	// ClassCancelled: cancelled, money not yet given back.
	ClassCancelled Class = "cancelled"
	// ClassHeld: a problem with a remedy.
	ClassHeld Class = "held"
	// ClassIssuing: on its way to the bureau.
	ClassIssuing Class = "issuing"
	// ClassReversing: a red is on its way.
	ClassReversing Class = "reversing"
	// ClassWaitingBuyer: a red confirmation waits for the other side.
	ClassWaitingBuyer Class = "waiting_for_buyer"
	// ClassWaitingOrder: a refund or request whose sale has not come.
	ClassWaitingOrder Class = "waiting_for_order"
)

// Act is a person's decision about a sale.
type Act string

// Acts on a sale.
const (
	NoAct Act = ""
	// ActIssue: issue it now, whatever the policy waits for.
	ActIssue Act = "issue"
	// ActElsewhere: it was issued elsewhere.
	ActElsewhere Act = "elsewhere"
)

// Unmapped is a line without a confirmed code.
type Unmapped struct {
	Line string
	// Review is the id of the line's product on the review list.
	Review string
	Why    string
}

// Story is everything known about one sale; the planner looks at nothing else.
type Story struct {
	ID       ID
	Name     string // the order or receipt number, for remarks and messages
	Sale     *Sale
	Seller   Seller
	Policy   Policy
	Selected bool // by the roll-out draw
	Act      Act
	// Tenders are a person's decisions about this sale's tenders.
	Tenders map[TenderKind]TenderRule
	// BuyerOverride is a person's correction of the buyer.
	BuyerOverride *Buyer
	// KindOverride is a person's choice of the invoice kind.
	KindOverride InvoiceKind
	Refunds      []Refund
	// DroppedRefunds are refunds that a person declared void.
	DroppedRefunds map[string]bool
	Requests       []InvoiceRequest
	Mapped         map[string]Mapped
	Unmapped       []Unmapped
	Documents      []Document
	// Covered names the portions that a document already accounts for, per part; the id is empty where none was needed.
	Covered map[Cover]ID
	// Conflicts are snapshots that claim the current revision with other content, by event.
	Conflicts []string
	// RedApproved says that a person asked for the reds of a sale whose policy does not reverse by itself.
	RedApproved bool
	FirstSeen   time.Time
}

// Cover names one portion's account within one part of a sale.
type Cover struct {
	Part int
	PortionRef
}

// buyer is the addressee now, with its defaults.
func (s Story) buyer() Buyer { return s.addressee().Resolved() }

// addressee is a person's correction, else the newest open request, else the sale's own buyer.
func (s Story) addressee() Buyer {
	b := s.Sale.Buyer
	if r, ok := s.request(); ok {
		b = mergeContacts(r.Buyer, b)
	}
	if s.BuyerOverride != nil {
		b = mergeContacts(*s.BuyerOverride, b)
	}
	return b
}

func mergeContacts(b, from Buyer) Buyer {
	if b.Email == "" {
		b.Email = from.Email
	}
	if b.Mobile == "" {
		b.Mobile = from.Mobile
	}
	return b
}

// Addressee is whom an invoice of the sale would be addressed to, as it was given.
func (b SaleBody) Addressee() Buyer {
	s := Story{Sale: b.Sale, Requests: b.Requests, BuyerOverride: b.BuyerOverride}
	if s.Sale == nil {
		s.Sale = &Sale{}
	}
	return s.addressee()
}

// request is the newest request that is not withdrawn. A withdrawal without an id withdraws all that came before it.
func (s Story) request() (InvoiceRequest, bool) {
	byID := map[string]InvoiceRequest{}
	for _, r := range s.Requests {
		if old, ok := byID[r.ID]; !ok || r.follows(old) {
			byID[r.ID] = r
		}
	}
	all, withdrawn := byID[""]
	withdrawn = withdrawn && all.State == RequestOver
	var best InvoiceRequest
	found := false
	for _, r := range byID {
		if r.State == RequestOver || (withdrawn && !r.At.After(all.At)) {
			continue
		}
		if !found || r.At.After(best.At) || (r.At.Equal(best.At) && r.ID > best.ID) {
			best, found = r, true
		}
	}
	return best, found
}

func (s Story) kind() InvoiceKind {
	if s.KindOverride != "" {
		return s.KindOverride
	}
	if r, ok := s.request(); ok && r.Kind != "" {
		return r.Kind
	}
	return GeneralInvoice
}

func (s Story) tender(k TenderKind) TenderRule {
	if r, ok := s.Tenders[k]; ok {
		return r
	}
	return s.Policy.tender(k)
}

// refunds returns the refunds that count, in canonical order: by the time their money moved, then by number.
func (s Story) refunds() []Refund {
	var out []Refund
	for _, r := range s.Refunds {
		if r.State == RefundSucceeded && !s.DroppedRefunds[r.No] {
			out = append(out, r)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if c := out[i].At.Compare(out[j].At); c != 0 {
			return c < 0
		}
		return out[i].No < out[j].No
	})
	return out
}
