package core

import "time"

// InstanceInfo is what the flow needs to know of a configured source.
type InstanceInfo struct {
	ID InstanceID
	// Store is the store of sales that name none.
	Store StoreCode
	// Seller seals what comes in before the sale's own seller is known.
	Seller SellerID
	// CanFetch says that the source fetches orders from its platform.
	CanFetch bool
}

// DeliveryKind is what a delivery channel needs of a recipient.
type DeliveryKind string

// Kinds of delivery channels.
const (
	ByEmail DeliveryKind = "email"
	BySMS   DeliveryKind = "sms"
	// ByOrder writes to the order at its platform; it needs no contact.
	ByOrder DeliveryKind = "order"
)

// DeliveryChoice is one channel of a store, in the order of preference. The first e-mail or SMS channel that fits
// the buyer's contacts is used, the next when it fails for good; ByOrder channels are used always.
type DeliveryChoice struct {
	Instance InstanceID
	Kind     DeliveryKind
	// ResendUnknown allows a resend when neither the provider's answer nor tracking says what happened: right for
	// e-mail, where a double is harmless, wrong for SMS.
	ResendUnknown bool
	// For names the source instance whose orders a ByOrder channel writes to.
	For InstanceID
}

// StoreInfo is what messages to buyers say of a store.
type StoreInfo struct {
	Code StoreCode
	Name string
}

// Book looks things up in the configuration. It does no I/O.
type Book interface {
	Instance(id InstanceID) (InstanceInfo, bool)
	Instances() []InstanceInfo
	Store(code StoreCode) (StoreInfo, bool)
	Sellers() []Seller
	// SellerFor is the taxpayer of a store on a date.
	SellerFor(store StoreCode, at time.Time) (Seller, bool)
	// PolicyFor layers seller < store < source on a date.
	PolicyFor(seller SellerID, store StoreCode, instance InstanceID, at time.Time) Policy
	Deliveries(store StoreCode) []DeliveryChoice
	// PageURL is the fixed address of the buyer's page.
	PageURL() string
}
