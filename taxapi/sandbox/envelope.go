package sandbox

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	gmcipher "github.com/emmansun/gmsm/cipher"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

const (
	cipherCBC = "cbc" // random IV in front of the ciphertext
	cipherECB = "ecb" // no IV; some gateways still do it

	encodingBase64 = "base64"
	encodingHex    = "hex"

	signatureHMAC = "hmac-sm3"
	signatureWrap = "sm3" // hex(SM3(secret ‖ text ‖ secret))
)

// errEnvelope covers everything wrong with data after a valid signature: which step failed is nobody's business, since
// telling a padding error from a JSON error would be an oracle.
var errEnvelope = errors.New("data can't be decrypted")

// envelope is one application's way of wrapping messages.
type envelope struct {
	block     cipher.Block
	secret    []byte
	cipher    string
	encoding  string
	signature string
}

func newEnvelope(keyHex, secret, mode, encoding, signature string) (*envelope, error) {
	key, err := hex.DecodeString(keyHex)
	if err != nil || len(key) != sm4.BlockSize {
		return nil, errors.New("key must be 32 hex digits (an SM4 key of 16 bytes)")
	}
	if secret == "" {
		return nil, errors.New("secret is empty")
	}
	if mode != cipherCBC && mode != cipherECB {
		return nil, fmt.Errorf("cipher %q is neither cbc nor ecb", mode)
	}
	if encoding != encodingBase64 && encoding != encodingHex {
		return nil, fmt.Errorf("encoding %q is neither base64 nor hex", encoding)
	}
	if signature != signatureHMAC && signature != signatureWrap {
		return nil, fmt.Errorf("signature %q is neither hmac-sm3 nor sm3", signature)
	}
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making the SM4 cipher: %w", err)
	}
	return &envelope{block, []byte(secret), mode, encoding, signature}, nil
}

// seal makes the body {"data":"…"}.
func (e *envelope) seal(plain []byte) ([]byte, error) {
	pad := sm4.BlockSize - len(plain)%sm4.BlockSize
	padded := append(append(make([]byte, 0, len(plain)+pad), plain...), bytes.Repeat([]byte{byte(pad)}, pad)...)
	var sealed []byte
	if e.cipher == cipherECB {
		sealed = make([]byte, len(padded))
		gmcipher.NewECBEncrypter(e.block).CryptBlocks(sealed, padded)
	} else {
		sealed = make([]byte, sm4.BlockSize+len(padded))
		if _, err := rand.Read(sealed[:sm4.BlockSize]); err != nil {
			return nil, fmt.Errorf("drawing an IV: %w", err)
		}
		cipher.NewCBCEncrypter(e.block, sealed[:sm4.BlockSize]).CryptBlocks(sealed[sm4.BlockSize:], padded)
	}
	text := hex.EncodeToString
	if e.encoding == encodingBase64 {
		text = base64.StdEncoding.EncodeToString
	}
	return []byte(`{"data":"` + text(sealed) + `"}`), nil
}

// open is the reverse of seal. All its errors are errEnvelope.
func (e *envelope) open(body []byte) ([]byte, error) {
	var message struct {
		Data string `json:"data"`
	}
	if json.Unmarshal(body, &message) != nil {
		return nil, errEnvelope
	}
	decode := hex.DecodeString
	if e.encoding == encodingBase64 {
		decode = base64.StdEncoding.Strict().DecodeString
	}
	sealed, err := decode(message.Data)
	if err != nil || len(sealed) == 0 || len(sealed)%sm4.BlockSize != 0 {
		return nil, errEnvelope
	}
	if e.cipher == cipherECB {
		gmcipher.NewECBDecrypter(e.block).CryptBlocks(sealed, sealed)
	} else {
		iv := sealed[:sm4.BlockSize]
		if sealed = sealed[sm4.BlockSize:]; len(sealed) == 0 {
			return nil, errEnvelope
		}
		cipher.NewCBCDecrypter(e.block, iv).CryptBlocks(sealed, sealed)
	}
	return unpad(sealed)
}

// unpad removes PKCS#7 padding and accepts no other; an empty message is none.
func unpad(padded []byte) ([]byte, error) {
	n := int(padded[len(padded)-1])
	if n == 0 || n > sm4.BlockSize || n >= len(padded) {
		return nil, errEnvelope
	}
	for _, b := range padded[len(padded)-n:] {
		if int(b) != n {
			return nil, errEnvelope
		}
	}
	return padded[:len(padded)-n], nil
}

func (e *envelope) signRequest(path, timestamp, nonce string, body []byte) string {
	return e.sign("POST\n" + path + "\n" + timestamp + "\n" + nonce + "\n" + hexSM3(body))
}

func (e *envelope) signAnswer(path, timestamp, nonce string, body []byte) string {
	return e.sign(path + "\n" + timestamp + "\n" + nonce + "\n" + hexSM3(body))
}

func (e *envelope) sign(text string) string {
	if e.signature == signatureWrap {
		h := sm3.New()
		h.Write(e.secret)
		h.Write([]byte(text))
		h.Write(e.secret)
		return hex.EncodeToString(h.Sum(nil))
	}
	mac := hmac.New(sm3.New, e.secret)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func sameSignature(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

func hexSM3(data []byte) string {
	sum := sm3.Sum(data)
	return hex.EncodeToString(sum[:])
}
