// Command pos decodes what tills send: one receipt or closing report a request. The host has proven which terminal calls
// before this plugin sees anything; the shape of a receipt is docs/pos-receipts.md.
package main

import (
	"context"
	"errors"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const version = "1.0.0"

func main() { newPlugin().Serve() }

func newPlugin() *sdk.Plugin { return sdk.New("pos", version, sdk.Webhook(parse)) }

// config is empty: what differs between stores is known to the host.
type config struct{}

// replies are per line of a batch: the host cuts a batch into lines and puts the results together.
var replies = sdk.Replies{
	Stored:    answer(200, `{"status":"stored"}`),
	Duplicate: answer(200, `{"status":"duplicate"}`),
	Conflict:  answer(422, `{"status":"conflict","code":"idempotency_mismatch"}`),
}

func answer(status int, body string) *sdk.Reply {
	return &sdk.Reply{Status: status, Headers: []sdk.Header{{Name: "Content-Type", Value: "application/json"}}, Body: body}
}

func parse(_ context.Context, _ config, r sdk.Request) (sdk.Parsed, error) {
	if r.Caller.StoreCode == "" {
		return sdk.Forged(sdk.MissingSignature, "no terminal or drop folder of a store was proven"), nil
	}
	var d document
	if err := sdk.DecodeJSON(r.Body, &d); err != nil {
		if unreadable(err) {
			return sdk.Malformed(err), nil
		}
		return sdk.MalformedAuthentic(err).ReplyWith(replies), nil
	}
	return d.decode(r.Caller).ReplyWith(replies), nil
}

// unreadable says of a fault that two readers could take the line for different things. The terminal is told at once.
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
