package webhooks

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

func headersOf(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

func goodHeaders() map[string]string {
	return map[string]string{headerTerminal: "01KAXQW8000123456789", headerKeyID: "01KAXQW800ABCDEFGHJK", headerTimestamp: "1793494800",
		headerNonce: "5f0c6a2be1d84f3a", headerSequence: "42", headerSignature: strings.Repeat("0a", 32)}
}

func TestSignatureHeaders(t *testing.T) {
	s, ok := readSignature(headersOf(goodHeaders()))
	if !ok || s.sequence != 42 || s.at.Unix() != 1793494800 || s.mac[31] != 0x0a {
		t.Fatalf("%+v, %v", s, ok)
	}
	for name, values := range map[string][]string{
		headerTerminal:  {"", "01KAXQW800012345678", "01KAXQW800012345678I", "01kaxqw8000123456789"},
		headerKeyID:     {"", "k1"},
		headerTimestamp: {"", "-1", "+1793494800", "1793494800.5", " 1793494800", "179349480000", "0x1"},
		headerNonce:     {"", "5f0c6a2be1d84f3", strings.Repeat("a", 65), "5f0c6a2b e1d84f3a", "5f0c6a2be1d84f3é", "5f0c6a2be1d84f3\n"},
		headerSequence:  {"", "0", "042", "-1", "+1", "1e3", "9223372036854775808", "1_000"},
		headerSignature: {"", strings.Repeat("0a", 31), strings.Repeat("0a", 33), strings.Repeat("xy", 32)},
	} {
		for _, v := range values {
			h := goodHeaders()
			h[name] = v
			if _, ok := readSignature(headersOf(h)); ok {
				t.Errorf("%s: %q was taken", name, v)
			}
		}
		h := goodHeaders()
		delete(h, name)
		if _, ok := readSignature(headersOf(h)); ok {
			t.Errorf("without %s it was taken", name)
		}
	}
}

// TestSignatureVector was computed with OpenSSL 3 as docs/http.md shows.
func TestSignatureVector(t *testing.T) {
	s := signature{at: time.Unix(1793494800, 0), nonce: "5f0c6a2be1d84f3a", sequence: 42}
	secret := []byte(strings.Repeat("00112233445566778899aabbccddeeff", 2))
	got := s.macOf(secret, "POST", receiptsPath, []byte(`{"a":1}`))
	const want = "40e5243afe0e5ca71ae4f3237346520312a0b02465a70220842009a3b0bbc7c5"
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("signature %x, want %s", got, want)
	}
}

func FuzzSignatureHeaders(f *testing.F) {
	g := goodHeaders()
	f.Add(g[headerTerminal], g[headerKeyID], g[headerTimestamp], g[headerNonce], g[headerSequence], g[headerSignature])
	f.Add("", "", "", "", "", "")
	f.Add(g[headerTerminal], g[headerKeyID], "00", g[headerNonce], "999999999999999999", strings.Repeat("0A", 32))
	f.Fuzz(func(t *testing.T, terminal, key, at, nonce, sequence, mac string) {
		s, ok := readSignature(headersOf(map[string]string{headerTerminal: terminal, headerKeyID: key, headerTimestamp: at, headerNonce: nonce,
			headerSequence: sequence, headerSignature: mac}))
		if !ok {
			return
		}
		// What is taken has one reading: written again it is the same text, so that what is signed is what was sent.
		if s.terminal != terminal || s.keyID != key || s.nonce != nonce || fmt.Sprint(s.at.Unix()) != at || fmt.Sprint(s.sequence) != sequence ||
			!strings.EqualFold(hex.EncodeToString(s.mac[:]), mac) {
			t.Errorf("%+v was read of %q %q %q %q %q %q", s, terminal, key, at, nonce, sequence, mac)
		}
	})
}
