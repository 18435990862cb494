package sdk

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
	"time"
)

// HMACSHA256 says whether signature is the strict base64 of HMAC-SHA256(secret, message).
// An empty secret verifies nothing.
func HMACSHA256(secret string, message []byte, signature string) bool {
	sum, err := DecodeBase64(signature)
	return err == nil && VerifyHMAC(sha256.New, []byte(secret), message, sum)
}

// HMACSHA256Hex is [HMACSHA256] for platforms that write lower-case hex. Upper case does not verify: a signature has one
// spelling, so that a changed character is a changed signature.
func HMACSHA256Hex(secret string, message []byte, signature string) bool {
	sum, err := DecodeHex(signature)
	return err == nil && VerifyHMAC(sha256.New, []byte(secret), message, sum)
}

// VerifyHMAC compares sum with the HMAC of message in constant time. An empty secret verifies nothing.
func VerifyHMAC(newHash func() hash.Hash, secret, message, sum []byte) bool {
	if len(secret) == 0 {
		return false
	}
	mac := hmac.New(newHash, secret)
	mac.Write(message)
	return hmac.Equal(mac.Sum(nil), sum)
}

// Equal compares two secrets in constant time and exact case. Empty ones are never equal.
func Equal(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// DecodeBase64 decodes standard base64 with padding, in its one canonical spelling: no line breaks, no stray bits in the
// last character (else a changed last character would still verify).
func DecodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("base64 with line breaks")
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// DecodeHex decodes lower-case hex.
func DecodeHex(s string) ([]byte, error) {
	if strings.ToLower(s) != s {
		return nil, errors.New("hex in upper case")
	}
	return hex.DecodeString(s)
}

// Fresh says whether a signed time lies within the window on either side of the request's arrival.
func Fresh(receivedAt, signedAt time.Time, window time.Duration) bool {
	return !signedAt.IsZero() && receivedAt.Sub(signedAt).Abs() <= window
}
