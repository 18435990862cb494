package host

import (
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/kaipiao/kaipiao/core"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// This file and convert_event.go are the only place where the wire meets the domain. Amounts are parsed here, once, by
// core's grammar; what a plugin says wrongly is an error that names the field.

var verdicts = map[pb.Verdict]core.Verdict{
	pb.Verdict_VERDICT_ACCEPTED: core.Accepted, pb.Verdict_VERDICT_IGNORED: core.Ignored, pb.Verdict_VERDICT_FORGED: core.Forged,
	pb.Verdict_VERDICT_MALFORMED: core.Malformed, pb.Verdict_VERDICT_UNVERIFIED: core.Unverified,
}

func wireRequest(r core.RawRequest) *pb.Request {
	out := &pb.Request{Method: r.Method, Path: r.Path, Query: r.Query, Body: r.Body, ReceivedAt: timestamppb.New(r.ReceivedAt)}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, &pb.Header{Name: h.Name, Value: h.Value})
	}
	if r.Caller.Terminal != "" {
		out.Caller = &pb.Caller{TerminalId: r.Caller.Terminal, StoreCode: string(r.Caller.Store)}
	}
	return out
}

// verdict converts a verdict with its events. Events that break the contract make an authentic request malformed: it is
// kept and shown, never half taken. Only what is accepted or unverified has events. The detail may end up in a problem,
// so that people in it are masked.
func verdict(r *pb.ParseResult) (core.Parsed, error) {
	v, ok := verdicts[r.GetVerdict()]
	if !ok {
		return core.Parsed{}, fmt.Errorf("plugin answered with verdict %s: %w", r.GetVerdict(), ErrContract)
	}
	p := core.Parsed{Verdict: v, Authentic: r.GetAuthentic(), RequestKey: r.GetRequestKey(), Code: r.GetReason(), Reason: core.MaskText(r.GetDetail()),
		Stored: reply(r.GetReplies().GetStored()), Duplicate: reply(r.GetReplies().GetDuplicate()), Conflict: reply(r.GetReplies().GetConflict())}
	if v != core.Accepted && v != core.Unverified {
		return p, nil
	}
	for _, e := range r.GetEvents() {
		ev, err := event(e)
		if err != nil {
			p.Verdict, p.Authentic, p.Events = core.Malformed, v == core.Accepted, nil
			p.Code, p.Reason = reasonCode(err), core.MaskText(err.Error())
			return p, nil
		}
		p.Events = append(p.Events, ev)
	}
	return p, nil
}

func reply(r *pb.HttpReply) core.Reply {
	out := core.Reply{Status: int(r.GetStatus()), Body: r.GetBody()}
	for _, h := range r.GetHeaders() {
		out.Headers = append(out.Headers, core.Header{Name: h.GetName(), Value: h.GetValue()})
	}
	return out
}

func fetched(r *pb.FetchResponse) (core.Fetched, error) {
	var out core.Fetched
	for _, e := range r.GetEvents() {
		ev, err := event(e)
		if err != nil {
			return out, err
		}
		out.Events = append(out.Events, ev)
	}
	for _, f := range r.GetFailures() {
		out.Failures = append(out.Failures, core.FetchFailure{Order: f.GetKey(), Permanent: f.GetPermanent(),
			RetryAfter: f.GetRetryAfter().AsDuration(), Reason: f.GetReason()})
	}
	return out, nil
}

func page(r *pb.PullResponse) (core.Page, error) {
	out := core.Page{Cursor: r.GetCursor(), More: r.GetMore(), Next: r.GetNextAfter().AsDuration()}
	for _, e := range r.GetEvents() {
		ev, err := event(e)
		if err != nil {
			return out, err
		}
		out.Events = append(out.Events, ev)
	}
	return out, nil
}

