package gmcrypto

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
)

// EncryptCBC returns IV ‖ SM4-CBC(plaintext with PKCS#7 padding) with a random IV. It does not
// authenticate: sign the result, and check the signature before DecryptCBC.
func EncryptCBC(key Key, plaintext []byte) ([]byte, error) {
	return encryptCBC(newBlock(key), rand.Reader, plaintext)
}

func encryptCBC(block cipher.Block, random io.Reader, plaintext []byte) ([]byte, error) {
	out := make([]byte, BlockSize+paddedSize(plaintext))
	if _, err := io.ReadFull(random, out[:BlockSize]); err != nil {
		return nil, fmt.Errorf("draw an IV: %w", err)
	}
	pad(out[BlockSize:], plaintext)
	cipher.NewCBCEncrypter(block, out[:BlockSize]).CryptBlocks(out[BlockSize:], out[BlockSize:])
	return out, nil
}

// DecryptCBC reverses EncryptCBC. Every failure is ErrDecrypt.
func DecryptCBC(key Key, text []byte) ([]byte, error) {
	if len(text) < 2*BlockSize || len(text)%BlockSize != 0 {
		return nil, ErrDecrypt
	}
	out := make([]byte, len(text)-BlockSize)
	cipher.NewCBCDecrypter(newBlock(key), text[:BlockSize]).CryptBlocks(out, text[BlockSize:])
	return unpad(out)
}

// EncryptECB returns SM4-ECB(plaintext with PKCS#7 padding). Equal blocks stay equal; use it only
// for a gateway that demands it.
func EncryptECB(key Key, plaintext []byte) []byte {
	out := make([]byte, paddedSize(plaintext))
	pad(out, plaintext)
	block := newBlock(key)
	for i := 0; i < len(out); i += BlockSize {
		block.Encrypt(out[i:i+BlockSize], out[i:i+BlockSize])
	}
	return out
}

// DecryptECB reverses EncryptECB. Every failure is ErrDecrypt.
func DecryptECB(key Key, text []byte) ([]byte, error) {
	if len(text) == 0 || len(text)%BlockSize != 0 {
		return nil, ErrDecrypt
	}
	out := make([]byte, len(text))
	block := newBlock(key)
	for i := 0; i < len(out); i += BlockSize {
		block.Decrypt(out[i:i+BlockSize], text[i:i+BlockSize])
	}
	return unpad(out)
}

func paddedSize(plaintext []byte) int {
	return len(plaintext) + BlockSize - len(plaintext)%BlockSize
}

// pad fills dst, which has paddedSize bytes.
func pad(dst, plaintext []byte) {
	n := copy(dst, plaintext)
	for i := n; i < len(dst); i++ {
		dst[i] = byte(len(dst) - n)
	}
}

// unpad checks all of the last block in constant time, so that the time does not tell a
// forger how far he got.
func unpad(padded []byte) ([]byte, error) {
	last := padded[len(padded)-BlockSize:]
	n := int(last[BlockSize-1])
	good := subtle.ConstantTimeLessOrEq(1, n) & subtle.ConstantTimeLessOrEq(n, BlockSize)
	for i, b := range last {
		isText := subtle.ConstantTimeLessOrEq(n, BlockSize-1-i)
		good &= isText | subtle.ConstantTimeByteEq(b, byte(n))
	}
	if good != 1 {
		return nil, ErrDecrypt
	}
	return padded[:len(padded)-n], nil
}
