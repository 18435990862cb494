package storage

import (
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// PutExchange records an attempt before its send, or a question with its answer.
func (t transaction) PutExchange(x core.ExchangeRecord) error {
	return t.do("store exchange", `INSERT INTO exchange (document, id, seller, channel, operation, serial, sent_at, answered_at, outcome,
		code, request, response) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		x.Document, x.ID, x.Seller, x.Channel, x.Operation, x.Serial, micros(x.SentAt), micros(x.AnsweredAt), x.Outcome, x.Code,
		blob(x.Request), blob(x.Response))
}

// AnswerExchange fills in the answer of an exchange; ErrConflict if it is unknown or answered already.
func (t transaction) AnswerExchange(x core.ExchangeRecord) error {
	return t.must(fmt.Sprintf("answer exchange %s of document %s", x.ID, x.Document),
		`UPDATE exchange SET answered_at = ?, outcome = ?, code = ?, response = ? WHERE document = ? AND id = ? AND outcome = ''`,
		micros(x.AnsweredAt), x.Outcome, x.Code, blob(x.Response), x.Document, x.ID)
}

// Exchanges lists a document's exchanges, oldest first.
func (v view) Exchanges(document core.ID) ([]core.ExchangeRecord, error) {
	return many(v, "exchanges", func(s scanner) (x core.ExchangeRecord, err error) {
		return x, s.Scan(&x.Document, &x.ID, &x.Seller, &x.Channel, &x.Operation, &x.Serial, timeColumn(&x.SentAt),
			timeColumn(&x.AnsweredAt), &x.Outcome, &x.Code, blobColumn(&x.Request), blobColumn(&x.Response))
	}, `SELECT document, id, seller, channel, operation, serial, sent_at, answered_at, outcome, code, request, response FROM exchange
		WHERE document = ? ORDER BY id`, document)
}
