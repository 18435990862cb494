package gmcrypto

import (
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"io"
	"sync"

	"github.com/tjfoc/gmsm/sm4"

	"github.com/kaipiao/kaipiao/internal/fault"
)

// KeySize is the length of an SM4 key in bytes, BlockSize that of a block.
const (
	KeySize   = 16
	BlockSize = 16
)

// Key is an SM4 key. It prints as a placeholder under every verb; a type that has one in a
// private field must see to that itself, for fmt does not ask private fields.
type Key [KeySize]byte

// NewKey draws a random key.
func NewKey() Key {
	var k Key
	_, _ = rand.Read(k[:]) // never fails; a broken system generator ends the program
	return k
}

// KeyFromBytes takes a key that is exactly KeySize bytes long.
func KeyFromBytes(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, fmt.Errorf("an SM4 key has %d bytes, this one has %d", KeySize, len(b))
	}
	return Key(b), nil
}

const keyPlaceholder = "[sm4 key]"

// Format hides the key from fmt, and so from most logs.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, keyPlaceholder) }

// MarshalText hides the key from encoders.
func (Key) MarshalText() ([]byte, error) { return []byte(keyPlaceholder), nil }

// newBlock makes a block for one operation: its scratch space must not be shared.
func newBlock(key Key) cipher.Block {
	if fault.Bug(fault.BugSharedSM4Block) {
		return sharedBlock(key)
	}
	return freshBlock(key)
}

func freshBlock(key Key) cipher.Block {
	block, err := sm4.NewCipher(key[:])
	if err != nil {
		panic("gmcrypto: sm4 refuses a key of 16 bytes: " + err.Error())
	}
	return block
}

// sharedBlock is the seeded bug: one block for each key.
func sharedBlock(key Key) cipher.Block {
	kept, _ := shared.LoadOrStore(key, freshBlock(key))
	return kept.(cipher.Block)
}

var shared sync.Map
