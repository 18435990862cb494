package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

// TestLetters compares whole messages with golden files: the head as it goes over the wire, every part's head, and the
// parts decoded. Only the boundaries are replaced.
func TestLetters(t *testing.T) {
	withReply := func(c *config) { c.ReplyTo, c.FromName = "service@shop.example", "青禾开票助手" }
	for name, tc := range map[string]struct {
		config func(*config)
		parcel func(*sdk.Parcel)
		tooBig bool
	}{
		"blue_zh":     {},
		"red_zh":      {parcel: redden, config: withReply},
		"blue_en":     {parcel: func(p *sdk.Parcel) { p.Language, p.Invoice.Kind = "en-GB", sdk.Special }},
		"red_en":      {parcel: func(p *sdk.Parcel) { redden(p); p.Language = "en" }, config: withReply},
		"left_out_zh": {tooBig: true},
		"hostile_zh": {parcel: func(p *sdk.Parcel) {
			p.Invoice.BuyerTitle = "=HYPERLINK(\"http://evil.example\")<script>alert(1)</script>\r\nBcc: all@evil.example"
			p.Invoice.StoreName, p.Invoice.OrderNo = `茶"<b>&铺`, "1\n2\u202e3"
			p.ID = "not a header\r\nword"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := configure(t, tc.config), parcel(t, tc.parcel)
			l, fault := newLetter(c, p)
			files, _, fileFault := readFiles(p.Invoice, maxMessage)
			if fault+fileFault != "" {
				t.Fatal(fault, fileFault)
			}
			if tc.tooBig {
				files, l.LeftOut = nil, true
			}
			m, err := compose(c, l, files, p.Recipient.Email, p.ID, noon)
			if err != nil {
				t.Fatal(err)
			}
			var raw bytes.Buffer
			if _, err := m.WriteTo(&raw); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", readable(t, raw.Bytes()))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if sdktest.Update() {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the message differs from %s (-want +got):\n%s", path, diff)
	}
}

var boundary = regexp.MustCompile(`boundary=[0-9a-f]+`)

// readable shows a message's structure.
func readable(t *testing.T, raw []byte) string {
	t.Helper()
	head, body, ok := strings.Cut(string(raw), "\r\n\r\n")
	if !ok {
		t.Fatal("no end of the head")
	}
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", boundary.ReplaceAllString(strings.ReplaceAll(head, "\r\n", "\n"), "boundary=B"))
	for _, p := range parts(t, textproto.MIMEHeader(message.Header), strings.NewReader(body)) {
		fmt.Fprintf(&b, "--- part %s\n", p.path)
		for _, k := range []string{"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"} {
			if v := p.header.Get(k); v != "" {
				fmt.Fprintf(&b, "%s: %s\n", k, v)
			}
		}
		if p.header.Get("Content-Disposition") == "" {
			fmt.Fprintf(&b, "\n%s\n", strings.ReplaceAll(string(p.content), "\r\n", "\n"))
			continue
		}
		sum := sha256.Sum256(p.content)
		fmt.Fprintf(&b, "%d bytes, SHA-256 %s\n", len(p.content), hex.EncodeToString(sum[:]))
	}
	return b.String()
}

// part is one leaf of a message, decoded.
type part struct {
	path    string
	header  textproto.MIMEHeader
	content []byte
}

func parts(t *testing.T, header textproto.MIMEHeader, body io.Reader) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("content type %q: %v", header.Get("Content-Type"), err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if header.Get("Content-Transfer-Encoding") != "base64" {
			t.Fatalf("a part is encoded as %q", header.Get("Content-Transfer-Encoding"))
		}
		content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, body))
		if err != nil {
			t.Fatal(err)
		}
		return []part{{path: kind, header: header, content: content}}
	}
	var out []part
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, inner := range parts(t, p.Header, p) {
			inner.path = kind + "/" + inner.path
			out = append(out, inner)
		}
	}
}

// TestNothingOfTheBuyersBecomesMarkup reads the hostile letter as a mail program would.
func TestNothingOfTheBuyersBecomesMarkup(t *testing.T) {
	c := configure(t, nil)
	l, fault := newLetter(c, parcel(t, func(p *sdk.Parcel) {
		p.Invoice.BuyerTitle = `"><script src=//evil.example></script>`
		p.Invoice.PageURL = "https://fp.shop.example/p?a=1&b='x'"
	}))
	if fault != "" {
		t.Fatal(fault)
	}
	html := must(l.html())(t)
	if strings.Contains(html, "<script") || !strings.Contains(html, "&lt;script") {
		t.Errorf("the title is not escaped:\n%s", html)
	}
	if strings.Contains(html, "<img") || strings.Contains(html, "ZgotmplZ") {
		t.Errorf("the letter loads an image or lost its address:\n%s", html)
	}
}

func TestHeadLinesAreShortAndASCII(t *testing.T) {
	c, p := configure(t, nil), parcel(t, func(p *sdk.Parcel) { p.Invoice.StoreName = strings.Repeat("杭州西湖区青禾茶铺", 8) })
	l, fault := newLetter(c, p)
	if fault != "" {
		t.Fatal(fault)
	}
	m := must(compose(c, l, nil, buyer, p.ID, noon))(t)
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(raw.String(), "\r\n") {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 || r < 32 && r != '\t' }) {
			t.Errorf("line of %d bytes or with bytes beyond ASCII: %q", len(line), line)
		}
	}
	message := must(mail.ReadMessage(&raw))(t)
	subject := must(new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")))(t)
	if !strings.Contains(subject, "…】电子发票 128.50元 (12345678)") {
		t.Errorf("subject %q", subject)
	}
}

func TestLetterFaults(t *testing.T) {
	for name, change := range map[string]func(*sdk.Parcel){
		"amount is no number":       func(p *sdk.Parcel) { p.Invoice.Gross = "1e9" },
		"amount holds a line break": func(p *sdk.Parcel) { p.Invoice.Gross = "1\r\n" },
		"number is too short":       func(p *sdk.Parcel) { p.Invoice.Number = "12345678" },
		"number is a path":          func(p *sdk.Parcel) { p.Invoice.Number = "../../../../../../ab" },
		"original number":           func(p *sdk.Parcel) { redden(p); p.Invoice.OriginalNumber = "x" },
		"store holds CR LF":         func(p *sdk.Parcel) { p.Invoice.StoreName = "a\r\nBcc: b@c.example" },
		"store turns the text":      func(p *sdk.Parcel) { p.Invoice.StoreName = "a\u202eb" },
		"store is empty":            func(p *sdk.Parcel) { p.Invoice.StoreName = " " },
		"code":                      func(p *sdk.Parcel) { p.Invoice.PickUpCode = "http://x.cn" },
		"page is a script":          func(p *sdk.Parcel) { p.Invoice.PageURL = "javascript:alert(1)" },
		"page holds a user":         func(p *sdk.Parcel) { p.Invoice.PageURL = "https://shop.example@evil.example/" },
		"nothing to hand over":      func(p *sdk.Parcel) { p.Invoice.Files, p.Invoice.PageURL = nil, "" },
	} {
		t.Run(name, func(t *testing.T) {
			// No server: the fault has to be found before anything is dialled.
			got, err := newMailer(&mailbox{}).deliver(t.Context(), configure(t, nil), parcel(t, change))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, sdk.OutcomeRejected, sdk.ContentProblem)
		})
	}
}
