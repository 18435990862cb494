package host

import (
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// ErrContract says that a plugin's answer breaks the contract.
var ErrContract = errors.New("the plugin broke the contract")

// reasonCode is the machine-readable reason of an event that could not be converted.
func reasonCode(err error) string {
	if errors.Is(err, core.ErrBadNumber) || errors.Is(err, core.ErrPrecision) {
		return string(core.ProblemBadNumber)
	}
	return "bad_event"
}

// fields parses fields and keeps the first error, with the field's name.
type fields struct{ err error }

func (f *fields) fail(name string, err error) {
	if f.err == nil && err != nil {
		f.err = fmt.Errorf("%s: %w", name, err)
	}
}

func (f *fields) yuan(name, s string) core.Yuan {
	if s == "" {
		return core.Yuan{}
	}
	y, err := core.ParseYuan(s)
	f.fail(name, err)
	return y
}

func (f *fields) quantity(name, s string) core.Quantity {
	q, err := core.ParseQuantity(s)
	f.fail(name, err)
	return q
}

func word[K comparable, V any](f *fields, name string, table map[K]V, k K) V {
	v, ok := table[k]
	if !ok {
		f.fail(name, fmt.Errorf("%v is unspecified or unknown: %w", k, ErrContract))
	}
	return v
}

func event(e *pb.Event) (core.Event, error) {
	out := core.Event{Key: e.GetId(), OccurredAt: at(e.GetOccurredAt())}
	if out.Key == "" {
		return out, fmt.Errorf("event without an id: %w", ErrContract)
	}
	f := &fields{}
	switch b := e.GetBody().(type) {
	case *pb.Event_Sale:
		out.Kind, out.Sale = core.EventSale, sale(f, b.Sale)
		out.Sale.Revision.Fetched = at(e.GetFetchStartedAt())
	case *pb.Event_Refund:
		out.Kind, out.Refund = core.EventRefund, refund(f, b.Refund)
		out.Refund.Revision = core.Revision{At: out.OccurredAt, Fetched: at(e.GetFetchStartedAt())}
	case *pb.Event_InvoiceRequest:
		out.Kind, out.Request = core.EventRequest, request(f, b.InvoiceRequest)
	case *pb.Event_OrderRef:
		out.Kind, out.OrderNo = core.EventRef, b.OrderRef.GetOrderNo()
	case *pb.Event_DayClose:
		out.Kind = core.EventDayClose
		d, err := dayClose(b.DayClose)
		f.fail("day_close", err)
		out.DayClose = d
	default:
		return out, fmt.Errorf("event %s has no body: %w", out.Key, ErrContract)
	}
	if f.err == nil && out.Kind != core.EventDayClose && out.SaleName() == "" {
		f.fail("order_no", fmt.Errorf("is empty: %w", ErrContract))
	}
	if f.err != nil {
		return out, f.err
	}
	return out, nil
}

var saleKinds = map[pb.SaleKind]core.SaleKind{
	pb.SaleKind_SALE_KIND_ORDER: core.Order, pb.SaleKind_SALE_KIND_RECEIPT_SALE: core.Receipt, pb.SaleKind_SALE_KIND_EXCHANGE: core.Receipt,
	pb.SaleKind_SALE_KIND_POST_VOID: core.Receipt, pb.SaleKind_SALE_KIND_RECEIPT_RETURN: core.NonSale, pb.SaleKind_SALE_KIND_TOPUP: core.NonSale,
	pb.SaleKind_SALE_KIND_ACCOUNT_SETTLEMENT: core.NonSale, pb.SaleKind_SALE_KIND_NON_SALE: core.NonSale,
}

var saleStatuses = map[pb.SaleStatus]core.SaleStatus{
	pb.SaleStatus_SALE_STATUS_UNPAID: core.Unpaid, pb.SaleStatus_SALE_STATUS_SUSPENDED: core.Unpaid, pb.SaleStatus_SALE_STATUS_TRAINING: core.Voided,
	pb.SaleStatus_SALE_STATUS_PAID: core.Paid, pb.SaleStatus_SALE_STATUS_PARTLY_SHIPPED: core.Paid, pb.SaleStatus_SALE_STATUS_SHIPPED: core.Paid,
	pb.SaleStatus_SALE_STATUS_COMPLETED: core.Completed, pb.SaleStatus_SALE_STATUS_CLOSED: core.Closed, pb.SaleStatus_SALE_STATUS_CANCELLED: core.Cancelled,
	pb.SaleStatus_SALE_STATUS_VOIDED: core.Voided, pb.SaleStatus_SALE_STATUS_REVERSED: core.Voided,
}

func sale(f *fields, s *pb.SaleSnapshot) *core.Sale {
	out := &core.Sale{Number: s.GetOrderNo(), Store: core.StoreCode(s.GetStoreCode()), Kind: word(f, "kind", saleKinds, s.GetKind()),
		Status: word(f, "status", saleStatuses, s.GetStatus()), Revision: core.Revision{Number: s.GetRevision(), At: at(s.GetRevisionTime())},
		Currency: s.GetCurrency(), PaidAt: at(s.GetPaidAt()), DoneAt: at(s.GetCompletedAt()), ClosedAt: at(s.GetAftersaleClosedAt()),
		Total: f.yuan("total", s.GetTotal()), Buyer: buyer(s.GetBuyer())}
	if x := s.GetAlreadyInvoiced(); x != nil {
		if out.InvoicedElsewhere = x.GetNumber(); out.InvoicedElsewhere == "" {
			out.InvoicedElsewhere = "unknown"
		}
	}
	for _, a := range s.GetAliases() {
		out.Aliases = append(out.Aliases, core.Alias{Platform: a.GetPlatform(), Number: a.GetNumber()})
	}
	for i, l := range s.GetLines() {
		out.Lines = append(out.Lines, line(f, fmt.Sprintf("lines/%d", i), l))
	}
	for i, t := range s.GetTenders() {
		at := fmt.Sprintf("tenders/%d", i)
		out.Tenders = append(out.Tenders, core.Tender{Kind: word(f, at+"/kind", tenderKinds, t.GetKind()), Amount: f.yuan(at+"/amount", t.GetAmount())})
	}
	if r := s.GetReceipt(); r != nil {
		out.Receipt = &core.ReceiptRef{Terminal: r.GetTerminal(), BusinessDay: r.GetBusinessDay(), Number: r.GetNumber()}
	}
	return out
}

var lineKinds = map[pb.LineKind]core.LineKind{
	pb.LineKind_LINE_KIND_GOODS: core.Goods, pb.LineKind_LINE_KIND_SHIPPING: core.Shipping, pb.LineKind_LINE_KIND_FEE: core.Fee,
}

// lineFlags are the flags that change an invoice; the others say how the source groups its lines.
var lineFlags = map[pb.LineFlag]core.LineFlag{
	pb.LineFlag_LINE_FLAG_GIFT: core.Gift, pb.LineFlag_LINE_FLAG_GIFT_CARD: core.GiftCardSale, pb.LineFlag_LINE_FLAG_TIP: core.Tip,
	pb.LineFlag_LINE_FLAG_DEPOSIT: core.Deposit,
}

func line(f *fields, at string, l *pb.Line) core.SaleLine {
	out := core.SaleLine{No: l.GetLineNo(), Kind: word(f, at+"/kind", lineKinds, l.GetKind()), SKU: l.GetSku(), Barcode: l.GetBarcode(),
		Category: l.GetCategory(), Name: l.GetName(), Spec: l.GetSpec(), Unit: l.GetUnit(), Quantity: f.quantity(at+"/quantity", l.GetQuantity()),
		List: f.yuan(at+"/list_amount", l.GetListAmount()), Paid: f.yuan(at+"/paid_amount", l.GetPaidAmount()),
		CodeHint: l.GetTaxCodeHint(), RateHint: l.GetTaxRateHint()}
	if out.SKU == "" {
		out.SKU = l.GetOuterSku()
	}
	if out.List.Cmp(out.Paid) < 0 {
		out.List = out.Paid
	}
	for _, flag := range l.GetFlags() {
		if c, ok := lineFlags[flag]; ok {
			out.Flags = append(out.Flags, c)
		}
	}
	return out
}

var tenderKinds = map[pb.TenderKind]core.TenderKind{
	pb.TenderKind_TENDER_KIND_CASH: core.Cash, pb.TenderKind_TENDER_KIND_CARD: "card", pb.TenderKind_TENDER_KIND_WECHAT: "wechat",
	pb.TenderKind_TENDER_KIND_ALIPAY: "alipay", pb.TenderKind_TENDER_KIND_UNIONPAY: "unionpay", pb.TenderKind_TENDER_KIND_PREPAID_CARD: core.PrepaidCard,
	pb.TenderKind_TENDER_KIND_STORE_CREDIT: core.StoreCredit, pb.TenderKind_TENDER_KIND_POINTS: core.Points, pb.TenderKind_TENDER_KIND_VOUCHER: "voucher",
	pb.TenderKind_TENDER_KIND_PLATFORM_SUBSIDY: core.PlatformSubsidy, pb.TenderKind_TENDER_KIND_GOV_SUBSIDY: core.GovSubsidy,
	pb.TenderKind_TENDER_KIND_ON_ACCOUNT: "on_account", pb.TenderKind_TENDER_KIND_OTHER: "other",
}

var titleTypes = map[pb.TitleType]core.TitleKind{
	pb.TitleType_TITLE_TYPE_PERSONAL: core.Personal, pb.TitleType_TITLE_TYPE_COMPANY: core.Company,
}

func buyer(b *pb.Buyer) core.Buyer {
	out := core.Buyer{Kind: titleTypes[b.GetTitleType()], Title: b.GetTitle(), TaxNo: core.NormalTaxNo(b.GetTaxNo()), Address: b.GetAddress(),
		Phone: b.GetPhone(), Bank: b.GetBank(), Account: b.GetAccount(), Email: core.Contact(b.GetEmail())}
	if !b.GetMobileMasked() {
		out.Mobile = core.Contact(b.GetMobile())
	}
	return out
}

var refundStates = map[pb.RefundState]core.RefundState{
	pb.RefundState_REFUND_STATE_OPENED: core.RefundOpened, pb.RefundState_REFUND_STATE_SUCCEEDED: core.RefundSucceeded,
	pb.RefundState_REFUND_STATE_CLOSED: core.RefundClosed, pb.RefundState_REFUND_STATE_DELETED: core.RefundDeleted,
}

var portionKinds = map[pb.PortionKind]core.PortionKind{
	pb.PortionKind_PORTION_KIND_GOODS_QUANTITY: core.GoodsQuantity, pb.PortionKind_PORTION_KIND_GOODS_AMOUNT: core.GoodsAmount,
	pb.PortionKind_PORTION_KIND_SHIPPING: core.ShippingAmount, pb.PortionKind_PORTION_KIND_MONEY: core.MoneyOnly,
}

func refund(f *fields, r *pb.Refund) *core.Refund {
	out := &core.Refund{No: r.GetRefundNo(), Sale: r.GetOrderNo(), State: word(f, "state", refundStates, r.GetState()),
		Amount: f.yuan("amount", r.GetAmount()), At: at(r.GetSucceededAt()), Reason: r.GetReason()}
	if out.No == "" {
		f.fail("refund_no", fmt.Errorf("is empty: %w", ErrContract))
	}
	if r.Tender != nil {
		out.Tender = word(f, "tender", tenderKinds, r.GetTender())
	}
	for i, p := range r.GetPortions() {
		at := fmt.Sprintf("portions/%d", i)
		out.Portions = append(out.Portions, core.Portion{Line: p.GetLineNo(), Kind: word(f, at+"/kind", portionKinds, p.GetKind()),
			Quantity: f.quantity(at+"/quantity", p.GetQuantity()), Amount: f.yuan(at+"/amount", p.GetAmount())})
	}
	if len(out.Portions) == 0 && !out.Amount.IsZero() {
		out.Portions = []core.Portion{{Kind: core.MoneyOnly, Amount: out.Amount}}
	}
	return out
}

var requestStates = map[pb.InvoiceRequestState]core.RequestState{
	pb.InvoiceRequestState_INVOICE_REQUEST_STATE_REQUESTED:     core.Requested,
	pb.InvoiceRequestState_INVOICE_REQUEST_STATE_TITLE_CHANGED: core.TitleChanged,
	pb.InvoiceRequestState_INVOICE_REQUEST_STATE_CANCELLED:     core.RequestOver,
}

func request(f *fields, r *pb.InvoiceRequest) *core.InvoiceRequest {
	out := &core.InvoiceRequest{ID: r.GetId(), Sale: r.GetOrderNo(), State: word(f, "state", requestStates, r.GetState()),
		Buyer: buyer(r.GetBuyer()), At: at(r.GetRequestedAt())}
	if r.GetKind() == pb.InvoiceKind_INVOICE_KIND_SPECIAL {
		out.Kind = core.SpecialInvoice
	} else if r.GetKind() == pb.InvoiceKind_INVOICE_KIND_GENERAL {
		out.Kind = core.GeneralInvoice
	}
	return out
}
