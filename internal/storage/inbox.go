package storage

import (
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

const eventColumns = `SELECT id, request, instance, seller, key, hash, kind, sale_name, at, state, body FROM event`

func scanEvent(s scanner) (e core.EventRecord, err error) {
	return e, s.Scan(&e.ID, &e.Request, &e.Instance, &e.Seller, &e.Key, &e.Hash, &e.Kind, &e.SaleName, timeColumn(&e.At), &e.State,
		blobColumn(&e.Body))
}

// PutEvent stores an event. The first event under a remembered key is the one that EventByKey finds; noting it in the
// dedupe row costs less than an index of its own over the same keys.
func (t transaction) PutEvent(e core.EventRecord) error {
	err := t.do("store event", `INSERT INTO event (id, request, instance, seller, key, hash, kind, sale_name, at, state, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID, e.Request, e.Instance, e.Seller, e.Key, e.Hash, e.Kind, e.SaleName, micros(e.At), e.State, blob(e.Body))
	if err != nil {
		return err
	}
	return t.do("note event", `UPDATE dedupe SET event = ? WHERE kind = ? AND instance = ? AND key = ? AND event = ''`,
		e.ID, core.DedupeEvent, e.Instance, storedKey(e.Key))
}

// MarkEvents says what became of events.
func (t transaction) MarkEvents(state core.EventState, ids ...core.ID) error {
	for _, id := range ids {
		if err := t.do("mark event", `UPDATE event SET state = ? WHERE id = ?`, state, id); err != nil {
			return err
		}
	}
	return nil
}

// Event reads an event.
func (v view) Event(id core.ID) (core.EventRecord, error) {
	return one(v, fmt.Sprintf("event %s", id), scanEvent, eventColumns+` WHERE id = ?`, id)
}

// EventByKey reads the first event that came under a key.
func (v view) EventByKey(instance core.InstanceID, key string) (core.EventRecord, error) {
	return one(v, "event by key", scanEvent, eventColumns+` WHERE id = (SELECT event FROM dedupe WHERE kind = ? AND instance = ? AND key = ?)`,
		core.DedupeEvent, instance, storedKey(key))
}

// NewEvents lists the events of a sale that are not applied yet, oldest first.
func (v view) NewEvents(instance core.InstanceID, saleName string) ([]core.EventRecord, error) {
	return many(v, "new events", scanEvent, eventColumns+` WHERE instance = ? AND sale_name = ? AND state = ? ORDER BY at, id`,
		instance, saleName, core.EventNew)
}

// EventsOf lists all events of a sale, oldest first.
func (v view) EventsOf(instance core.InstanceID, saleName string) ([]core.EventRecord, error) {
	return many(v, "events", scanEvent, eventColumns+` WHERE instance = ? AND sale_name = ? ORDER BY at, id`, instance, saleName)
}

// Cursor is where an instance's next pull begins, nil before the first.
func (v view) Cursor(instance core.InstanceID) ([]byte, error) {
	found, err := many(v, "cursor", func(s scanner) (b []byte, err error) { return b, s.Scan(blobColumn(&b)) },
		`SELECT position FROM feed WHERE instance = ?`, instance)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// SetCursor acknowledges everything before a cursor.
func (t transaction) SetCursor(instance core.InstanceID, cursor []byte) error {
	return t.do("set cursor", `INSERT INTO feed (instance, position) VALUES (?, ?)
		ON CONFLICT (instance) DO UPDATE SET position = excluded.position`, instance, blob(cursor))
}

// PutDayClose stores a revision of a day close.
func (t transaction) PutDayClose(instance core.InstanceID, d core.DayClose) error {
	body, err := jsonText("day close", d)
	if err != nil {
		return err
	}
	return t.do("store day close", `INSERT INTO day_close (store, day, revision, instance, terminal, number, body)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (store, day, revision, instance, terminal, number) DO UPDATE SET body = excluded.body`,
		d.Store, d.BusinessDay, d.Revision, instance, d.Terminal, d.Number, body)
}

// DayCloses lists the day closes of a store and business day, newest revision first.
func (v view) DayCloses(store core.StoreCode, day string) ([]core.DayClose, error) {
	return many(v, "day closes", func(s scanner) (d core.DayClose, err error) { return d, s.Scan(jsonColumn(&d)) },
		`SELECT body FROM day_close WHERE store = ? AND day = ? ORDER BY revision DESC, instance, terminal, number`, store, day)
}
