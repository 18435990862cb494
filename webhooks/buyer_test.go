package webhooks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/webhooks"
)

// counter is a buyer's page over a store with one issued invoice of 169.50.
type counter struct {
	*testing.T
	store core.Store
	clock *coretest.Clock
	ids   *coretest.IDs
	blue  core.DocumentRecord
	code  string
	addr  string
}

func newCounter(t *testing.T, change ...func(*webhooks.BuyerOptions)) *counter {
	t.Helper()
	c := &counter{T: t, store: openStore(t, filepath.Join(t.TempDir(), "test.db")), clock: coretest.NewClock(coretest.T0), ids: coretest.NewIDs(3)}
	o := webhooks.BuyerOptions{Store: c.store, Vault: vault{}, Clock: c.clock, IDs: c.ids, Log: slog.New(slog.DiscardHandler), Language: "zh"}
	for _, f := range change {
		f(&o)
	}
	b, err := webhooks.NewBuyer(o)
	if err != nil {
		t.Fatal(err)
	}
	c.addr = serve(t, b)
	c.blue = c.document(core.Blue, "169.50", c.ids.New(), "")
	c.code = core.PickUpCode(c.ids.New())
	c.do(func(tx core.Tx) error {
		if err := tx.PutPickUp(core.PickUpRecord{Document: c.blue.ID, Hash: vault{}.Index("pickup", c.code), Code: core.Sealed("x"), MadeAt: coretest.T0}); err != nil {
			return err
		}
		for _, f := range []core.FileFormat{core.PDF, core.OFD, core.XML} {
			sealed, err := vault{}.Seal("", coretest.T0, core.Place{Table: "file", Row: string(c.blue.ID) + "/" + string(f), Column: "content"}, []byte("content of "+string(f)))
			if err != nil {
				return err
			}
			if err := tx.PutFile(core.FileRecord{Document: c.blue.ID, Format: f, Name: "发票 1." + string(f), SHA256: strings.Repeat("0", 64), Size: 3, Content: sealed}); err != nil {
				return err
			}
		}
		return nil
	})
	return c
}

func (c *counter) do(f func(core.Tx) error) {
	c.Helper()
	if err := c.store.Do(context.Background(), "test", f); err != nil {
		c.Fatal(err)
	}
}

// document stores an issued invoice of a sale; a red one reverses the given blue one.
func (c *counter) document(color core.Color, gross string, sale, original core.ID) core.DocumentRecord {
	c.Helper()
	amount := coretest.Yuan(strings.TrimPrefix(gross, "-"))
	draft, faults := core.NewDraft(core.DraftInput{Kind: core.GeneralInvoice, Seller: coretest.Seller(), Buyer: coretest.Company(), Policy: core.DefaultPolicy(),
		Lines: []core.DraftLine{{Sale: core.SaleLine{No: "1", Name: "<b>燕麦</b>", Unit: "袋"}, Gross: amount, List: amount, Quantity: core.Pieces(1),
			Mapped: core.Mapped{Code: "1030201020000000000", ShortName: "谷物", Rate: core.Percent(13)}}}})
	if len(faults) > 0 {
		c.Fatalf("draft: %v", faults)
	}
	inv := draft.Invoice()
	id := c.ids.New()
	plain, err := json.Marshal(map[string]any{"content": draft})
	if err != nil {
		c.Fatal(err)
	}
	body, err := vault{}.Seal("", coretest.T0, core.Place{Table: "document", Row: string(id), Column: "body"}, plain)
	if err != nil {
		c.Fatal(err)
	}
	d := core.DocumentRecord{Document: core.Document{ID: id, Sale: sale, Color: color, Kind: core.GeneralInvoice, State: core.DocIssued, Seller: coretest.Seller().ID,
		Store: coretest.Store, Channel: "bureau", Serial: string(id), Number: "2631200000" + string(id[10:]), IssuedAt: coretest.T0, Original: original, CreatedAt: coretest.T0},
		Net: inv.Net, Tax: inv.Tax, Gross: inv.Gross, Body: body}
	if color == core.Red {
		d.Net, d.Tax, d.Gross = d.Net.Neg(), d.Tax.Neg(), d.Gross.Neg()
	}
	c.do(func(tx core.Tx) error { return tx.PutDocument(d) })
	return d
}

func (c *counter) look(code, amount string, more ...string) reply {
	c.Helper()
	form := url.Values{"code": {code}, "amount": {amount}}
	return one(c, c.addr, post("/pickup", form.Encode(), append(more, "Content-Type: application/x-www-form-urlencoded")...))
}

func (c *counter) get(target string) reply {
	c.Helper()
	return one(c, c.addr, "GET "+target+" HTTP/1.1\r\nHost: invoice.test\r\n\r\n")
}

