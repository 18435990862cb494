package woocommerce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Meta keys on the order, for themes and other plugins to show. A value may be several numbers with commas between them.
const (
	metaNumber = "_kaipiao_invoice_number"
	metaRed    = "_kaipiao_red_invoice_number"
	metaURL    = "_kaipiao_invoice_url"
)

// Deliver shows an invoice on the order: in its meta data, then as a note. Both can be repeated: the meta data is set, not
// added to, and a note that names the invoice already is not written again.
func (c *Config) Deliver(ctx context.Context, p sdk.Parcel) (sdk.Receipt, error) {
	if c.client == nil {
		return sdk.Rejected(sdk.CredentialsProblem, errNoAPI.Error()), nil
	}
	if p.Recipient.Order == nil {
		return sdk.Rejected(sdk.OrderProblem, "the parcel is not for an order page"), nil
	}
	o, err := c.addressed(ctx, *p.Recipient.Order)
	if err != nil {
		return notSent(err), nil
	}
	noted, err := c.noted(ctx, o, p.Invoice.Number)
	if err != nil {
		return notSent(err), nil
	}
	if o.shows(p.Invoice.Number) && noted {
		return sdk.Sent(reference(o, p.Invoice.Number)), nil
	}
	if err := c.client.call(ctx, http.MethodPut, nil, map[string]any{"meta_data": o.withInvoice(p.Invoice)}, nil, "orders", string(o.ID)); err != nil {
		return written(o, p.Invoice.Number, err), nil
	}
	if !noted {
		note := map[string]any{"note": noteText(p), "customer_note": !c.API.PrivateNote}
		if err := c.client.call(ctx, http.MethodPost, nil, note, nil, "orders", string(o.ID), "notes"); err != nil {
			return written(o, p.Invoice.Number, err), nil
		}
	}
	return sdk.Sent(reference(o, p.Invoice.Number)), nil
}

// Track looks whether an invoice is on its order.
func (c *Config) Track(ctx context.Context, ref sdk.ParcelRef) (sdk.Standing, error) {
	if c.client == nil || ref.Recipient.Order == nil || ref.InvoiceNumber == "" {
		return sdk.Standing{State: sdk.TrackStillUnknown, Reason: "an order, an invoice number and woocommerce.api are needed"}, nil
	}
	o, err := c.addressed(ctx, *ref.Recipient.Order)
	if err != nil {
		return sdk.Standing{}, err
	}
	noted, err := c.noted(ctx, o, ref.InvoiceNumber)
	switch {
	case err != nil:
		return sdk.Standing{}, err
	case noted && o.shows(ref.InvoiceNumber):
		return sdk.Standing{State: sdk.TrackDelivered, ProviderRef: reference(o, ref.InvoiceNumber)}, nil
	}
	return sdk.Standing{State: sdk.TrackNotSent, Reason: "the order does not show the invoice"}, nil
}

func (c *Config) addressed(ctx context.Context, to sdk.OrderAddress) (order, error) {
	if to.OrderUID != "" {
		return c.byID(ctx, to.OrderUID)
	}
	return c.find(ctx, to.OrderNo)
}

// noted says whether a note of the order tells of the invoice; that a red invoice's note names its blue one is no such note.
func (c *Config) noted(ctx context.Context, o order, invoice string) (bool, error) {
	var notes []struct {
		Note string `json:"note"`
	}
	if err := c.client.get(ctx, url.Values{"type": {"any"}}, &notes, "orders", string(o.ID), "notes"); err != nil {
		return false, err
	}
	for _, n := range notes {
		if strings.Contains(n.Note, "发票号码 "+invoice) || strings.Contains(n.Note, "nvoice "+invoice+" of ") {
			return true, nil
		}
	}
	return false, nil
}

func (o order) numbers(key string) []string {
	return strings.FieldsFunc(o.Meta.first([]string{key}), func(r rune) bool { return r == ',' })
}

func (o order) shows(invoice string) bool {
	return slices.Contains(o.numbers(metaNumber), invoice) || slices.Contains(o.numbers(metaRed), invoice)
}

// withInvoice is the meta data to set; WooCommerce replaces the value of a key that exists.
func (o order) withInvoice(v sdk.Invoice) []map[string]string {
	key := metaNumber
	if v.Color == sdk.Red {
		key = metaRed
	}
	numbers := o.numbers(key)
	if !slices.Contains(numbers, v.Number) {
		numbers = append(numbers, v.Number)
	}
	out := []map[string]string{{"key": key, "value": strings.Join(numbers, ",")}}
	if v.PageURL != "" {
		out = append(out, map[string]string{"key": metaURL, "value": v.PageURL})
	}
	return out
}

func reference(o order, invoice string) string {
	return fmt.Sprintf("order %s, invoice %s", o.ID, invoice)
}

func noteText(p sdk.Parcel) string {
	v := p.Invoice
	day := v.IssuedAt.In(sdk.Beijing).Format("2006-01-02")
	english := strings.HasPrefix(strings.ToLower(p.Language), "en")
	var text string
	switch {
	case english && v.Color == sdk.Red:
		text = fmt.Sprintf("Red invoice %s of %s yuan was issued on %s; it reverses invoice %s.", v.Number, v.Gross, day, v.OriginalNumber)
	case english:
		text = fmt.Sprintf("Invoice %s of %s yuan was issued on %s.", v.Number, v.Gross, day)
	case v.Color == sdk.Red:
		text = fmt.Sprintf("已于 %s 开具红字发票，发票号码 %s，金额 %s 元，对应蓝字发票 %s。", day, v.Number, v.Gross, v.OriginalNumber)
	default:
		text = fmt.Sprintf("电子发票已于 %s 开具，发票号码 %s，金额 %s 元。", day, v.Number, v.Gross)
	}
	switch {
	case v.PageURL == "":
		return text
	case english:
		return text + " View and download: " + v.PageURL
	}
	return text + "查看与下载：" + v.PageURL
}

// notSent judges an error of a call that only reads: nothing was written.
func notSent(err error) sdk.Receipt {
	var s *statusError
	switch {
	case !errors.As(err, &s):
		return sdk.Retry(defaultPause, sdk.ProviderProblem, err.Error())
	case s.status == http.StatusTooManyRequests:
		return sdk.Retry(s.after, sdk.RateProblem, err.Error())
	case s.passing():
		return sdk.Retry(s.after, sdk.ProviderProblem, err.Error())
	case s.status == http.StatusNotFound:
		return sdk.Rejected(sdk.OrderProblem, err.Error())
	case s.status == http.StatusUnauthorized, s.status == http.StatusForbidden:
		return sdk.Rejected(sdk.CredentialsProblem, err.Error())
	}
	return sdk.Rejected(sdk.OtherProblem, err.Error())
}

// written judges an error of a call that writes. Unless the shop refused it, it may have been carried out.
func written(o order, invoice string, err error) sdk.Receipt {
	var s *statusError
	if errors.As(err, &s) && (s.status < 500 && s.status != http.StatusRequestTimeout) {
		return notSent(err)
	}
	return sdk.Unknown(reference(o, invoice), err.Error())
}
