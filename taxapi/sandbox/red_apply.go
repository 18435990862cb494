package sandbox

import (
	"regexp"
	"time"
)

// reason is why an invoice is reversed, by the bureau's code.
type reason string

const (
	reasonWrong     reason = "01" // 开票有误: the whole invoice only
	reasonReturned  reason = "02" // 销货退回: goods, by quantity
	reasonStopped   reason = "03" // 服务中止: services
	reasonAllowance reason = "04" // 销售折让: amounts only
)

var applicationShape = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)

// redApplyRequest is the JSON of `red_apply`.
type redApplyRequest struct {
	Application string      `json:"application"`
	SellerTaxNo string      `json:"seller_tax_no"`
	BlueNumber  string      `json:"blue_number"`
	Kind        invoiceKind `json:"kind"`
	Reason      reason      `json:"reason"`
	Lines       []wireLine  `json:"lines"`
	Net         string      `json:"net"`
	Tax         string      `json:"tax"`
	Gross       string      `json:"gross"`

	content string
	draft   *confirmation
	refused *refusal
}

// confirmationResult is the result of the red operations but red_issue. red_apply leaves the last three out.
type confirmationResult struct {
	Application    string            `json:"application"`
	UUID           string            `json:"uuid"`
	ConfirmationNo string            `json:"confirmation_no"`
	State          confirmationState `json:"state"`
	ExpiresAt      string            `json:"expires_at"`
	Issued         string            `json:"issued,omitempty"`
	RedNumber      *string           `json:"red_number,omitempty"`
	RedSerial      *string           `json:"red_serial,omitempty"`
}

func (c *confirmation) applied() confirmationResult {
	return confirmationResult{Application: c.Application, UUID: c.UUID, ConfirmationNo: c.Number, State: c.State,
		ExpiresAt: wireTime(c.ExpiresAt)}
}

// queried adds what became of the red: its number is shown once it is issued.
func (c *confirmation) queried(now time.Time) confirmationResult {
	r := c.applied()
	r.Issued = "N"
	serial, number := c.RedSerial, ""
	if c.RedSerial != "" && !c.RedIssuedAt.After(now) {
		r.Issued, number = "Y", c.RedNumber
	}
	r.RedSerial, r.RedNumber = &serial, &number
	return r
}

func (r *redApplyRequest) traits() traits {
	return traits{seller: r.SellerTaxNo, serial: r.Application, gross: r.Gross}
}

func (r *redApplyRequest) examine(reg *registry, a *app, now time.Time) {
	r.content = contentOf(r)
	r.draft, r.refused = r.prove(reg, a, now)
}

// prove checks the request by itself; what needs the blue invoice is left to run.
func (r *redApplyRequest) prove(reg *registry, a *app, now time.Time) (*confirmation, *refusal) {
	if _, refused := actingSeller(reg, a, r.SellerTaxNo); refused != nil {
		return nil, refused
	}
	f := &fields{}
	draft := &confirmation{App: a.ID, Application: r.Application, State: confirmNotNeeded, SellerTaxNo: r.SellerTaxNo,
		BlueNumber: r.BlueNumber, Reason: r.Reason, AppliedAt: now, content: r.content}
	if r.Reason < reasonWrong || r.Reason > reasonAllowance || len(r.Reason) != 2 {
		f.refuse(codeField, "reason", "红冲原因应为01至04")
	}
	if len(r.Lines) == 0 || len(r.Lines) > maxLines {
		f.refuse(codeField, "lines", "明细应为1至%d行", maxLines)
	}
	seen := map[int]bool{}
	for i, w := range r.Lines {
		f.in(i)
		w.Nature = natureNormal
		l := w.read(f)
		if w.No != i+1 {
			f.refuse(codeField, "no", "行号应从1起连续")
		}
		if seen[l.BlueNo] {
			f.refuse(codeField, "blue_no", "同一蓝字行重复")
		}
		seen[l.BlueNo] = true
		f.redSigns(l)
		draft.Lines = append(draft.Lines, l)
	}
	f.prefix = ""
	draft.Net, draft.Tax, draft.Gross = f.yuan("net", r.Net), f.yuan("tax", r.Tax), f.yuan("gross", r.Gross)
	f.totals(draft.Lines, draft.Net, draft.Tax, draft.Gross)
	if f.refused != nil {
		return nil, f.refused
	}
	return draft, nil
}

// redSigns: a red takes away, so quantity and amounts are negative and the price stays positive.
func (f *fields) redSigns(l line) {
	switch {
	case !l.Gross.IsNegative() || l.Net.IsPositive() || l.Tax.IsPositive():
		f.refuse(codeAmounts, "gross", "红字金额应为负数")
	case l.Quantity.given && !l.Quantity.IsNegative():
		f.refuse(codeAmounts, "quantity", "红字数量应为负数")
	case l.Price.given && !l.Price.IsPositive():
		f.refuse(codeAmounts, "price", "单价应大于零")
	}
}

func (r *redApplyRequest) run(c *call, t *tx) (any, error) {
	if !applicationShape.MatchString(r.Application) {
		return nil, refuse(codeField, "application：应为1至32位字母和数字")
	}
	if c.set.DuplicateDetection {
		known, err := t.confirmation(c.now, `WHERE app = ? AND application = ? ORDER BY id`, c.app.ID, r.Application)
		if err != nil {
			return nil, err
		}
		if known != nil && known.content != r.content {
			return nil, refuse(codeConflict, "申请单号已存在，内容不同")
		}
		if known != nil {
			return known.applied(), nil
		}
	}
	if r.refused != nil {
		return nil, r.refused
	}
	draft := *r.draft
	if err := c.enter(t, &draft, r.Kind); err != nil {
		return nil, err
	}
	return draft.applied(), nil
}

// enter proves a draft against its blue invoice, decides whether the buyer must agree, and stores it.
func (c *call) enter(t *tx, draft *confirmation, kind invoiceKind) error {
	original, err := t.invoiceByNumber(draft.BlueNumber)
	if err != nil {
		return err
	}
	if original == nil || original.Seller.TaxNo != draft.SellerTaxNo || original.state(c.now) != stateIssued {
		return refuse(codeBlue, "蓝字发票不存在或不可红冲")
	}
	if original.Color == red {
		return refuse(codeRedOfRed, "红字发票不能红冲")
	}
	if original.Kind != kind {
		return refuse(codeDiffersFromBlue, "kind：票种与蓝字发票不一致")
	}
	others, err := t.confirmations(c.now, `WHERE blue_number = ? ORDER BY id`, draft.BlueNumber)
	if err != nil {
		return err
	}
	if refused := checkRed(draft, original, others, c.set.LineTolerance); refused != nil {
		return refused
	}
	if draft.State == confirmNotNeeded {
		if b := c.bureau.registry.buyer(original.Buyer.TaxNo); b != nil && b.Books {
			draft.State = confirmWaitBuyer
		}
	}
	if draft.State != confirmNotNeeded {
		draft.ExpiresAt = c.now.Add(confirmationLife)
	}
	draft.ID = c.bureau.nextConfirmation()
	draft.name()
	return t.putConfirmation(draft)
}
