package gmcrypto

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hammer has 8 goroutines encrypt and decrypt different texts at the same time with blocks
// from blockOf, and counts the wrong results.
func hammer(rounds int, blockOf func(Key) cipher.Block) int64 {
	var wrong atomic.Int64
	var wg sync.WaitGroup
	key := NewKey()
	for g := range 8 {
		wg.Go(func() {
			text := bytes.Repeat([]byte{byte('a' + g)}, 200)
			for range rounds {
				sealed, err := sealGCM(blockOf(key), rand.Reader, text, nil)
				if err != nil {
					wrong.Add(1)
					continue
				}
				got, err := openGCM(blockOf(key), sealed, nil)
				if err != nil || !bytes.Equal(got, text) {
					wrong.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return wrong.Load()
}

func TestParallelUse(t *testing.T) {
	rounds := 4000
	if testing.Short() {
		rounds = 400
	}
	if wrong := hammer(rounds, newBlock); wrong != 0 {
		t.Errorf("%d of %d texts came back wrong", wrong, 8*rounds)
	}
	for name, c := range ciphers {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				text := bytes.Repeat([]byte{byte('a' + g)}, 200)
				for range rounds / 4 {
					out, err := c.encrypt(testKey(t), text)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := c.decrypt(testKey(t), out); err != nil || !bytes.Equal(got, text) {
						t.Errorf("%s: a text came back wrong, %v", name, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestParallelUseWouldCatchASharedBlock shows that the test above can fail.
func TestParallelUseWouldCatchASharedBlock(t *testing.T) {
	if raceEnabled {
		t.Skip("LEFT OUT under the race detector, which would report the data race that this test is about")
	}
	for deadline := time.Now().Add(time.Minute); hammer(1000, sharedBlock) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("a shared block gave no wrong text within a minute")
		}
	}
}
