package woocommerce

import (
	"context"
	"net/url"
	"strconv"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Probe tries the REST access, and looks whether WooCommerce has switched the webhook off: after a few failed deliveries
// in a row it does so without telling anybody.
func (c *Config) Probe(ctx context.Context) []sdk.Problem {
	if c.client == nil {
		return []sdk.Problem{{Pointer: "/woocommerce/api", Warning: true,
			Message: "no REST access: refunds come without their lines, and what a webhook loses stays lost"}}
	}
	var orders []order
	if err := c.client.get(ctx, url.Values{"per_page": {"1"}}, &orders, "orders"); err != nil {
		return []sdk.Problem{{Pointer: "/woocommerce/api", Message: err.Error()}}
	}
	if c.API.WebhookID == 0 {
		return nil
	}
	var hook struct {
		Status string `json:"status"`
	}
	if err := c.client.get(ctx, nil, &hook, "webhooks", strconv.FormatInt(c.API.WebhookID, 10)); err != nil {
		return []sdk.Problem{{Pointer: "/woocommerce/api/webhook_id", Message: err.Error()}}
	}
	if hook.Status != "active" {
		return []sdk.Problem{{Pointer: "/woocommerce/api/webhook_id", Message: "the webhook is not active: switch it on again in WooCommerce; orders missed meanwhile are read by the next pull"}}
	}
	return nil
}
