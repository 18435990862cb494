package sandbox

import (
	"encoding/json"
	"fmt"
	"time"
)

type (
	invoiceKind string // as on the wire
	color       string
	nature      string
	state       string // of an invoice, as on the wire
)

const (
	kindSpecial invoiceKind = "01"
	kindGeneral invoiceKind = "02"

	blue color = "blue"
	red  color = "red"

	natureNormal     nature = "00"
	natureDiscount   nature = "01" // negative amount off the line before it
	natureDiscounted nature = "02" // followed by its discount line

	stateAccepted state = "accepted"
	stateIssued   state = "issued"
	stateFailed   state = "failed"
)

// party is a buyer or seller as printed on one invoice.
type party struct {
	Name          string `json:"name"`
	TaxNo         string `json:"tax_no"`
	Address       string `json:"address"`
	Phone         string `json:"phone"`
	Bank          string `json:"bank"`
	Account       string `json:"account"`
	NaturalPerson string `json:"natural_person,omitempty"`
}

// line is an invoice line. Price is net of tax. On a red, quantity and amounts are negative and BlueNo names the line
// of the blue it takes back.
type line struct {
	No        int     `json:"no"`
	BlueNo    int     `json:"blue_no,omitempty"`
	Nature    nature  `json:"nature"`
	Name      string  `json:"name"`
	ShortName string  `json:"short_name"`
	Code      string  `json:"code"`
	Spec      string  `json:"spec"`
	Unit      string  `json:"unit"`
	Quantity  measure `json:"quantity"`
	Price     measure `json:"price"`
	Net       yuan    `json:"net"`
	Rate      rate    `json:"rate"`
	Tax       yuan    `json:"tax"`
	Gross     yuan    `json:"gross"`
	Policy    string  `json:"policy"`
}

// invoice is a row of the bureau's ledger. Its number and issuing time are fixed when it is taken; before IssuedAt on
// the bureau's clock it counts as accepted only. So the state needs no background work and survives every crash.
type invoice struct {
	ID               int64       `json:"id"`
	App              string      `json:"app_id"` // empty when made by hand
	Serial           string      `json:"serial"`
	Number           string      `json:"number"`
	Color            color       `json:"color"`
	Kind             invoiceKind `json:"kind"`
	Seller           party       `json:"seller"`
	SellerType       string      `json:"seller_type"`
	Buyer            party       `json:"buyer"`
	Lines            []line      `json:"lines"`
	Net              yuan        `json:"net"`
	Tax              yuan        `json:"tax"`
	Gross            yuan        `json:"gross"`
	Remark           string      `json:"remark"`
	Drawer           string      `json:"drawer"`
	Payee            string      `json:"payee"`
	Reviewer         string      `json:"reviewer"`
	BlueNumber       string      `json:"blue_number"`
	ConfirmationUUID string      `json:"confirmation_uuid"`
	ConfirmationNo   string      `json:"confirmation_no"`
	TakenAt          time.Time   `json:"taken_at"`
	IssuedAt         time.Time   `json:"issued_at"`
	FailCode         code        `json:"fail_code"`
	FailMessage      string      `json:"fail_message"`

	content string // hash of the request that made it
}

func (i *invoice) state(now time.Time) state {
	switch {
	case i.IssuedAt.After(now):
		return stateAccepted
	case i.FailCode != "":
		return stateFailed
	}
	return stateIssued
}

func (i *invoice) month() string { return i.IssuedAt.In(beijing).Format(monthLayout) }

// number20 is year, impossible area 00, channel digit 2 and a 15-digit serial.
func number20(id int64, issued time.Time) string {
	return fmt.Sprintf("%s002%015d", issued.In(beijing).Format("06"), id)
}

const selectInvoice = `SELECT doc, content FROM invoices `

func (t *tx) invoice(where string, args ...any) (*invoice, error) {
	var doc, content string
	found, err := t.row(selectInvoice+where, args, &doc, &content)
	if err != nil || !found {
		return nil, err
	}
	return readInvoice(doc, content)
}

// firstOfSerial is what the bureau knows under a serial. With duplicate detection off there may be more; the first counts.
func (t *tx) firstOfSerial(app, serial string) (*invoice, error) {
	return t.invoice(`WHERE app = ? AND serial = ? ORDER BY id LIMIT 1`, app, serial)
}

func (t *tx) invoiceByNumber(number string) (*invoice, error) {
	return t.invoice(`WHERE number = ?`, number)
}

func (t *tx) insertInvoice(i *invoice) error {
	doc, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("encoding invoice %d: %w", i.ID, err)
	}
	return t.exec(`INSERT INTO invoices (id, app, serial, number, seller, taken_at, issued_at, failed, content, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, i.ID, i.App, i.Serial, i.Number, i.Seller.TaxNo,
		i.TakenAt.UnixMilli(), i.IssuedAt.UnixMilli(), i.FailCode != "", []byte(i.content), string(doc))
}

func readInvoice(doc, content string) (*invoice, error) {
	i := &invoice{content: content}
	if err := json.Unmarshal([]byte(doc), i); err != nil {
		return nil, fmt.Errorf("reading a stored invoice: %w", err)
	}
	return i, nil
}
