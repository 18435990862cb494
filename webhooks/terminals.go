package webhooks

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

const (
	// activationLife is how long a one-time code may be used.
	activationLife = 7 * 24 * time.Hour
	// cacheLife bounds how long a till's keys are known without asking the store.
	cacheLife = 500 * time.Millisecond
	// indexActivation is the kind under which codes are hashed.
	indexActivation = "activation"
)

// Stores says who the taxpayer of a store is; core.Book has it.
type Stores interface {
	SellerFor(store core.StoreCode, at time.Time) (core.Seller, bool)
}

// TerminalsOptions are what the registry of tills works on.
type TerminalsOptions struct {
	Store  core.Store
	Vault  core.Vault
	Stores Stores
	Clock  core.Clock
	IDs    core.IDs
}

// Terminals is the registry of tills: it enrols them, proves their requests and revokes them.
type Terminals struct {
	TerminalsOptions
	mu    sync.Mutex
	known map[string]terminal
}

// terminal is a till with its secrets opened.
type terminal struct {
	record      core.TerminalRecord
	secret, old []byte
	readAt      time.Time
}

// NewTerminals makes the registry.
func NewTerminals(o TerminalsOptions) *Terminals {
	return &Terminals{TerminalsOptions: o, known: map[string]terminal{}}
}

func secretPlace(id string) core.Place {
	return core.Place{Table: "terminal", Row: id, Column: "secret"}
}

// NewActivation makes a one-time code by which a till enrols for a source and a store. Only its hash is stored; the code
// is shown once.
func (t *Terminals) NewActivation(ctx context.Context, who string, instance core.InstanceID, store core.StoreCode, label string) (string, time.Time, error) {
	now := t.Clock.Now()
	code := core.PickUpCode(t.IDs.New())
	a := core.ActivationRecord{Hash: t.Vault.Index(indexActivation, code), Instance: instance, Store: store, Label: label, ExpiresAt: now.Add(activationLife)}
	err := t.Store.Do(ctx, "terminal.activation", func(tx core.Tx) error {
		if err := tx.PutActivation(a); err != nil {
			return err
		}
		return tx.PutAct(t.act(who, "terminal.activation", string(store), "source "+string(instance)+", label "+label))
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make activation code for store %s: %w", store, err)
	}
	return code, a.ExpiresAt, nil
}

// List returns all tills. Their secrets stay sealed.
func (t *Terminals) List(ctx context.Context) (list []core.TerminalRecord, err error) {
	err = t.Store.View(ctx, func(v core.View) error { list, err = v.Terminals(); return err })
	if err != nil {
		return nil, fmt.Errorf("list terminals: %w", err)
	}
	return list, nil
}

// Revoke ends a till's right to post, on every host with its next request. What it posted before stays valid.
func (t *Terminals) Revoke(ctx context.Context, who, id string) error {
	err := t.Store.Do(ctx, "terminal.revoke", func(tx core.Tx) error {
		r, err := tx.Terminal(id)
		if err != nil || r.Revoked {
			return err
		}
		r.Revoked = true
		if err := tx.PutTerminal(r); err != nil {
			return err
		}
		return tx.PutAct(t.act(who, "terminal.revoke", id, ""))
	})
	if err != nil {
		return fmt.Errorf("revoke terminal %s: %w", id, err)
	}
	t.forget(id)
	return nil
}

func (t *Terminals) act(who, verb, subject, detail string) core.ActRecord {
	return core.ActRecord{ID: t.IDs.New(), At: t.Clock.Now(), Who: who, Verb: verb, Subject: subject, Detail: detail}
}

// find returns a till as it is, or was up to half a second ago. ErrNotFound if there is none, or none with this key.
func (t *Terminals) find(ctx context.Context, id, keyID string) (terminal, error) {
	now := t.Clock.Now()
	t.mu.Lock()
	k, ok := t.known[id]
	t.mu.Unlock()
	if ok && now.Sub(k.readAt) < cacheLife && k.has(keyID) {
		return k, nil
	}
	k = terminal{readAt: now}
	err := t.Store.View(ctx, func(v core.View) (err error) { k.record, err = v.Terminal(id); return err })
	if err != nil {
		return terminal{}, fmt.Errorf("find terminal %s: %w", id, err)
	}
	if k.secret, err = t.Vault.Open(secretPlace(id), k.record.Secret); err != nil {
		return terminal{}, fmt.Errorf("open key of terminal %s: %w", id, err)
	}
	if k.record.OldKeyID != "" {
		if k.old, err = t.Vault.Open(secretPlace(id), k.record.OldSecret); err != nil {
			return terminal{}, fmt.Errorf("open old key of terminal %s: %w", id, err)
		}
	}
	t.mu.Lock()
	t.known[id] = k
	t.mu.Unlock()
	if !k.has(keyID) {
		return terminal{}, fmt.Errorf("key %s of terminal %s: %w", keyID, id, core.ErrNotFound)
	}
	return k, nil
}

func (t *Terminals) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, id)
}

func (k terminal) has(keyID string) bool {
	return keyID == k.record.KeyID || (keyID == k.record.OldKeyID && keyID != "")
}

// secretOf is the secret under a key id that the till has.
func (k terminal) secretOf(keyID string) []byte {
	if keyID == k.record.KeyID {
		return k.secret
	}
	return k.old
}

// newSecret draws 256 bits and writes them as 64 hex digits, which are the HMAC key as they stand.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return hex.EncodeToString(b[:])
}

// errUsed says that an activation code is unknown, used or expired; nobody is told which.
var errUsed = errors.New("activation code unknown, used or expired")
