package gm

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

type serialRequest struct {
	Serial string `json:"serial"`
}

// queryResult is what the bureau shows under a serial.
type queryResult struct {
	Serial      string `json:"serial"`
	State       string `json:"state"`
	Color       string `json:"color"`
	Number      string `json:"number"`
	IssuedAt    string `json:"issued_at"`
	Kind        string `json:"kind"`
	SellerTaxNo string `json:"seller_tax_no"`
	BuyerName   string `json:"buyer_name"`
	BuyerTaxNo  string `json:"buyer_tax_no"`
	Net         string `json:"net"`
	Tax         string `json:"tax"`
	Gross       string `json:"gross"`
	FailCode    string `json:"fail_code"`
	FailMessage string `json:"fail_message"`
}

// Query asks what became of a serial. Its outcome is Issued, Accepted or Refused (the bureau took it and then failed)
// with Found, NotFound, or Unsure, whatever else went wrong.
func (c *Client) Query(ctx context.Context, seller core.Seller, serial string) (core.Answer, error) {
	if !serialShape.MatchString(serial) {
		return core.Answer{}, fmt.Errorf("gm query: serial %q is not 20 of [0-9A-Z]", serial)
	}
	r, err := c.ask(ctx, core.OpQuery, serial, serialRequest{serial})
	if err != nil {
		return core.Answer{}, err
	}
	if r.doubt != whole || r.meaning.Class != ClassOK {
		return r.answer(r.ofQuestion()), nil
	}
	return r.shown(serial, seller), nil
}

// shown reads what the bureau shows under a serial: the result of a query, or of a send that it knew already.
func (r reply) shown(serial string, seller core.Seller) core.Answer {
	var q queryResult
	if err := r.decode(&q); err != nil {
		return r.answer(ending{core.OutcomeUnsure, "", err.Error()})
	}
	switch {
	case q.Serial != serial:
		return r.answer(doubted(doubtForeign, "serial %q was asked for, %q is answered", serial, tidy(q.Serial)))
	case q.SellerTaxNo != seller.TaxNo.Clear():
		return r.answer(doubted(doubtForeign, "the invoice under serial %s is another seller's", serial))
	}
	a := r.answer(ending{message: r.message})
	var f fields
	a.Found = q.found(&f)
	switch q.State {
	case stateIssued:
		a.Outcome = core.OutcomeIssued
		a.Number, a.IssuedAt = f.shape("number", q.Number, numberShape), f.moment("issued_at", q.IssuedAt)
	case stateAccepted:
		a.Outcome = core.OutcomeAccepted
	case stateFailed:
		failed(&a, q)
	default:
		f.fail("state", "is unknown")
	}
	if f.err != nil {
		return r.answer(ending{core.OutcomeUnsure, "", f.err.Error()})
	}
	return a
}

func (q queryResult) found(f *fields) *core.Found {
	kind, ok := kinds[q.Kind]
	if !ok {
		f.fail("kind", "is unknown")
	}
	color := core.Color(q.Color)
	if color != core.Blue && color != core.Red {
		f.fail("color", "is unknown")
	}
	return &core.Found{Color: color, Kind: kind, BuyerName: q.BuyerName, BuyerTaxNo: core.NormalTaxNo(q.BuyerTaxNo),
		Net: f.yuan("net", q.Net), Tax: f.yuan("tax", q.Tax), Gross: f.yuan("gross", q.Gross)}
}

// failed makes a refusal of an invoice that was taken and then failed. That record is final and its serial spent: even
// if its code is one for which others wait (quota, login), this invoice needs a new serial, so the class is parameter.
func failed(a *core.Answer, q queryResult) {
	a.Outcome, a.Refusal, a.Message = core.OutcomeRefused, core.RefusedParameter, tidy(q.FailMessage)
	if codeShape.MatchString(q.FailCode) {
		a.Code = q.FailCode
	}
}
