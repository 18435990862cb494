package core

import "time"

// Sealed is an encrypted value: it opens only in the place it was sealed for.
type Sealed []byte

// Place is where a sealed value lives; it is authenticated with it, so a value moved elsewhere does not open.
type Place struct{ Table, Row, Column string }

// Vault seals personal data and secrets under the seller's key of the month. Sealing happens before a transaction,
// never inside its closure.
type Vault interface {
	Seal(seller SellerID, at time.Time, place Place, plain []byte) (Sealed, error)
	Open(place Place, sealed Sealed) ([]byte, error)
	// Index is a keyed one-way index of a tax number, mobile or e-mail, for looking it up without storing it.
	Index(kind, value string) string
}
