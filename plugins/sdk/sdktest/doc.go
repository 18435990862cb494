// Package sdktest tests a plugin on plain files. Each folder below the given one that has a request.http is a fixture:
//
//	request.http   an HTTP request as it came: head, empty line, and the body byte for byte
//	instance.json  {"id", "config", "secrets", "received_at", "caller"}; it may lie in a parent folder and serve several
//	want.json      the verdict, request key, events and replies that must come out; go test -update writes it
//
// Every fixture runs in process and over a real Unix socket. Then each accepted one is forged: bytes of the body, the
// signature and the timestamp are changed one at a time, and the plugin must answer FORGED to every change. What is
// signed is guessed from the names of headers and query parameters; instance.json overrides the guess:
//
//	"signed": ["body", "header:X-Sign", "query:timestamp"]
//	"signature_in_body": true    a changed body may also be MALFORMED, as long as it is not called authentic
//	"unsigned": "reason"         nothing is forged, for sources that the host itself has authenticated
package sdktest
