package gmcrypto

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// NonceSize and TagSize are the lengths in bytes of the parts that SealGCM adds.
const (
	NonceSize = 12
	TagSize   = 16
)

// ErrDecrypt is the one answer to every ciphertext that can't be decrypted, whatever the
// reason: wrong key, wrong length, altered text, bad padding.
var ErrDecrypt = errors.New("decryption failed: wrong key or altered text")

// SealGCM encrypts and authenticates plaintext, and authenticates aad with it. The result is
// nonce ‖ ciphertext ‖ tag with a random nonce (RFC 8998 gives SM4-GCM). One key should seal
// fewer than 2^32 texts.
func SealGCM(key Key, plaintext, aad []byte) ([]byte, error) {
	return sealGCM(newBlock(key), rand.Reader, plaintext, aad)
}

func sealGCM(block cipher.Block, random io.Reader, plaintext, aad []byte) ([]byte, error) {
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("prepare SM4-GCM: %w", err)
	}
	out := make([]byte, NonceSize, NonceSize+len(plaintext)+TagSize)
	if _, err := io.ReadFull(random, out); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return aead.Seal(out, out, plaintext, aad), nil
}

// OpenGCM returns the plaintext that SealGCM was given, or ErrDecrypt.
func OpenGCM(key Key, sealed, aad []byte) ([]byte, error) {
	return openGCM(newBlock(key), sealed, aad)
}

func openGCM(block cipher.Block, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < NonceSize+TagSize {
		return nil, ErrDecrypt
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("prepare SM4-GCM: %w", err)
	}
	plaintext, err := aead.Open(nil, sealed[:NonceSize], sealed[NonceSize:], aad)
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}
