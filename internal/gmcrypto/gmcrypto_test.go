package gmcrypto

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testKey(t testing.TB) Key { return Key(unhex(t, "0123456789abcdeffedcba9876543210")) }

func TestHashVectors(t *testing.T) {
	// GB/T 32905 A.1
	if got := fmt.Sprintf("%x", SM3([]byte("abc"))); got != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("SM3(abc) = %s", got)
	}
	// OpenSSL 3.0
	const want = "f9add5729369441c1999e07553d91610e4722a07e49468a7d2d536781a9c3f53"
	for _, parts := range [][]string{{`{"a":1}`}, {`{"a`, ``, `":1}`}} {
		var list [][]byte
		for _, part := range parts {
			list = append(list, []byte(part))
		}
		if got := fmt.Sprintf("%x", HMACSM3([]byte("terminal-key-1"), list...)); got != want {
			t.Errorf("HMAC-SM3 of %q = %s", parts, got)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{{"", "", true}, {"abc", "abc", true}, {"abc", "abd", false}, {"abc", "ab", false}} {
		if got := Equal([]byte(test.a), []byte(test.b)); got != test.want {
			t.Errorf("Equal(%q, %q) = %v", test.a, test.b, got)
		}
	}
}

// TestGCMVector is RFC 8998, appendix A.1.
func TestGCMVector(t *testing.T) {
	nonce := unhex(t, "00001234567800000000abcd")
	aad := unhex(t, "feedfacedeadbeeffeedfacedeadbeefabaddad2")
	plaintext := unhex(t, "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"+
		"eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa")
	want := unhex(t, "00001234567800000000abcd"+
		"17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"+
		"d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"+
		"83de3541e4c2b58177e065a9bf7b62ec")
	got, err := sealGCM(newBlock(testKey(t)), bytes.NewReader(nonce), plaintext, aad)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("sealed %x, %v", got, err)
	}
	back, err := OpenGCM(testKey(t), want, aad)
	if err != nil || !bytes.Equal(back, plaintext) {
		t.Errorf("opened %x, %v", back, err)
	}
}

// TestECBVector is GB/T 32907, example 1, with the block of padding behind it.
func TestECBVector(t *testing.T) {
	key := testKey(t)
	got := EncryptECB(key, key[:])
	if want := unhex(t, "681edf34d206965e86b3e94f536e4246"); !bytes.Equal(got[:16], want) || len(got) != 32 {
		t.Errorf("encrypted %x", got)
	}
}

// ciphers are the three forms in one shape.
var ciphers = map[string]struct {
	encrypt func(Key, []byte) ([]byte, error)
	decrypt func(Key, []byte) ([]byte, error)
}{
	"GCM": {
		func(k Key, b []byte) ([]byte, error) { return SealGCM(k, b, []byte("aad")) },
		func(k Key, b []byte) ([]byte, error) { return OpenGCM(k, b, []byte("aad")) },
	},
	"CBC": {EncryptCBC, DecryptCBC},
	"ECB": {func(k Key, b []byte) ([]byte, error) { return EncryptECB(k, b), nil }, DecryptECB},
}

func TestEveryLengthComesBack(t *testing.T) {
	for name, c := range ciphers {
		for n := range 100 {
			plaintext := bytes.Repeat([]byte{byte(n)}, n)
			around := bytes.Repeat([]byte{0xee}, 200)
			copy(around, plaintext)
			text, err := c.encrypt(testKey(t), around[:n])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(around[n:], bytes.Repeat([]byte{0xee}, 200-n)) {
				t.Fatalf("%s: the caller's bytes behind the plaintext were overwritten", name)
			}
			kept := bytes.Clone(text)
			got, err := c.decrypt(testKey(t), text)
			if err != nil || !bytes.Equal(got, plaintext) || !bytes.Equal(text, kept) {
				t.Errorf("%s, %d bytes: got %x, %v", name, n, got, err)
			}
		}
	}
}

