package storage

import (
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

const documentColumns = `SELECT id, sale, part, color, kind, document.state, seller, store, channel, serial, document.number, issued_at,
	digest, original, cleared, external, created_at, net, tax, gross, sent_at, not_found_at, blind, code, note, body,
	COALESCE(c.application, ''), COALESCE(c.state, ''), COALESCE(c.uuid, ''), COALESCE(c.number, ''), COALESCE(c.expires_at, 0),
	COALESCE(c.red_number, '')
	FROM document LEFT JOIN confirmation c ON c.document = document.id`

func scanDocument(s scanner) (d core.DocumentRecord, err error) {
	var c core.Confirmation
	err = s.Scan(&d.ID, &d.Sale, &d.Part, &d.Color, &d.Kind, &d.State, &d.Seller, &d.Store, &d.Channel, &d.Serial, &d.Number,
		timeColumn(&d.IssuedAt), &d.Digest, &d.Original, flagColumn(&d.Cleared), flagColumn(&d.External), timeColumn(&d.CreatedAt),
		fenColumn(&d.Net), fenColumn(&d.Tax), fenColumn(&d.Gross), timeColumn(&d.SentAt), timeColumn(&d.NotFoundAt), &d.Blind, &d.Code,
		&d.Note, blobColumn(&d.Body),
		&c.Application, &c.State, &c.UUID, &c.Number, timeColumn(&c.ExpiresAt), &c.RedNumber)
	if c.State != "" {
		d.Confirmation = &c
	}
	return d, err
}

// PutDocument inserts a document with its confirmation. ErrConflict says that its part has a live blue already, or
// that its id, serial, number or application is in use.
func (t transaction) PutDocument(d core.DocumentRecord) error {
	what := fmt.Sprintf("store %s document %s", d.Color, d.ID)
	err := t.must(what, `INSERT INTO document (id, sale, part, color, kind, state, seller, store, channel, serial, number, issued_at,
		digest, original, cleared, external, created_at, net, tax, gross, sent_at, not_found_at, blind, code, note, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		d.ID, d.Sale, d.Part, d.Color, d.Kind, d.State, d.Seller, d.Store, d.Channel, d.Serial, d.Number, micros(d.IssuedAt),
		d.Digest, d.Original, flag(d.Cleared), flag(d.External), micros(d.CreatedAt), d.Net.Fen(), d.Tax.Fen(), d.Gross.Fen(),
		micros(d.SentAt), micros(d.NotFoundAt), d.Blind, d.Code, d.Note, blob(d.Body))
	if err != nil {
		return err
	}
	if c := d.Confirmation; c != nil {
		err := t.must(what, `INSERT INTO confirmation (document, application, state, uuid, number, expires_at, red_number)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			d.ID, c.Application, c.State, c.UUID, c.Number, micros(c.ExpiresAt), c.RedNumber)
		if err != nil {
			return err
		}
	}
	return t.endBlue(d)
}

// MoveDocument writes a document whose state is still from. What never changes (whose it is, its content's digest, a
// drawn serial) and its confirmation are left as they are.
func (t transaction) MoveDocument(from core.DocumentState, d core.DocumentRecord) error {
	what := fmt.Sprintf("move document %s from %s to %s", d.ID, from, d.State)
	if err := t.numberFree(what, d); err != nil {
		return err
	}
	err := t.must(what, `UPDATE document SET state = ?, serial = CASE WHEN serial = '' THEN ? ELSE serial END, number = ?, issued_at = ?,
		cleared = ?, net = ?, tax = ?, gross = ?, sent_at = ?, not_found_at = ?, blind = ?, code = ?, note = ?, body = ?
		WHERE id = ? AND state = ?`,
		d.State, d.Serial, d.Number, micros(d.IssuedAt), flag(d.Cleared), d.Net.Fen(), d.Tax.Fen(), d.Gross.Fen(), micros(d.SentAt),
		micros(d.NotFoundAt), d.Blind, d.Code, d.Note, blob(d.Body), d.ID, from)
	if err != nil {
		return err
	}
	return t.endBlue(d)
}

// numberFree makes a clash of invoice numbers an ErrConflict instead of an error that only the engine understands;
// the unique index stands behind it.
func (t transaction) numberFree(what string, d core.DocumentRecord) error {
	if d.Number == "" {
		return nil
	}
	others, err := many(t.view, "number", value[core.ID], `SELECT id FROM document WHERE number = ? AND number <> '' AND color = ? AND id <> ?`,
		d.Number, d.Color, d.ID)
	if err == nil && len(others) > 0 {
		err = fmt.Errorf("%s: document %s has that number: %w", what, others[0], core.ErrConflict)
	}
	return err
}

// endBlue marks a blue that issued reds have reversed completely: its part is free for a new one.
func (t transaction) endBlue(d core.DocumentRecord) error {
	if d.Color != core.Red || d.State != core.DocIssued || d.Original == "" {
		return nil
	}
	return t.do("end reversed blue", `UPDATE document SET reversed = 1 WHERE id = ? AND gross + (SELECT SUM(r.gross) FROM document r
		WHERE r.sale = ? AND r.original = ? AND r.color = 'red' AND r.state = 'issued') <= 0`, d.Original, d.Sale, d.Original)
}

// MoveConfirmation writes a document's confirmation whose state is still from.
func (t transaction) MoveConfirmation(document core.ID, from core.ConfirmationState, c core.Confirmation) error {
	return t.must(fmt.Sprintf("move confirmation of document %s from %s to %s", document, from, c.State),
		`UPDATE confirmation SET application = ?, state = ?, uuid = ?, number = ?, expires_at = ?, red_number = ?
		WHERE document = ? AND state = ?`,
		c.Application, c.State, c.UUID, c.Number, micros(c.ExpiresAt), c.RedNumber, document, from)
}

// Document reads a document with its confirmation.
func (v view) Document(id core.ID) (core.DocumentRecord, error) {
	return one(v, fmt.Sprintf("document %s", id), scanDocument, documentColumns+` WHERE id = ?`, id)
}

// DocumentsOf lists the documents of a sale, oldest first.
func (v view) DocumentsOf(sale core.ID) ([]core.DocumentRecord, error) {
	return many(v, "documents", scanDocument, documentColumns+` WHERE sale = ? ORDER BY id`, sale)
}

// Documents lists documents, newest first.
func (v view) Documents(f core.DocumentFilter) ([]core.DocumentRecord, error) {
	var p page
	issued := func(at time.Time, condition string) {
		p.where(!at.IsZero(), `issued_at > 0 AND issued_at `+condition, micros(at))
	}
	p.where(f.Seller != "", `seller = ?`, f.Seller)
	p.where(f.Store != "", `store = ?`, f.Store)
	p.where(f.State != "", `document.state = ?`, f.State)
	p.where(f.Color != "", `color = ?`, f.Color)
	p.where(f.Number != "", `document.number = ? AND document.number <> ''`, f.Number)
	issued(f.IssuedFrom, `>= ?`)
	issued(f.IssuedTo, `< ?`)
	p.where(f.After != "", `id < ?`, f.After)
	query, args := p.query(documentColumns, f.Limit)
	return many(v, "documents", scanDocument, query, args...)
}
