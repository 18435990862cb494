package core

import "time"

// ID names a row for ever: 20 characters of Crockford base32, the first ten carry the millisecond of its making, so
// ids sort by time. It also serves as a document's serial (at most 20 of [0-9A-Z]).
type ID string

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// MakeID makes an id from a time and 50 random bits (the low ones of entropy).
func MakeID(at time.Time, entropy uint64) ID {
	var b [20]byte
	put(b[:10], uint64(at.UnixMilli()))
	put(b[10:], entropy)
	return ID(b[:])
}

func put(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = crockford[v&31]
		v >>= 5
	}
}

// Valid says whether the text has the shape of an id.
func (id ID) Valid() bool {
	if len(id) != 20 {
		return false
	}
	for i := range len(id) {
		if !isCrockford(id[i]) {
			return false
		}
	}
	return true
}

func isCrockford(c byte) bool {
	for i := range len(crockford) {
		if crockford[i] == c {
			return true
		}
	}
	return false
}

// Names given by the configuration or by a source. They are different types so that one can't stand for another.
type (
	// SellerID names a taxpayer in the configuration.
	SellerID string
	// StoreCode names a shop or a branch.
	StoreCode string
	// InstanceID names one configured use of a plugin.
	InstanceID string
	// ChannelID names one configured connection to a bureau or vendor.
	ChannelID string
)
