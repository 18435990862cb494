package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// WrappedDEK is a data key as it is stored: encrypted by a KEK.
type WrappedDEK struct {
	ID         uint64 // random, below 2^63
	Seller     string
	Month      string // such as 2026-11, in China's time; indexMonth for the key of the blind index
	Generation int    // from 1; the highest one seals new values
	Wrapped    []byte // version ‖ KEK's id ‖ sealed key; empty once the key is erased
}

func (d WrappedDEK) erased() bool { return len(d.Wrapped) == 0 }

// Store keeps the wrapped keys in the database. Its writes return after their commit.
type Store interface {
	// LoadDEKs returns all keys, erased ones too.
	LoadDEKs(ctx context.Context) ([]WrappedDEK, error)
	// AddDEK stores a new key, unless one of the same seller, month and generation exists. It
	// returns the one that is stored.
	AddDEK(ctx context.Context, d WrappedDEK) (WrappedDEK, error)
	// ReplaceDEKs overwrites Wrapped of the keys with the same ID, all or none. A key that
	// is erased stays so.
	ReplaceDEKs(ctx context.Context, ds []WrappedDEK) error
}

const wrapVersion = 1

// errOtherKEK means that a key needs a key file that was not given.
var errOtherKEK = errors.New("no such key file was given")

func wrap(kek KEK, d WrappedDEK, key gmcrypto.Key) (WrappedDEK, error) {
	sealed, err := gmcrypto.SealGCM(kek.key, key[:], d.aad(kek.id))
	if err != nil {
		return WrappedDEK{}, fmt.Errorf("wrap data key: %w", err)
	}
	d.Wrapped = append(append([]byte{wrapVersion}, kek.id[:]...), sealed...)
	return d, nil
}

// unwrap finds the KEK that wrapped the key among those given.
func unwrap(keks []KEK, d WrappedDEK) (gmcrypto.Key, error) {
	if len(d.Wrapped) < 5 || d.Wrapped[0] != wrapVersion {
		return gmcrypto.Key{}, fmt.Errorf("data key %x: unknown form of wrapping", d.ID)
	}
	id, sealed := kekID(d.Wrapped[1:5]), d.Wrapped[5:]
	for _, kek := range keks {
		if kek.id != id {
			continue
		}
		raw, err := gmcrypto.OpenGCM(kek.key, sealed, d.aad(id))
		if err != nil {
			return gmcrypto.Key{}, fmt.Errorf("data key %x does not open with key file %x, its row was altered: %w", d.ID, id, err)
		}
		return gmcrypto.KeyFromBytes(raw)
	}
	return gmcrypto.Key{}, fmt.Errorf("data key %x needs the key file with the id %x: %w", d.ID, id, errOtherKEK)
}

// aad binds a wrapped key to its row.
func (d WrappedDEK) aad(id kekID) []byte {
	b := append([]byte("dek"), id[:]...)
	b = binary.BigEndian.AppendUint64(b, d.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(d.Generation))
	return appendText(b, d.Seller, d.Month)
}

// appendText appends texts so that no two lists of texts look the same.
func appendText(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}
