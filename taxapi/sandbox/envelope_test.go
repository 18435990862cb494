package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func testEnvelope(t testing.TB, mode, encoding, signature string) *envelope {
	t.Helper()
	e, err := newEnvelope(testKey, testSecret, mode, encoding, signature)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The standards' own examples: GB/T 32905 (SM3), GB/T 32907 (SM4), and an HMAC on which OpenSSL and others agree.
func TestKnownVectors(t *testing.T) {
	if got := hexSM3([]byte("abc")); got != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("SM3(abc) = %s", got)
	}
	e := testEnvelope(t, cipherECB, encodingHex, signatureHMAC)
	e.secret = []byte("terminal-key-1")
	mac, err := base64.StdEncoding.DecodeString(e.sign(`{"a":1}`))
	if err != nil || hex.EncodeToString(mac) != "f9add5729369441c1999e07553d91610e4722a07e49468a7d2d536781a9c3f53" {
		t.Errorf("HMAC-SM3 = %x, %v", mac, err)
	}
	plain, err := hex.DecodeString("0123456789abcdeffedcba9876543210")
	if err != nil {
		t.Fatal(err)
	}
	body, err := e.seal(plain)
	if err != nil || !bytes.HasPrefix(body, []byte(`{"data":"681edf34d206965e86b3e94f536e4246`)) {
		t.Errorf("SM4 of the standard's example: %s, %v", body, err)
	}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	for _, mode := range []string{cipherCBC, cipherECB} {
		for _, encoding := range []string{encodingBase64, encodingHex} {
			e := testEnvelope(t, mode, encoding, signatureHMAC)
			rapid.Check(t, func(t *rapid.T) {
				plain := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "plain")
				body, err := e.seal(plain)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := e.open(body); err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("%s %s: %x, %v", mode, encoding, got, err)
				}
			})
		}
	}
	other := testEnvelope(t, cipherCBC, encodingBase64, signatureHMAC)
	a, _ := other.seal([]byte("same"))
	b, _ := other.seal([]byte("same"))
	if bytes.Equal(a, b) {
		t.Error("two messages with the same IV")
	}
}

func TestBadEnvelopes(t *testing.T) {
	e := testEnvelope(t, cipherCBC, encodingBase64, signatureHMAC)
	encode := base64.StdEncoding.EncodeToString
	block := make([]byte, 32)
	for name, body := range map[string]string{
		"empty": "", "no JSON": "{", "no data": "{}", "not base64": `{"data":"???"}`, "only an IV": `{"data":"` + encode(block[:16]) + `"}`,
		"half a block": `{"data":"` + encode(block[:24]) + `"}`, "bad padding": `{"data":"` + encode(block) + `"}`,
	} {
		if _, err := e.open([]byte(body)); !errors.Is(err, errEnvelope) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, padded := range map[string][]byte{
		"zero": {1, 2, 0}, "longer than a block": bytes.Repeat([]byte{17}, 18), "all padding": {2, 2}, "uneven": {1, 3, 2, 3},
	} {
		if _, err := unpad(padded); !errors.Is(err, errEnvelope) {
			t.Errorf("padding %s: %v", name, err)
		}
	}
	for _, bad := range [][5]string{
		{"00", testSecret, cipherCBC, encodingHex, signatureHMAC}, {testKey, "", cipherCBC, encodingHex, signatureHMAC},
		{testKey, testSecret, "gcm", encodingHex, signatureHMAC}, {testKey, testSecret, cipherCBC, "base32", signatureHMAC},
		{testKey, testSecret, cipherCBC, encodingHex, "md5"},
	} {
		if _, err := newEnvelope(bad[0], bad[1], bad[2], bad[3], bad[4]); err == nil {
			t.Errorf("%v: taken", bad)
		}
	}
}

func FuzzOpen(f *testing.F) {
	cbc, err := newEnvelope(testKey, testSecret, cipherCBC, encodingBase64, signatureHMAC)
	if err != nil {
		f.Fatal(err)
	}
	ecb, err := newEnvelope(testKey, testSecret, cipherECB, encodingHex, signatureHMAC)
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range []*envelope{cbc, ecb} {
		body, err := e.seal([]byte(`{"serial":"S0000000000000000001"}`))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
		f.Add(body[:len(body)-5])
	}
	f.Add([]byte(`{"data":""}`))
	f.Add([]byte(`{"data":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, e := range []*envelope{cbc, ecb} {
			plain, err := e.open(body)
			if err == nil && len(plain) == 0 {
				t.Error("an empty message was opened")
			}
			if err == nil {
				for name := range operations {
					_, _ = decodeOperation(name, plain)
				}
			}
		}
	})
}

// FuzzIssue feeds decoded requests to all checks: they must refuse, never panic.
func FuzzIssue(f *testing.F) {
	f.Add([]byte(`{"kind":"02","request_time":"2026-11-25T09:00:00+08:00","seller":{"tax_no":"911000000000000018"},
		"buyer":{"name":"个人"},"lines":[{"no":1,"nature":"02","code":"1","net":"1.00","rate":"0.13"},{"no":2,"nature":"01"}]}`))
	f.Add([]byte(`{"lines":[{"net":"999999999999.99","rate":"0.9999","quantity":"-1","price":"1"}]}`))
	reg := newRegistry()
	s := &seller{TaxNo: sellerNo}
	if err := s.check(); err != nil {
		f.Fatal(err)
	}
	reg.see(s)
	f.Fuzz(func(t *testing.T, plain []byte) {
		for _, op := range []string{"issue", "red_apply"} {
			if request, refused := decodeOperation(op, plain); refused == nil {
				request.examine(reg, &app{ID: testApp}, testStart)
			}
		}
	})
}
