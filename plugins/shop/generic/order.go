package generic

import (
	"strconv"
	"strings"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func decodeOrder(r *reader, eventType string, data []byte) (sdk.Event, error) {
	var o order
	if err := sdk.DecodeJSON(data, &o); err != nil {
		return sdk.Event{}, err
	}
	sale := sdk.SaleSnapshot{
		OrderNo: r.id("data.order_no", o.OrderNo), OrderUID: string(o.OrderUID), StoreCode: o.StoreCode, Kind: sdk.Order,
		Revision: r.revision("data.revision", o.Revision), RevisionTime: r.moment("data.updated_at", o.UpdatedAt),
		Status: word(r, "data.status", o.Status, sdk.SaleStatus("")), Currency: o.Currency,
		PaidAt:            r.optionalMoment("data.paid_at", o.PaidAt),
		CompletedAt:       r.optionalMoment("data.completed_at", o.CompletedAt),
		AftersaleClosedAt: r.optionalMoment("data.aftersale_closed_at", o.AftersaleClosed),
		Total:             r.amount("data.total", o.Total),
		Buyer:             r.buyer(o.Buyer), InvoiceRequested: o.InvoiceRequested,
	}
	for i, a := range o.Aliases {
		sale.Aliases = append(sale.Aliases, sdk.Alias{
			Platform: r.Required(at("aliases", i, "platform"), a.Platform), Number: r.id(at("aliases", i, "number"), a.Number),
		})
	}
	if o.Lines == nil {
		r.Fail(sdk.MissingField, "data.lines", "")
	}
	for i, l := range o.Lines {
		sale.Lines = append(sale.Lines, r.line(i, l))
	}
	for i, t := range o.Tenders {
		sale.Tenders = append(sale.Tenders, sdk.Tender{
			Kind:   word(r, at("tenders", i, "kind"), t.Kind, sdk.TenderKind("")),
			Amount: r.amount(at("tenders", i, "amount"), t.Amount), TransactionNo: string(t.TransactionNo),
		})
	}
	if o.AlreadyInvoiced != nil {
		sale.AlreadyInvoiced = &sdk.ExternalInvoice{Number: string(o.AlreadyInvoiced.Number)}
	}
	r.agree(eventType, sale)
	return sdk.Event{
		ID:         eventID("order", sale.OrderNo, sale.Revision, sale.RevisionTime),
		OccurredAt: sale.RevisionTime, Body: sale,
	}, nil
}

func (r *reader) line(i int, l line) sdk.Line {
	out := sdk.Line{
		LineNo: r.id(at("lines", i, "line_no"), l.LineNo), Kind: word(r, at("lines", i, "kind"), l.Kind, sdk.Goods),
		SKU: l.SKU, Barcode: l.Barcode, OuterSKU: l.OuterSKU, Name: r.Required(at("lines", i, "name"), l.Name),
		Spec: l.Spec, Unit: l.Unit, Category: l.Category, TaxCodeHint: l.TaxCodeHint,
		Quantity:    r.number(at("lines", i, "quantity"), l.Quantity),
		ListAmount:  r.optionalAmount(at("lines", i, "list_amount"), l.ListAmount),
		PaidAmount:  r.amount(at("lines", i, "paid_amount"), l.PaidAmount),
		TaxRateHint: r.optionalNumber(at("lines", i, "tax_rate_hint"), l.TaxRateHint),
	}
	for k, d := range l.Discounts {
		path := at("lines", i, "discounts") + "." + strconv.Itoa(k)
		out.Discounts = append(out.Discounts, sdk.Discount{
			Amount:   r.amount(path+".amount", d.Amount),
			FundedBy: word(r, path+".funded_by", d.FundedBy, sdk.FundedBy("")), Kind: d.Kind,
		})
	}
	for _, f := range l.Flags {
		out.Flags = append(out.Flags, word(r, at("lines", i, "flags"), f, sdk.LineFlag("")))
	}
	return out
}

func (r *reader) buyer(b *buyer) sdk.Buyer {
	if b == nil {
		return sdk.Buyer{}
	}
	return sdk.Buyer{
		TitleType: word(r, "data.buyer.title_type", b.TitleType, sdk.TitleUnknown), Title: b.Title, TaxNo: b.TaxNo,
		Address: b.Address, Phone: b.Phone, Bank: b.Bank, Account: b.Account,
		Email: b.Email, Mobile: b.Mobile, MobileMasked: b.MobileMasked,
	}
}

func (r *reader) revision(path string, v id) string {
	if len(v) > 18 || strings.Trim(string(v), "0123456789") != "" {
		r.Fail(sdk.BadField, path, "a whole number is wanted")
	}
	return string(v)
}

// agree refuses an event whose name and snapshot say different things.
func (r *reader) agree(eventType string, s sdk.SaleSnapshot) {
	settled := s.Status != sdk.Unpaid && s.Status != sdk.Cancelled && s.Status != sdk.Closed
	switch {
	case eventType == "order.paid" && (s.Status == sdk.Unpaid || s.Status == sdk.Cancelled),
		eventType == "order.completed" && s.Status != sdk.Completed && s.Status != sdk.Closed,
		eventType == "order.cancelled" && s.Status != sdk.Cancelled && s.Status != sdk.Closed:
		r.Fail(sdk.BadField, "data.status", "does not go with "+eventType)
	case settled && s.PaidAt.IsZero():
		r.Fail(sdk.MissingField, "data.paid_at", "an order of this status was paid")
	}
}
