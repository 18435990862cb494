package sandbox

import (
	"database/sql"
	"time"
)

// exchange is a line of the wire log: one request on the gm channel and what the bureau decided. It names no buyer.
type exchange struct {
	ID         int64  `json:"id"`
	App        string `json:"app_id"`
	Op         string `json:"op"`
	Ref        string `json:"ref"` // serial, application, uuid or number
	Seller     string `json:"seller"`
	ReceivedAt string `json:"received_at"` // real time
	DecidedAt  string `json:"decided_at"`  // real time, just before the commit
	BureauTime string `json:"bureau_time"`
	Code       code   `json:"code"`        // what the answer says, or would have said
	HTTPStatus int    `json:"http_status"` // 0: no answer was sent
	Fault      string `json:"fault"`       // id and kind of the rule that acted
	Done       bool   `json:"done"`        // whether the work was done or refused on its merits, not skipped by a fault

	nonce    string
	received time.Time
	now      time.Time
}

// pruneEvery is how many exchanges pass between two prunings of the log.
const pruneEvery = 4096

// logExchange writes the line, in the commit of the work itself.
func (b *Bureau) logExchange(t *tx, e *exchange) error {
	b.lastWire++
	e.ID = b.lastWire
	err := t.exec(`INSERT INTO wire (id, app, op, ref, seller, nonce, received_at, decided_at, bureau_time, code,
		http_status, fault, done) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.ID, e.App, e.Op, e.Ref, e.Seller,
		e.nonce, e.received.UnixMilli(), b.opts.Now().UnixMilli(), e.now.UnixMilli(), string(e.Code), e.HTTPStatus,
		e.Fault, e.Done)
	if err != nil || e.ID%pruneEvery != 0 {
		return err
	}
	b.nonces.mu.Lock()
	young := b.opts.Now().Add(-b.nonces.keep)
	b.nonces.mu.Unlock()
	return t.exec(`DELETE FROM wire WHERE id <= ? AND received_at < ?`, e.ID-int64(b.opts.WireLog), young.UnixMilli())
}

// loadNonces reads the uses that a replay could still repeat.
func (b *Bureau) loadNonces(t *tx) error {
	now := b.opts.Now()
	return t.each(`SELECT app, nonce FROM wire WHERE received_at >= ? AND nonce <> ''`,
		[]any{now.Add(-b.nonces.keep).UnixMilli()}, func(rows *sql.Rows) error {
			var key nonceKey
			if err := rows.Scan(&key.app, &key.nonce); err != nil {
				return err
			}
			b.nonces.take(key.app, key.nonce, now)
			return nil
		})
}

func scanExchange(rows *sql.Rows) (exchange, error) {
	var e exchange
	var received, decided, bureau int64
	err := rows.Scan(&e.ID, &e.App, &e.Op, &e.Ref, &e.Seller, &received, &decided, &bureau, &e.Code, &e.HTTPStatus,
		&e.Fault, &e.Done)
	e.ReceivedAt, e.DecidedAt = wireTime(time.UnixMilli(received)), wireTime(time.UnixMilli(decided))
	e.BureauTime = wireTime(time.UnixMilli(bureau))
	return e, err
}
