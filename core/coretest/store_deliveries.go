package coretest

import (
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var deliveryTests = []storeTest{
	{"files replace themselves by format", files},
	{"the first pick-up code stays", pickUps},
	{"a recipient has one parcel of a document and instance", parcels},
}

func files(b *bench) {
	pdf := core.FileRecord{Document: "document", Format: core.PDF, Name: "a.pdf", SHA256: "digest", Size: 4, Content: sealed("pdf")}
	ofd := core.FileRecord{Document: "document", Format: core.OFD, Name: "a.ofd", SHA256: "digest", Size: 4, Content: sealed("ofd")}
	newer := pdf
	newer.SHA256, newer.Content = "newer", sealed("newer")
	b.do(func(tx core.Tx) error {
		for _, f := range []core.FileRecord{pdf, ofd, newer} {
			if err := tx.PutFile(f); err != nil {
				return err
			}
		}
		return nil
	})
	b.same("files", read(b, func(v core.View) ([]core.FileRecord, error) { return v.FilesOf("document") }), []core.FileRecord{ofd, newer})
}

func pickUps(b *bench) {
	p := core.PickUpRecord{Document: "document", Hash: "hash", Code: sealed("code"), MadeAt: T0}
	later := p
	later.Hash, later.MadeAt = "later", after(time.Hour)
	b.do(func(tx core.Tx) error {
		if err := tx.PutPickUp(p); err != nil {
			return err
		}
		return tx.PutPickUp(later)
	})
	b.same("by document", read(b, func(v core.View) (core.PickUpRecord, error) { return v.PickUpOf("document") }), p)
	b.same("by hash", read(b, func(v core.View) (core.PickUpRecord, error) { return v.PickUpByHash("hash") }), p)
	b.missing("code", func(v core.View) error { _, err := v.PickUpByHash("later"); return err })
	b.missing("code", func(v core.View) error { _, err := v.PickUpOf("none"); return err })
}

func parcels(b *bench) {
	p := core.ParcelRecord{ID: b.ids.New(), Document: "document", Sale: "sale", Instance: "mail", Store: Store, Seller: "seller-a", Index: "person",
		Recipient: sealed("recipient"), State: core.ParcelPending, Rank: 1}
	put := func(p core.ParcelRecord, want bool) {
		b.Helper()
		b.do(func(tx core.Tx) error {
			fresh, err := tx.PutParcel(p)
			b.same("whether it was inserted", fresh, want)
			return err
		})
	}
	put(p, true)
	twin := p
	twin.ID = b.ids.New()
	put(twin, false)
	first := p
	first.ID, first.Instance, first.Rank = b.ids.New(), "sms", 0
	put(first, true)
	other := p
	other.ID, other.Index, other.Rank = b.ids.New(), "another person", 2
	put(other, true)

	p.State, p.Attempt, p.ProviderRef, p.Reason, p.SentAt = core.ParcelSending, 1, "ref", "reason", after(time.Minute)
	b.do(func(tx core.Tx) error { return tx.MoveParcel(core.ParcelPending, p) })
	b.fails(core.ErrConflict, func(tx core.Tx) error { return tx.MoveParcel(core.ParcelPending, p) })
	b.same("parcel", read(b, func(v core.View) (core.ParcelRecord, error) { return v.Parcel(p.ID) }), p)
	list := read(b, func(v core.View) ([]core.ParcelRecord, error) { return v.ParcelsOf("document") })
	b.same("parcels by rank", list, []core.ParcelRecord{first, p, other})
	b.missing("parcel", func(v core.View) error { _, err := v.Parcel(twin.ID); return err })
}
