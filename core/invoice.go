package core

// Color tells blue and red invoices apart.
type Color string

// Colors.
const (
	Blue Color = "blue"
	Red  Color = "red"
)

// RedReason is why a red invoice is issued. Channels code it differently; adapters translate.
type RedReason string

// Reasons of a red invoice.
const (
	// WrongData is 开票有误; it reverses the whole invoice only.
	WrongData RedReason = "wrong_data"
	// GoodsReturned is 销货退回: lines with quantity.
	GoodsReturned RedReason = "goods_returned"
	// ServiceStopped is 服务中止.
	ServiceStopped RedReason = "service_stopped"
	// Allowance is 销售折让: amounts without quantity.
	Allowance RedReason = "allowance"
)

// Nature is the nature of an invoice line.
type Nature string

// Natures of lines.
const (
	Normal     Nature = "normal"
	Discount   Nature = "discount"
	Discounted Nature = "discounted"
)

// InvoiceLine is one printed line. Amounts of a discount line and of a red invoice are negative.
type InvoiceLine struct {
	// No counts from 1.
	No int `json:"no"`
	// SaleLine is the source's line that this one prints.
	SaleLine string `json:"sale_line"`
	// BlueNo is, on a red invoice, the line of the blue invoice it reverses.
	BlueNo     int                `json:"blue_no,omitempty"`
	Nature     Nature             `json:"nature"`
	Name       string             `json:"name"`
	ShortName  string             `json:"short_name"`
	Code       ClassificationCode `json:"code"`
	Spec       string             `json:"spec,omitempty"`
	Unit       string             `json:"unit,omitempty"`
	Quantity   Quantity           `json:"quantity"`
	Price      Price              `json:"price"`
	Net        Yuan               `json:"net"`
	Rate       Rate               `json:"rate"`
	Tax        Yuan               `json:"tax"`
	Gross      Yuan               `json:"gross"`
	Preference Preference         `json:"preference,omitempty"`
	Service    bool               `json:"service,omitempty"`
}

// Invoice is the content of a blue or red invoice.
type Invoice struct {
	Color  Color         `json:"color"`
	Kind   InvoiceKind   `json:"kind"`
	Seller Seller        `json:"seller"`
	Buyer  Buyer         `json:"buyer"`
	Lines  []InvoiceLine `json:"lines"`
	Net    Yuan          `json:"net"`
	Tax    Yuan          `json:"tax"`
	Gross  Yuan          `json:"gross"`
	Remark string        `json:"remark,omitempty"`
	// Original and Reason belong to red invoices: the blue invoice's number and why it is reversed.
	Original string    `json:"original,omitempty"`
	Reason   RedReason `json:"reason,omitempty"`
}

// merged is a blue line with its discount line folded in: what a red may reverse.
type merged struct {
	line       InvoiceLine
	gross, tax Yuan
}

// mergedLines folds discount lines into the lines they discount, in order.
func (inv Invoice) mergedLines() []merged {
	var out []merged
	for _, l := range inv.Lines {
		if l.Nature == Discount && len(out) > 0 {
			m := &out[len(out)-1]
			m.gross, m.tax = m.gross.Add(l.Gross), m.tax.Add(l.Tax)
			continue
		}
		out = append(out, merged{line: l, gross: l.Gross, tax: l.Tax})
	}
	return out
}

func (inv *Invoice) total() {
	inv.Net, inv.Tax, inv.Gross = Yuan{}, Yuan{}, Yuan{}
	for i := range inv.Lines {
		inv.Lines[i].No = i + 1
		inv.Net = inv.Net.Add(inv.Lines[i].Net)
		inv.Tax = inv.Tax.Add(inv.Lines[i].Tax)
		inv.Gross = inv.Gross.Add(inv.Lines[i].Gross)
	}
}
