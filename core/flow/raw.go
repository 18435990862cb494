package flow

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// EncodeRaw writes a request as one line of JSON without its body, then the body's bytes untouched.
func EncodeRaw(r core.RawRequest) ([]byte, error) {
	body := r.Body
	r.Body = nil
	head, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	out := make([]byte, 0, len(head)+1+len(body))
	out = append(append(out, head...), '\n')
	return append(out, body...), nil
}

// DecodeRaw reads what EncodeRaw wrote.
func DecodeRaw(b []byte) (core.RawRequest, error) {
	var r core.RawRequest
	head, body, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return r, fmt.Errorf("decode request: no body")
	}
	if err := json.Unmarshal(head, &r); err != nil {
		return r, fmt.Errorf("decode request: %w", err)
	}
	r.Body = body
	return r, nil
}