func wireParcel(p core.Parcel, language string) *pb.Parcel {
	inv := p.Invoice
	out := &pb.Parcel{Id: string(p.ID), Attempt: int32(min(p.Attempt, 1<<30)), Language: language, Recipient: recipient(p.Email, p.Mobile, p.Order),
		Invoice: &pb.Invoice{OrderNo: p.Order, Number: p.Number, Kind: invoiceKinds[inv.Kind], Color: pb.InvoiceColor_INVOICE_COLOR_BLUE,
			IssuedAt: timestamppb.New(p.IssuedAt), SellerName: inv.Seller.Name, Gross: inv.Gross.String(), StoreName: p.StoreName,
			PickUpCode: p.PickUp, PageUrl: p.PageURL, OriginalNumber: inv.Original}}
	if inv.Color == core.Red {
		out.Invoice.Color = pb.InvoiceColor_INVOICE_COLOR_RED
	}
	if p.Mobile == "" { // an SMS provider gets neither title nor tax
		out.Invoice.BuyerTitle, out.Invoice.Net, out.Invoice.Tax = inv.Buyer.Title, inv.Net.String(), inv.Tax.String()
	}
	return out
}

func recipient(email, mobile core.Contact, order string) *pb.Recipient {
	switch {
	case email != "":
		return &pb.Recipient{To: &pb.Recipient_Email{Email: email.Clear()}}
	case mobile != "":
		return &pb.Recipient{To: &pb.Recipient_Mobile{Mobile: mobile.Clear()}}
	}
	return &pb.Recipient{To: &pb.Recipient_Order{Order: &pb.OrderAddress{OrderNo: order}}}
}

var invoiceKinds = map[core.InvoiceKind]pb.InvoiceKind{
	core.GeneralInvoice: pb.InvoiceKind_INVOICE_KIND_GENERAL, core.SpecialInvoice: pb.InvoiceKind_INVOICE_KIND_SPECIAL,
}

var fileFormats = map[core.FileFormat]pb.FileFormat{
	core.PDF: pb.FileFormat_FILE_FORMAT_PDF, core.OFD: pb.FileFormat_FILE_FORMAT_OFD, core.XML: pb.FileFormat_FILE_FORMAT_XML,
}

var outcomes = map[pb.Outcome]core.DeliveryOutcome{
	pb.Outcome_OUTCOME_SENT: core.DeliverySent, pb.Outcome_OUTCOME_RETRY: core.DeliveryRetry,
	pb.Outcome_OUTCOME_REJECTED: core.DeliveryRejected, pb.Outcome_OUTCOME_UNKNOWN: core.DeliveryUnknown,
}

// receipt converts what became of a parcel; an unspecified outcome counts as unknown.
func receipt(r *pb.Receipt) core.DeliveryReceipt {
	o, ok := outcomes[r.GetOutcome()]
	if !ok {
		o = core.DeliveryUnknown
	}
	return core.DeliveryReceipt{Parcel: core.ID(r.GetParcelId()), Outcome: o, ProviderRef: r.GetProviderRef(),
		RetryAfter: r.GetRetryAfter().AsDuration(), Reason: r.GetReason()}
}

var tracks = map[pb.TrackState]core.Tracking{
	pb.TrackState_TRACK_STATE_SENT: core.TrackSent, pb.TrackState_TRACK_STATE_NOT_SENT: core.TrackNotSent,
	pb.TrackState_TRACK_STATE_DELIVERED: core.TrackDelivered, pb.TrackState_TRACK_STATE_FAILED: core.TrackFailed,
	pb.TrackState_TRACK_STATE_STILL_UNKNOWN: core.TrackUnknown,
}

func dayClose(d *pb.DayClose) (*core.DayClose, error) {
	f := fields{}
	out := &core.DayClose{Store: core.StoreCode(d.GetStoreCode()), Terminal: d.GetTerminal(), BusinessDay: d.GetBusinessDay(),
		Number: d.GetZNumber(), Sales: int(d.GetCountSales()), Returns: int(d.GetCountReturns()), Voids: int(d.GetCountVoid()),
		Gross: f.yuan("gross", d.GetGross()), Refunded: f.yuan("returns", d.GetReturns()), Net: f.yuan("net", d.GetNet())}
	if r := d.GetRevision(); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil {
			return nil, fmt.Errorf("day close revision %q is no number: %w", r, ErrContract)
		}
		out.Revision = n
	}
	return out, f.err
}

// at converts a time; an absent one is the zero time.
func at(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
