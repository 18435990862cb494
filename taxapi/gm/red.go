package gm

import (
	"context"
	"fmt"
	"regexp"

	"github.com/kaipiao/kaipiao/core"
)

type applyRequest struct {
	Application string    `json:"application"`
	SellerTaxNo string    `json:"seller_tax_no"`
	BlueNumber  string    `json:"blue_number"`
	Kind        string    `json:"kind"`
	Reason      string    `json:"reason"`
	Lines       []redLine `json:"lines"`
	Net         string    `json:"net"`
	Tax         string    `json:"tax"`
	Gross       string    `json:"gross"`
}

func newApplyRequest(o core.RedOrder) (applyRequest, error) {
	inv := o.Invoice
	kind, kindKnown := kindCodes[inv.Kind]
	reason, reasonKnown := reasonCodes[inv.Reason]
	switch {
	case !applicationShape.MatchString(o.Application):
		return applyRequest{}, fmt.Errorf("application %q is not 1 to 32 of [0-9A-Za-z]", o.Application)
	case inv.Color != core.Red:
		return applyRequest{}, fmt.Errorf("a %s invoice can't be applied for as a red one", inv.Color)
	case !kindKnown:
		return applyRequest{}, fmt.Errorf("invoice kind %q has no code", inv.Kind)
	case !reasonKnown:
		return applyRequest{}, fmt.Errorf("red reason %q has no code", inv.Reason)
	}
	return applyRequest{Application: o.Application, SellerTaxNo: inv.Seller.TaxNo.Clear(), BlueNumber: inv.Original,
		Kind: kind, Reason: reason, Lines: redLines(inv.Lines), Net: inv.Net.String(), Tax: inv.Tax.String(),
		Gross: inv.Gross.String()}, nil
}

// Apply applies for a red confirmation. See core.Reverser.
func (c *Client) Apply(ctx context.Context, order core.RedOrder, before core.Before) (core.ConfirmationAnswer, error) {
	request, err := newApplyRequest(order)
	if err != nil {
		return core.ConfirmationAnswer{}, fmt.Errorf("gm red_apply %s: %w", order.Application, err)
	}
	r, err := c.send(ctx, core.OpApply, order.Application, request, before)
	if err != nil {
		return core.ConfirmationAnswer{}, err
	}
	if r.doubt != whole || r.meaning.Class != ClassOK {
		return r.confirmation(r.ofSend()), nil
	}
	return r.confirmed(confirmationResult.ofApplication, order.Application), nil
}

// QueryConfirmation asks how an application stands. Its outcome is Accepted, NotFound or Unsure.
func (c *Client) QueryConfirmation(ctx context.Context, _ core.Seller, application string) (core.ConfirmationAnswer, error) {
	if !applicationShape.MatchString(application) {
		return core.ConfirmationAnswer{}, fmt.Errorf("gm red_query: application %q is not 1 to 32 of [0-9A-Za-z]", application)
	}
	r, err := c.ask(ctx, core.OpConfirm, application, struct {
		Application string `json:"application"`
	}{application})
	if err != nil {
		return core.ConfirmationAnswer{}, err
	}
	if r.doubt != whole || r.meaning.Class != ClassOK {
		return r.confirmation(r.ofQuestion()), nil
	}
	return r.confirmed(confirmationResult.ofApplication, application), nil
}

// Withdraw takes an application back.
func (c *Client) Withdraw(ctx context.Context, _ core.Seller, uuid string, before core.Before) (core.ConfirmationAnswer, error) {
	if !uuidShape.MatchString(uuid) {
		return core.ConfirmationAnswer{}, fmt.Errorf("gm red_withdraw: uuid %q is not 32 hex digits", uuid)
	}
	r, err := c.send(ctx, core.OpWithdraw, uuid, struct {
		UUID string `json:"uuid"`
	}{uuid}, before)
	if err != nil {
		return core.ConfirmationAnswer{}, err
	}
	if r.doubt != whole || r.meaning.Class != ClassOK {
		return r.confirmation(r.ofSend()), nil
	}
	return r.confirmed(confirmationResult.ofUUID, uuid), nil
}

// confirmationResult is the result of the operations on confirmations; the last three are empty after `red_apply`.
type confirmationResult struct {
	Application    string `json:"application"`
	UUID           string `json:"uuid"`
	ConfirmationNo string `json:"confirmation_no"`
	State          string `json:"state"`
	ExpiresAt      string `json:"expires_at"`
	Issued         string `json:"issued"`
	RedNumber      string `json:"red_number"`
	RedSerial      string `json:"red_serial"`
}

func (r confirmationResult) ofApplication() string { return r.Application }
func (r confirmationResult) ofUUID() string        { return r.UUID }

var confirmationStateShape = regexp.MustCompile(`^(0[1-9]|1[0-3])$`)

// confirmed reads a confirmation; id says which of its names was asked for, and want its value.
func (r reply) confirmed(id func(confirmationResult) string, want string) core.ConfirmationAnswer {
	var q confirmationResult
	if err := r.decode(&q); err != nil {
		return r.confirmation(ending{core.OutcomeUnsure, "", err.Error()})
	}
	if id(q) != want {
		return r.confirmation(doubted(doubtForeign, "confirmation %q was named, %q is answered", want, tidy(id(q))))
	}
	var f fields
	a := r.confirmation(ending{core.OutcomeAccepted, "", r.message})
	a.State = core.ConfirmationState(f.shape("state", q.State, confirmationStateShape))
	a.UUID = f.shape("uuid", q.UUID, uuidShape)
	a.Number = f.shape("confirmation_no", q.ConfirmationNo, numberShape)
	a.ExpiresAt = f.optionalMoment("expires_at", q.ExpiresAt)
	if q.Issued == "Y" {
		a.RedNumber = f.shape("red_number", q.RedNumber, numberShape)
	}
	if f.err != nil {
		return r.confirmation(ending{core.OutcomeUnsure, "", f.err.Error()})
	}
	return a
}

type redIssueRequest struct {
	Serial         string `json:"serial"`
	UUID           string `json:"uuid"`
	ConfirmationNo string `json:"confirmation_no"`
	RequestTime    string `json:"request_time"`
	Remark         string `json:"remark"`
	Drawer         string `json:"drawer"`
}

// IssueRed sends the red invoice of a usable confirmation.
func (c *Client) IssueRed(ctx context.Context, order core.RedIssueOrder, before core.Before) (core.Answer, error) {
	switch {
	case !serialShape.MatchString(order.Serial):
		return core.Answer{}, fmt.Errorf("gm red_issue: serial %q is not 20 of [0-9A-Z]", order.Serial)
	case !uuidShape.MatchString(order.Confirmation.UUID), !numberShape.MatchString(order.Confirmation.Number):
		return core.Answer{}, fmt.Errorf("gm red_issue %s: the confirmation has no uuid or number", order.Serial)
	}
	r, err := c.send(ctx, core.OpIssueRed, order.Serial, redIssueRequest{Serial: order.Serial, UUID: order.Confirmation.UUID,
		ConfirmationNo: order.Confirmation.Number, RequestTime: wireTime(order.At), Remark: order.Invoice.Remark,
		Drawer: order.Invoice.Seller.Drawer}, before)
	if err != nil {
		return core.Answer{}, err
	}
	return r.taken(order.Serial, order.Invoice.Seller), nil
}
