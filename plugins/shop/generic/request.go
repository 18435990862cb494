package generic

import "github.com/kaipiao/kaipiao/plugins/sdk"

var requestStates = map[string]sdk.InvoiceRequestState{
	"invoice.requested": sdk.Requested, "invoice.title_changed": sdk.TitleChanged, "invoice.request_cancelled": sdk.RequestCancelled,
}

func decodeRequest(r *reader, eventType string, data []byte) (sdk.Event, error) {
	var q request
	if err := sdk.DecodeJSON(data, &q); err != nil {
		return sdk.Event{}, err
	}
	out := sdk.InvoiceRequest{
		ID: r.id("data.request_id", q.RequestID), OrderNo: r.id("data.order_no", q.OrderNo), State: requestStates[eventType],
		Buyer: r.buyer(q.Buyer), Kind: word(r, "data.kind", q.Kind, sdk.General),
		RequestedAt: r.moment("data.requested_at", q.RequestedAt),
	}
	if q.Buyer == nil && out.State != sdk.RequestCancelled {
		r.Fail(sdk.MissingField, "data.buyer", "")
	}
	changed := r.moment("data.updated_at", q.UpdatedAt)
	return sdk.Event{
		ID: eventID("request", out.ID, string(out.State), changed), OccurredAt: changed, Body: out,
	}, nil
}
