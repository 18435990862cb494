package coretest

import (
	"errors"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var documentTests = []storeTest{
	{"documents come back as stored", documentRoundTrip},
	{"a part has one live blue", liveBlue},
	{"many writers of one part: one blue", liveBlueRace},
	{"a blue that reds have reversed frees its part", reversedBlue},
	{"serials and numbers are unique", serialsAndNumbers},
	{"a document moves from the state it was read in", documentMoves},
	{"every state can be stored", everyState},
	{"a confirmation moves from the state it was read in", confirmationMoves},
	{"lists select and turn pages", documentLists},
	{"exchanges are answered once", exchanges},
}

func (b *bench) document(sale core.ID, part int, color core.Color) core.DocumentRecord {
	d := core.DocumentRecord{Document: core.Document{ID: b.ids.New(), Sale: sale, Part: part, Color: color, Kind: core.GeneralInvoice,
		State: core.DocReady, Seller: "seller-a", Store: Store, Channel: "bureau", Serial: string(b.ids.New()), Digest: "digest", CreatedAt: T0},
		Net: Yuan("100.00"), Tax: Yuan("13.00"), Gross: Yuan("113.00"), Body: sealed("document of %s", sale)}
	if color == core.Red {
		d.Net, d.Tax, d.Gross = d.Net.Neg(), d.Tax.Neg(), d.Gross.Neg()
		d.State = core.DocDraft
		d.Confirmation = &core.Confirmation{Application: string(b.ids.New()), State: core.ConfNew}
	}
	return d
}

func (b *bench) putDocument(d core.DocumentRecord) {
	b.Helper()
	b.do(func(tx core.Tx) error { return tx.PutDocument(d) })
}

func (b *bench) move(from core.DocumentState, d core.DocumentRecord) {
	b.Helper()
	b.do(func(tx core.Tx) error { return tx.MoveDocument(from, d) })
}

func (b *bench) documentIs(want core.DocumentRecord) {
	b.Helper()
	b.same("document", read(b, func(v core.View) (core.DocumentRecord, error) { return v.Document(want.ID) }), want)
}

func documentRoundTrip(b *bench) {
	blue := b.document("sale", 1, core.Blue)
	blue.Number, blue.IssuedAt, blue.SentAt, blue.NotFoundAt = "26332000000012345678", after(time.Minute), after(time.Second), after(time.Hour)
	blue.Cleared, blue.External, blue.Blind, blue.Code, blue.Note, blue.Kind = true, true, 2, "9999", "繁忙", core.SpecialInvoice
	red := b.document("sale", 1, core.Red)
	red.Original = blue.ID
	red.Confirmation = &core.Confirmation{Application: "application", State: core.ConfWaitsForBuyer, UUID: "uuid", Number: "number",
		ExpiresAt: after(72 * time.Hour), RedNumber: "red number"}
	b.putDocument(blue)
	b.putDocument(red)
	b.putDocument(b.document("other sale", 0, core.Blue))
	b.documentIs(blue)
	got := read(b, func(v core.View) ([]core.DocumentRecord, error) { return v.DocumentsOf("sale") })
	b.same("documents of the sale", got, []core.DocumentRecord{blue, red})
	b.missing("document", func(v core.View) error { _, err := v.Document("none"); return err })
}

func liveBlue(b *bench) {
	first, second := b.document("sale", 0, core.Blue), b.document("sale", 0, core.Blue)
	b.putDocument(first)
	refused := func() {
		b.Helper()
		b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutDocument(second) })
	}
	refused()
	b.putDocument(b.document("sale", 1, core.Blue)) // another part
	b.putDocument(b.document("sale", 0, core.Red))  // reds don't count
	b.putDocument(b.document("sale", 0, core.Red))
	from := first.State
	for _, state := range []core.DocumentState{core.DocSending, core.DocUnsure, core.DocAccepted} {
		first.State = state
		b.move(from, first)
		refused()
		from = state
	}
	first.State = core.DocRefused
	b.move(from, first)
	b.putDocument(second)
	second.State = core.DocDropped
	b.move(core.DocReady, second)
	b.putDocument(b.document("sale", 0, core.Blue))
}

