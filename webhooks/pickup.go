package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// indexPickUp is the kind under which pick-up codes are hashed.
const indexPickUp = "pickup"

// viewTime bounds one look at the store.
const viewTime = 5 * time.Second

// attempt is what a buyer typed.
type attempt struct {
	hash   string
	amount core.Yuan
	sound  bool
}

// attempt reads code and amount. What can't be read is looked up all the same, and never fits.
func (b *Buyer) attempt(code, amount string) attempt {
	normal, ok := core.NormalPickUpCode(code)
	yuan, err := core.ParseYuan(plainAmount(amount))
	return attempt{b.Vault.Index(indexPickUp, normal), yuan, ok && err == nil}
}

// plainAmount undoes how people write an amount: ￥1,130.00, full-width digits, 元.
func plainAmount(s string) string {
	var out strings.Builder
	for _, r := range strings.TrimSuffix(strings.TrimSpace(s), "元") {
		switch {
		case r >= '０' && r <= '９':
			r = r - '０' + '0'
		case r == '．' || r == '。':
			r = '.'
		case r == '¥' || r == '￥' || r == ',' || r == '，' || r == ' ':
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// shownInvoice is what a buyer sees.
type shownInvoice struct {
	Number string
	Date   string
	Seller string
	Title  string // masked
	Amount string
	Red    bool
	// Left is what partial red invoices left of the amount, empty without any.
	Left string
	// Reversed says that red invoices took all of it; there are no files then.
	Reversed bool
	Files    []shownFile
}

type shownFile struct{ Name, Address string }

// beijing is the zone of dates on invoices.
var beijing = time.FixedZone("UTC+8", 8*3600)

// look finds the invoice that fits an attempt, nil if there is none. An attempt that does not fit makes the same two
// reads whatever is wrong with it.
func (b *Buyer) look(a attempt) (*shownInvoice, error) {
	ctx, cancel := context.WithTimeout(b.edge.ctx, viewTime)
	defer cancel()
	var p core.PickUpRecord
	var d core.DocumentRecord
	var all []core.DocumentRecord
	var files []core.FileRecord
	fits := a.sound
	err := b.Store.View(ctx, func(v core.View) error {
		var foundCode, foundDocument bool
		var err error
		if p, foundCode, err = found(v.PickUpByHash(a.hash)); err != nil {
			return err
		}
		if d, foundDocument, err = found(v.Document(p.Document)); err != nil {
			return err
		}
		expired := !b.Clock.Now().Before(p.MadeAt.Add(b.PickUpLife))
		fits = a.sound && foundCode && foundDocument && !expired && d.State == core.DocIssued && d.Gross.Abs().Equal(a.amount)
		if !fits {
			return nil
		}
		if all, err = v.DocumentsOf(d.Sale); err != nil {
			return err
		}
		files, err = v.FilesOf(d.ID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look up a pick-up code: %w", err)
	}
	if !fits {
		return nil, nil
	}
	return b.show(d, all, files)
}

// found tells "no such row" from a failure to read.
func found[T any](row T, err error) (T, bool, error) {
	if errors.Is(err, core.ErrNotFound) {
		return row, false, nil
	}
	return row, err == nil, err
}

func (b *Buyer) show(d core.DocumentRecord, all []core.DocumentRecord, files []core.FileRecord) (*shownInvoice, error) {
	plain, err := b.Vault.Open(core.Place{Table: "document", Row: string(d.ID), Column: "body"}, d.Body)
	if err != nil {
		return nil, fmt.Errorf("open document %s: %w", d.ID, err)
	}
	var body struct {
		Content core.Draft `json:"content"`
	}
	if err := json.Unmarshal(plain, &body); err != nil {
		return nil, fmt.Errorf("read document %s: %w", d.ID, err)
	}
	inv := body.Content.Invoice()
	out := &shownInvoice{Number: d.Number, Date: d.IssuedAt.In(beijing).Format(time.DateOnly), Seller: inv.Seller.Name,
		Title: maskTitle(inv.Buyer.Title), Amount: d.Gross.String(), Red: d.Color == core.Red}
	left := remaining(d, all)
	if out.Reversed = reversed(d, left); out.Reversed {
		return out, nil
	}
	if !left.Equal(d.Gross) {
		out.Left = left.String()
	}
	for _, f := range files {
		out.Files = append(out.Files, shownFile{strings.ToUpper(string(f.Format)), b.link(d.ID, f.Format)})
	}
	return out, nil
}

// remaining is what the issued red invoices of a blue one left of it.
func remaining(d core.DocumentRecord, all []core.DocumentRecord) core.Yuan {
	left := d.Gross
	for _, r := range all {
		if r.Original == d.ID && r.Color == core.Red && r.State == core.DocIssued {
			left = left.Add(r.Gross)
		}
	}
	return left
}

func reversed(d core.DocumentRecord, left core.Yuan) bool {
	return d.Color == core.Blue && left.Sign() <= 0
}

// maskTitle shows enough of a title for its owner to know it.
func maskTitle(title string) string {
	r := []rune(title)
	switch {
	case title == core.DefaultTitle || len(r) == 0:
		return title
	case len(r) < 5:
		return string(r[:1]) + strings.Repeat("*", len(r)-1)
	}
	return string(r[:2]) + "****" + string(r[len(r)-2:])
}
