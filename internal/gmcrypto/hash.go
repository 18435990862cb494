// Package gmcrypto offers the Chinese commercial algorithms SM3 (GB/T 32905) and SM4
// (GB/T 32907) in the forms that this product needs, and no others.
//
// It is the only importer of tjfoc/gmsm, of which it uses just the hash and the bare block
// cipher. That module's own modes are not safe to use: CBC has one IV for the whole process,
// GCM computes a wrong tag and never checks one, unpadding errors are dropped, and a block
// that two goroutines share yields wrong text. So each operation here has a block of its own,
// and the modes are those of the standard library.
package gmcrypto

import (
	"crypto/hmac"
	"crypto/subtle"

	"github.com/tjfoc/gmsm/sm3"
)

// HashSize is the length of an SM3 digest in bytes.
const HashSize = 32

// SM3 returns the digest of data.
func SM3(data []byte) [HashSize]byte {
	return [HashSize]byte(sm3.Sm3Sum(data))
}

// HMACSM3 returns the HMAC (GB/T 15852.2) with SM3 over the parts, one after the other without
// anything between them.
func HMACSM3(key []byte, parts ...[]byte) [HashSize]byte {
	mac := hmac.New(sm3.New, key)
	for _, part := range parts {
		_, _ = mac.Write(part) // never fails
	}
	return [HashSize]byte(mac.Sum(nil))
}

// Equal compares two digests, signatures or secrets in a time that tells nothing about where
// they differ.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
