package main

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"net/textproto"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestDeliver(t *testing.T) {
	box := startMailbox(t, mailboxOptions{})
	p := parcel(t, nil)
	got, err := newMailer(box).deliver(t.Context(), configure(t, nil), p)
	if err != nil {
		t.Fatal(err)
	}
	wantReceipt(t, got, sdk.OutcomeSent, "")
	messages := box.all()
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1", len(messages))
	}
	m := messages[0]
	if m.from != "invoice@shop.example" || !cmp.Equal(m.to, []string{buyer}) {
		t.Errorf("envelope %q to %q", m.from, m.to)
	}
	parsed := must(mail.ReadMessage(bytes.NewReader(m.data)))(t)
	h := parsed.Header
	subject := must(new(mime.WordDecoder).DecodeHeader(h.Get("Subject")))(t)
	if subject != "【青禾茶铺西湖店】电子发票 128.50元 (12345678)" {
		t.Errorf("subject %q", subject)
	}
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "X-Invoice-Ref": p.ID, "To": "<" + buyer + ">", "Message-Id": "<" + got.ProviderRef + ">",
		"User-Agent": "", "X-Mailer": "", "Date": "Thu, 05 Mar 2026 04:00:00 +0000", "Mime-Version": "1.0",
	} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	from := must(h.AddressList("From"))(t)
	if from[0].Name != "青禾茶铺西湖店" || from[0].Address != "invoice@shop.example" {
		t.Errorf("from %v", from)
	}
	leaves := parts(t, textproto.MIMEHeader(h), parsed.Body)
	var paths []string
	for _, l := range leaves {
		paths = append(paths, l.path)
	}
	want := []string{
		"multipart/mixed/multipart/alternative/text/plain", "multipart/mixed/multipart/alternative/text/html",
		"multipart/mixed/application/pdf", "multipart/mixed/application/ofd", "multipart/mixed/application/xml",
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("structure (-want +got):\n%s", diff)
	}
	for i, f := range p.Invoice.Files {
		leaf := leaves[2+i]
		if content := must(os.ReadFile(f.Path))(t); !bytes.Equal(leaf.content, content) {
			t.Errorf("the %s came as other bytes", f.Format)
		}
		_, params, err := mime.ParseMediaType(leaf.header.Get("Content-Disposition"))
		if name := "dzfp_26312000000012345678." + strings.ToLower(string(f.Format)); err != nil || params["filename"] != name {
			t.Errorf("the %s is named %q, %v", f.Format, params["filename"], err)
		}
	}
	for _, word := range []string{p.Invoice.PickUpCode, p.Invoice.PageURL, p.Invoice.Number, p.Invoice.BuyerTitle} {
		if !strings.Contains(string(leaves[0].content), word) || !strings.Contains(string(leaves[1].content), word) {
			t.Errorf("the letter lacks %q", word)
		}
	}
}

func TestMessageIDIsTheParcels(t *testing.T) {
	box := startMailbox(t, mailboxOptions{})
	ids := map[string]bool{}
	for attempt := 1; attempt <= 2; attempt++ {
		p := parcel(t, func(p *sdk.Parcel) { p.Attempt = attempt })
		got, _ := newMailer(box).deliver(t.Context(), configure(t, nil), p)
		ids[got.ProviderRef] = true
	}
	if len(ids) != 1 {
		t.Errorf("two attempts have the ids %v", ids)
	}
	other, _ := newMailer(box).deliver(t.Context(), configure(t, nil), parcel(t, func(p *sdk.Parcel) { p.ID += "2" }))
	if ids[other.ProviderRef] {
		t.Error("two parcels share an id")
	}
}

