package gm

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/fault"
)

const (
	answerLimit = 1 << 20
	fileLimit   = 16 << 20
	// rawLimit bounds what is kept of an answer that can't be read.
	rawLimit = 64 << 10
)

// reply is the end of an exchange: a doubt, or a code with its meaning.
type reply struct {
	exchange core.Exchange
	doubt    doubt
	cause    error
	meaning  meaning
	message  string
	result   json.RawMessage
	// ahead is how far the gateway's clock is ahead of ours, by the timestamp of a signed answer.
	ahead time.Duration
}

// parcel is a request ready to leave.
type parcel struct {
	exchange core.Exchange
	request  *http.Request
	nonce    string
	path     string
}

// send does an exchange that changes something at the bureau. An error means that nothing was sent.
func (c *Client) send(ctx context.Context, op core.Operation, serial string, body any, before core.Before) (reply, error) {
	if before == nil {
		return reply{}, fmt.Errorf("gm %s: no hook to commit the attempt with", op)
	}
	p, err := c.pack(ctx, op, serial, body)
	if err != nil {
		return reply{}, err
	}
	if err := before(ctx, p.exchange); err != nil {
		return reply{}, fmt.Errorf("gm %s: nothing sent, the attempt was not committed: %w", op, err)
	}
	return c.carry(ctx, p), nil
}

// ask does an exchange that changes nothing.
func (c *Client) ask(ctx context.Context, op core.Operation, ref string, body any) (reply, error) {
	p, err := c.pack(ctx, op, ref, body)
	if err != nil {
		return reply{}, err
	}
	return c.carry(ctx, p), nil
}

// pack encodes, encrypts and signs.
func (c *Client) pack(ctx context.Context, op core.Operation, serial string, body any) (parcel, error) {
	if err := ctx.Err(); err != nil {
		return parcel{}, fmt.Errorf("gm %s: nothing sent: %w", op, err)
	}
	plain, err := encode(body)
	if err != nil {
		return parcel{}, fmt.Errorf("gm %s: encoding the request: %w", op, err)
	}
	sealed, err := c.envelope.seal(plain)
	if err != nil {
		return parcel{}, fmt.Errorf("gm %s: encrypting the request: %w", op, err)
	}
	var random [16]byte
	if _, err := io.ReadFull(c.random, random[:]); err != nil {
		return parcel{}, fmt.Errorf("gm %s: drawing a nonce: %w", op, err)
	}
	now := c.clock.Now()
	p := parcel{nonce: hex.EncodeToString(random[:]),
		exchange: core.Exchange{Operation: op, Serial: serial, SentAt: now, Request: plain}}
	p.request, err = http.NewRequest(http.MethodPost, c.base.JoinPath("gm", "v1", string(op)).String(), bytes.NewReader(sealed))
	if err != nil {
		return parcel{}, fmt.Errorf("gm %s: %w", op, err)
	}
	p.path = p.request.URL.EscapedPath() // as it will be on the request line, not as the base URL spells it
	timestamp := strconv.FormatInt(now.UnixMilli(), 10)
	h := p.request.Header
	h.Set("Content-Type", "application/json")
	h.Set("X-App-Id", c.appID)
	h.Set("X-Timestamp", timestamp)
	h.Set("X-Nonce", p.nonce)
	h.Set("X-Signature", c.envelope.signRequest(p.path, timestamp, p.nonce, sealed))
	return p, nil
}

// encode writes JSON as people read it: names with & or < are not escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// carry sends a parcel once and reads what comes back.
func (c *Client) carry(ctx context.Context, p parcel) reply {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r := reply{exchange: p.exchange}
	fault.Point("send.before:" + string(p.exchange.Operation))
	raw, header, status, doubt, err := c.roundTrip(ctx, p)
	fault.Point("send.after:" + string(p.exchange.Operation))
	r.exchange.AnsweredAt, r.exchange.Status = c.clock.Now(), status
	r.exchange.Response = raw[:min(len(raw), rawLimit)]
	if doubt != whole {
		r.doubt, r.cause = doubt, err
		return r
	}
	c.read(&r, p, raw, header)
	return r
}

// roundTrip does the HTTP. It follows no redirect and accepts no coding.
func (c *Client) roundTrip(ctx context.Context, p parcel) (body []byte, header http.Header, status int, d doubt, err error) {
	var m meter
	response, err := c.transport.RoundTrip(p.request.WithContext(m.watch(ctx)))
	if err != nil {
		return nil, nil, 0, doubtOf(err, m.left()), err
	}
	defer response.Body.Close()
	limit := int64(answerLimit)
	if p.exchange.Operation == core.OpFiles {
		limit = fileLimit
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
	status = response.StatusCode
	switch {
	case status != http.StatusOK:
		return body, nil, status, doubtStatus, fmt.Errorf("HTTP %d%s", status, saying(body))
	case err != nil:
		return body, nil, status, doubtOf(err, true), err
	case int64(len(body)) > limit:
		return body, nil, status, doubtTooLong, fmt.Errorf("more than %d bytes", limit)
	}
	return body, response.Header, status, whole, nil
}

// doubtOf tells the ways of a failed transport apart.
func doubtOf(err error, left bool) doubt {
	var timeout interface{ Timeout() bool }
	switch {
	case !left:
		return doubtUnreached
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return doubtTimeout
	}
	return doubtCut
}

// saying is what an unsigned error answer says; people may read it, nothing acts upon it.
func saying(body []byte) string {
	var said struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) != nil || said.Code == "" {
		return ""
	}
	return ", unsigned: " + tidy(said.Code+" "+said.Message)
}

// read verifies, decrypts and decodes an answer.
func (c *Client) read(r *reply, p parcel, body []byte, h http.Header) {
	timestamp := h.Get("X-Timestamp")
	if h.Get("X-Nonce") != p.nonce {
		r.doubt = doubtNonce
		return
	}
	if !same(c.envelope.signAnswer(p.path, timestamp, p.nonce, body), h.Get("X-Signature")) {
		r.doubt = doubtSignature
		return
	}
	if ms, err := strconv.ParseInt(timestamp, 10, 64); err == nil {
		r.ahead = time.UnixMilli(ms).Sub(r.exchange.AnsweredAt)
	}
	plain, err := c.envelope.open(body)
	if err != nil {
		r.doubt, r.cause = doubtSealed, err
		return
	}
	r.exchange.Response = plain
	c.understand(r, plain)
}

// understand decodes the JSON of an answer. Fields that it does not know are ignored.
func (c *Client) understand(r *reply, plain []byte) {
	var answer struct {
		Code    string          `json:"code"`
		Message string          `json:"message"`
		Result  json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(plain, &answer); err != nil {
		r.doubt, r.cause = doubtShape, errors.New("not the JSON of an answer")
		return
	}
	if !codeShape.MatchString(answer.Code) {
		r.doubt, r.cause = doubtShape, errors.New("no code")
		return
	}
	r.exchange.Code, r.message, r.result = answer.Code, tidy(answer.Message), answer.Result
	r.meaning = c.codes.find(answer.Code)
}
