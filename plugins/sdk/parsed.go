package sdk

import (
	"strings"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Parsed is the answer to one request: a verdict with what belongs to it. Make one with [Accepted], [Ignored],
// [Unverified], [Forged], [Malformed] or [MalformedAuthentic].
type Parsed struct {
	verdict   pb.Verdict
	authentic bool
	key       string
	events    []Event
	replies   Replies
	reason    Reason
	detail    string
}

// Replies are what the platform expects to read, sent as they stand after the commit. A nil one leaves the host's own.
type Replies struct {
	Stored, Duplicate, Conflict *Reply
}

// Reply is an HTTP answer.
type Reply struct {
	Status  int
	Headers []Header
	Body    string
}

// Accepted says that the sender is proven and the request holds these events, of which there must be one or more.
func Accepted(events ...Event) Parsed {
	return Parsed{verdict: pb.Verdict_VERDICT_ACCEPTED, events: events}
}

// Ignored says that the sender is proven and the request has nothing to do with invoices.
func Ignored(reason Reason) Parsed {
	return Parsed{verdict: pb.Verdict_VERDICT_IGNORED, reason: reason}
}

// Unverified says that this source cannot sign. Only order numbers are taken from it; the orders are then fetched.
func Unverified(id string, orderNos ...string) Parsed {
	p := Parsed{verdict: pb.Verdict_VERDICT_UNVERIFIED, reason: MissingSignature}
	for _, no := range orderNos {
		p.events = append(p.events, Event{ID: id + "/" + no, Body: OrderRef{OrderNo: no}})
	}
	return p
}

// Forged says that the signature, or what stands for one, is wrong, stale or missing. The detail is for the log.
func Forged(reason Reason, detail string) Parsed {
	return Parsed{verdict: pb.Verdict_VERDICT_FORGED, reason: reason, detail: detail}
}

// Malformed says that a request whose sender is not proven cannot be used. It is answered 400 and not kept.
func Malformed(err error) Parsed {
	reason, detail := reasonOf(err)
	return Parsed{verdict: pb.Verdict_VERDICT_MALFORMED, reason: reason, detail: detail}
}

// MalformedAuthentic says that the sender is proven but the request cannot be used. The host keeps it for a person and
// answers as if it were stored, since sending it again would not help.
func MalformedAuthentic(err error) Parsed {
	p := Malformed(err)
	p.authentic = true
	return p
}

// Key names the request by the sender's own id, taken from what the signature covers. A second request of the same key
// is a duplicate, or a conflict if its content differs.
func (p Parsed) Key(key string) Parsed {
	p.key = key
	return p
}

// Reply answers a stored request and its duplicates with this status and body. The content type is told from the body.
func (p Parsed) Reply(status int, body string) Parsed {
	r := textReply(status, body)
	p.replies.Stored, p.replies.Duplicate = r, r
	return p
}

// ReplyConflict answers a request whose key or event is known with other content.
func (p Parsed) ReplyConflict(status int, body string) Parsed {
	p.replies.Conflict = textReply(status, body)
	return p
}

// ReplyWith sets all replies, for platforms that look at headers.
func (p Parsed) ReplyWith(r Replies) Parsed {
	p.replies = r
	return p
}

func textReply(status int, body string) *Reply {
	contentType := "text/plain; charset=utf-8"
	switch {
	case body == "":
		return &Reply{Status: status}
	case strings.HasPrefix(body, "{"), strings.HasPrefix(body, "["):
		contentType = "application/json"
	case strings.HasPrefix(body, "<"):
		contentType = "application/xml"
	}
	return &Reply{Status: status, Headers: []Header{{"Content-Type", contentType}}, Body: body}
}

func (p Parsed) pb() (*pb.ParseResult, error) {
	events, err := eventsPB(p.events)
	if err != nil {
		return nil, err
	}
	return &pb.ParseResult{
		Verdict: p.verdict, Authentic: p.authentic, RequestKey: p.key, Events: events, Replies: p.replies.pb(),
		Reason: string(p.reason), Detail: p.detail,
	}, nil
}

func (r Replies) pb() *pb.Replies {
	if r == (Replies{}) {
		return nil
	}
	return &pb.Replies{Stored: r.Stored.pb(), Duplicate: r.Duplicate.pb(), Conflict: r.Conflict.pb()}
}

func (r *Reply) pb() *pb.HttpReply {
	if r == nil {
		return nil
	}
	out := &pb.HttpReply{Status: int32(r.Status), Body: []byte(r.Body)}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, &pb.Header{Name: h.Name, Value: h.Value})
	}
	return out
}
