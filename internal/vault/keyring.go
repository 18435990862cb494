// Package vault encrypts what the database must not show: personal data, raw requests and
// secrets born at run time.
//
// Each seller has a data key a month, so that a month is erased by erasing its key. Data
// keys are stored encrypted by the KEK of a file outside the database. A sealed value is
//
//	version 1 ‖ key id (8 bytes) ‖ nonce (12) ‖ SM4-GCM ciphertext ‖ tag (16)
//
// and authenticates its table, row and column, so that it opens nowhere else.
package vault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

var (
	// ErrErased: the value's key was erased, and so the value is gone for good.
	ErrErased = errors.New("the key of this value has been erased")
	// ErrUnknownKey: the value's key is not in the database; keys and values come from different copies.
	ErrUnknownKey = errors.New("the key of this value is not in the database")
	// ErrAltered: the value was altered or belongs to another place.
	ErrAltered = errors.New("the value was altered or moved")
)

const (
	// indexMonth marks the one key that is not for a month: the secret of the blind index.
	indexMonth = "index"
	// storeTimeout bounds the rare calls to the store that sealing and opening make.
	storeTimeout = 10 * time.Second
)

// Keyring holds the data keys in clear, in memory. All methods may be called from any goroutine.
type Keyring struct {
	store    Store
	indexKey [gmcrypto.HashSize]byte

	changing sync.Mutex // one change of the stored keys at a time; held during calls to the store
	keks     []KEK      // guarded by changing; the first one wraps

	mu     sync.RWMutex // guards what follows; never held during a call
	keys   map[uint64]slot
	scopes map[scope]latest
}

// Format keeps the keys out of whatever prints a structure that holds the keyring.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[keyring]") }

// slot is a data key, or the memory that it was erased.
type slot struct {
	key    gmcrypto.Key
	erased bool
}

type scope struct{ seller, month string }

// latest is what a scope's next seal uses.
type latest struct {
	generation int // highest known, erased or not
	id         uint64
	usable     bool
}

// New loads all data keys. current wraps new ones; previous are KEKs that may still have
// wrapped some. On an empty store it makes the key of the blind index.
func New(ctx context.Context, store Store, current KEK, previous ...KEK) (*Keyring, error) {
	k := &Keyring{
		store: store, keks: append([]KEK{current}, previous...),
		keys: map[uint64]slot{}, scopes: map[scope]latest{},
	}
	if err := k.Reload(ctx); err != nil {
		return nil, err
	}
	secret, _, err := k.sealingKey(ctx, scope{month: indexMonth})
	if err != nil {
		return nil, fmt.Errorf("key of the blind index: %w", err)
	}
	k.indexKey = gmcrypto.HMACSM3(secret[:], []byte("kaipiao blind index"))
	return k, nil
}

// Reload takes note of keys that other hosts have added or erased.
func (k *Keyring) Reload(ctx context.Context) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	return k.reload(ctx)
}

func (k *Keyring) reload(ctx context.Context) error {
	list, err := k.store.LoadDEKs(ctx)
	if err != nil {
		return fmt.Errorf("load data keys: %w", err)
	}
	for _, d := range list {
		if err := k.absorb(d); err != nil {
			return err
		}
	}
	return nil
}

// absorb takes note of a stored key. The caller holds changing.
func (k *Keyring) absorb(d WrappedDEK) error {
	s := slot{erased: d.erased()}
	if known := k.slot(d.ID); known != nil && known.erased == s.erased {
		return nil
	}
	if !s.erased {
		key, err := unwrap(k.keks, d)
		if err != nil {
			return err
		}
		s.key = key
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[d.ID] = s
	sc := scope{d.Seller, d.Month}
	if l := k.scopes[sc]; d.Generation >= l.generation {
		k.scopes[sc] = latest{generation: d.Generation, id: d.ID, usable: !s.erased}
	}
	return nil
}

func (k *Keyring) slot(id uint64) *slot {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if s, ok := k.keys[id]; ok {
		return &s
	}
	return nil
}

// lookUp returns the key that seals for a scope, if there is one.
func (k *Keyring) lookUp(sc scope) (key gmcrypto.Key, id uint64, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	l := k.scopes[sc]
	return k.keys[l.id].key, l.id, l.usable
}

// sealingKey returns the key that seals for a scope, making and storing it if need be.
func (k *Keyring) sealingKey(ctx context.Context, sc scope) (gmcrypto.Key, uint64, error) {
	if key, id, ok := k.lookUp(sc); ok {
		return key, id, nil
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	if key, id, ok := k.lookUp(sc); ok { // somebody else was faster
		return key, id, nil
	}
	for range 3 { // another host may have made and erased a key meanwhile
		if err := k.add(ctx, sc); err != nil {
			return gmcrypto.Key{}, 0, err
		}
		if key, id, ok := k.lookUp(sc); ok {
			return key, id, nil
		}
	}
	return gmcrypto.Key{}, 0, fmt.Errorf("new data key for %s: %w", sc.month, ErrErased)
}

// add makes and stores the next generation of a scope's key. The key is stored before it
// seals anything; if another host was faster, its key is taken. The caller holds changing.
func (k *Keyring) add(ctx context.Context, sc scope) error {
	k.mu.RLock()
	d := WrappedDEK{ID: newID(), Seller: sc.seller, Month: sc.month, Generation: k.scopes[sc].generation + 1}
	k.mu.RUnlock()
	d, err := wrap(k.keks[0], d, gmcrypto.NewKey())
	if err != nil {
		return err
	}
	stored, err := k.store.AddDEK(ctx, d)
	if err != nil {
		return fmt.Errorf("store a new data key for %s: %w", sc.month, err)
	}
	return k.absorb(stored)
}

// newID draws an id that fits a signed column.
func newID() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:]) >> 1
}
