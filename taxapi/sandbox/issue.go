package sandbox

import (
	"fmt"
	"time"
)

// taken is the result of issue and red_issue.
type taken struct {
	Serial   string `json:"serial"`
	State    state  `json:"state"`
	Number   string `json:"number,omitempty"`
	IssuedAt string `json:"issued_at,omitempty"`

	invoice *invoice
}

func (r *issueRequest) traits() traits {
	return traits{seller: r.Seller.TaxNo, serial: r.Serial, buyer: r.Buyer.Name, remark: r.Remark, gross: r.Gross}
}

func (r *issueRequest) run(c *call, t *tx) (any, error) {
	if err := c.refuseKnownSerial(t, r.Serial, r.content); err != nil {
		return nil, err
	}
	if r.refused != nil {
		return nil, r.refused
	}
	i := *r.draft
	c.place(&i)
	if i.FailCode == "" {
		if err := c.spendQuota(t, &i); err != nil {
			return nil, err
		}
	}
	return c.take(t, &i)
}

// refuseKnownSerial answers a serial that was taken before, also while its invoice is still being issued: 4001 with
// what is known, or 4002 if the content is another. Told not to detect duplicates it lets everything pass.
func (c *call) refuseKnownSerial(t *tx, serial, content string) error {
	if !serialShape.MatchString(serial) {
		return refuse(codeField, "serial：应为20位数字和大写字母")
	}
	if !c.set.DuplicateDetection {
		return nil
	}
	known, err := t.firstOfSerial(c.app.ID, serial)
	if err != nil || known == nil {
		return err
	}
	if known.content != content {
		return refuse(codeConflict, "流水号已存在，内容不同")
	}
	return &refusal{codeDuplicate, "流水号已存在，请勿重复提交", describe(known, c.now)}
}

// place fixes number and issuing time, and whether the invoice will fail. The serial part of the number is the row id,
// so numbers never repeat.
func (c *call) place(i *invoice) {
	i.App, i.TakenAt, i.IssuedAt = c.app.ID, c.now, c.now.Add(c.set.latency())
	i.ID = c.bureau.nextInvoice()
	i.Number = number20(i.ID, i.IssuedAt)
	if c.fault != nil && c.fault.Kind == faultFail {
		i.FailCode, i.FailMessage = c.fault.Code, c.fault.Message
	}
}

// take writes the ledger row and makes the result. In the synchronous mode the answer says issued although IssuedAt may
// be a moment ahead: it is held back until then.
func (c *call) take(t *tx, i *invoice) (any, error) {
	if err := t.insertInvoice(i); err != nil {
		return nil, err
	}
	result := taken{Serial: i.Serial, State: stateAccepted, invoice: i}
	if i.FailCode == "" && (!c.set.Asynchronous || i.state(c.now) == stateIssued) {
		result.State, result.Number, result.IssuedAt = stateIssued, i.Number, wireTime(i.IssuedAt)
	}
	return result, nil
}

// spendQuota books the net amount in the month of issue, or refuses if too little is left.
func (c *call) spendQuota(t *tx, i *invoice) error {
	used, err := t.quotaUsed(i.Seller.TaxNo, i.month())
	if err != nil {
		return err
	}
	after := used.plus(i.Net)
	if s := c.bureau.registry.seller(i.Seller.TaxNo); after.GreaterThan(s.Quota.Decimal) {
		return refuse(codeQuota, "开票失败。授信额度不足，请联系主管税务机关")
	}
	return t.setQuotaUsed(i.Seller.TaxNo, i.month(), after)
}

func (t *tx) quotaUsed(seller, month string) (yuan, error) {
	var text string
	found, err := t.row(`SELECT used FROM quota WHERE seller = ? AND month = ?`, []any{seller, month}, &text)
	if err != nil || !found {
		return yuan{}, err
	}
	used, ok := parseYuan(text)
	if !ok {
		return yuan{}, fmt.Errorf("the stored quota %q is no amount", text)
	}
	return used, nil
}

func (t *tx) setQuotaUsed(seller, month string, used yuan) error {
	return t.exec(`INSERT INTO quota (seller, month, used) VALUES (?1, ?2, ?3)
		ON CONFLICT (seller, month) DO UPDATE SET used = ?3`, seller, month, used.String())
}

// described is the result of query.
type described struct {
	Serial      string      `json:"serial"`
	State       state       `json:"state"`
	Color       color       `json:"color"`
	Number      string      `json:"number"`
	IssuedAt    string      `json:"issued_at"`
	Kind        invoiceKind `json:"kind"`
	SellerTaxNo string      `json:"seller_tax_no"`
	BuyerName   string      `json:"buyer_name"`
	BuyerTaxNo  string      `json:"buyer_tax_no"`
	Net         yuan        `json:"net"`
	Tax         yuan        `json:"tax"`
	Gross       yuan        `json:"gross"`
	FailCode    code        `json:"fail_code"`
	FailMessage string      `json:"fail_message"`
}

func describe(i *invoice, now time.Time) described {
	d := described{Serial: i.Serial, State: i.state(now), Color: i.Color, Kind: i.Kind, SellerTaxNo: i.Seller.TaxNo,
		BuyerName: i.Buyer.Name, BuyerTaxNo: i.Buyer.TaxNo, Net: i.Net, Tax: i.Tax, Gross: i.Gross}
	switch d.State {
	case stateIssued:
		d.Number, d.IssuedAt = i.Number, wireTime(i.IssuedAt)
	case stateFailed:
		d.FailCode, d.FailMessage = i.FailCode, i.FailMessage
	}
	return d
}
