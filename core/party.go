package core

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// TitleKind says whom an invoice is addressed to.
type TitleKind string

// Kinds of a buyer title (抬头).
const (
	// Personal is a natural person; without a name the title is 个人.
	Personal TitleKind = "personal"
	// Company is an organisation; it needs a tax number.
	Company TitleKind = "company"
	// UnknownTitle leaves the decision to the presence of a tax number.
	UnknownTitle TitleKind = ""
)

// DefaultTitle is printed when a person gave no title.
const DefaultTitle = "个人"

// Contact is an e-mail address or a mobile number. It prints masked; Clear gives it to a delivery.
type Contact string

// Clear returns the contact as it is dialled.
func (c Contact) Clear() string { return string(c) }

// String masks: 138****8000, a***@example.com.
func (c Contact) String() string {
	s := string(c)
	if at := strings.IndexByte(s, '@'); at > 0 {
		_, n := utf8.DecodeRuneInString(s)
		return s[:n] + "***" + s[at:]
	}
	if len(s) < 8 {
		return strings.Repeat("*", len(s))
	}
	return s[:len(s)-8] + "****" + s[len(s)-4:]
}

// GoString masks for %#v.
func (c Contact) GoString() string { return `core.Contact("` + c.String() + `")` }

// Buyer is the addressee of an invoice as the source, the buyer's page or a default gave it.
type Buyer struct {
	Kind    TitleKind `json:"kind,omitempty"`
	Title   string    `json:"title,omitempty"`
	TaxNo   TaxNo     `json:"tax_no,omitempty"`
	Address string    `json:"address,omitempty"`
	Phone   string    `json:"phone,omitempty"`
	Bank    string    `json:"bank,omitempty"`
	Account string    `json:"account,omitempty"`
	Email   Contact   `json:"email,omitempty"`
	Mobile  Contact   `json:"mobile,omitempty"`
}

// Named says whether the buyer gave a title or a tax number, which is what "asked for an invoice" means online.
func (b Buyer) Named() bool { return b.Title != "" || b.TaxNo != "" }

// Resolved fills the defaults: a nameless buyer is a person called 个人, and a tax number makes a company.
func (b Buyer) Resolved() Buyer {
	b.Title = strings.TrimSpace(b.Title)
	b.TaxNo = NormalTaxNo(string(b.TaxNo))
	if b.Kind == UnknownTitle {
		b.Kind = Personal
		if b.TaxNo != "" {
			b.Kind = Company
		}
	}
	if b.Title == "" && b.Kind == Personal {
		b.Title = DefaultTitle
	}
	return b
}

// SameAddressee says whether an invoice to one would serve the other: contacts do not matter.
func (b Buyer) SameAddressee(o Buyer) bool {
	b, o = b.Resolved(), o.Resolved()
	b.Email, b.Mobile, o.Email, o.Mobile = "", "", "", ""
	return b == o
}

// TaxpayerType decides which rates a seller may use.
type TaxpayerType string

// Types of taxpayers.
const (
	// GeneralTaxpayer is 一般纳税人.
	GeneralTaxpayer TaxpayerType = "general"
	// SmallScale is 小规模纳税人.
	SmallScale TaxpayerType = "small"
)

// Seller is a taxpayer that issues.
type Seller struct {
	ID       SellerID     `json:"id"`
	Name     string       `json:"name"`
	TaxNo    TaxNo        `json:"tax_no"`
	Type     TaxpayerType `json:"type"`
	Address  string       `json:"address,omitempty"`
	Phone    string       `json:"phone,omitempty"`
	Bank     string       `json:"bank,omitempty"`
	Account  string       `json:"account,omitempty"`
	Drawer   string       `json:"drawer,omitempty"`
	Payee    string       `json:"payee,omitempty"`
	Reviewer string       `json:"reviewer,omitempty"`
	// Channel carries this seller's invoices.
	Channel ChannelID `json:"channel"`
}

// badText says whether a text has characters that a bureau refuses in print.
func badText(s string) bool { return !utf8.ValidString(s) || strings.ContainsFunc(s, badRune) }

// badRune finds control characters, bidirectional overrides, zero-width marks and what lies outside the basic plane
// (emoji and the like; bureaus are GBK inside).
func badRune(r rune) bool {
	switch {
	case unicode.IsControl(r), r > 0xFFFF, r == utf8.RuneError, r == 0xFEFF:
		return true
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F:
		return true
	case r >= 0x2600 && r <= 0x27BF, r >= 0xFE00 && r <= 0xFE0F:
		return true
	}
	return false
}

// fit makes a goods' name printable: what the bureau refuses is dropped and what is too long is cut. The sale keeps
// the whole text.
func fit(s string, max int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(s) {
		if badRune(r) {
			continue
		}
		w := 2
		if r < 0x80 {
			w = 1
		}
		if n += w; n > max {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// width counts a text in the unit that channels bound it by: a Chinese character is two (GBK bytes).
func width(s string) int {
	n := 0
	for _, r := range s {
		if r < 0x80 {
			n++
		} else {
			n += 2
		}
	}
	return n
}
