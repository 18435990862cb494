package gm

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// Invoice states on the wire.
const (
	stateAccepted = "accepted"
	stateIssued   = "issued"
	stateFailed   = "failed"
)

type issueRequest struct {
	Serial      string     `json:"serial"`
	Kind        string     `json:"kind"`
	RequestTime string     `json:"request_time"`
	Seller      party      `json:"seller"`
	Buyer       party      `json:"buyer"`
	Lines       []blueLine `json:"lines"`
	Net         string     `json:"net"`
	Tax         string     `json:"tax"`
	Gross       string     `json:"gross"`
	Remark      string     `json:"remark"`
	Drawer      string     `json:"drawer"`
	Payee       string     `json:"payee"`
	Reviewer    string     `json:"reviewer"`
}

func newIssueRequest(o core.IssueOrder) (issueRequest, error) {
	inv := o.Invoice
	kind, ok := kindCodes[inv.Kind]
	switch {
	case !serialShape.MatchString(o.Serial):
		return issueRequest{}, fmt.Errorf("serial %q is not 20 of [0-9A-Z]", o.Serial)
	case inv.Color != core.Blue:
		return issueRequest{}, fmt.Errorf("a %s invoice can't be issued as a blue one", inv.Color)
	case !ok:
		return issueRequest{}, fmt.Errorf("invoice kind %q has no code", inv.Kind)
	}
	lines, err := blueLines(inv.Lines)
	if err != nil {
		return issueRequest{}, err
	}
	return issueRequest{Serial: o.Serial, Kind: kind, RequestTime: wireTime(o.At), Seller: sellerParty(inv.Seller),
		Buyer: buyerParty(inv.Buyer), Lines: lines, Net: inv.Net.String(), Tax: inv.Tax.String(), Gross: inv.Gross.String(),
		Remark: inv.Remark, Drawer: inv.Seller.Drawer, Payee: inv.Seller.Payee, Reviewer: inv.Seller.Reviewer}, nil
}

// Issue sends a blue invoice. See core.Issuer.
func (c *Client) Issue(ctx context.Context, order core.IssueOrder, before core.Before) (core.Answer, error) {
	request, err := newIssueRequest(order)
	if err != nil {
		return core.Answer{}, fmt.Errorf("gm issue %s: %w", order.Serial, err)
	}
	r, err := c.send(ctx, core.OpIssue, order.Serial, request, before)
	if err != nil {
		return core.Answer{}, err
	}
	return r.taken(order.Serial, order.Invoice.Seller), nil
}

// taken reads the end of `issue` and `red_issue`.
func (r reply) taken(serial string, seller core.Seller) core.Answer {
	switch {
	case r.doubt != whole:
		return r.answer(r.ofSend())
	case r.meaning.Class == ClassDuplicate:
		return r.shown(serial, seller)
	case r.meaning.Class != ClassOK:
		return r.answer(r.ofSend())
	}
	var result struct {
		Serial   string `json:"serial"`
		State    string `json:"state"`
		Number   string `json:"number"`
		IssuedAt string `json:"issued_at"`
	}
	if err := r.decode(&result); err != nil {
		return r.answer(ending{core.OutcomeUnsure, "", err.Error()})
	}
	if result.Serial != serial {
		return r.answer(doubted(doubtForeign, "serial %q was sent, %q is answered", serial, tidy(result.Serial)))
	}
	a := r.answer(ending{message: r.message})
	var f fields
	switch result.State {
	case stateIssued:
		a.Outcome = core.OutcomeIssued
		a.Number, a.IssuedAt = f.shape("number", result.Number, numberShape), f.moment("issued_at", result.IssuedAt)
	case stateAccepted:
		a.Outcome = core.OutcomeAccepted
	default:
		f.fail("state", "is unknown")
	}
	if f.err != nil {
		return r.answer(ending{core.OutcomeUnsure, "", f.err.Error()})
	}
	return a
}
