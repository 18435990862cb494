package storage

import (
	"database/sql"
	"errors"
	"fmt"
)

// DEK is a data key of the vault, encrypted by a key file. It has the shape of the vault's own type, so that one
// converts to the other.
type DEK struct {
	ID         uint64
	Seller     string
	Month      string
	Generation int
	// Wrapped is empty once the key is erased.
	Wrapped []byte
}

const dekColumns = `SELECT id, seller, month, generation, wrapped FROM dek`

func scanDEK(s scanner) (d DEK, err error) {
	return d, s.Scan(&d.ID, &d.Seller, &d.Month, &d.Generation, blobColumn(&d.Wrapped))
}

// LoadDEKs lists all data keys, erased ones too.
func LoadDEKs(q Querier) ([]DEK, error) {
	return many(view{q}, "data keys", scanDEK, dekColumns+` ORDER BY id`)
}

// AddDEK stores a data key unless there is one of the same seller, month and generation, and returns the stored one.
func AddDEK(q Querier, d DEK) (DEK, error) {
	t := transaction{view{q}}
	err := t.do("store data key", `INSERT INTO dek (id, seller, month, generation, wrapped, erased) VALUES (?, ?, ?, ?, ?, 0)
		ON CONFLICT (seller, month, generation) DO NOTHING`, int64(d.ID), d.Seller, d.Month, d.Generation, blob(d.Wrapped))
	if err != nil {
		return DEK{}, err
	}
	return one(t.view, "data key", scanDEK, dekColumns+` WHERE seller = ? AND month = ? AND generation = ?`, d.Seller, d.Month, d.Generation)
}

// ReplaceDEKs overwrites the wrapped form of data keys; an empty one erases the key. An erased key stays so.
func ReplaceDEKs(q Querier, keys []DEK) error {
	t := transaction{view{q}}
	for _, d := range keys {
		var erased bool
		err := q.QueryRow(`SELECT erased FROM dek WHERE id = ?`, int64(d.ID)).Scan(flagColumn(&erased))
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("replace data key %x: there is none", d.ID)
		}
		if err != nil {
			return fmt.Errorf("replace data key %x: %w", d.ID, err)
		}
		if erased {
			continue
		}
		err = t.do("replace data key", `UPDATE dek SET wrapped = ?, erased = ? WHERE id = ?`, blob(d.Wrapped), flag(len(d.Wrapped) == 0), int64(d.ID))
		if err != nil {
			return err
		}
	}
	return nil
}
