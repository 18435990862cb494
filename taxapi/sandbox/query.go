package sandbox

import "time"

// queryRequest is the JSON of `query`.
type queryRequest struct {
	unexamined
	Serial string `json:"serial"`
}

func (r *queryRequest) traits() traits { return traits{serial: r.Serial} }

func (r *queryRequest) run(c *call, t *tx) (any, error) {
	known, err := t.firstOfSerial(c.app.ID, r.Serial)
	if err != nil {
		return nil, err
	}
	if known == nil || known.TakenAt.After(c.visibleUntil()) {
		return nil, refuse(codeNotFound, "未查询到该流水号")
	}
	return describe(known, c.now), nil
}

// visibleUntil is the youngest taking time that query and list already see.
func (c *call) visibleUntil() time.Time { return c.now.Add(-time.Duration(c.set.Grace)) }

// voidRequest is the JSON of `void`.
type voidRequest struct {
	unexamined
	Number string `json:"number"`
	Reason string `json:"reason"`
}

func (r *voidRequest) traits() traits { return traits{serial: r.Number} }

// run always refuses: a 数电票 is reversed by a red invoice, never voided.
func (r *voidRequest) run(*call, *tx) (any, error) {
	return nil, refuse(codeVoid, "数电发票不支持作废，请红冲")
}

// quotaRequest is the JSON of `quota`.
type quotaRequest struct {
	unexamined
	TaxNo string `json:"tax_no"`
}

// quotaResult is a month's quota in net amounts; it starts anew with each month of Beijing time.
type quotaResult struct {
	TaxNo     string `json:"tax_no"`
	Month     string `json:"month"`
	Total     yuan   `json:"total"`
	Used      yuan   `json:"used"`
	Available yuan   `json:"available"`
}

func (r *quotaRequest) traits() traits { return traits{seller: r.TaxNo} }

func (r *quotaRequest) run(c *call, t *tx) (any, error) {
	s := c.bureau.registry.seller(r.TaxNo)
	if s == nil || !s.allows(c.app.ID) {
		return nil, refuse(codeSeller, "销售方未在本应用登记")
	}
	month := c.now.In(beijing).Format(monthLayout)
	used, err := t.quotaUsed(r.TaxNo, month)
	if err != nil {
		return nil, err
	}
	return quotaResult{r.TaxNo, month, s.Quota, used, s.Quota.minus(used)}, nil
}
