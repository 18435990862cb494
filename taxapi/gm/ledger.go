package gm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// listPage is the most rows that a page may have.
const listPage = 500

type listed struct {
	Serial     string `json:"serial"`
	Number     string `json:"number"`
	Color      string `json:"color"`
	BlueNumber string `json:"blue_number"`
	IssuedAt   string `json:"issued_at"`
	Net        string `json:"net"`
	Tax        string `json:"tax"`
	Gross      string `json:"gross"`
}

// List lists a page of what the bureau has issued in [from, to). Errors are of type *Error, or say that nothing was
// sent.
func (c *Client) List(ctx context.Context, seller core.Seller, from, to time.Time, cursor string) (
	rows []core.Listed, next string, more bool, err error) {
	r, err := c.ask(ctx, core.OpList, "", struct {
		TaxNo  string `json:"tax_no"`
		From   string `json:"from"`
		To     string `json:"to"`
		Cursor string `json:"cursor"`
	}{seller.TaxNo.Clear(), from.In(beijing).Format(time.RFC3339Nano), to.In(beijing).Format(time.RFC3339Nano), cursor})
	if err == nil {
		err = r.failure()
	}
	if err != nil {
		return nil, "", false, err
	}
	var result struct {
		Invoices []listed `json:"invoices"`
		Cursor   string   `json:"cursor"`
		More     bool     `json:"more"`
	}
	if err := r.decode(&result); err != nil {
		return nil, "", false, r.malformed(err)
	}
	switch {
	case len(result.Invoices) > listPage:
		return nil, "", false, r.malformed(fmt.Errorf("a page of %d rows, at most %d are allowed", len(result.Invoices), listPage))
	case result.More && (result.Cursor == cursor || len(result.Invoices) == 0):
		return nil, "", false, r.malformed(errors.New("more pages are promised, but the cursor does not move"))
	}
	for i, l := range result.Invoices {
		row, err := l.row()
		if err != nil {
			return nil, "", false, r.malformed(fmt.Errorf("row %d: %w", i+1, err))
		}
		rows = append(rows, row)
	}
	return rows, result.Cursor, result.More, nil
}

// row reads one row. The serial is empty when the invoice was made elsewhere.
func (l listed) row() (core.Listed, error) {
	var f fields
	row := core.Listed{Serial: tidy(l.Serial), Number: f.shape("number", l.Number, numberShape), Color: core.Color(l.Color),
		IssuedAt: f.moment("issued_at", l.IssuedAt), Net: f.yuan("net", l.Net), Tax: f.yuan("tax", l.Tax),
		Gross: f.yuan("gross", l.Gross)}
	switch row.Color {
	case core.Blue:
	case core.Red:
		row.BlueNumber = f.shape("blue_number", l.BlueNumber, numberShape)
	default:
		f.fail("color", "is unknown")
	}
	return row, f.err
}
