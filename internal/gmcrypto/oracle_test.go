package gmcrypto

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"errors"
	"math/rand/v2"
	"testing"

	othercipher "github.com/emmansun/gmsm/cipher"
	"github.com/emmansun/gmsm/padding"
	othersm3 "github.com/emmansun/gmsm/sm3"
	othersm4 "github.com/emmansun/gmsm/sm4"
)

// TestAgainstAnotherImplementation compares with emmansun/gmsm in both directions.
func TestAgainstAnotherImplementation(t *testing.T) {
	random := rand.New(rand.NewChaCha8([32]byte{7}))
	draw := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	pkcs7 := padding.NewPKCS7Padding(BlockSize)
	for n := range 300 {
		key, text, aad := Key(draw(16)), draw(n), draw(n%40)
		if SM3(text) != othersm3.Sum(text) {
			t.Fatalf("SM3 of %d bytes differs", n)
		}
		mac := hmac.New(othersm3.New, aad)
		mac.Write(text)
		if ours := HMACSM3(aad, text); !bytes.Equal(ours[:], mac.Sum(nil)) {
			t.Fatalf("HMAC-SM3 with a key of %d bytes over %d bytes differs", len(aad), n)
		}
		block, err := othersm4.NewCipher(key[:])
		if err != nil {
			t.Fatal(err)
		}

		aead, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := SealGCM(key, text, aad)
		if err != nil {
			t.Fatal(err)
		}
		got, err := aead.Open(nil, sealed[:12], sealed[12:], aad)
		check(t, "GCM there", n, got, err, text)
		nonce := draw(12)
		got, err = OpenGCM(key, aead.Seal(bytes.Clone(nonce), nonce, text, aad), aad)
		check(t, "GCM here", n, got, err, text)

		enc, err := EncryptCBC(key, text)
		if err != nil {
			t.Fatal(err)
		}
		plain := make([]byte, len(enc)-16)
		cipher.NewCBCDecrypter(block, enc[:16]).CryptBlocks(plain, enc[16:])
		got, err = pkcs7.Unpad(plain)
		check(t, "CBC there", n, got, err, text)
		out := append(draw(16), pkcs7.Pad(bytes.Clone(text))...)
		cipher.NewCBCEncrypter(block, out[:16]).CryptBlocks(out[16:], out[16:])
		got, err = DecryptCBC(key, out)
		check(t, "CBC here", n, got, err, text)

		enc = EncryptECB(key, text)
		plain = make([]byte, len(enc))
		othercipher.NewECBDecrypter(block).CryptBlocks(plain, enc)
		got, err = pkcs7.Unpad(plain)
		check(t, "ECB there", n, got, err, text)
		padded := pkcs7.Pad(bytes.Clone(text))
		othercipher.NewECBEncrypter(block).CryptBlocks(padded, padded)
		got, err = DecryptECB(key, padded)
		check(t, "ECB here", n, got, err, text)
	}
}

func check(t *testing.T, what string, n int, got []byte, err error, want []byte) {
	t.Helper()
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s, %d bytes: %v", what, n, err)
	}
}

// FuzzDecrypt: no input may do anything but give a text or ErrDecrypt, and what CBC and ECB
// accept, the other implementation's unpadding accepts too.
func FuzzDecrypt(f *testing.F) {
	key := testKey(f)
	for _, c := range ciphers {
		text, err := c.encrypt(key, []byte(`{"serial":"1"}`))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(text[:len(text)-1])
		f.Add(bytes.Repeat(text, 3))
	}
	f.Add([]byte{})
	f.Add(make([]byte, 16))
	f.Add(make([]byte, 28))
	f.Add(make([]byte, 32))
	pkcs7 := padding.NewPKCS7Padding(BlockSize)
	block, err := othersm4.NewCipher(key[:])
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, c := range ciphers {
			got, err := c.decrypt(key, text)
			if err != nil && (!errors.Is(err, ErrDecrypt) || got != nil) {
				t.Errorf("%s: %v with a text", name, err)
			}
			if name != "ECB" || len(text) == 0 || len(text)%16 != 0 {
				continue
			}
			plain := make([]byte, len(text))
			othercipher.NewECBDecrypter(block).CryptBlocks(plain, text)
			want, wantErr := pkcs7.Unpad(plain)
			if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
				t.Errorf("got %x, %v; another implementation %x, %v", got, err, want, wantErr)
			}
		}
	})
}

func BenchmarkSealGCM2KB(b *testing.B) {
	key, text := NewKey(), make([]byte, 2048)
	b.SetBytes(2048)
	for b.Loop() {
		if _, err := SealGCM(key, text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
