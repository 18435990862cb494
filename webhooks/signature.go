package webhooks

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// Headers of a signed request of a till. Each must be there exactly once.
const (
	headerTerminal  = "X-Terminal"
	headerKeyID     = "X-Key-Id"
	headerTimestamp = "X-Timestamp"
	headerNonce     = "X-Nonce"
	headerSequence  = "X-Sequence"
	headerSignature = "X-Signature"
)

// window is how far a till's clock may be off, either way.
const window = 300 * time.Second

// signature is what a till says about itself and its request.
type signature struct {
	terminal, keyID, nonce string
	at                     time.Time
	sequence               uint64
	mac                    [gmcrypto.HashSize]byte
}

// signatureOf reads the headers of a request.
func signatureOf(h *fasthttp.RequestHeader) (signature, bool) {
	return readSignature(func(name string) (string, bool) {
		values := h.PeekAll(name)
		if len(values) != 1 {
			return "", false
		}
		return string(values[0]), true
	})
}

// readSignature is strict, so that no text has two readings.
func readSignature(header func(name string) (string, bool)) (s signature, ok bool) {
	var at, sequence, mac string
	for name, dst := range map[string]*string{headerTerminal: &s.terminal, headerKeyID: &s.keyID, headerNonce: &s.nonce,
		headerTimestamp: &at, headerSequence: &sequence, headerSignature: &mac} {
		if *dst, ok = header(name); !ok {
			return signature{}, false
		}
	}
	seconds, atOK := decimalNumber(at, 11)
	number, sequenceOK := decimalNumber(sequence, 18)
	s.at, s.sequence = time.Unix(int64(seconds), 0), number
	if !atOK || !sequenceOK || number == 0 || !core.ID(s.terminal).Valid() || !core.ID(s.keyID).Valid() || !nonceShape(s.nonce) ||
		len(mac) != hex.EncodedLen(len(s.mac)) {
		return signature{}, false
	}
	if _, err := hex.Decode(s.mac[:], []byte(mac)); err != nil {
		return signature{}, false
	}
	return s, true
}

// decimalNumber reads digits without sign, blanks or leading zero.
func decimalNumber(s string, digits int) (uint64, bool) {
	if len(s) == 0 || len(s) > digits || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return n, err == nil && s[0] != '+'
}

// nonceShape wants 16 to 64 characters of [0-9A-Za-z_-].
func nonceShape(s string) bool {
	if len(s) < 16 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// macOf is the HMAC-SM3 under a till's secret over method, path, timestamp, nonce, sequence and the hex digest of the
// body, one a line.
func (s signature) macOf(secret []byte, method, path string, body []byte) [gmcrypto.HashSize]byte {
	text := fmt.Appendf(nil, "%s\n%s\n%d\n%s\n%d\n%x", method, path, s.at.Unix(), s.nonce, s.sequence, gmcrypto.SM3(body))
	return gmcrypto.HMACSM3(secret, text)
}
