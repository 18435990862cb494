package sdk

import (
	"mime"
	"net/url"
	"strings"
	"time"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Request is an HTTP request as it came. The body's bytes are untouched, as signatures need.
type Request struct {
	Method string
	// Path and Query are as on the request line, still escaped.
	Path    string
	Query   string
	Headers []Header
	Body    []byte
	// ReceivedAt is the only clock a parser may use, so that a request can be judged again later.
	ReceivedAt time.Time
	// Caller is set when the host has proven who calls: a POS terminal, or a store's drop folder.
	Caller Caller
}

// Header is one header line.
type Header struct{ Name, Value string }

// Caller is a terminal that the host has authenticated. The zero Caller is nobody.
type Caller struct{ TerminalID, StoreCode string }

// Header gives the value of the one header of that name, in any case. A repeated header gives "" like a missing one,
// so that nobody can have one value verified and another one used.
func (r Request) Header(name string) string {
	value, seen := "", false
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			if seen {
				return ""
			}
			value, seen = h.Value, true
		}
	}
	return value
}

// ContentType is the media type without parameters, in lower case, or "" if there is none.
func (r Request) ContentType() string {
	t, _, err := mime.ParseMediaType(r.Header("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// QueryValues parses the query string. A repeated name is a fault.
func (r Request) QueryValues() (map[string]string, error) { return single(r.Query, "query") }

// Form parses a URL-encoded body. A repeated name is a fault.
func (r Request) Form() (map[string]string, error) { return single(string(r.Body), "form") }

func single(encoded, where string) (map[string]string, error) {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, &Fault{Reason: BadField, Path: where, Detail: "not URL-encoded"}
	}
	out := make(map[string]string, len(values))
	for name, v := range values {
		if len(v) > 1 {
			return nil, &Fault{Reason: DuplicateKey, Path: where + "." + name}
		}
		out[name] = v[0]
	}
	return out, nil
}

func requestFrom(r *pb.Request) Request {
	out := Request{
		Method: r.GetMethod(), Path: r.GetPath(), Query: r.GetQuery(), Body: r.GetBody(), ReceivedAt: moment(r.GetReceivedAt()),
		Caller:  Caller{TerminalID: r.GetCaller().GetTerminalId(), StoreCode: r.GetCaller().GetStoreCode()},
		Headers: make([]Header, len(r.GetHeaders())),
	}
	for i, h := range r.GetHeaders() {
		out.Headers[i] = Header{h.GetName(), h.GetValue()}
	}
	return out
}
