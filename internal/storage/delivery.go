package storage

import (
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// PutFile stores a file of an invoice; a format that was fetched again replaces the one before.
func (t transaction) PutFile(f core.FileRecord) error {
	return t.do("store file", `INSERT INTO file (document, format, name, sha256, size, content) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (document, format) DO UPDATE SET name = excluded.name, sha256 = excluded.sha256, size = excluded.size, content = excluded.content`,
		f.Document, f.Format, f.Name, f.SHA256, f.Size, blob(f.Content))
}

// FilesOf lists an invoice's stored files.
func (v view) FilesOf(document core.ID) ([]core.FileRecord, error) {
	return many(v, "files", func(s scanner) (f core.FileRecord, err error) {
		return f, s.Scan(&f.Document, &f.Format, &f.Name, &f.SHA256, &f.Size, blobColumn(&f.Content))
	}, `SELECT document, format, name, sha256, size, content FROM file WHERE document = ? ORDER BY format`, document)
}

// PutPickUp stores an invoice's pick-up code; the first one stays, for the buyer may have it already.
func (t transaction) PutPickUp(p core.PickUpRecord) error {
	return t.do("store pick-up code", `INSERT INTO pick_up (document, hash, code, made_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (document) DO NOTHING`, p.Document, p.Hash, blob(p.Code), micros(p.MadeAt))
}

const pickUpColumns = `SELECT document, hash, code, made_at FROM pick_up`

func scanPickUp(s scanner) (p core.PickUpRecord, err error) {
	return p, s.Scan(&p.Document, &p.Hash, blobColumn(&p.Code), timeColumn(&p.MadeAt))
}

// PickUpByHash finds a pick-up code by the hash of its clear form.
func (v view) PickUpByHash(hash string) (core.PickUpRecord, error) {
	return one(v, "pick-up code", scanPickUp, pickUpColumns+` WHERE hash = ?`, hash)
}

// PickUpOf reads an invoice's pick-up code.
func (v view) PickUpOf(document core.ID) (core.PickUpRecord, error) {
	return one(v, fmt.Sprintf("pick-up code of document %s", document), scanPickUp, pickUpColumns+` WHERE document = ?`, document)
}

// PutParcel inserts a parcel unless its recipient has one of the same document and instance; it says whether it did.
func (t transaction) PutParcel(p core.ParcelRecord) (bool, error) {
	n, err := t.exec("store parcel", `INSERT INTO parcel (id, document, sale, instance, store, seller, person, recipient, state, attempt,
		provider_ref, reason, sent_at, rank) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (document, instance, person) DO NOTHING`,
		p.ID, p.Document, p.Sale, p.Instance, p.Store, p.Seller, p.Index, blob(p.Recipient), p.State, p.Attempt, p.ProviderRef,
		p.Reason, micros(p.SentAt), p.Rank)
	return n == 1, err
}

// MoveParcel writes a parcel whose state is still from.
func (t transaction) MoveParcel(from core.ParcelState, p core.ParcelRecord) error {
	return t.must(fmt.Sprintf("move parcel %s from %s to %s", p.ID, from, p.State),
		`UPDATE parcel SET state = ?, attempt = ?, provider_ref = ?, reason = ?, sent_at = ?, rank = ? WHERE id = ? AND state = ?`,
		p.State, p.Attempt, p.ProviderRef, p.Reason, micros(p.SentAt), p.Rank, p.ID, from)
}

const parcelColumns = `SELECT id, document, sale, instance, store, seller, person, recipient, state, attempt, provider_ref, reason, sent_at,
	rank FROM parcel`

func scanParcel(s scanner) (p core.ParcelRecord, err error) {
	return p, s.Scan(&p.ID, &p.Document, &p.Sale, &p.Instance, &p.Store, &p.Seller, &p.Index, blobColumn(&p.Recipient), &p.State,
		&p.Attempt, &p.ProviderRef, &p.Reason, timeColumn(&p.SentAt), &p.Rank)
}

// Parcel reads a parcel.
func (v view) Parcel(id core.ID) (core.ParcelRecord, error) {
	return one(v, fmt.Sprintf("parcel %s", id), scanParcel, parcelColumns+` WHERE id = ?`, id)
}

// ParcelsOf lists an invoice's parcels in the order of their channels.
func (v view) ParcelsOf(document core.ID) ([]core.ParcelRecord, error) {
	return many(v, "parcels", scanParcel, parcelColumns+` WHERE document = ? ORDER BY rank, id`, document)
}
