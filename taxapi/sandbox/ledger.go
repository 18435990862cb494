package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// ledgerInvoice is an invoice as the control API shows it: everything, whatever grace or duplicate detection hide.
type ledgerInvoice struct {
	*invoice
	State state `json:"state"`
}

// serveLedger streams all invoices and confirmations, oldest first. ?seller= narrows both; ?after= and ?limit= page
// the invoices by id.
func (b *Bureau) serveLedger(w http.ResponseWriter, r *http.Request) {
	now := b.now()
	taxNo := r.FormValue("seller")
	after, limit, err := pageOf(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := &jsonList{w: w}
	out.open(`{"bureau_time":"` + wireTime(now) + `","invoices":[`)
	b.stream(r.Context(), out, func(rows *sql.Rows) (any, error) {
		var doc, content string
		if err := rows.Scan(&doc, &content); err != nil {
			return nil, err
		}
		i, err := readInvoice(doc, content)
		if err != nil {
			return nil, err
		}
		return ledgerInvoice{i, i.state(now)}, nil
	}, selectInvoice+`WHERE id > ?1 AND (?2 = '' OR seller = ?2) ORDER BY id LIMIT ?3`, after, taxNo, limit)
	out.open(`],"confirmations":[`)
	b.stream(r.Context(), out, func(rows *sql.Rows) (any, error) {
		return scanConfirmation(rows, now)
	}, selectConfirmation+`WHERE ?1 = '' OR json_extract(doc, '$.seller_tax_no') = ?1 ORDER BY id`, taxNo)
	out.close(b, `]}`)
}

// serveWire streams the wire log, oldest first. ?op= and ?ref= narrow it; ?after= and ?limit= page by id.
func (b *Bureau) serveWire(w http.ResponseWriter, r *http.Request) {
	after, limit, err := pageOf(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := &jsonList{w: w}
	out.open(`{"exchanges":[`)
	b.stream(r.Context(), out, func(rows *sql.Rows) (any, error) { return scanExchange(rows) },
		`SELECT id, app, op, ref, seller, received_at, decided_at, bureau_time, code, http_status, fault, done FROM wire
		WHERE id > ?1 AND (?2 = '' OR op = ?2) AND (?3 = '' OR ref = ?3) ORDER BY id LIMIT ?4`,
		after, r.FormValue("op"), r.FormValue("ref"), limit)
	out.close(b, `]}`)
}

func pageOf(r *http.Request) (after, limit int64, err error) {
	limit = -1
	for name, field := range map[string]*int64{"after": &after, "limit": &limit} {
		if text := r.FormValue(name); text != "" {
			if *field, err = strconv.ParseInt(text, 10, 64); err != nil || *field < 0 {
				return 0, 0, fmt.Errorf("%s must be a whole number, not %q", name, text)
			}
		}
	}
	return after, limit, nil
}

// stream reads beside the writer, so that a long ledger stops nobody from issuing.
func (b *Bureau) stream(ctx context.Context, out *jsonList, scan func(*sql.Rows) (any, error), query string, args ...any) {
	if out.err != nil {
		return
	}
	rows, err := b.store.readers.QueryContext(ctx, query, args...)
	if err == nil {
		err = scanAll(rows, func(rows *sql.Rows) error {
			v, err := scan(rows)
			if err != nil {
				return err
			}
			return out.add(v)
		})
	}
	out.err = err
}

// jsonList writes lists entry by entry. After an error it ends the connection: half a ledger must not look whole.
type jsonList struct {
	w    http.ResponseWriter
	more bool
	err  error
}

func (l *jsonList) open(text string) {
	l.more = false
	if l.err == nil {
		_, l.err = io.WriteString(l.w, text)
	}
}

func (l *jsonList) add(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if l.more {
		text = append([]byte(",\n"), text...)
	}
	l.more = true
	_, err = l.w.Write(text)
	return err
}

func (l *jsonList) close(b *Bureau, text string) {
	l.open(text)
	if l.err != nil {
		b.log.Error("sandbox: a list broke off", "error", l.err)
		panic(http.ErrAbortHandler)
	}
}
