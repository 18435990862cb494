package sdk

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// converter turns the SDK's types into wire messages and keeps the first fault: an unknown word of an enumeration, or an
// event without id or body, is the author's mistake and must not travel as "unspecified".
type converter struct{ err error }

func eventsPB(events []Event) ([]*pb.Event, error) {
	var c converter
	out := make([]*pb.Event, len(events))
	for i, e := range events {
		out[i] = c.event(e)
		if c.err != nil {
			return nil, fmt.Errorf("event %d (id %q): %w", i, e.ID, c.err)
		}
	}
	return out, nil
}

func word[E ~int32, S ~string](c *converter, values map[string]int32, prefix string, s S) E {
	v, ok := values[prefix+string(s)]
	if (!ok || v == 0) && c.err == nil {
		c.err = fmt.Errorf("%q is not a word of %s", string(s), prefix[:len(prefix)-1])
	}
	return E(v)
}

func (c *converter) event(e Event) *pb.Event {
	out := &pb.Event{Id: e.ID, OccurredAt: stamp(e.OccurredAt), FetchStartedAt: stamp(e.FetchStartedAt)}
	if e.ID == "" && c.err == nil {
		c.err = fmt.Errorf("an event needs an id")
	}
	switch b := e.Body.(type) {
	case SaleSnapshot:
		out.Body = &pb.Event_Sale{Sale: c.sale(b)}
	case Refund:
		out.Body = &pb.Event_Refund{Refund: c.refund(b)}
	case InvoiceRequest:
		out.Body = &pb.Event_InvoiceRequest{InvoiceRequest: &pb.InvoiceRequest{
			Id: b.ID, OrderNo: b.OrderNo, Buyer: c.buyer(b.Buyer), RequestedAt: stamp(b.RequestedAt),
			State: word[pb.InvoiceRequestState](c, pb.InvoiceRequestState_value, "INVOICE_REQUEST_STATE_", b.State),
			Kind:  word[pb.InvoiceKind](c, pb.InvoiceKind_value, "INVOICE_KIND_", or(b.Kind, General)),
		}}
	case OrderRef:
		out.Body = &pb.Event_OrderRef{OrderRef: &pb.OrderRef{OrderNo: b.OrderNo}}
	case DayClose:
		out.Body = &pb.Event_DayClose{DayClose: c.dayClose(b)}
	default:
		if c.err == nil {
			c.err = fmt.Errorf("an event needs a body by value, not %T", e.Body)
		}
	}
	return out
}

func (c *converter) sale(s SaleSnapshot) *pb.SaleSnapshot {
	out := &pb.SaleSnapshot{
		OrderNo: s.OrderNo, OrderUid: s.OrderUID, StoreCode: s.StoreCode,
		Kind:     word[pb.SaleKind](c, pb.SaleKind_value, "SALE_KIND_", s.Kind),
		Revision: s.Revision, RevisionTime: stamp(s.RevisionTime),
		Status:   word[pb.SaleStatus](c, pb.SaleStatus_value, "SALE_STATUS_", s.Status),
		Currency: or(s.Currency, "CNY"),
		PaidAt:   stamp(s.PaidAt), CompletedAt: stamp(s.CompletedAt), AftersaleClosedAt: stamp(s.AftersaleClosedAt),
		Tenders: c.tenders(s.Tenders), Total: s.Total, Buyer: c.buyer(s.Buyer), InvoiceRequested: s.InvoiceRequested,
	}
	for _, a := range s.Aliases {
		out.Aliases = append(out.Aliases, &pb.Alias{Platform: a.Platform, Number: a.Number})
	}
	for _, l := range s.Lines {
		out.Lines = append(out.Lines, c.line(l))
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, &pb.Link{
			Type: word[pb.LinkType](c, pb.LinkType_value, "LINK_TYPE_", l.Type), OrderNo: l.OrderNo, Line: l.Line,
		})
	}
	if r := s.Receipt; r != nil {
		out.Receipt = &pb.ReceiptRef{
			Terminal: r.Terminal, BusinessDay: r.BusinessDay, Number: r.Number, Seq: r.Seq, Epoch: r.Epoch,
		}
	}
	if s.AlreadyInvoiced != nil {
		out.AlreadyInvoiced = &pb.ExternalInvoice{Number: s.AlreadyInvoiced.Number}
	}
	return out
}

