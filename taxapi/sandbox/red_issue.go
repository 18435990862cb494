package sandbox

import "time"

// redRemarkLimit is what the reserved text of a red leaves of the remark, in bytes (乐企 base ability V5.001).
const redRemarkLimit = 382

// redIssueRequest is the JSON of `red_issue`.
type redIssueRequest struct {
	unexamined
	Serial         string `json:"serial"`
	UUID           string `json:"uuid"`
	ConfirmationNo string `json:"confirmation_no"`
	RequestTime    string `json:"request_time"`
	Remark         string `json:"remark"`
	Drawer         string `json:"drawer"`
}

func (r *redIssueRequest) traits() traits { return traits{serial: r.Serial, remark: r.Remark} }

func (r *redIssueRequest) run(c *call, t *tx) (any, error) {
	same := *r
	same.RequestTime = ""
	content := contentOf(same)
	if err := c.refuseKnownSerial(t, r.Serial, content); err != nil {
		return nil, err
	}
	f := &fields{}
	if _, err := time.Parse(time.RFC3339, r.RequestTime); err != nil {
		f.refuse(codeField, "request_time", "时间格式错误")
	}
	f.text("remark", r.Remark, redRemarkLimit, false)
	f.text("drawer", r.Drawer, 300, true)
	if f.refused != nil {
		return nil, f.refused
	}
	conf, err := c.findConfirmation(t, r.UUID)
	if err != nil {
		return nil, err
	}
	if conf.Number != r.ConfirmationNo {
		return nil, refuse(codeField, "confirmation_no：确认单编号与uuid不符")
	}
	if _, refused := actingSeller(c.bureau.registry, c.app, conf.SellerTaxNo); refused != nil {
		return nil, refused
	}
	// With duplicate detection off, the same send makes a second red, so that the ledger shows the client's mistake.
	repeated := !c.set.DuplicateDetection && conf.RedSerial == r.Serial
	if (conf.State != confirmNotNeeded && conf.State != confirmBoth) || (conf.RedSerial != "" && !repeated) {
		return nil, refuse(codeConfirmationState, "确认单状态%s不能开具红字发票", conf.State)
	}
	original, err := t.invoiceByNumber(conf.BlueNumber)
	if err != nil {
		return nil, err
	}
	i := redOf(original, conf, r)
	i.content = content
	c.place(i)
	if i.FailCode == "" {
		if err := c.freeze(t, conf, original, i); err != nil {
			return nil, err
		}
	}
	return c.take(t, i)
}

// redOf makes the red invoice. Its remark starts with the trace that the law wants printed.
func redOf(original *invoice, conf *confirmation, r *redIssueRequest) *invoice {
	remark := "被红冲蓝字数电票号码：" + conf.BlueNumber + " 红字发票信息确认单编号：" + conf.Number
	if r.Remark != "" {
		remark += "\n" + r.Remark
	}
	return &invoice{Serial: r.Serial, Color: red, Kind: original.Kind, Seller: original.Seller, SellerType: original.SellerType,
		Buyer: original.Buyer, Lines: conf.Lines, Net: conf.Net, Tax: conf.Tax, Gross: conf.Gross, Remark: remark, Drawer: r.Drawer,
		BlueNumber: conf.BlueNumber, ConfirmationUUID: conf.UUID, ConfirmationNo: conf.Number}
}

// freeze ties the red to its confirmation and gives quota back if the blue is of the same month.
func (c *call) freeze(t *tx, conf *confirmation, original, i *invoice) error {
	conf.RedSerial, conf.RedNumber, conf.RedIssuedAt = i.Serial, i.Number, i.IssuedAt
	if err := t.putConfirmation(conf); err != nil {
		return err
	}
	if original.month() != i.month() {
		return nil
	}
	used, err := t.quotaUsed(i.Seller.TaxNo, i.month())
	if err != nil {
		return err
	}
	return t.setQuotaUsed(i.Seller.TaxNo, i.month(), used.plus(i.Net))
}
