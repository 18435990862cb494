package sdk

import (
	"strings"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

func parcelFrom(p *pb.Parcel) Parcel {
	i := p.GetInvoice()
	out := Parcel{
		ID: p.GetId(), Attempt: int(p.GetAttempt()), Recipient: recipientFrom(p.GetRecipient()), Language: p.GetLanguage(),
		Invoice: Invoice{
			OrderNo: i.GetOrderNo(), Number: i.GetNumber(), IssuedAt: moment(i.GetIssuedAt()),
			Kind:       InvoiceKind(strings.TrimPrefix(i.GetKind().String(), "INVOICE_KIND_")),
			Color:      InvoiceColor(strings.TrimPrefix(i.GetColor().String(), "INVOICE_COLOR_")),
			SellerName: i.GetSellerName(), BuyerTitle: i.GetBuyerTitle(),
			Gross: i.GetGross(), Net: i.GetNet(), Tax: i.GetTax(), OriginalNumber: i.GetOriginalNumber(),
			StoreName: i.GetStoreName(), PickUpCode: i.GetPickUpCode(), PageURL: i.GetPageUrl(),
		},
	}
	for _, f := range i.GetFiles() {
		out.Invoice.Files = append(out.Invoice.Files, File{
			Format: FileFormat(strings.TrimPrefix(f.GetFormat().String(), "FILE_FORMAT_")),
			Name:   f.GetName(), Path: f.GetPath(), SHA256: f.GetSha256(), Size: f.GetSize(),
		})
	}
	return out
}

func recipientFrom(r *pb.Recipient) Recipient {
	out := Recipient{Email: r.GetEmail(), Mobile: r.GetMobile()}
	if o := r.GetOrder(); o != nil {
		out.Order = &OrderAddress{OrderNo: o.GetOrderNo(), OrderUID: o.GetOrderUid(), RequestID: o.GetRequestId()}
	}
	return out
}

func parcelRefFrom(p *pb.ParcelRef) ParcelRef {
	return ParcelRef{
		ParcelID: p.GetParcelId(), Attempt: int(p.GetAttempt()), ProviderRef: p.GetProviderRef(),
		Recipient: recipientFrom(p.GetRecipient()), SentAt: moment(p.GetSentAt()), InvoiceNumber: p.GetInvoiceNumber(),
	}
}

// pb never fails: an answer that makes no sense is "unknown", since the parcel may be out.
func (r Receipt) pb(parcelID string) *pb.Receipt {
	var c converter
	out := &pb.Receipt{
		ParcelId: parcelID, ProviderRef: r.ProviderRef, RetryAfter: span(r.RetryAfter), Reason: r.Reason,
		Outcome: word[pb.Outcome](&c, pb.Outcome_value, "OUTCOME_", or(r.Outcome, OutcomeUnknown)),
	}
	if r.Class != "" {
		out.ReasonClass = word[pb.ReasonClass](&c, pb.ReasonClass_value, "REASON_CLASS_", r.Class)
	}
	if c.err != nil {
		return &pb.Receipt{ParcelId: parcelID, Outcome: pb.Outcome_OUTCOME_UNKNOWN, ProviderRef: r.ProviderRef, Reason: c.err.Error(),
			ReasonClass: pb.ReasonClass_REASON_CLASS_OTHER}
	}
	return out
}

func (s Standing) pb(parcelID string) *pb.Standing {
	var c converter
	out := &pb.Standing{
		ParcelId: parcelID, ProviderRef: s.ProviderRef, At: stamp(s.At), Reason: s.Reason,
		State: word[pb.TrackState](&c, pb.TrackState_value, "TRACK_STATE_", or(s.State, TrackStillUnknown)),
	}
	if s.Class != "" {
		out.ReasonClass = word[pb.ReasonClass](&c, pb.ReasonClass_value, "REASON_CLASS_", s.Class)
	}
	if c.err != nil {
		return &pb.Standing{ParcelId: parcelID, State: pb.TrackState_TRACK_STATE_STILL_UNKNOWN, Reason: c.err.Error()}
	}
	return out
}
