package generic

import (
	"github.com/kaipiao/kaipiao/plugins/sdk"
)

var refundStates = map[string]sdk.RefundState{
	"refund.opened": sdk.RefundOpened, "refund.succeeded": sdk.RefundSucceeded,
	"refund.closed": sdk.RefundClosed, "refund.reversed": sdk.RefundDeleted,
}

func decodeRefund(r *reader, eventType string, data []byte) (sdk.Event, error) {
	var f refund
	if err := sdk.DecodeJSON(data, &f); err != nil {
		return sdk.Event{}, err
	}
	out := sdk.Refund{
		RefundNo: r.id("data.refund_id", f.RefundID), OrderNo: r.id("data.order_no", f.OrderNo), State: refundStates[eventType],
		Kind:        word(r, "data.kind", f.Kind, sdk.RefundKind("")),
		Amount:      r.amount("data.amount", f.Amount),
		SucceededAt: r.optionalMoment("data.succeeded_at", f.SucceededAt),
		Reason:      f.Reason,
	}
	if f.Tender != "" {
		out.Tender = word(r, "data.tender", f.Tender, sdk.TenderKind(""))
	}
	if out.State == sdk.RefundSucceeded && f.SucceededAt == "" {
		r.Fail(sdk.MissingField, "data.succeeded_at", "")
	}
	changed := r.moment("data.updated_at", f.UpdatedAt)
	out.Portions = r.portions(f.Portions, out.Amount)
	return sdk.Event{
		ID: eventID("refund", out.RefundNo, string(out.State), changed), OccurredAt: changed, Body: out,
	}, nil
}

// portions completes the portions by the money that they leave over. Portions beyond the amount are passed on as they
// are: the host holds such a refund and shows it.
func (r *reader) portions(in []portion, total string) []sdk.RefundPortion {
	var out []sdk.RefundPortion
	amounts := []string{}
	for i, p := range in {
		portion := sdk.RefundPortion{
			Kind: word(r, at("portions", i, "kind"), p.Kind, sdk.PortionKind("")), LineNo: string(p.LineNo),
			Quantity: r.optionalNumber(at("portions", i, "quantity"), p.Quantity),
			Amount:   r.amount(at("portions", i, "amount"), p.Amount),
		}
		goods := portion.Kind == sdk.GoodsQuantity || portion.Kind == sdk.GoodsAmount
		if goods && portion.LineNo == "" {
			r.Fail(sdk.MissingField, at("portions", i, "line_no"), "")
		}
		if portion.Kind == sdk.GoodsQuantity && portion.Quantity == "" {
			r.Fail(sdk.MissingField, at("portions", i, "quantity"), "")
		}
		out, amounts = append(out, portion), append(amounts, portion.Amount)
	}
	if r.Err() != nil {
		return nil
	}
	left := sdk.Sum(total, "-"+sdk.Sum(amounts...))
	if rest, err := sdk.Number("data.amount", left); err == nil && rest.IsPositive() {
		out = append(out, sdk.RefundPortion{Kind: sdk.Money, Amount: sdk.Yuan(rest)})
	}
	return out
}
