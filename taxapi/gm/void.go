package gm

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// voidReason is the only reason for which an invoice is voided instead of reversed.
const voidReason = "开票有误"

// Void asks to void an invoice. For a digital invoice the answer is a refusal of class not_supported; a gateway that
// can void other kinds answers with the number, and the outcome is Accepted.
func (c *Client) Void(ctx context.Context, _ core.Seller, number string, before core.Before) (core.Answer, error) {
	if !numberShape.MatchString(number) {
		return core.Answer{}, fmt.Errorf("gm void: number %q is not 20 digits", number)
	}
	r, err := c.send(ctx, core.OpVoid, number, struct {
		Number string `json:"number"`
		Reason string `json:"reason"`
	}{number, voidReason}, before)
	if err != nil {
		return core.Answer{}, err
	}
	if r.doubt != whole || r.meaning.Class != ClassOK {
		return r.answer(r.ofSend()), nil
	}
	var result struct {
		Number string `json:"number"`
	}
	if err := r.decode(&result); err != nil {
		return r.answer(ending{core.OutcomeUnsure, "", err.Error()}), nil
	}
	if result.Number != number {
		return r.answer(doubted(doubtForeign, "number %s was sent, %q is answered", number, tidy(result.Number))), nil
	}
	a := r.answer(ending{core.OutcomeAccepted, "", r.message})
	a.Number = number
	return a, nil
}