func (c *converter) line(l Line) *pb.Line {
	out := &pb.Line{
		LineNo: l.LineNo, Parent: l.Parent, Kind: word[pb.LineKind](c, pb.LineKind_value, "LINE_KIND_", or(l.Kind, Goods)),
		Sku: l.SKU, Barcode: l.Barcode, OuterSku: l.OuterSKU, Name: l.Name, Spec: l.Spec, Unit: l.Unit,
		Quantity: l.Quantity, ListAmount: l.ListAmount, PaidAmount: l.PaidAmount,
		Category: l.Category, TaxCodeHint: l.TaxCodeHint, TaxRateHint: l.TaxRateHint,
	}
	for _, d := range l.Discounts {
		out.Discounts = append(out.Discounts, &pb.Discount{
			Amount: d.Amount, FundedBy: word[pb.FundedBy](c, pb.FundedBy_value, "FUNDED_BY_", d.FundedBy), Kind: d.Kind,
		})
	}
	for _, f := range l.Flags {
		out.Flags = append(out.Flags, word[pb.LineFlag](c, pb.LineFlag_value, "LINE_FLAG_", f))
	}
	return out
}

func (c *converter) tenders(tenders []Tender) []*pb.Tender {
	var out []*pb.Tender
	for _, t := range tenders {
		out = append(out, &pb.Tender{
			Kind:   word[pb.TenderKind](c, pb.TenderKind_value, "TENDER_KIND_", t.Kind),
			Amount: t.Amount, TransactionNo: t.TransactionNo,
		})
	}
	return out
}

func (c *converter) buyer(b Buyer) *pb.Buyer {
	if b == (Buyer{}) {
		return nil
	}
	return &pb.Buyer{
		TitleType: word[pb.TitleType](c, pb.TitleType_value, "TITLE_TYPE_", or(b.TitleType, TitleUnknown)),
		Title:     b.Title, TaxNo: b.TaxNo, Address: b.Address, Phone: b.Phone, Bank: b.Bank, Account: b.Account,
		Email: b.Email, Mobile: b.Mobile, MobileMasked: b.MobileMasked,
	}
}

func (c *converter) refund(r Refund) *pb.Refund {
	out := &pb.Refund{
		RefundNo: r.RefundNo, OrderNo: r.OrderNo, Amount: r.Amount, SucceededAt: stamp(r.SucceededAt), Reason: r.Reason,
		State: word[pb.RefundState](c, pb.RefundState_value, "REFUND_STATE_", r.State),
		Kind:  word[pb.RefundKind](c, pb.RefundKind_value, "REFUND_KIND_", r.Kind),
	}
	if r.Tender != "" {
		out.Tender = word[pb.TenderKind](c, pb.TenderKind_value, "TENDER_KIND_", r.Tender).Enum()
	}
	for _, p := range r.Portions {
		out.Portions = append(out.Portions, &pb.RefundPortion{
			LineNo: p.LineNo, Kind: word[pb.PortionKind](c, pb.PortionKind_value, "PORTION_KIND_", p.Kind),
			Quantity: p.Quantity, Amount: p.Amount,
		})
	}
	return out
}

func (c *converter) dayClose(d DayClose) *pb.DayClose {
	return &pb.DayClose{
		StoreCode: d.StoreCode, Terminal: d.Terminal, BusinessDay: d.BusinessDay, ZNumber: d.ZNumber,
		OpenedAt: stamp(d.OpenedAt), ClosedAt: stamp(d.ClosedAt),
		CountSales: d.CountSales, CountReturns: d.CountReturns, CountVoid: d.CountVoid,
		Gross: d.Gross, Discount: d.Discount, Returns: d.Returns, Net: d.Net, ByTender: c.tenders(d.ByTender),
		FirstNo: d.FirstNo, LastNo: d.LastNo, Revision: d.Revision,
		Status: word[pb.DayCloseStatus](c, pb.DayCloseStatus_value, "DAY_CLOSE_STATUS_", d.Status),
	}
}

func or[S ~string](s, fallback S) S {
	if s == "" {
		return fallback
	}
	return s
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func span(d time.Duration) *durationpb.Duration {
	if d <= 0 {
		return nil
	}
	return durationpb.New(d)
}
