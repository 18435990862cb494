package gm

import (
	"fmt"
	"regexp"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var (
	serialShape      = regexp.MustCompile(`^[0-9A-Z]{20}$`)
	applicationShape = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)
	numberShape      = regexp.MustCompile(`^[0-9]{20}$`)
	uuidShape        = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
)

// beijing is the zone of every time on the wire. China has had no summer time since 1991.
var beijing = time.FixedZone("CST", 8*60*60)

func wireTime(t time.Time) string { return t.In(beijing).Format(time.RFC3339) }

var (
	kindCodes   = map[core.InvoiceKind]string{core.SpecialInvoice: "01", core.GeneralInvoice: "02"}
	kinds       = map[string]core.InvoiceKind{"01": core.SpecialInvoice, "02": core.GeneralInvoice}
	natureCodes = map[core.Nature]string{core.Normal: "00", core.Discount: "01", core.Discounted: "02"}
	reasonCodes = map[core.RedReason]string{core.WrongData: "01", core.GoodsReturned: "02", core.ServiceStopped: "03",
		core.Allowance: "04"}
)

type party struct {
	Name          string `json:"name"`
	TaxNo         string `json:"tax_no"`
	Address       string `json:"address"`
	Phone         string `json:"phone"`
	Bank          string `json:"bank"`
	Account       string `json:"account"`
	NaturalPerson string `json:"natural_person,omitempty"`
}

func sellerParty(s core.Seller) party {
	return party{Name: s.Name, TaxNo: s.TaxNo.Clear(), Address: s.Address, Phone: s.Phone, Bank: s.Bank, Account: s.Account}
}

func buyerParty(b core.Buyer) party {
	p := party{Name: b.Title, TaxNo: b.TaxNo.Clear(), Address: b.Address, Phone: b.Phone, Bank: b.Bank, Account: b.Account,
		NaturalPerson: "N"}
	if b.Kind == core.Personal {
		p.NaturalPerson = "Y"
	}
	return p
}

// blueLine is a line of `issue`; redLine one of `red_apply`.
type blueLine struct {
	No        int    `json:"no"`
	Nature    string `json:"nature"`
	Name      string `json:"name"`
	ShortName string `json:"short_name"`
	Code      string `json:"code"`
	Spec      string `json:"spec"`
	Unit      string `json:"unit"`
	lineAmounts
}

type redLine struct {
	No        int    `json:"no"`
	BlueNo    int    `json:"blue_no"`
	Name      string `json:"name"`
	ShortName string `json:"short_name"`
	Code      string `json:"code"`
	Unit      string `json:"unit"`
	lineAmounts
}

type lineAmounts struct {
	Quantity string `json:"quantity"`
	Price    string `json:"price"`
	Net      string `json:"net"`
	Rate     string `json:"rate"`
	Tax      string `json:"tax"`
	Gross    string `json:"gross"`
	Policy   string `json:"policy"`
}

func amountsOf(l core.InvoiceLine) lineAmounts {
	return lineAmounts{Quantity: l.Quantity.String(), Price: l.Price.String(), Net: l.Net.String(), Rate: l.Rate.String(),
		Tax: l.Tax.String(), Gross: l.Gross.String(), Policy: string(l.Preference)}
}

func blueLines(lines []core.InvoiceLine) ([]blueLine, error) {
	out := make([]blueLine, len(lines))
	for i, l := range lines {
		nature, ok := natureCodes[l.Nature]
		if !ok {
			return nil, fmt.Errorf("line %d: nature %q has no code", l.No, l.Nature)
		}
		out[i] = blueLine{No: l.No, Nature: nature, Name: l.Name, ShortName: l.ShortName, Code: string(l.Code), Spec: l.Spec,
			Unit: l.Unit, lineAmounts: amountsOf(l)}
	}
	return out, nil
}

func redLines(lines []core.InvoiceLine) []redLine {
	out := make([]redLine, len(lines))
	for i, l := range lines {
		out[i] = redLine{No: l.No, BlueNo: l.BlueNo, Name: l.Name, ShortName: l.ShortName, Code: string(l.Code), Unit: l.Unit,
			lineAmounts: amountsOf(l)}
	}
	return out
}