func liveBlueRace(b *bench) {
	const n = 32
	docs := make([]core.DocumentRecord, n)
	for i := range docs {
		docs[i] = b.document("sale", 0, core.Blue)
	}
	won := 0
	for i, err := range b.race(n, func(i int, tx core.Tx) error { return tx.PutDocument(docs[i]) }) {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, core.ErrConflict):
			b.Errorf("writer %d: %v", i, err)
		}
	}
	if won != 1 {
		b.Errorf("%d live blues of one part", won)
	}
}

func reversedBlue(b *bench) {
	blue := b.document("sale", 0, core.Blue)
	b.putDocument(blue)
	blue.State, blue.Number, blue.IssuedAt = core.DocIssued, "blue 1", T0
	b.move(core.DocReady, blue)
	issueRed := func(number, gross string) {
		red := b.document("sale", 0, core.Red)
		red.Original, red.Gross = blue.ID, Yuan(gross)
		b.putDocument(red)
		red.State, red.Number, red.IssuedAt = core.DocIssued, number, T0
		b.move(core.DocDraft, red)
	}
	next := b.document("sale", 0, core.Blue)
	pending := b.document("sale", 0, core.Red) // not issued, so it counts for nothing
	pending.Original, pending.Gross = blue.ID, Yuan("-63.00")
	b.putDocument(pending)
	issueRed("red 1", "-50.00")
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutDocument(next) })
	issueRed("red 2", "-63.00")
	b.putDocument(next)
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutDocument(b.document("sale", 0, core.Blue)) })
}

func serialsAndNumbers(b *bench) {
	first := b.document("sale", 0, core.Blue)
	first.Number = "number"
	b.putDocument(first)
	sameSerial := b.document("sale", 1, core.Blue)
	sameSerial.Serial = first.Serial
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutDocument(sameSerial) })
	sameNumber := b.document("sale", 1, core.Blue)
	sameNumber.Number = "number"
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutDocument(sameNumber) })
	sameNumber.Number = ""
	b.putDocument(sameNumber)
	sameNumber.State, sameNumber.Number = core.DocIssued, "number"
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.MoveDocument(core.DocReady, sameNumber) })
	red := b.document("sale", 1, core.Red)
	red.Number = "number" // some channels number reds by themselves
	b.putDocument(red)
	for part := range 2 { // several documents without a serial or number
		d := b.document("sale", 2+part, core.Blue)
		d.Serial = ""
		b.putDocument(d)
	}
	application := b.document("sale", 1, core.Red)
	application.Confirmation.Application = red.Confirmation.Application
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.PutDocument(application) })
}

func documentMoves(b *bench) {
	d := b.document("sale", 0, core.Blue)
	b.putDocument(d)
	sending := d
	sending.State, sending.SentAt, sending.Body = core.DocSending, after(time.Second), sealed("again")
	b.move(core.DocReady, sending)
	b.documentIs(sending)
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.MoveDocument(core.DocReady, d) })
	b.documentIs(sending)
	unsure := sending
	unsure.State, unsure.Blind, unsure.NotFoundAt, unsure.Code, unsure.Note = core.DocUnsure, 1, after(time.Minute), "code", "note"
	b.move(core.DocSending, unsure)
	b.documentIs(unsure)
	unsure.Blind, unsure.Serial = 2, "ANOTHER"
	b.move(core.DocUnsure, unsure)
	unsure.Serial = d.Serial // once drawn it stays
	b.documentIs(unsure)
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.MoveDocument(core.DocReady, b.document("sale", 0, core.Blue)) })

	late := b.document("sale", 0, core.Red)
	late.Serial = ""
	b.putDocument(late)
	late.State, late.Serial = core.DocReady, "DRAWN0000000000000LATE"
	b.move(core.DocDraft, late)
	b.documentIs(late)
}

func everyState(b *bench) {
	for i, state := range core.DocumentStates() {
		d := b.document("sale", i, core.Blue)
		d.State = state
		b.putDocument(d)
		b.documentIs(d)
	}
	for _, state := range core.ConfirmationStates() {
		d := b.document("sale", 0, core.Red)
		d.Confirmation.State = state
		b.putDocument(d)
		b.documentIs(d)
	}
}

