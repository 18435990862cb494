package vault

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// Place is where a sealed value lives. A value opens only in the place it was sealed for.
type Place struct{ Table, Row, Column string }

const (
	sealVersion = 1
	headerSize  = 1 + 8
	// Overhead is how many bytes longer a sealed value is than its plaintext.
	Overhead = headerSize + gmcrypto.NonceSize + gmcrypto.TagSize
)

// china is the time zone of the months; China has no other since 1992.
var china = time.FixedZone("UTC+8", 8*60*60)

func monthOf(at time.Time) string { return at.In(china).Format("2006-01") }

// Seal encrypts plaintext under the seller's key of the month of at.
//
// The first value of a month stores a new key through Store, so that Seal must not be called
// inside a transaction of the same database: it would wait for itself.
func (k *Keyring) Seal(seller string, at time.Time, place Place, plaintext []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	key, id, err := k.sealingKey(ctx, scope{seller, monthOf(at)})
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", place.Table, place.Column, err)
	}
	header := binary.BigEndian.AppendUint64(append(make([]byte, 0, 128), sealVersion), id)
	body, err := gmcrypto.SealGCM(key, plaintext, place.aad(header))
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", place.Table, place.Column, err)
	}
	return append(append(make([]byte, 0, headerSize+len(body)), header...), body...), nil
}

// Open decrypts what Seal made for the same place. The error is ErrErased, ErrUnknownKey or
// ErrAltered where it is not the store's.
func (k *Keyring) Open(place Place, sealed []byte) ([]byte, error) {
	plaintext, err := k.open(place, sealed)
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", place.Table, place.Column, err)
	}
	return plaintext, nil
}

func (k *Keyring) open(place Place, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != sealVersion {
		return nil, ErrAltered
	}
	header, body := sealed[:headerSize:headerSize], sealed[headerSize:]
	s, err := k.find(binary.BigEndian.Uint64(header[1:]))
	if err != nil {
		return nil, err
	}
	plaintext, err := gmcrypto.OpenGCM(s.key, body, place.aad(header))
	if err != nil {
		return nil, ErrAltered
	}
	return plaintext, nil
}

// find looks a key up, in the store if need be: another host may have made it.
func (k *Keyring) find(id uint64) (slot, error) {
	s := k.slot(id)
	if s == nil {
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		defer cancel()
		if err := k.Reload(ctx); err != nil {
			return slot{}, err
		}
		s = k.slot(id)
	}
	switch {
	case s == nil:
		return slot{}, ErrUnknownKey
	case s.erased:
		return slot{}, ErrErased
	}
	return *s, nil
}

// aad continues a value's header with its place.
func (p Place) aad(header []byte) []byte {
	return appendText(header, p.Table, p.Row, p.Column)
}

// Index is the blind index of a tax number, mobile or e-mail: 32 hex digits by which a value
// is found again without being stored. It does not change with KEKs or months. The caller
// normalises the value; kind keeps equal values of different kinds apart.
func (k *Keyring) Index(kind, value string) string {
	mac := gmcrypto.HMACSM3(k.indexKey[:], appendText(nil, kind, value))
	return hex.EncodeToString(mac[:16])
}
