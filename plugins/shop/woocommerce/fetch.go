package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

var errNoAPI = errors.New("the instance has no section woocommerce.api")

const refundsPerPage = 100

// Fetch reads one order and all its refunds.
func (c *Config) Fetch(ctx context.Context, orderNo string) ([]sdk.Event, error) {
	if c.client == nil {
		return nil, sdk.Permanent(fmt.Errorf("fetch an order: %w", errNoAPI))
	}
	o, err := c.find(ctx, orderNo)
	if err != nil {
		return nil, instructed(err)
	}
	sale, err := c.sale(o)
	if err != nil {
		return nil, sdk.Permanent(fmt.Errorf("order %s: %w", o.ID, err))
	}
	events := []sdk.Event{saleEvent(sale)}
	if len(o.liveRefunds()) == 0 {
		return events, nil
	}
	refunds, err := c.refundsOf(ctx, o, sale)
	return append(events, refunds...), err
}

// find reads an order by its number. For most shops that is the id; those with a plugin for sequential numbers need a
// search, and then an order whose id happens to be the number is another order.
func (c *Config) find(ctx context.Context, orderNo string) (order, error) {
	byID, err := c.byID(ctx, orderNo)
	var status *statusError
	missing := errors.As(err, &status) && status.status == http.StatusNotFound
	switch {
	case err == nil && byID.no() == orderNo:
		return byID, nil
	case err != nil && !missing:
		return order{}, err
	}
	var found []order
	if err := c.client.get(ctx, url.Values{"search": {orderNo}, "per_page": {"20"}}, &found, "orders"); err != nil {
		return order{}, err
	}
	for _, o := range found {
		if o.no() == orderNo {
			return o, nil
		}
	}
	return byID, err
}

func (c *Config) byID(ctx context.Context, id string) (order, error) {
	if _, err := strconv.ParseUint(id, 10, 63); err != nil {
		return order{}, &statusError{what: "order by a number that is no id", status: http.StatusNotFound}
	}
	var o order
	err := c.client.get(ctx, nil, &o, "orders", id)
	return o, err
}

func (c *Config) refundsOf(ctx context.Context, o order, sale sdk.SaleSnapshot) ([]sdk.Event, error) {
	var all []fullRefund
	for page := 1; ; page++ {
		var some []fullRefund
		query := url.Values{"per_page": {strconv.Itoa(refundsPerPage)}, "page": {strconv.Itoa(page)}}
		if err := c.client.get(ctx, query, &some, "orders", string(o.ID), "refunds"); err != nil {
			return nil, instructed(err)
		}
		all = append(all, some...)
		if len(some) < refundsPerPage {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b fullRefund) int { return compareIDs(a.ID, b.ID) })
	var refunds []sdk.Refund
	created := map[string]fullRefund{}
	for _, f := range all {
		if f.ID == "" || f.ID == "0" {
			continue
		}
		refund, err := c.refund(f, sale)
		if err != nil {
			return nil, sdk.Permanent(fmt.Errorf("refund %s of order %s: %w", f.ID, o.ID, err))
		}
		created[refund.RefundNo] = f
		refunds = append(refunds, refund)
	}
	refunds, err := capRefunds(refunds, sale)
	if err != nil {
		return nil, sdk.Permanent(fmt.Errorf("refunds of order %s: %w", o.ID, err))
	}
	var r reader
	var events []sdk.Event
	for _, refund := range refunds {
		events = append(events, refundEvent(refund, created[refund.RefundNo].created(&r)))
	}
	return events, r.Err()
}

// compareIDs orders ids as numbers.
func compareIDs(a, b sdk.Text) int {
	x, _ := json.Number(a).Int64()
	y, _ := json.Number(b).Int64()
	return int(max(-1, min(1, x-y)))
}
