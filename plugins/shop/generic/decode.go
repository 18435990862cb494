// Package generic takes events from any shop that can sign a POST by Standard Webhooks (https://www.standardwebhooks.com):
// the way in for shops without a connector of their own.
package generic

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// envelope is the body of every event.
type envelope struct {
	Type      string          `json:"type" doc:"what happened"`
	Timestamp moment          `json:"timestamp,omitempty" doc:"when the shop sent it; for people, no decision rests on it"`
	Data      json.RawMessage `json:"data" doc:"the complete order, refund or request"`
}

// replies tell a sender what became of its event: Standard Webhooks takes any 2xx as received.
var replies = sdk.Replies{
	Stored: answer(200, "application/json", `{"status":"stored"}`),
	Duplicate: answer(200, "application/json", `{"status":"duplicate"}`,
		sdk.Header{Name: "Idempotency-Hit", Value: "true"}),
	Conflict: answer(422, "application/problem+json", `{"type":"about:blank","title":"webhook-id was used for another body",`+
		`"status":422,"code":"idempotency_mismatch","retryable":false}`),
}

func answer(status int, contentType, body string, more ...sdk.Header) *sdk.Reply {
	return &sdk.Reply{Status: status, Body: body, Headers: append([]sdk.Header{{Name: "Content-Type", Value: contentType}}, more...)}
}

// Parse verifies and decodes one event. The request's key is its webhook-id.
func (c *Config) Parse(r sdk.Request) sdk.Parsed {
	key, forged := c.verify(r)
	if forged != nil {
		return sdk.Forged(forged.Reason, forged.Detail)
	}
	var e envelope
	err := sdk.DecodeJSON(r.Body, &e)
	if unreadable(err) {
		return sdk.Malformed(err)
	}
	if err == nil {
		decode, known := eventTypes[e.Type]
		if !known && e.Type != "" {
			return sdk.Ignored(sdk.UnknownTopic).Key(key).ReplyWith(replies)
		}
		var event sdk.Event
		if event, err = read(e, decode); err == nil {
			return sdk.Accepted(event).Key(key).ReplyWith(replies)
		}
	}
	return sdk.MalformedAuthentic(err).Key(key).ReplyWith(replies)
}

// unreadable says of a fault that two readers could take the body for different things. Its sender is told at once (400),
// though it is proven: unlike a marketplace, a shop of this contract has somebody who can mend its program. Everything
// else is kept for a person.
func unreadable(err error) bool {
	var f *sdk.Fault
	if !errors.As(err, &f) {
		return false
	}
	switch f.Reason {
	case sdk.BadJSON, sdk.BadUTF8, sdk.ControlCharacter, sdk.DuplicateKey, sdk.ShadowedKey, sdk.TooDeep:
		return true
	}
	return false
}

// eventTypes decides how each type's data is read.
var eventTypes = map[string]func(r *reader, eventType string, data []byte) (sdk.Event, error){
	"order.paid":                decodeOrder,
	"order.completed":           decodeOrder,
	"order.updated":             decodeOrder,
	"order.cancelled":           decodeOrder,
	"refund.opened":             decodeRefund,
	"refund.succeeded":          decodeRefund,
	"refund.closed":             decodeRefund,
	"refund.reversed":           decodeRefund,
	"invoice.requested":         decodeRequest,
	"invoice.title_changed":     decodeRequest,
	"invoice.request_cancelled": decodeRequest,
}

func read(e envelope, decode func(*reader, string, []byte) (sdk.Event, error)) (sdk.Event, error) {
	var r reader
	r.Required("type", e.Type)
	r.optionalMoment("timestamp", e.Timestamp)
	if len(e.Data) == 0 || string(e.Data) == "null" {
		r.Fail(sdk.MissingField, "data", "")
	}
	if err := r.Err(); err != nil {
		return sdk.Event{}, err
	}
	event, err := decode(&r, e.Type, e.Data)
	if err != nil {
		return sdk.Event{}, inData(err)
	}
	return event, r.Err()
}

// inData places a fault of the inner document in the whole one.
func inData(err error) error {
	var f *sdk.Fault
	if errors.As(err, &f) && f.Path != "" {
		return &sdk.Fault{Reason: f.Reason, Path: "data." + f.Path, Detail: f.Detail}
	}
	return err
}

// eventID holds the time of the change rather than that of the sending, so that one fact sent twice is one event.
func eventID(kind, no, state string, changed time.Time) string {
	return kind + "/" + no + "/" + state + "@" + changed.UTC().Format(time.RFC3339Nano)
}
