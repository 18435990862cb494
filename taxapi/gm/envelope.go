package gm

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// Mode is how SM4 is used.
type Mode string

// Modes. ECB has no IV and shows repetitions; it is there for gateways that know nothing else.
const (
	CBC Mode = "cbc"
	ECB Mode = "ecb"
)

// Encoding is how ciphertext becomes text.
type Encoding string

// Encodings.
const (
	Base64 Encoding = "base64"
	Hex    Encoding = "hex"
)

// Signature is a signature scheme.
type Signature string

// Signature schemes.
const (
	// HMACSM3 is base64(HMAC-SM3(secret, text)).
	HMACSM3 Signature = "hmac-sm3"
	// WrappedSM3 is hex(SM3(secret ‖ text ‖ secret)).
	WrappedSM3 Signature = "sm3"
)

// ParseKey reads an SM4 key: 32 hex digits, or 16 bytes as they are.
func ParseKey(text string) (gmcrypto.Key, error) {
	switch len(text) {
	case gmcrypto.KeySize:
		return gmcrypto.KeyFromBytes([]byte(text))
	case 2 * gmcrypto.KeySize:
		if key, err := hex.DecodeString(text); err == nil {
			return gmcrypto.KeyFromBytes(key)
		}
	}
	return gmcrypto.Key{}, errors.New("an SM4 key is 32 hex digits or 16 bytes")
}

// envelope wraps and signs messages of one application.
type envelope struct {
	key       gmcrypto.Key
	secret    []byte
	mode      Mode
	encoding  Encoding
	signature Signature
}

func newEnvelope(o Options) (*envelope, error) {
	e := &envelope{key: o.Key, secret: o.Secret, mode: either(o.Mode, CBC), encoding: either(o.Encoding, Base64),
		signature: either(o.Signature, HMACSM3)}
	switch {
	case e.key == gmcrypto.Key{}:
		return nil, errors.New("the key is missing")
	case len(e.secret) == 0:
		return nil, errors.New("the secret is empty")
	case e.mode != CBC && e.mode != ECB:
		return nil, fmt.Errorf("cipher mode %q is neither cbc nor ecb", e.mode)
	case e.encoding != Base64 && e.encoding != Hex:
		return nil, fmt.Errorf("encoding %q is neither base64 nor hex", e.encoding)
	case e.signature != HMACSM3 && e.signature != WrappedSM3:
		return nil, fmt.Errorf("signature %q is neither hmac-sm3 nor sm3", e.signature)
	}
	return e, nil
}

// body is the only thing that both directions carry.
type body struct {
	Data string `json:"data"`
}

// seal makes the body of a message.
func (e *envelope) seal(plain []byte) (sealed []byte, err error) {
	if e.mode == ECB {
		sealed = gmcrypto.EncryptECB(e.key, plain)
	} else if sealed, err = gmcrypto.EncryptCBC(e.key, plain); err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString
	if e.encoding == Hex {
		text = hex.EncodeToString
	}
	return json.Marshal(body{text(sealed)})
}

// open is the reverse of seal. It is for signed messages only.
func (e *envelope) open(message []byte) ([]byte, error) {
	var b body
	if err := json.Unmarshal(message, &b); err != nil {
		return nil, errors.New("the body is not JSON with a data field")
	}
	decode, decrypt := base64.StdEncoding.Strict().DecodeString, gmcrypto.DecryptCBC
	if e.encoding == Hex {
		decode = hex.DecodeString
	}
	if e.mode == ECB {
		decrypt = gmcrypto.DecryptECB
	}
	sealed, err := decode(b.Data)
	if err != nil {
		return nil, fmt.Errorf("data is not %s", e.encoding)
	}
	return decrypt(e.key, sealed)
}

func (e *envelope) signRequest(path, timestamp, nonce string, body []byte) string {
	return e.sign("POST\n" + path + "\n" + timestamp + "\n" + nonce + "\n" + digest(body))
}

func (e *envelope) signAnswer(path, timestamp, nonce string, body []byte) string {
	return e.sign(path + "\n" + timestamp + "\n" + nonce + "\n" + digest(body))
}

func (e *envelope) sign(text string) string {
	if e.signature == WrappedSM3 {
		return digest(slices.Concat(e.secret, []byte(text), e.secret))
	}
	mac := gmcrypto.HMACSM3(e.secret, []byte(text))
	return base64.StdEncoding.EncodeToString(mac[:])
}

func digest(data []byte) string {
	sum := gmcrypto.SM3(data)
	return hex.EncodeToString(sum[:])
}

// same compares signatures in constant time.
func same(a, b string) bool { return gmcrypto.Equal([]byte(a), []byte(b)) }
