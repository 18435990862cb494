package gm

import (
	"context"
	"regexp"

	"github.com/kaipiao/kaipiao/core"
)

var monthShape = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)

// Quota tells a seller's quota of net amounts. Errors are of type *Error, or say that nothing was sent.
func (c *Client) Quota(ctx context.Context, seller core.Seller) (core.Quota, error) {
	r, err := c.askQuota(ctx, seller)
	if err == nil {
		err = r.failure()
	}
	if err != nil {
		return core.Quota{}, err
	}
	return r.quota(seller)
}

func (c *Client) askQuota(ctx context.Context, seller core.Seller) (reply, error) {
	return c.ask(ctx, core.OpQuota, "", struct {
		TaxNo string `json:"tax_no"`
	}{seller.TaxNo.Clear()})
}

func (r reply) quota(seller core.Seller) (core.Quota, error) {
	var result struct {
		TaxNo     string `json:"tax_no"`
		Month     string `json:"month"`
		Total     string `json:"total"`
		Used      string `json:"used"`
		Available string `json:"available"`
	}
	if err := r.decode(&result); err != nil {
		return core.Quota{}, r.malformed(err)
	}
	var f fields
	if result.TaxNo != seller.TaxNo.Clear() {
		f.fail("tax_no", "is another seller's")
	}
	q := core.Quota{Month: f.shape("month", result.Month, monthShape), Total: f.yuan("total", result.Total),
		Used: f.yuan("used", result.Used), Available: f.yuan("available", result.Available)}
	if f.err != nil {
		return core.Quota{}, r.malformed(f.err)
	}
	return q, nil
}
