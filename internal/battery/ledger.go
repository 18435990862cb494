package battery

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// fen reads an amount in yuan with two decimals, as both ledgers write it.
type fen int64

var amount = regexp.MustCompile(`^-?\d{1,12}\.\d\d$`)

func (f *fen) UnmarshalJSON(b []byte) error {
	s, err := strconv.Unquote(string(b))
	if err != nil || !amount.MatchString(s) {
		return fmt.Errorf("amount %s is not a text with two decimals", b)
	}
	n, err := strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64)
	*f = fen(n)
	return err
}

// orderRow is a row of `kaipiao orders list --json`.
type orderRow struct {
	ID       string `json:"id"`
	Order    string `json:"order"`
	Class    string `json:"class"`
	Total    fen    `json:"total"`
	Problems []struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	} `json:"problems"`
}

// invoiceRow is a row of `kaipiao invoices list --json`.
type invoiceRow struct {
	ID     string `json:"id"`
	Sale   string `json:"sale"`
	State  string `json:"state"`
	Serial string `json:"serial"`
	Number string `json:"number"`
	Net    fen    `json:"net"`
	Tax    fen    `json:"tax"`
	Gross  fen    `json:"gross"`
	// Parcels are its deliveries.
	Parcels []struct {
		ID     string `json:"id"`
		State  string `json:"state"`
		Reason string `json:"reason"`
	} `json:"parcels"`
}

// pages reads a list of the command line to its end, newest first, or until stop says so.
func pages[T any](ctx context.Context, h *House, config string, id func(T) string, stop func(T) bool, args ...string) (all []T, err error) {
	const limit = 1000
	after := ""
	for {
		more := append(append([]string{}, args...), "--json", "--limit", strconv.Itoa(limit))
		if after != "" {
			more = append(more, "--after", after)
		}
		out, err := h.cliWith(ctx, config, more...)
		if err != nil {
			return nil, err
		}
		var page []T
		if err := json.Unmarshal(out, &page); err != nil {
			return nil, fmt.Errorf("kaipiao %s: %w", strings.Join(args, " "), err)
		}
		for _, row := range page {
			if stop(row) {
				return all, nil
			}
			all = append(all, row)
		}
		if len(page) < limit {
			return all, nil
		}
		after = id(page[len(page)-1])
	}
}

// books is what the host shows of its books.
type books struct {
	orders map[string]orderRow // by order number
	// issued are the issued invoices; open are documents that should not be there once everything is quiet, by their state.
	issued []Invoice
	open   []invoiceRow
	rows   []invoiceRow // of the issued ones
}

// Books reads the host's books, back to (and without) the sale with the id since; all if since is empty.
func (h *House) Books(ctx context.Context, config, since string) (books, error) {
	b := books{orders: map[string]orderRow{}}
	orders, err := pages(ctx, h, config, func(r orderRow) string { return r.ID }, func(r orderRow) bool { return r.ID <= since }, "orders", "list")
	if err != nil {
		return b, err
	}
	names := map[string]string{}
	for _, r := range orders {
		b.orders[r.Order], names[r.ID] = r, r.Order
	}
	rows, err := pages(ctx, h, config, func(r invoiceRow) string { return r.ID }, func(r invoiceRow) bool { return r.ID <= since }, "invoices", "list")
	if err != nil {
		return b, err
	}
	for _, r := range rows {
		name, ours := names[r.Sale]
		switch {
		case !ours:
		case r.State == "issued":
			b.rows = append(b.rows, r)
			b.issued = append(b.issued, Invoice{Order: name, Serial: r.Serial, Number: r.Number, Net: int64(r.Net), Tax: int64(r.Tax), Gross: int64(r.Gross)})
		case r.State != "dropped" && r.State != "refused":
			b.open = append(b.open, r)
		}
	}
	return b, nil
}

// bureauInvoice is an invoice of the sandbox's ledger.
type bureauInvoice struct {
	ID         int64  `json:"id"`
	Serial     string `json:"serial"`
	Number     string `json:"number"`
	BlueNumber string `json:"blue_number"`
	State      string `json:"state"`
	Remark     string `json:"remark"`
	Net        fen    `json:"net"`
	Tax        fen    `json:"tax"`
	Gross      fen    `json:"gross"`
	Lines      []struct {
		No     int    `json:"no"`
		BlueNo int    `json:"blue_no"`
		Name   string `json:"name"`
		Nature string `json:"nature"`
		Net    fen    `json:"net"`
		Tax    fen    `json:"tax"`
		Gross  fen    `json:"gross"`
	} `json:"lines"`
}

// remarkPrefix comes before the order's number in an invoice's remark.
const remarkPrefix = "订单号:"

// Ledger reads the bureau's ledger of issued invoices. A red belongs to the order of its blue.
func (h *House) Ledger(ctx context.Context) ([]Invoice, error) {
	var l struct {
		Invoices []bureauInvoice `json:"invoices"`
	}
	if err := h.get(ctx, h.bureau+"/sandbox/ledger", &l); err != nil {
		return nil, err
	}
	orders := map[string]string{}
	var out []Invoice
	for _, i := range l.Invoices {
		if i.State != "issued" {
			continue
		}
		order := strings.TrimPrefix(i.Remark, remarkPrefix)
		if i.BlueNumber != "" {
			order = orders[i.BlueNumber]
		}
		orders[i.Number] = order
		inv := Invoice{Order: order, Serial: i.Serial, Number: i.Number, Blue: i.BlueNumber, Net: int64(i.Net), Tax: int64(i.Tax), Gross: int64(i.Gross)}
		for _, l := range i.Lines {
			inv.Lines = append(inv.Lines, InvoiceLine{No: l.No, BlueNo: l.BlueNo, Name: l.Name, Discount: l.Nature == "01",
				Net: int64(l.Net), Tax: int64(l.Tax), Gross: int64(l.Gross)})
		}
		out = append(out, inv)
	}
	return out, nil
}

// Wire reads the bureau's wire log behind an exchange.
func (h *House) Wire(ctx context.Context, after int64) ([]Exchange, error) {
	var l struct {
		Exchanges []Exchange `json:"exchanges"`
	}
	err := h.get(ctx, h.bureau+"/sandbox/wire?after="+strconv.FormatInt(after, 10), &l)
	return l.Exchanges, err
}

// Report is what `kaipiao reconcile --json` says.
type Report struct {
	Classes []struct {
		Class    string `json:"class"`
		Sales    int    `json:"sales"`
		Paid     fen    `json:"paid"`
		Refunded fen    `json:"refunded"`
		Invoiced fen    `json:"invoiced"`
		Reversed fen    `json:"reversed"`
	} `json:"classes"`
	Differences []struct {
		Order   string `json:"order"`
		Row     string `json:"row"`
		Detail  string `json:"detail"`
		Unknown bool   `json:"unknown"`
	} `json:"differences"`
	Ledger int `json:"ledger"`
}

// Reconcile lets the host compare its books, without writing what it finds.
func (h *House) Reconcile(ctx context.Context, config string) (Report, error) {
	var r Report
	out, err := h.cliWith(ctx, config, "reconcile", "--json", "--dry-run")
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("kaipiao reconcile: %w", err)
	}
	return r, nil
}
