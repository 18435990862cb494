package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// handInvoice is an invoice made at the bureau's own counter: the same fields as `issue`, and when it was issued.
type handInvoice struct {
	issueRequest
	IssuedAt time.Time `json:"issued_at"`
}

// issueByHand makes an invoice that no client knows. Shape and sums are checked, but neither rate, buyer nor quota: it
// may be of another year, under a rate that is gone.
func (b *Bureau) issueByHand(r *http.Request) (any, error) {
	var h handInvoice
	if err := readJSON(r, &h); err != nil {
		return nil, err
	}
	s := b.registry.seller(h.Seller.TaxNo)
	if s == nil {
		return nil, badRequest{errors.New("the seller is not registered; POST /sandbox/sellers first")}
	}
	now := b.now()
	if h.IssuedAt.IsZero() {
		h.IssuedAt = now
	}
	f := &fields{}
	i := h.read(f)
	f.discounts(i.Lines)
	f.amounts(b.registry.current(), i)
	if f.refused != nil {
		return nil, f.refused
	}
	i.SellerType = s.Type
	i.TakenAt, i.IssuedAt = now, h.IssuedAt.In(beijing).Truncate(time.Millisecond)
	err := b.store.do(func(t *tx) error {
		i.ID = b.nextInvoice()
		i.Number = number20(i.ID, i.IssuedAt)
		used, err := t.quotaUsed(s.TaxNo, i.month())
		if err != nil {
			return err
		}
		if err := t.setQuotaUsed(s.TaxNo, i.month(), used.plus(i.Net)); err != nil {
			return err
		}
		return t.insertInvoice(i)
	})
	return ledgerInvoice{i, i.state(now)}, err
}

// actOnConfirmation lets the buyer, the bureau or time act.
func (b *Bureau) actOnConfirmation(r *http.Request) (any, error) {
	var body struct {
		Act act `json:"act"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	known := []act{actAgree, actRefuse, actWithdraw, actExpire, actAbnormal, actTaxpayer, actPersonRefuse, actRefundExists}
	if !slices.Contains(known, body.Act) {
		return nil, badRequest{errors.New("act is unknown")}
	}
	var conf *confirmation
	err := b.store.do(func(t *tx) (err error) {
		conf, err = t.confirmation(b.now(), `WHERE uuid = ?`, r.PathValue("uuid"))
		if err != nil {
			return err
		}
		if conf == nil {
			return refuse(codeNotFound, "未查询到该确认单")
		}
		if err := conf.apply(body.Act); err != nil {
			return err
		}
		return t.putConfirmation(conf)
	})
	return conf, err
}

// enterAsBuyer makes a confirmation in state 03, entered by the buyer, for all that remains of a blue invoice.
func (b *Bureau) enterAsBuyer(r *http.Request) (any, error) {
	var body struct {
		BlueNumber string `json:"blue_number"`
		Reason     reason `json:"reason"`
	}
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	c := &call{bureau: b, now: b.now(), set: b.registry.current()}
	draft := &confirmation{State: confirmWaitSeller, BlueNumber: body.BlueNumber, Reason: body.Reason, AppliedAt: c.now}
	err := b.store.do(func(t *tx) error {
		original, err := t.invoiceByNumber(body.BlueNumber)
		if err != nil {
			return err
		}
		if original == nil {
			return refuse(codeBlue, "蓝字发票不存在")
		}
		others, err := t.confirmations(c.now, `WHERE blue_number = ? ORDER BY id`, body.BlueNumber)
		if err != nil {
			return err
		}
		draft.SellerTaxNo = original.Seller.TaxNo
		draft.takeRest(original, others)
		if len(draft.Lines) == 0 {
			return refuse(codeOverRed, "剩余可红冲金额不足")
		}
		return c.enter(t, draft, original.Kind)
	})
	return draft, err
}

// takeRest fills in lines for everything that is left.
func (c *confirmation) takeRest(original *invoice, others []*confirmation) {
	shares := sharesOf(original)
	for _, o := range others {
		if o.State.live() {
			for _, l := range o.Lines {
				shares[l.BlueNo].add(l)
			}
		}
	}
	for _, l := range original.Lines {
		s := shares[l.No]
		if s == nil || s.used() {
			continue
		}
		l.No, l.BlueNo, l.Nature = len(c.Lines)+1, l.No, natureNormal
		l.Net, l.Tax, l.Gross = s.net.negated(), s.tax.negated(), s.gross.negated()
		if l.Quantity.given && c.Reason != reasonAllowance && s.quantity.IsPositive() {
			l.Quantity.Decimal = s.quantity.Neg()
			l.Price.Decimal = s.net.DivRound(s.quantity, 8)
		} else {
			l.Quantity, l.Price = measure{}, measure{}
		}
		c.Lines = append(c.Lines, l)
		c.Net, c.Tax, c.Gross = c.Net.plus(l.Net), c.Tax.plus(l.Tax), c.Gross.plus(l.Gross)
	}
}