func confirmationMoves(b *bench) {
	red := b.document("sale", 0, core.Red)
	b.putDocument(red)
	next := core.Confirmation{Application: red.Confirmation.Application, State: core.ConfConfirmed, UUID: "uuid", Number: "number",
		ExpiresAt: after(time.Hour), RedNumber: "red"}
	b.do(func(tx core.Tx) error { return tx.MoveConfirmation(red.ID, core.ConfNew, next) })
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.MoveConfirmation(red.ID, core.ConfNew, next) })
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.MoveConfirmation("none", core.ConfNew, next) })
	red.Confirmation = &next
	b.documentIs(red)
	stale := red
	stale.State, stale.Confirmation = core.DocReady, &core.Confirmation{State: core.ConfNew}
	b.move(core.DocDraft, stale)
	red.State = core.DocReady
	b.documentIs(red) // a document's move leaves its confirmation alone
}

func documentLists(b *bench) {
	var ids []core.ID
	for i := range 21 {
		d := b.document(core.ID(numbered("sale", i)), 0, core.Blue)
		if i%2 == 1 {
			d = b.document(core.ID(numbered("sale", i)), 0, core.Red)
		}
		if i%3 == 0 {
			d.State, d.Number, d.IssuedAt = core.DocIssued, numbered("number", i), after(time.Duration(i)*time.Hour)
		}
		if i%4 == 0 {
			d.Store, d.Seller = "S002", "seller-b"
		}
		ids = append(ids, d.ID)
		b.putDocument(d)
	}
	list := func(f core.DocumentFilter) []core.ID {
		return pages(b, 4, func(v core.View, after core.ID, limit int) ([]core.DocumentRecord, error) {
			f.After, f.Limit = after, limit
			return v.Documents(f)
		}, func(d core.DocumentRecord) core.ID { return d.ID })
	}
	selected := func(keep func(i int) bool) []core.ID {
		var out []core.ID
		for i, id := range ids {
			if keep(i) {
				out = append(out, id)
			}
		}
		return newestFirst(out)
	}
	b.same("all", list(core.DocumentFilter{}), newestFirst(ids))
	b.same("by colour", list(core.DocumentFilter{Color: core.Red}), selected(func(i int) bool { return i%2 == 1 }))
	b.same("by state", list(core.DocumentFilter{State: core.DocIssued}), selected(func(i int) bool { return i%3 == 0 }))
	b.same("by store", list(core.DocumentFilter{Store: "S002"}), selected(func(i int) bool { return i%4 == 0 }))
	b.same("by seller", list(core.DocumentFilter{Seller: "seller-a"}), selected(func(i int) bool { return i%4 != 0 }))
	b.same("by number", list(core.DocumentFilter{Number: "number-006"}), []core.ID{ids[6]})
	b.same("by issue time", list(core.DocumentFilter{IssuedFrom: after(3 * time.Hour), IssuedTo: after(9 * time.Hour)}), []core.ID{ids[6], ids[3]})
	b.same("issued before", list(core.DocumentFilter{IssuedTo: after(time.Hour)}), []core.ID{ids[0]})
}

func exchanges(b *bench) {
	x := core.ExchangeRecord{ID: b.ids.New(), Document: "document", Seller: "seller-a", Channel: "bureau", Operation: core.OpIssue, Serial: "SERIAL",
		SentAt: T0, Request: sealed("request")}
	question := core.ExchangeRecord{ID: b.ids.New(), Document: "document", Operation: core.OpQuery, SentAt: T0, AnsweredAt: after(time.Second),
		Outcome: core.OutcomeNotFound, Code: "404", Request: sealed("question"), Response: sealed("answer")}
	b.do(func(tx core.Tx) error {
		if err := tx.PutExchange(x); err != nil {
			return err
		}
		return tx.PutExchange(question)
	})
	list := func() []core.ExchangeRecord {
		return read(b, func(v core.View) ([]core.ExchangeRecord, error) { return v.Exchanges("document") })
	}
	b.same("before the answer", list(), []core.ExchangeRecord{x, question})
	x.AnsweredAt, x.Outcome, x.Code, x.Response = after(time.Minute), core.OutcomeIssued, "0", sealed("response")
	answered := x
	answered.Request, answered.Serial = sealed("forged"), "FORGED" // what was sent stays what it was
	b.do(func(tx core.Tx) error { return tx.AnswerExchange(answered) })
	b.same("after the answer", list(), []core.ExchangeRecord{x, question})
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.AnswerExchange(answered) })
}
