package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// maxBody fits an invoice of 2000 lines with long texts, encrypted and in hex.
const maxBody = 16 << 20

var (
	nonceShape     = regexp.MustCompile(`^[0-9a-f]{32}$`)
	timestampShape = regexp.MustCompile(`^\d{1,15}$`)
)

// serveChannel answers one operation: unwrap, meet a fault, do the work in one commit, wrap, answer.
func (b *Bureau) serveChannel(w http.ResponseWriter, r *http.Request) {
	received := b.opts.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body can't be read or is larger than 16 MiB", http.StatusBadRequest)
		return
	}
	a := b.registry.app(r.Header.Get("X-App-Id"))
	c := &call{bureau: b, app: a, now: b.now(), set: b.registry.current()}
	e := &exchange{Op: r.PathValue("operation"), received: received, now: c.now, HTTPStatus: http.StatusOK}
	if len(e.Op) > 32 {
		e.Op = e.Op[:32]
	}
	if a == nil {
		b.serveStranger(w, e)
		return
	}
	e.App = a.ID
	request, refused := b.unwrap(a, r, body, e)
	reply, err := b.work(c, e, request, refused)
	if f, ok := reply.Result.(filesResult); ok && err == nil {
		reply.Result, err = f.finish()
	}
	if err != nil {
		b.log.Error("sandbox: a request failed", "op", e.Op, "app", a.ID, "error", err)
		http.Error(w, "internal error of the sandbox", http.StatusInternalServerError)
		return
	}
	if t, ok := reply.Result.(taken); ok && !c.set.Asynchronous {
		b.hold(r, t.invoice.IssuedAt.Sub(c.now))
	}
	b.answer(w, r, c, reply)
}

// serveStranger can't sign: there is no secret to sign with.
func (b *Bureau) serveStranger(w http.ResponseWriter, e *exchange) {
	e.Code, e.HTTPStatus = codeApplication, http.StatusUnauthorized
	if err := b.store.do(func(t *tx) error { return b.logExchange(t, e) }); err != nil {
		b.log.Error("sandbox: the wire log can't be written", "error", err)
	}
	writeJSON(w, http.StatusUnauthorized, map[string]string{"code": string(codeApplication), "message": "应用未登记"})
}

// unwrap checks headers, signature and nonce, decrypts and decodes. The nonce counts as used only after the signature
// has shown that the application itself used it.
func (b *Bureau) unwrap(a *app, r *http.Request, body []byte, e *exchange) (operation, *refusal) {
	timestamp, nonce := r.Header.Get("X-Timestamp"), r.Header.Get("X-Nonce")
	if !timestampShape.MatchString(timestamp) {
		return nil, refuse(codeField, "X-Timestamp：格式错误")
	}
	if !nonceShape.MatchString(nonce) {
		return nil, refuse(codeField, "X-Nonce：应为32位小写十六进制")
	}
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return nil, refuse(codeField, "X-Timestamp：格式错误")
	}
	if off := b.wall().Sub(time.UnixMilli(ms)).Abs(); off > time.Duration(a.Window) {
		return nil, refuse(codeTimestamp, "时间戳与税局时间相差过大")
	}
	want := a.envelope.signRequest(r.URL.EscapedPath(), timestamp, nonce, body)
	if !sameSignature(want, r.Header.Get("X-Signature")) {
		return nil, refuse(codeSignature, "签名错误")
	}
	if !b.nonces.take(a.ID, nonce, e.received) {
		return nil, refuse(codeNonce, "随机数已使用")
	}
	e.nonce = nonce
	if !a.may(e.Op) {
		return nil, refuse(codeApplication, "应用无此接口权限")
	}
	plain, err := a.envelope.open(body)
	if err != nil {
		return nil, refuse(codeField, "data：解密失败")
	}
	return decodeOperation(e.Op, plain)
}

// work does the operation and logs the exchange in one commit. An error means that nothing was kept.
func (b *Bureau) work(c *call, e *exchange, request operation, refused *refusal) (reply answer, err error) {
	var counted []faultRule
	if refused == nil {
		look := request.traits()
		look.op, look.app = e.Op, c.app.ID
		e.Ref, e.Seller = clip(look.serial), clip(look.seller)
		c.fault, counted = b.faults.pick(look)
		e.Done = c.fault == nil || *c.fault.Done
	}
	if e.Done {
		request.examine(b.registry, c.app, c.now)
	}
	err = b.store.do(func(t *tx) error {
		reply = answer{Code: codeDone, Message: "成功", Result: struct{}{}}
		var err error
		switch {
		case refused != nil:
			err = refused
		case e.Done:
			var result any
			if result, err = request.run(c, t); err == nil {
				reply.Result = result
			}
		}
		var no *refusal
		if errors.As(err, &no) {
			reply.Code, reply.Message = no.code, no.message
			if no.result != nil {
				reply.Result = no.result
			}
		} else if err != nil {
			return err
		}
		c.misstate(&reply)
		e.Code = reply.Code
		if c.fault != nil {
			e.Fault = c.fault.ID + " " + string(c.fault.Kind)
			e.HTTPStatus = c.fault.httpStatus()
		}
		for _, rule := range counted {
			if err := t.keepCounts(rule); err != nil {
				return err
			}
		}
		return b.logExchange(t, e)
	})
	return reply, err
}

// clip keeps a hostile reference from filling the log.
func clip(s string) string { return s[:min(len(s), 64)] }

// answer wraps the reply, bends it as the fault wants, and sends it.
func (b *Bureau) answer(w http.ResponseWriter, r *http.Request, c *call, reply answer) {
	plain, err := json.Marshal(reply)
	if err == nil {
		var body []byte
		if body, err = c.app.envelope.seal(plain); err == nil {
			b.send(w, r, c, body)
			return
		}
	}
	b.log.Error("sandbox: an answer can't be made", "error", fmt.Errorf("wrapping: %w", err))
	http.Error(w, "internal error of the sandbox", http.StatusInternalServerError)
}
