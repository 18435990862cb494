package vault

import (
	"context"
	"fmt"
	"time"
)

// Renew makes a new data key for a seller's month. Values sealed so far stay readable; new ones use
// the new key.
func (k *Keyring) Renew(ctx context.Context, seller string, at time.Time) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	return k.add(ctx, scope{seller, monthOf(at)})
}

// RewrapAll encrypts every data key by a new KEK, in one transaction. Values are not touched.
// Until all hosts are started with the new key file, give them both.
func (k *Keyring) RewrapAll(ctx context.Context, kek KEK) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	list, err := k.store.LoadDEKs(ctx)
	if err != nil {
		return fmt.Errorf("load data keys: %w", err)
	}
	var rewrapped []WrappedDEK
	for _, d := range list {
		if d.erased() {
			continue
		}
		key, err := unwrap(k.keks, d)
		if err != nil {
			return err
		}
		if d, err = wrap(kek, d, key); err != nil {
			return err
		}
		rewrapped = append(rewrapped, d)
	}
	if err := k.store.ReplaceDEKs(ctx, rewrapped); err != nil {
		return fmt.Errorf("store %d data keys under key file %s; all are still under the one before: %w", len(rewrapped), kek.ID(), err)
	}
	k.keks = append([]KEK{kek}, k.keks...)
	return nil
}

// Erase destroys a seller's keys of one month, and so every value sealed in it, and returns how
// many keys that were. Older copies of the database still hold them: they are unreadable once
// their KEK is destroyed too. Other hosts notice at their next Reload.
func (k *Keyring) Erase(ctx context.Context, seller string, at time.Time) (int, error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	list, err := k.store.LoadDEKs(ctx)
	if err != nil {
		return 0, fmt.Errorf("load data keys: %w", err)
	}
	var gone []WrappedDEK
	for _, d := range list {
		if d.Seller == seller && d.Month == monthOf(at) && !d.erased() {
			d.Wrapped = []byte{}
			gone = append(gone, d)
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	if err := k.store.ReplaceDEKs(ctx, gone); err != nil {
		return 0, fmt.Errorf("erase the data keys of %s: %w", monthOf(at), err)
	}
	for _, d := range gone {
		if err := k.absorb(d); err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}