func TestRandomPartDiffers(t *testing.T) {
	for _, name := range []string{"GCM", "CBC"} {
		seen := map[string]bool{}
		for range 1000 {
			text, err := ciphers[name].encrypt(testKey(t), []byte("same"))
			if err != nil || seen[string(text[:12])] {
				t.Fatalf("%s: a nonce or IV was used twice, or %v", name, err)
			}
			seen[string(text[:12])] = true
		}
	}
}

func TestBadTextsAreRefused(t *testing.T) {
	for name, c := range ciphers {
		text, err := c.encrypt(testKey(t), []byte("0123456789"))
		if err != nil {
			t.Fatal(err)
		}
		bad := map[string][]byte{"nil": nil, "one byte": {1}, "one block": text[:len(text)-1], "longer": append(bytes.Clone(text), 0)}
		if name != "ECB" {
			bad["15 bytes"] = text[:15]
		}
		for what, b := range bad {
			if got, err := c.decrypt(testKey(t), b); !errors.Is(err, ErrDecrypt) || got != nil {
				t.Errorf("%s, %s: got %x, %v", name, what, got, err)
			}
		}
	}
}

func TestGCMRefusesEveryAlteredBit(t *testing.T) {
	text, err := SealGCM(testKey(t), []byte("number 26312000000012345678"), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(text) * 8 {
		altered := bytes.Clone(text)
		altered[bit/8] ^= 1 << (bit % 8)
		if _, err := OpenGCM(testKey(t), altered, []byte("place")); !errors.Is(err, ErrDecrypt) {
			t.Fatalf("bit %d altered: %v", bit, err)
		}
	}
	if _, err := OpenGCM(testKey(t), text, []byte("elsewhere")); !errors.Is(err, ErrDecrypt) {
		t.Errorf("other aad: %v", err)
	}
	if _, err := OpenGCM(Key{}, text, []byte("place")); !errors.Is(err, ErrDecrypt) {
		t.Errorf("other key: %v", err)
	}
}

func TestUnpadIsStrict(t *testing.T) {
	block := func(tail ...byte) []byte {
		return append(bytes.Repeat([]byte{'x'}, 32-len(tail)), tail...)
	}
	tests := []struct {
		padded []byte
		length int // -1: refused
	}{
		{block(1), 31},
		{block(2, 2), 30},
		{bytes.Repeat([]byte{16}, 32), 16},
		{block(0), -1},
		{block(17), -1},
		{block(255), -1},
		{block(3, 2), -1},
		{block(1, 2), -1},
		{block(3, 1, 3), -1},
		{block(1, 3, 3), -1},
		{append(block(), bytes.Repeat([]byte{17}, 17)...)[1:33], -1},
	}
	for _, test := range tests {
		got, err := unpad(test.padded)
		if (err == nil) != (test.length >= 0) || (err == nil && len(got) != test.length) {
			t.Errorf("unpad(%v) = %d bytes, %v; want %d", test.padded, len(got), err, test.length)
		}
	}
}

func TestKeyIsNotShown(t *testing.T) {
	key := testKey(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key, "in", struct{ K Key }{key})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key, "in", struct{ K Key }{key})
	asJSON, err := json.Marshal(map[string]any{"key": key})
	if err != nil {
		t.Error(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %x %X %d %s %q %v", key, key, key, key, key, key, key, key, []Key{key}) + log.String() + string(asJSON)
	for _, leak := range []string{"0123456789", "ABCDEF", "abcdef", "35 69", "0x1, 0x23", "0x23"} {
		if strings.Contains(shown, leak) {
			t.Errorf("%q of the key is shown in %s", leak, shown)
		}
	}
	if _, err := KeyFromBytes(key[:15]); err == nil {
		t.Error("a key of 15 bytes was taken")
	}
	if got, err := KeyFromBytes(key[:]); err != nil || got != key {
		t.Error("a key of 16 bytes was refused or changed")
	}
	if NewKey() == NewKey() {
		t.Error("two new keys are equal")
	}
}