// TestAnswers plays the answers of a server at each step.
func TestAnswers(t *testing.T) {
	answer := func(code int, enhanced smtp.EnhancedCode) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "<" + buyer + ">: no"}
	}
	for name, tc := range map[string]struct {
		mail, rcpt, data error
		outcome          sdk.Outcome
		class            sdk.ReasonClass
	}{
		"greylisted":           {rcpt: answer(450, smtp.EnhancedCode{4, 2, 0}), outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"unknown user":         {rcpt: answer(550, smtp.EnhancedCode{5, 1, 1}), outcome: sdk.OutcomeRejected, class: sdk.RecipientProblem},
		"unknown, no enhanced": {rcpt: answer(550, smtp.NoEnhancedCode), outcome: sdk.OutcomeRejected, class: sdk.RecipientProblem},
		"relay denied":         {rcpt: answer(554, smtp.EnhancedCode{5, 7, 1}), outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
		"sender refused":       {mail: answer(553, smtp.EnhancedCode{5, 7, 1}), outcome: sdk.OutcomeRetry, class: sdk.CredentialsProblem},
		"sender busy":          {mail: answer(421, smtp.EnhancedCode{4, 7, 0}), outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"spam":                 {data: answer(554, smtp.EnhancedCode{5, 7, 1}), outcome: sdk.OutcomeRejected, class: sdk.ContentProblem},
		"mailbox full":         {data: answer(552, smtp.EnhancedCode{5, 2, 2}), outcome: sdk.OutcomeRejected, class: sdk.RecipientProblem},
		"too big at the end":   {data: answer(552, smtp.EnhancedCode{5, 3, 4}), outcome: sdk.OutcomeRejected, class: sdk.ContentProblem},
		"busy at the end":      {data: answer(451, smtp.EnhancedCode{4, 3, 0}), outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"size refused":         {mail: answer(552, smtp.NoEnhancedCode), outcome: sdk.OutcomeRejected, class: sdk.ContentProblem},
	} {
		t.Run(name, func(t *testing.T) {
			box := startMailbox(t, mailboxOptions{})
			box.onMail = func(string) error { return tc.mail }
			box.onRcpt = func(string) error { return tc.rcpt }
			box.onData = func(r io.Reader) error {
				if tc.data != nil {
					_, _ = io.Copy(io.Discard, r)
				}
				return tc.data
			}
			got, err := newMailer(box).deliver(t.Context(), configure(t, nil), parcel(t, nil))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, tc.outcome, tc.class)
			if len(box.all()) != 0 {
				t.Error("the server took a message")
			}
		})
	}
}

func TestGreylistingWaitsGrow(t *testing.T) {
	box := startMailbox(t, mailboxOptions{})
	box.onRcpt = func(string) error {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "later"}
	}
	var waits []time.Duration
	for attempt := range 8 {
		got, _ := newMailer(box).deliver(t.Context(), configure(t, nil), parcel(t, func(p *sdk.Parcel) { p.Attempt = attempt + 1 }))
		waits = append(waits, got.RetryAfter)
	}
	m, h := time.Minute, time.Hour
	want := []time.Duration{5 * m, 15 * m, 45 * m, 135 * m, 405 * m, 12 * h, 12 * h, 12 * h}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

// TestTooBig leaves the files out and points to the page.
func TestTooBig(t *testing.T) {
	big := func(p *sdk.Parcel) {
		p.Invoice.Files = []sdk.File{file(t, sdk.PDF, bytes.Repeat([]byte("0123456789abcdef"), 500_000))} // 8 MB, 10.8 encoded
	}
	medium := func(p *sdk.Parcel) { p.Invoice.Files[0] = file(t, sdk.PDF, bytes.Repeat([]byte("%"), 9_000)) }
	huge := func(p *sdk.Parcel) { p.Invoice.Files[0].Size = maxMessage + 1 }
	for name, tc := range map[string]struct {
		limit    int64
		parcel   func(*sdk.Parcel)
		outcome  sdk.Outcome
		class    sdk.ReasonClass
		attached int
	}{
		"fits":                  {limit: 20_000, outcome: sdk.OutcomeSent, attached: 3},
		"the encoding's growth": {parcel: big, outcome: sdk.OutcomeSent},
		"not even read":         {parcel: huge, outcome: sdk.OutcomeSent},
		"the server's SIZE":     {limit: 8_000, parcel: medium, outcome: sdk.OutcomeSent},
		"no page": {
			limit: 8_000, parcel: func(p *sdk.Parcel) { medium(p); p.Invoice.PageURL = "" }, outcome: sdk.OutcomeRejected, class: sdk.ContentProblem,
		},
		"huge, no page": {
			parcel: func(p *sdk.Parcel) { huge(p); p.Invoice.PageURL = "" }, outcome: sdk.OutcomeRejected, class: sdk.ContentProblem,
		},
		"not even the letter": {limit: 500, outcome: sdk.OutcomeRejected, class: sdk.ContentProblem},
	} {
		t.Run(name, func(t *testing.T) {
			box := startMailbox(t, mailboxOptions{maxBytes: tc.limit})
			p := parcel(t, tc.parcel)
			got, err := newMailer(box).deliver(t.Context(), configure(t, nil), p)
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, tc.outcome, tc.class)
			if tc.outcome != sdk.OutcomeSent {
				return
			}
			parsed := must(mail.ReadMessage(bytes.NewReader(box.all()[0].data)))(t)
			leaves := parts(t, textproto.MIMEHeader(parsed.Header), parsed.Body)
			if len(leaves) != 2+tc.attached {
				t.Errorf("%d parts, want %d", len(leaves), 2+tc.attached)
			}
			if tc.attached == 0 && !strings.Contains(string(leaves[0].content), "超过邮件大小限制") {
				t.Errorf("the letter does not say where the files are:\n%s", leaves[0].content)
			}
		})
	}
}

func TestFilesMustBeWhatTheHostSays(t *testing.T) {
	for name, spoil := range map[string]func(*sdk.File){
		"missing":        func(f *sdk.File) { f.Path += ".gone" },
		"shorter":        func(f *sdk.File) { f.Size++ },
		"longer":         func(f *sdk.File) { f.Size-- },
		"other bytes":    func(f *sdk.File) { f.SHA256 = strings.Repeat("0", 64) },
		"twice":          func(f *sdk.File) { f.Format = sdk.XML },
		"unknown format": func(f *sdk.File) { f.Format = "EXE" },
	} {
		t.Run(name, func(t *testing.T) {
			p := parcel(t, func(p *sdk.Parcel) { spoil(&p.Invoice.Files[0]) })
			got, err := newMailer(&mailbox{}).deliver(t.Context(), configure(t, nil), p)
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, sdk.OutcomeRetry, sdk.OtherProblem)
		})
	}
}

func TestUnusableConfigurationSendsNothing(t *testing.T) {
	c := configure(t, func(c *config) { c.From = "invoice@shop.example\r\nBcc: x@y.example" })
	got, err := newMailer(&mailbox{}).deliver(t.Context(), c, parcel(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	wantReceipt(t, got, sdk.OutcomeRetry, sdk.CredentialsProblem)
}

func TestTrackKnowsNothing(t *testing.T) {
	got, err := track(t.Context(), config{}, sdk.ParcelRef{ProviderRef: "ref"})
	if err != nil || got.State != sdk.TrackStillUnknown {
		t.Errorf("%+v, %v", got, err)
	}
}
