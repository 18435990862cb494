package storage

import (
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

const terminalColumns = `SELECT id, instance, seller, store, label, key_id, secret, old_key_id, old_secret, old_until, sequence, last_seen,
	revoked, created_at FROM terminal`

func scanTerminal(s scanner) (t core.TerminalRecord, err error) {
	return t, s.Scan(&t.ID, &t.Instance, &t.Seller, &t.Store, &t.Label, &t.KeyID, blobColumn(&t.Secret), &t.OldKeyID,
		blobColumn(&t.OldSecret), timeColumn(&t.OldUntil), &t.Sequence, timeColumn(&t.LastSeen), flagColumn(&t.Revoked),
		timeColumn(&t.CreatedAt))
}

// PutTerminal inserts or replaces a till.
func (t transaction) PutTerminal(r core.TerminalRecord) error {
	return t.do("store terminal", `INSERT INTO terminal (id, instance, seller, store, label, key_id, secret, old_key_id, old_secret,
		old_until, sequence, last_seen, revoked, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET instance = excluded.instance, seller = excluded.seller, store = excluded.store,
		label = excluded.label, key_id = excluded.key_id, secret = excluded.secret, old_key_id = excluded.old_key_id,
		old_secret = excluded.old_secret, old_until = excluded.old_until, sequence = excluded.sequence, last_seen = excluded.last_seen,
		revoked = excluded.revoked`,
		r.ID, r.Instance, r.Seller, r.Store, r.Label, r.KeyID, blob(r.Secret), r.OldKeyID, blob(r.OldSecret), micros(r.OldUntil),
		int64(r.Sequence), micros(r.LastSeen), flag(r.Revoked), micros(r.CreatedAt))
}

// Terminal reads a till.
func (v view) Terminal(id string) (core.TerminalRecord, error) {
	return one(v, fmt.Sprintf("terminal %s", id), scanTerminal, terminalColumns+` WHERE id = ?`, id)
}

// Terminals lists all tills.
func (v view) Terminals() ([]core.TerminalRecord, error) {
	return many(v, "terminals", scanTerminal, terminalColumns+` ORDER BY id`)
}

// PutActivation stores a one-time code; ErrConflict if it exists.
func (t transaction) PutActivation(a core.ActivationRecord) error {
	return t.must("store activation code", `INSERT INTO activation (hash, instance, store, label, expires_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		a.Hash, a.Instance, a.Store, a.Label, micros(a.ExpiresAt), micros(a.UsedAt))
}

// Activation reads a one-time code.
func (v view) Activation(hash string) (core.ActivationRecord, error) {
	return one(v, "activation code", func(s scanner) (a core.ActivationRecord, err error) {
		return a, s.Scan(&a.Hash, &a.Instance, &a.Store, &a.Label, timeColumn(&a.ExpiresAt), timeColumn(&a.UsedAt))
	}, `SELECT hash, instance, store, label, expires_at, used_at FROM activation WHERE hash = ?`, hash)
}

// UseActivation marks a code as used; ErrConflict if it was used already.
func (t transaction) UseActivation(hash string, at time.Time) error {
	if _, err := t.Activation(hash); err != nil {
		return err
	}
	return t.must("use activation code", `UPDATE activation SET used_at = ? WHERE hash = ? AND used_at = 0`, micros(at), hash)
}

// RememberNonce says whether a terminal's nonce is fresh, and forgets the terminal's older ones.
func (t transaction) RememberNonce(terminal, nonce string, at, forgetBefore time.Time) (bool, error) {
	if err := t.do("forget nonces", `DELETE FROM nonce WHERE terminal = ? AND at < ?`, terminal, micros(forgetBefore)); err != nil {
		return false, err
	}
	n, err := t.exec("remember nonce", `INSERT INTO nonce (terminal, nonce, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		terminal, storedKey(nonce), micros(at))
	return n == 1, err
}

// PutSecret inserts or replaces a secret of an instance.
func (t transaction) PutSecret(instance core.InstanceID, name string, value core.Sealed, expires time.Time) error {
	return t.do("store secret", `INSERT INTO secret (instance, name, value, expires) VALUES (?, ?, ?, ?)
		ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
		instance, name, blob(value), micros(expires))
}

// Secrets reads the secrets of an instance by name.
func (v view) Secrets(instance core.InstanceID) (map[string]core.Sealed, error) {
	type secret struct {
		name  string
		value core.Sealed
	}
	rows, err := many(v, "secrets", func(s scanner) (r secret, err error) { return r, s.Scan(&r.name, blobColumn(&r.value)) },
		`SELECT name, value FROM secret WHERE instance = ?`, instance)
	if err != nil {
		return nil, err
	}
	out := make(map[string]core.Sealed, len(rows))
	for _, r := range rows {
		out[r.name] = r.value
	}
	return out, nil
}
