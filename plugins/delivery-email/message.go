package main

import (
	"bytes"
	"fmt"
	"io"
	netmail "net/mail"
	"time"

	"github.com/wneessen/go-mail"
)

// maxMessage is how big a message may be on the wire; many mailboxes take no more. Bigger ones go without their files.
const maxMessage = 10_000_000

// compose writes the message: multipart/mixed of multipart/alternative (text, HTML) and the files.
func compose(c config, l letter, files []attachment, to, parcelID string, now time.Time) (*mail.Msg, error) {
	l.Formats = nil
	for _, f := range files {
		l.Formats = append(l.Formats, string(f.format))
	}
	text, err := l.text()
	if err != nil {
		return nil, fmt.Errorf("write the letter's text: %w", err)
	}
	html, err := l.html()
	if err != nil {
		return nil, fmt.Errorf("write the letter's HTML: %w", err)
	}
	fromName := c.FromName
	if fromName == "" {
		fromName = l.Store
	}
	m := mail.NewMsg(mail.WithEncoding(mail.EncodingB64), mail.WithNoDefaultUserAgent())
	m.FromMailAddress(&netmail.Address{Name: fromName, Address: c.From})
	m.ToMailAddress(&netmail.Address{Address: to})
	if c.ReplyTo != "" {
		m.ReplyToMailAddress(&netmail.Address{Address: c.ReplyTo})
	}
	m.Subject(l.subject())
	m.SetDateWithValue(now)
	m.SetMessageIDWithValue(messageID(parcelID, c.From))
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Invoice-Ref", invoiceRef(parcelID))
	m.SetBodyString(mail.TypeTextPlain, text)
	m.AddAlternativeString(mail.TypeTextHTML, html)
	for _, f := range files {
		m.AttachReadSeeker(f.name, bytes.NewReader(f.content), mail.WithFileContentType(contentTypes[f.format]))
	}
	if c.DKIM != nil {
		// A signer of its own: signing writes to it.
		signer := mail.NewDKIMSigner(c.DKIM.Domain, c.DKIM.Selector, c.dkimKey)
		signer.NowFunc = func() time.Time { return now }
		m.SetDKIM(signer)
	}
	return m, nil
}

// composeWithin gives the message with its files if that stays below most bytes, else without them. Rendering it once
// beforehand also keeps a fault of rendering out of the middle of DATA. fits is false when even the letter is too big.
func composeWithin(most int64, c config, l letter, files []attachment, to, parcelID string, now time.Time) (m *mail.Msg, fits bool, err error) {
	for {
		if m, err = compose(c, l, files, to, parcelID, now); err != nil {
			return nil, false, err
		}
		size, err := m.WriteTo(io.Discard)
		switch {
		case err != nil:
			return nil, false, fmt.Errorf("render the message: %w", err)
		case size < most:
			return m, true, nil
		case len(files) == 0 || l.URL == "":
			return nil, false, nil
		}
		files, l.LeftOut = nil, true
	}
}