func checkHardened(t *testing.T, r reply) {
	t.Helper()
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"X-Robots-Tag": "noindex, nofollow", "Set-Cookie": ""} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if csp := r.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
}

var links = regexp.MustCompile(`href="(/files/[^"]+)"`)

func (c *counter) links(r reply) []string {
	var out []string
	for _, m := range links.FindAllStringSubmatch(r.body, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestTheFormIsChineseFirst(t *testing.T) {
	c := newCounter(t)
	for target, want := range map[string]string{"/": "提取码", "/?lang=en": "Pick-up code", "/?lang=zh": "提取码", "/?lang=%3Cscript%3E": "提取码"} {
		r := c.get(target)
		if r.status != 200 || !strings.Contains(r.body, want) || strings.Contains(r.body, "<script") {
			t.Errorf("%s: %d %s", target, r.status, r.body)
		}
		checkHardened(t, r)
	}
}

func TestABuyerPicksAnInvoiceUp(t *testing.T) {
	c := newCounter(t)
	spaced := strings.ToLower(c.code[:4] + " " + c.code[4:8] + "-" + c.code[8:])
	for _, typed := range [][2]string{{c.code, "169.50"}, {spaced, "￥169.5"}, {c.code, " １６９．５０元 "}} {
		r := c.look(typed[0], typed[1])
		if r.status != 200 || !strings.Contains(r.body, c.blue.Number) || !strings.Contains(r.body, "2026-11-02") || !strings.Contains(r.body, "杭州样例商贸有限公司") ||
			!strings.Contains(r.body, "¥169.50") || !strings.Contains(r.body, "上海****公司") {
			t.Errorf("%q: %d %s", typed, r.status, r.body)
		}
		for _, personal := range []string{string(coretest.Company().TaxNo), coretest.Company().Title, "buyer.example", c.code} {
			if strings.Contains(r.body, personal) {
				t.Errorf("the page shows %s", personal)
			}
		}
		checkHardened(t, r)
		if n := len(c.links(r)); n != 3 {
			t.Errorf("%d links", n)
		}
	}
}

func TestFilesByShortLivedLinks(t *testing.T) {
	c := newCounter(t)
	list := c.links(c.look(c.code, "169.50"))
	for i, format := range []string{"pdf", "ofd", "xml"} {
		var r reply
		for _, l := range list {
			if strings.Contains(l, "."+format+".") {
				r = c.get(l)
			}
		}
		if r.status != 200 || r.body != "content of "+format || r.header.Get("Content-Type") != "application/"+format ||
			r.header.Get("Content-Disposition") != "attachment; filename*=UTF-8''%E5%8F%91%E7%A5%A8%201."+format {
			t.Errorf("file %d: %d %v", i, r.status, r.header)
		}
		checkHardened(t, r)
	}
	for _, bad := range []string{"/files/x", "/files/a.b.c.d", strings.Replace(list[0], ".", "0.", 1), list[0] + "0", list[0][:len(list[0])-1],
		strings.Replace(strings.Replace(strings.Replace(list[0], ".pdf.", ".zip.", 1), ".ofd.", ".zip.", 1), ".xml.", ".zip.", 1)} {
		if r := c.get(bad); r.status != 404 || !strings.Contains(r.body, "链接已失效") {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
	c.clock.Advance(10 * time.Minute)
	if r := c.get(list[0]); r.status != 404 {
		t.Errorf("after ten minutes: %d", r.status)
	}
}

// TestWhatDoesNotFitIsAnsweredAlike: nobody learns whether a code exists.
func TestWhatDoesNotFitIsAnsweredAlike(t *testing.T) {
	c := newCounter(t)
	first := ""
	for name, typed := range map[string][2]string{
		"unknown code":      {core.PickUpCode(c.ids.New()), "169.50"},
		"wrong amount":      {c.code, "169.51"},
		"no amount":         {c.code, ""},
		"amount in words":   {c.code, "169.5e0"},
		"negative amount":   {c.code, "-169.501"},
		"mistyped code":     {c.code[:10] + "U", "169.50"},
		"no code":           {"", "169.50"},
		"a code with marks": {"<script>alert(1)</script>", "169.50"},
	} {
		begun := time.Now()
		r := c.look(typed[0], typed[1])
		if took := time.Since(begun); took < 100*time.Millisecond {
			t.Errorf("%s: answered after %s", name, took)
		}
		if first == "" {
			first = r.body
		}
		if r.status != 404 || r.body != first || len(c.links(r)) > 0 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		checkHardened(t, r)
	}
	c.clock.Advance(365 * 24 * time.Hour)
	if r := c.look(c.code, "169.50"); r.status != 404 || r.body != first {
		t.Errorf("expired: %d %s", r.status, r.body)
	}
}

func TestReversedInvoices(t *testing.T) {
	c := newCounter(t)
	link := c.links(c.look(c.code, "169.50"))[0]
	c.document(core.Red, "-56.50", c.blue.Sale, c.blue.ID)
	r := c.look(c.code, "169.50")
	if r.status != 200 || !strings.Contains(r.body, "部分红冲后余额") || !strings.Contains(r.body, "¥113.00") || len(c.links(r)) != 3 {
		t.Errorf("partly reversed: %d %s", r.status, r.body)
	}
	c.document(core.Red, "-113.00", c.blue.Sale, c.blue.ID)
	r = c.look(c.code, "169.50")
	if r.status != 200 || !strings.Contains(r.body, "已红冲") || len(c.links(r)) != 0 {
		t.Errorf("reversed: %d %s", r.status, r.body)
	}
	if r := c.get(link); r.status != 404 {
		t.Errorf("an old link of a reversed invoice: %d", r.status)
	}
}

func TestGuessingIsSlow(t *testing.T) {
	t.Run("one code", func(t *testing.T) {
		c := newCounter(t)
		for i := range 10 {
			if r := c.look(c.code, fmt.Sprintf("%d.00", i)); r.status != 404 {
				t.Fatalf("guess %d: %d", i, r.status)
			}
		}
		r := c.look(c.code, "169.50")
		if r.status != 429 || r.header.Get("Retry-After") != "60" || !strings.Contains(r.body, "过于频繁") {
			t.Errorf("%d %s", r.status, r.body)
		}
		checkHardened(t, r)
		c.clock.Advance(time.Minute)
		if r := c.look(c.code, "169.50"); r.status != 200 {
			t.Errorf("a minute later: %d", r.status)
		}
	})
	t.Run("one network", func(t *testing.T) {
		c := newCounter(t, func(o *webhooks.BuyerOptions) { o.TrustedProxies = []string{"127.0.0.1"} })
		for i := range 30 {
			if r := c.look(c.code, "169.50", fmt.Sprintf("X-Forwarded-For: 203.0.%d.1", i)); i < 10 && r.status != 200 {
				t.Fatalf("network %d: %d", i, r.status)
			}
		}
		for i := range 30 {
			if r := c.get("/files/x"); r.status != 404 {
				t.Fatalf("from the proxy itself, %d: %d", i, r.status)
			}
		}
		if r := c.get("/files/x"); r.status != 429 {
			t.Errorf("one too many: %d", r.status)
		}
	})
	t.Run("everybody", func(t *testing.T) {
		c := newCounter(t, func(o *webhooks.BuyerOptions) { o.TrustedProxies = []string{"127.0.0.1"} })
		last := 0
		for i := range 61 {
			last = one(t, c.addr, fmt.Sprintf("GET /files/x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.%d.1\r\n\r\n", i)).status
		}
		if last != 429 {
			t.Errorf("the 61st at once: %d", last)
		}
	})
}

func TestTheBuyersListenerIsGuardedToo(t *testing.T) {
	c := newCounter(t)
	for bytes, want := range map[string]int{
		"POST /pickup HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
		post("/pickup", strings.Repeat("x", 5000)):                                                             413,
		post("/pickup", "code=%zz"):                                                                            400,
		post("/pickup", "code=1", "Content-Encoding: gzip"):                                                    415,
		"PUT / HTTP/1.1\r\nHost: a\r\n\r\n":                                                                    405,
		"GET /pickup HTTP/1.1\r\nHost: a\r\n\r\n":                                                              405,
		"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n":                                                               404,
		"GET /pos/v1/receipts?lang=en HTTP/1.1\r\nHost: a\r\n\r\n":                                             404,
		"GET /" + strings.Repeat("x", 20<<10) + " HTTP/1.1\r\n\r\n":                                            431,
	} {
		r := one(t, c.addr, bytes)
		if r.status != want || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("%.40q: %d %s", bytes, r.status, r.header.Get("Content-Type"))
		}
		checkHardened(t, r)
	}
}

func TestABrokenStoreIsNoAnswerAboutACode(t *testing.T) {
	c := newCounter(t, func(o *webhooks.BuyerOptions) { o.Store = brokenStore{} })
	if r := c.look(c.code, "169.50"); r.status != 500 || !strings.Contains(r.body, "系统暂时繁忙") || r.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.status, r.body)
	}
}

type brokenStore struct{ core.Store }

func (brokenStore) View(context.Context, func(core.View) error) error {
	return fmt.Errorf("disk I/O error")
}
