package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestControlIsStrict(t *testing.T) {
	b := newBench(t)
	for _, tt := range []struct {
		path string
		body any
		want int
	}{
		{"/sandbox/settings", map[string]any{"latencyy": "1s"}, http.StatusBadRequest},
		{"/sandbox/settings", map[string]any{"latency": 5}, http.StatusBadRequest},
		{"/sandbox/settings", map[string]any{"latency": "-1s"}, http.StatusBadRequest},
		{"/sandbox/settings", map[string]any{"offset": "1h"}, http.StatusBadRequest},
		{"/sandbox/settings", map[string]any{"line_tolerance": "0.01"}, http.StatusOK},
		{"/sandbox/clock", map[string]any{"advance": "-1s"}, http.StatusBadRequest},
		{"/sandbox/clock", map[string]any{"to": "2020-01-01T00:00:00Z"}, http.StatusBadRequest},
		{"/sandbox/apps", map[string]any{"app_id": "a b", "key": testKey, "secret": "s"}, http.StatusBadRequest},
		{"/sandbox/apps", map[string]any{"app_id": "a", "key": "00", "secret": "s"}, http.StatusBadRequest},
		{"/sandbox/apps", map[string]any{"app_id": "a", "key": testKey, "secret": "s", "window": "-1s"}, http.StatusBadRequest},
		{"/sandbox/sellers", map[string]any{"tax_no": "x"}, http.StatusBadRequest},
		{"/sandbox/sellers", map[string]any{"tax_no": sellerNo, "type": "large"}, http.StatusBadRequest},
		{"/sandbox/sellers", map[string]any{"tax_no": sellerNo, "quota": "-1.00"}, http.StatusBadRequest},
		{"/sandbox/sellers", map[string]any{"tax_no": sellerNo, "quota": 5}, http.StatusBadRequest},
		{"/sandbox/buyers", []any{map[string]any{"tax_no": companyNo}, map[string]any{"tax_no": "x"}}, http.StatusBadRequest},
		{"/sandbox/codes", map[string]any{"code": "1"}, http.StatusBadRequest},
		{"/sandbox/invoices", map[string]any{"seller": map[string]any{"tax_no": "x"}}, http.StatusBadRequest},
		{"/sandbox/invoices", map[string]any{"seller": map[string]any{"tax_no": sellerNo}}, http.StatusUnprocessableEntity},
		{"/sandbox/confirmations/x", map[string]any{"act": "dance"}, http.StatusBadRequest},
		{"/sandbox/confirmations/x", map[string]any{"act": "agree"}, http.StatusUnprocessableEntity},
		{"/sandbox/confirmations", map[string]any{"blue_number": "x", "reason": "01"}, http.StatusUnprocessableEntity},
	} {
		if status, text := b.tryControl("POST", tt.path, tt.body); status != tt.want {
			t.Errorf("%s %v: status %d, want %d: %s", tt.path, tt.body, status, tt.want, text)
		}
	}
	if b.bureau.registry.buyer(companyNo) != nil {
		t.Error("half of a refused list was registered")
	}
	if status, _ := b.tryControl("GET", "/sandbox/ledger?limit=x", nil); status != http.StatusBadRequest {
		t.Errorf("limit=x: status %d", status)
	}
}

func TestClockAndHealth(t *testing.T) {
	b := newBench(t)
	var c clockResult
	b.control("POST", "/sandbox/clock", map[string]any{"to": "2026-12-01T00:00:00+08:00"}, &c)
	if c.BureauTime != "2026-12-01T00:00:00.000+08:00" || c.RealTime != "2026-11-25T09:00:00.000+08:00" {
		t.Errorf("clock: %+v", c)
	}
	b.issue(b.sale("1.00"))
	var h struct {
		Status   string
		Invoices int
	}
	b.control("GET", "/sandbox/health", nil, &h)
	if h.Status != "ok" || h.Invoices != 1 {
		t.Errorf("health: %+v", h)
	}
}

func TestInvoiceByHandIsListed(t *testing.T) {
	b := newBench(t)
	r := b.sale("100.00")
	var made testInvoice
	b.control("POST", "/sandbox/invoices", map[string]any{"seller": r.Seller, "buyer": r.Buyer, "kind": r.Kind,
		"lines": r.Lines, "net": r.Net, "tax": r.Tax, "gross": r.Gross, "drawer": "柜台"}, &made)
	if made.App != "" || made.State != stateIssued {
		t.Errorf("made: %+v", made)
	}
	var l listResult
	b.call("list", listRequest{TaxNo: sellerNo, From: "2026-11-25T00:00:00+08:00", To: "2026-11-26T00:00:00+08:00"}, codeDone, &l)
	if len(l.Invoices) != 1 || l.Invoices[0].Number != made.Number || l.Invoices[0].Serial != "" {
		t.Errorf("list: %+v", l)
	}
	b.red(made.Number, reasonWrong)
}

func TestLedgerAndWirePages(t *testing.T) {
	b := newBench(t)
	for range 3 {
		b.issue(b.sale("1.00"))
	}
	var page testLedger
	b.control("GET", "/sandbox/ledger?after=1&limit=1&seller="+sellerNo, nil, &page)
	if len(page.Invoices) != 1 || page.Invoices[0].ID != 2 || len(page.Invoices[0].Lines) != 1 {
		t.Errorf("page: %+v", page)
	}
	b.control("GET", "/sandbox/ledger?seller="+smallNo, nil, &page)
	if len(page.Invoices) != 0 {
		t.Errorf("another seller's ledger: %+v", page)
	}
	b.call("query", queryRequest{Serial: "S0000000000000000002"}, codeDone, nil)
	wire := b.wire("?ref=S0000000000000000002")
	if len(wire) != 2 || wire[0].Op != "issue" || wire[1].Op != "query" || wire[0].Seller != sellerNo || wire[0].Code != codeDone ||
		wire[0].ReceivedAt != "2026-11-25T09:00:00.000+08:00" {
		t.Errorf("wire: %+v", wire)
	}
	if wire := b.wire("?op=query"); len(wire) != 1 {
		t.Errorf("wire of query: %+v", wire)
	}
}

// Neither ledger paths nor answers of the control API give secrets away.
func TestSecretsStayInside(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/sandbox/settings", "/sandbox/health", "/sandbox/ledger", "/sandbox/wire", "/sandbox/faults", "/sandbox/clock"} {
		_, text := b.tryControl("GET", path, nil)
		if strings.Contains(string(text), testSecret) || strings.Contains(string(text), testKey) || !json.Valid(text) {
			t.Errorf("%s: %s", path, text)
		}
	}
}
