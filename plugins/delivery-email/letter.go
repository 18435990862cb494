package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	htmltemplate "html/template"
	"net/url"
	"regexp"
	"strings"
	texttemplate "text/template"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

//go:embed letters
var letters embed.FS

var (
	textLetters = texttemplate.Must(texttemplate.ParseFS(letters, "letters/*.txt"))
	htmlLetters = htmltemplate.Must(htmltemplate.ParseFS(letters, "letters/*.html"))
)

// language is a language in which letters are written.
type language string

const (
	chinese language = "zh"
	english language = "en"
)

// letter is what the buyer reads.
type letter struct {
	Language       language
	Red            bool
	Store          string
	OrderNo        string
	Number         string
	Special        bool
	OriginalNumber string
	IssuedOn       string
	Amount         string
	Seller, Title  string
	Code           string
	URL            string
	Formats        []string // of the attached files
	LeftOut        bool     // there are files, but too big for a message
	Reply          bool     // answers reach the shop
}

var (
	invoiceNumber = regexp.MustCompile(`^[0-9]{20}$`) // of a 数电票
	pickUpCode    = regexp.MustCompile(`^[0-9A-Za-z-]{4,32}$`)
)

// newLetter checks what goes into the letter. The fault says what is wrong, without the value.
func newLetter(c config, p sdk.Parcel) (letter, string) {
	inv := p.Invoice
	amount, err := sdk.Number("gross", inv.Gross)
	switch {
	case err != nil:
		return letter{}, "the amount is not a number"
	case !invoiceNumber.MatchString(inv.Number):
		return letter{}, "the invoice number is not 20 digits"
	case inv.OriginalNumber != "" && !invoiceNumber.MatchString(inv.OriginalNumber):
		return letter{}, "the number of the original invoice is not 20 digits"
	case strings.TrimSpace(inv.StoreName) == "" || !isLine(inv.StoreName):
		return letter{}, "the store's name is empty or holds a control character"
	case inv.PickUpCode != "" && !pickUpCode.MatchString(inv.PickUpCode):
		return letter{}, "the pick-up code holds other than letters and digits"
	case inv.PageURL != "" && !isPage(inv.PageURL):
		return letter{}, "the page's address is not a plain http(s) address"
	case inv.Color == sdk.Blue && len(inv.Files) == 0 && inv.PageURL == "":
		return letter{}, "there is neither a file nor a page to hand over"
	}
	return letter{
		Language: languageOf(p.Language, c.Language), Red: inv.Color == sdk.Red,
		Store: strings.TrimSpace(inv.StoreName), OrderNo: oneLine(inv.OrderNo), Number: inv.Number,
		Special: inv.Kind == sdk.Special, OriginalNumber: inv.OriginalNumber,
		IssuedOn: inv.IssuedAt.In(sdk.Beijing).Format("2006-01-02"), Amount: sdk.Yuan(amount),
		Seller: oneLine(inv.SellerName), Title: oneLine(inv.BuyerTitle),
		Code: inv.PickUpCode, URL: inv.PageURL, Reply: c.ReplyTo != "",
	}, ""
}

func languageOf(wanted, fallback string) language {
	tag, _, _ := strings.Cut(strings.ToLower(wanted), "-")
	if tag == "" {
		tag = fallback
	}
	if tag == string(english) {
		return english
	}
	return chinese
}

func isPage(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && isLine(s) && !strings.Contains(s, " ")
}

// maxStoreInSubject keeps the amount and the number in sight of a phone's list of messages.
const maxStoreInSubject = 30

func (l letter) subject() string {
	store := []rune(l.Store)
	if len(store) > maxStoreInSubject {
		store = append(store[:maxStoreInSubject], '…')
	}
	tail := l.Number[len(l.Number)-8:]
	switch {
	case l.Language == english && l.Red:
		return "[" + string(store) + "] Red invoice (reversal) CNY " + l.Amount + " (" + tail + ")"
	case l.Language == english:
		return "[" + string(store) + "] E-invoice CNY " + l.Amount + " (" + tail + ")"
	case l.Red:
		return "【" + string(store) + "】红字发票 " + l.Amount + "元 (" + tail + ")"
	}
	return "【" + string(store) + "】电子发票 " + l.Amount + "元 (" + tail + ")"
}

func (l letter) text() (string, error) {
	var b bytes.Buffer
	err := textLetters.ExecuteTemplate(&b, l.template()+".txt", l)
	return b.String(), err
}

func (l letter) html() (string, error) {
	var b bytes.Buffer
	err := htmlLetters.ExecuteTemplate(&b, l.template()+".html", l)
	return b.String(), err
}

func (l letter) template() string {
	if l.Red {
		return "red_" + string(l.Language)
	}
	return "blue_" + string(l.Language)
}

// plainRef is a parcel id that can stand in a header as it is.
var plainRef = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

// invoiceRef is the opaque X-Invoice-Ref of a parcel.
func invoiceRef(parcelID string) string {
	if plainRef.MatchString(parcelID) {
		return parcelID
	}
	return digest(parcelID)
}

// messageID is the same for every attempt of a parcel, so that mailboxes can tell a double and a bounce finds its
// parcel. A domain in it is the sender's, never the name of a machine.
func messageID(parcelID, from string) string {
	return "parcel." + digest(parcelID) + "@" + domainOf(from)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
