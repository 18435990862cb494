package woocommerce

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// order is the part of a REST v3 order that invoices need. Ids and figures come as text or number, as the shop's plugins
// please; sdk.Text keeps their characters.
type order struct {
	Code          string    `json:"code"` // of an error body
	ID            sdk.Text  `json:"id"`
	Number        sdk.Text  `json:"number"`
	Status        string    `json:"status"`
	Currency      string    `json:"currency"`
	Modified      string    `json:"date_modified_gmt"`
	Paid          string    `json:"date_paid_gmt"`
	Completed     string    `json:"date_completed_gmt"`
	Total         sdk.Text  `json:"total"`
	PaymentMethod string    `json:"payment_method"`
	TransactionID sdk.Text  `json:"transaction_id"`
	Billing       billing   `json:"billing"`
	Lines         []item    `json:"line_items"`
	Shipping      []item    `json:"shipping_lines"`
	Fees          []item    `json:"fee_lines"`
	GiftCards     []card    `json:"gift_cards"` // of the official extension
	Refunds       []refunds `json:"refunds"`
	Meta          metaData  `json:"meta_data"`
}

type billing struct {
	Company string   `json:"company"`
	Email   string   `json:"email"`
	Phone   sdk.Text `json:"phone"`
}

// item is a line of goods, shipping or fee. Totals are net of tax, whatever the shop's prices include.
type item struct {
	ID          sdk.Text `json:"id"`
	Name        string   `json:"name"`
	MethodTitle string   `json:"method_title"`
	SKU         sdk.Text `json:"sku"`
	Quantity    sdk.Text `json:"quantity"`
	Subtotal    sdk.Text `json:"subtotal"`
	SubtotalTax sdk.Text `json:"subtotal_tax"`
	Total       sdk.Text `json:"total"`
	TotalTax    sdk.Text `json:"total_tax"`
	Meta        metaData `json:"meta_data"`
}

type card struct {
	Amount sdk.Text `json:"amount"`
}

// refunds are the short forms in an order: id and negative total. A deleted refund may stay as id 0.
type refunds struct {
	ID    sdk.Text `json:"id"`
	Total sdk.Text `json:"total"`
}

type metaData []struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// first gives the first filled text or number among the keys, in the keys' order. Values of other forms are no titles.
func (m metaData) first(keys []string) string {
	for _, key := range keys {
		for _, entry := range m {
			var value sdk.Text
			if entry.Key == key && json.Unmarshal(entry.Value, &value) == nil && strings.TrimSpace(string(value)) != "" {
				return strings.TrimSpace(string(value))
			}
		}
	}
	return ""
}

func (o order) liveRefunds() []refunds {
	return slices.DeleteFunc(slices.Clone(o.Refunds), func(r refunds) bool { return r.ID == "" || r.ID == "0" })
}

// no is the number that merchant and buyer know; plugins for sequential numbers make it differ from the id.
func (o order) no() string {
	if o.Number != "" {
		return string(o.Number)
	}
	return string(o.ID)
}

// status tells paid from unpaid by the time of payment: an order paid on delivery is "processing" long before.
func (o order) status() sdk.SaleStatus {
	switch o.Status {
	case "cancelled", "trash":
		return sdk.Cancelled
	case "refunded":
		return sdk.Closed
	case "failed":
		if o.Paid != "" {
			return sdk.Cancelled
		}
		return sdk.Unpaid
	case "completed":
		if o.Paid != "" {
			return sdk.Completed
		}
		return sdk.Unpaid
	}
	if o.Paid != "" {
		return sdk.Paid
	}
	return sdk.Unpaid
}

// phases order the states that an order can pass through within one second, the grain of its date of change.
var phases = map[sdk.SaleStatus]string{sdk.Unpaid: "0", sdk.Paid: "1", sdk.Completed: "2", sdk.Closed: "3", sdk.Cancelled: "4"}

// revision is the date of change in digits, followed by the phase. A gateway that confirms at once changes a new order
// to a paid one in the second of its creation.
func (o order) revision() string {
	return strings.NewReplacer("-", "", "T", "", ":", "").Replace(o.Modified) + phases[o.status()]
}

func (o order) buyer(c *Config) sdk.Buyer {
	b := sdk.Buyer{
		Title: o.Meta.first(c.TitleKeys), TaxNo: o.Meta.first(c.TaxNoKeys),
		Email: o.Billing.Email, Mobile: string(o.Billing.Phone),
	}
	if b.Title == "" {
		b.Title = strings.TrimSpace(o.Billing.Company)
	}
	if b.Title != "" || b.TaxNo != "" {
		b.TitleType = sdk.Company
	}
	return b
}

// askedFor says whether the box for an invoice was ticked, by any of the values that checkout plugins store for it.
func (o order) askedFor(c *Config) bool {
	switch strings.ToLower(o.Meta.first(c.AskKeys)) {
	case "", "0", "no", "false", "off":
		return false
	}
	return true
}

// methods tell means of payment by how a gateway's id begins.
var methods = []struct {
	prefix string
	kind   sdk.TenderKind
}{
	{"alipay", sdk.Alipay}, {"wechat", sdk.WeChat}, {"weixin", sdk.WeChat}, {"wxpay", sdk.WeChat},
	{"unionpay", sdk.UnionPay}, {"cod", sdk.Cash}, {"stripe", sdk.Card},
}

func (o order) tender() sdk.TenderKind {
	for _, m := range methods {
		if strings.HasPrefix(strings.ToLower(o.PaymentMethod), m.prefix) {
			return m.kind
		}
	}
	return sdk.OtherTender
}
