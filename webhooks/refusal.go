package webhooks

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/valyala/fasthttp"
)

// Code is the machine-readable reason of an answer that is no success. Plugins add codes of their own, such as
// duplicate_key; docs/http.md lists those of the edge.
type Code string

// Codes of the edge.
const (
	CodeBadRequest       Code = "bad_request"
	CodeBadFraming       Code = "bad_framing"
	CodeNotFound         Code = "not_found"
	CodeMethod           Code = "method_not_allowed"
	CodeTooSlow          Code = "request_timeout"
	CodeTooLarge         Code = "body_too_large"
	CodeHeadersTooLarge  Code = "headers_too_large"
	CodeEncoding         Code = "encoding_unsupported"
	CodeMediaType        Code = "media_type_unsupported"
	CodeMalformed        Code = "malformed"
	CodeBadSignature     Code = "bad_signature"
	CodeStaleTimestamp   Code = "stale_timestamp"
	CodeReplayedNonce    Code = "replayed_nonce"
	CodeReplayedSequence Code = "replayed_sequence"
	CodeRevoked          Code = "terminal_revoked"
	CodeBadActivation    Code = "bad_activation_code"
	CodeTooManyLines     Code = "too_many_lines"
	CodeLineTooLong      Code = "line_too_long"
	CodeEmptyLine        Code = "empty_line"
	CodeConflict         Code = "idempotency_mismatch"
	CodeTooManyRequests  Code = "too_many_requests"
	CodeBusy             Code = "busy"
	CodeUnavailable      Code = "unavailable"
	CodeNotStored        Code = "not_stored"
	CodeInternal         Code = "internal"
)

// forgedDetail is the same for everything that is not proven to come from its sender.
const forgedDetail = "the request is not proven to come from its sender"

// refusal is an answer that is no success. As an error it ends a handler.
type refusal struct {
	status int
	code   Code
	detail string
	// retryAfter is in seconds; 0 lets a retryable answer draw one.
	retryAfter int
	// close ends the connection after the answer.
	close bool
	// cause is for the log alone.
	cause error
}

func (r refusal) Error() string {
	if r.cause != nil {
		return string(r.code) + ": " + r.cause.Error()
	}
	return string(r.code) + ": " + r.detail
}

func (r refusal) Unwrap() error { return r.cause }

// retryable says whether the same request may succeed later.
func (r refusal) retryable() bool {
	return r.status == fasthttp.StatusServiceUnavailable || r.status == fasthttp.StatusTooManyRequests ||
		r.status == fasthttp.StatusInternalServerError
}

// problemBody is RFC 9457 with what a sender's program needs.
type problemBody struct {
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      Code   `json:"code"`
	Detail    string `json:"detail,omitempty"`
	Retryable bool   `json:"retryable"`
	ID        string `json:"id"`
}

// write answers with the refusal under an id that the log knows too.
func (r refusal) write(ctx *fasthttp.RequestCtx, id string) {
	ctx.Response.ResetBody()
	ctx.SetStatusCode(r.status)
	body, err := json.Marshal(problemBody{http.StatusText(r.status), r.status, r.code, r.detail, r.retryable(), id})
	if err != nil {
		body = []byte(`{"code":"internal"}`)
	}
	ctx.SetContentType("application/problem+json")
	ctx.Response.SetBodyRaw(body)
	if r.retryable() {
		after := r.retryAfter
		if after == 0 {
			after = 5 + rand.N(56) // spread, so that senders don't come back all at once
		}
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(after))
	}
	if r.close {
		ctx.SetConnectionClose()
	}
}
