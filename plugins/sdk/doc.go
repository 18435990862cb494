// Package sdk is all that the author of a Kaipiao plugin imports.
//
// A plugin is a program that calls [Serve] with its parts. Each part is one function over a configuration type of the
// author's own; the SDK derives the JSON Schema from that type, fills secrets in, caches the result, recovers from
// panics, splits batches, converts to the wire, and keeps the process in step with the host:
//
//	type config struct {
//		Secret string `json:"secret" secret:"true" doc:"signing secret from the shop's console"`
//	}
//
//	func main() { sdk.Serve("acme-shop", "1.0.0", sdk.Webhook(parse)) }
//
//	func parse(_ context.Context, c config, r sdk.Request) (sdk.Parsed, error) {
//		if !sdk.HMACSHA256(c.Secret, r.Body, r.Header("X-Acme-Sign")) {
//			return sdk.Forged(sdk.BadSignature, "X-Acme-Sign does not match the body"), nil
//		}
//		var m message
//		if err := sdk.DecodeJSON(r.Body, &m); err != nil {
//			return sdk.MalformedAuthentic(err), nil
//		}
//		return sdk.Accepted(m.event()).Reply(200, `{"code":0}`), nil
//	}
//
// Amounts are decimal strings in yuan, tax included. A plugin keeps no state that may not be lost.
package sdk
