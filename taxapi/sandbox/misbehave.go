package sandbox

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// slowPieces is into how many pieces a slow answer is cut.
const slowPieces = 16

// misstate replaces the business answer where the fault says so.
func (c *call) misstate(reply *answer) {
	if c.fault == nil {
		return
	}
	switch c.fault.Kind {
	case faultBusy:
		*reply = answer{codeBusy, "系统繁忙，请稍后再试", struct{}{}}
	case faultSystemTimeout:
		*reply = answer{codeSystemTimeout, "系统超时", struct{}{}}
	case faultCode:
		*reply = answer{c.fault.Code, firstOf(c.fault.Message, "沙箱预设的返回"), struct{}{}}
	}
}

// httpStatus is what the wire log notes; 0 means that no answer goes out.
func (f *faultRule) httpStatus() int {
	switch f.Kind {
	case faultTimeoutBefore, faultTimeoutAfter, faultResetBefore, faultResetAfter:
		return 0
	case faultHTTPStatus:
		return f.Status
	}
	return http.StatusOK
}

// send signs and writes the body, or misbehaves.
func (b *Bureau) send(w http.ResponseWriter, r *http.Request, c *call, body []byte) {
	var kind faultKind
	var hold time.Duration
	if c.fault != nil {
		kind, hold = c.fault.Kind, time.Duration(c.fault.Hold)
	}
	nonce := r.Header.Get("X-Nonce")
	switch kind {
	case faultTimeoutBefore, faultTimeoutAfter:
		b.hold(r, hold)
		cut(w, true)
		return
	case faultResetBefore, faultResetAfter:
		cut(w, true)
		return
	case faultHTTPStatus:
		http.Error(w, "sandbox fault", c.fault.Status)
		return
	case faultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>登录</title></head><body>请重新登录</body></html>"))
		return
	case faultEmpty:
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
		return
	case faultInvalidJSON:
		body = body[:len(body)/2]
	case faultWrongNonce:
		nonce = strings.Repeat("0", len(nonce))
	case faultDelay:
		b.hold(r, hold)
	}

	timestamp := strconv.FormatInt(b.wall().UnixMilli(), 10)
	signature := c.app.envelope.signAnswer(r.URL.EscapedPath(), timestamp, nonce, body)
	if kind == faultBadSignature {
		signature = c.app.envelope.signAnswer(r.URL.EscapedPath(), timestamp, nonce, nil)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Timestamp", timestamp)
	h.Set("X-Nonce", nonce)
	h.Set("X-Signature", signature)
	// A client that is gone can't be told so: errors of writing have nobody to go to.
	switch kind {
	case faultTruncated:
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		cut(w, false)
	case faultSlow:
		b.drip(w, r, body, hold/slowPieces)
	default:
		_, _ = w.Write(body)
	}
}

func (b *Bureau) drip(w http.ResponseWriter, r *http.Request, body []byte, pause time.Duration) {
	piece := len(body)/slowPieces + 1
	for len(body) > 0 && r.Context().Err() == nil {
		n := min(piece, len(body))
		_, _ = w.Write(body[:n])
		_ = http.NewResponseController(w).Flush()
		body = body[n:]
		b.hold(r, pause)
	}
}

// cut ends the connection under the client's feet: by a reset, or by an early end of the stream.
func cut(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 can't be hijacked; this resets its stream
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
