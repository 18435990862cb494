package gm

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

func TestFile(t *testing.T) {
	content := []byte("%PDF-1.7 沙箱")
	ready := object{"state": "ready", "name": "dzfp_" + testNumber + ".pdf", "sm3": sum(content), "content": base64.StdEncoding.EncodeToString(content)}
	g := newGateway(t)
	c := g.client()
	g.says(script{code: "0000", result: ready})
	f, ok, err := c.File(t.Context(), testSeller, testNumber, core.PDF)
	if err != nil || !ok || string(f.Content) != string(content) || f.Name != ready["name"] || f.Format != core.PDF {
		t.Errorf("%+v, %v, %v", f, ok, err)
	}
	g.says(script{code: "0000", result: object{"state": "pending"}})
	if _, ok, err := c.File(t.Context(), testSeller, testNumber, core.PDF); ok || err != nil {
		t.Errorf("pending: %v, %v", ok, err)
	}
	for name, change := range map[string]object{
		"digest":          {"sm3": sum([]byte("other"))},
		"no digest":       {"sm3": nil},
		"empty":           {"content": "", "sm3": sum(nil)},
		"not base64":      {"content": "%%%"},
		"name with path":  {"name": "../../etc/passwd"},
		"name with a NUL": {"name": "a\x00.pdf"},
		"no name":         {"name": ""},
		"state":           {"state": "soon"},
	} {
		g.says(script{code: "0000", result: with(ready, change)})
		var e *Error
		if f, ok, err := c.File(t.Context(), testSeller, testNumber, core.PDF); ok || !errors.As(err, &e) || len(f.Content) > 0 {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

func TestFileMayBeLargerThanOtherAnswers(t *testing.T) {
	content := []byte(strings.Repeat("x", answerLimit))
	g := newGateway(t)
	c := g.client()
	g.says(script{code: "0000", result: object{"state": "ready", "name": "a.ofd", "sm3": sum(content),
		"content": base64.StdEncoding.EncodeToString(content)}})
	if f, ok, err := c.File(t.Context(), testSeller, testNumber, core.OFD); err != nil || !ok || len(f.Content) != answerLimit {
		t.Errorf("%d bytes, %v, %v", len(f.Content), ok, err)
	}
	if a, err := c.Query(t.Context(), testSeller, testSerial); err != nil || a.Outcome != core.OutcomeUnsure || !strings.Contains(a.Message, "too long") {
		t.Errorf("a query's answer of that size: %s %q (%v)", a.Outcome, a.Message, err)
	}
}

func TestQuota(t *testing.T) {
	good := object{"tax_no": "91310000MA1TEST01X", "month": "2026-11", "total": "1000.00", "used": "100.00", "available": "900.00"}
	g := newGateway(t)
	c := g.client()
	g.says(script{code: "0000", result: good})
	q, err := c.Quota(t.Context(), testSeller)
	if err != nil || q.Month != "2026-11" || !q.Total.Equal(core.Fen(100000)) || !q.Used.Equal(core.Fen(10000)) || !q.Available.Equal(core.Fen(90000)) {
		t.Errorf("%+v (%v)", q, err)
	}
	for _, change := range []object{{"tax_no": "x"}, {"month": "2026-13"}, {"total": "1,000.00"}, {"used": nil}, {"available": 900}} {
		g.says(script{code: "0000", result: with(good, change)})
		if _, err := c.Quota(t.Context(), testSeller); err == nil {
			t.Errorf("%v was accepted", change)
		}
	}
	g.says(script{code: "2006", message: "请登录"})
	var e *Error
	if _, err := c.Quota(t.Context(), testSeller); !errors.As(err, &e) || e.Refusal != core.RefusedLogin || e.Code != "2006" || e.Message != "请登录" {
		t.Errorf("login needed: %v", err)
	}
}

func TestList(t *testing.T) {
	blue := object{"serial": testSerial, "number": testNumber, "color": "blue", "blue_number": "", "kind": "02",
		"issued_at": "2026-11-25T09:00:01.500+08:00", "buyer_name": "个人", "net": "100.00", "tax": "13.00", "gross": "113.00"}
	red := with(blue, object{"serial": "", "number": "26002000000000000008", "color": "red", "blue_number": testNumber,
		"net": "-100.00", "tax": "-13.00", "gross": "-113.00"})
	g := newGateway(t)
	c := g.client()
	list := func(page object) ([]core.Listed, string, bool, error) {
		g.says(script{code: "0000", result: page})
		return c.List(t.Context(), testSeller, testNow, testNow.Add(time.Hour), "c1")
	}
	rows, next, more, err := list(object{"invoices": []any{blue, red}, "cursor": "c2", "more": true})
	if err != nil || len(rows) != 2 || next != "c2" || !more {
		t.Fatalf("%d rows, %q, %v, %v", len(rows), next, more, err)
	}
	if r := rows[1]; r.Color != core.Red || r.BlueNumber != testNumber || r.Serial != "" || !r.Gross.Equal(core.Fen(-11300)) || !r.IssuedAt.Equal(issuedAt) {
		t.Errorf("second row %+v", r)
	}
	if rows, _, more, err := list(object{"invoices": []any{}, "cursor": "c1"}); err != nil || len(rows) != 0 || more {
		t.Errorf("the last page: %d rows, %v, %v", len(rows), more, err)
	}
	for name, page := range map[string]object{
		"a cursor that stays":  {"invoices": []any{blue}, "cursor": "c1", "more": true},
		"an empty page before": {"invoices": []any{}, "cursor": "c2", "more": true},
		"too many rows":        {"invoices": slices.Repeat([]any{blue}, listPage+1), "cursor": "c2"},
		"a bad amount":         {"invoices": []any{with(blue, object{"tax": "13"}), with(blue, object{"tax": "1e3"})}},
		"a bad number":         {"invoices": []any{with(blue, object{"number": ""})}},
		"a bad color":          {"invoices": []any{with(blue, object{"color": ""})}},
		"a red without a blue": {"invoices": []any{with(red, object{"blue_number": ""})}},
		"a bad time":           {"invoices": []any{with(blue, object{"issued_at": "yesterday"})}},
		"the wrong type":       {"invoices": "none"},
	} {
		if _, _, _, err := list(page); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestProbeSaysWhatToLookAt(t *testing.T) {
	good := object{"tax_no": "91310000MA1TEST01X", "month": "2026-11", "total": "1000.00", "used": "100.00", "available": "900.00"}
	g := newGateway(t)
	c := g.client()
	tests := []struct {
		name   string
		script script
		want   string // parts of the error, split by |
	}{
		{"fine", script{code: "0000", result: good}, ""},
		{"unknown application", script{lie: lieForeign}, "HTTP 401|2001 应用未登记|application id"},
		{"not a gateway", script{lie: lieStatus}, "HTTP 503|path of the base URL"},
		{"secret", script{lie: lieSignature}, "signature|check the secret"},
		{"no gm at all", script{lie: lieNotSealed, code: "0000"}, "decrypted|the secret is right"},
		{"our clock", script{code: "2003", message: "时间戳", clock: 7 * time.Minute}, "2003|differs from this host's by 7m0s"},
		{"clock near the edge", script{code: "0000", result: good, clock: -6 * time.Minute}, "answered|by -6m0s, 5m0s is allowed"},
		{"seller", script{code: "2005", message: "未登记"}, "2005|未登记|seller registered"},
		{"login", script{code: "2006"}, "2006|person has to log in"},
		{"key on the other side", script{code: "1001", message: "解密失败"}, "1001|check the key"},
		{"busy", script{code: "3001"}, "3001|later"},
		{"something new", script{code: "8888"}, "8888|operator"},
		{"malformed", script{code: "0000", result: object{}}, "malformed|version"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g.says(test.script)
			err := c.Probe(t.Context(), testSeller)
			if (err == nil) != (test.want == "") {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			for part := range strings.SplitSeq(test.want, "|") {
				if err != nil && !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if err != nil && strings.Contains(err.Error(), testSeller.TaxNo.Clear()) {
				t.Errorf("%q shows the tax number", err)
			}
		})
	}
	refusing := g.client(func(o *Options) { o.BaseURL = "http://127.0.0.1:1" })
	if err := refusing.Probe(t.Context(), testSeller); err == nil || !strings.Contains(err.Error(), "check the base URL") {
		t.Errorf("nobody there: %v", err)
	}
}
