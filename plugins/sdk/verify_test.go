package sdk_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// RFC 4231, test case 2.
const (
	key     = "Jefe"
	message = "what do ya want for nothing?"
	digest  = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
)

func TestHMAC(t *testing.T) {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		t.Fatal(err)
	}
	good := base64.StdEncoding.EncodeToString(raw)
	if !sdk.HMACSHA256(key, []byte(message), good) || !sdk.HMACSHA256Hex(key, []byte(message), digest) {
		t.Error("the published digest does not verify")
	}
	stray := good[:42] + string(good[42]+1) + "=" // only bits that base64 throws away
	for what, signature := range map[string]string{
		"last character changed": stray, "no padding": strings.TrimRight(good, "="), "line break": good + "\n", "space": good + " ",
		"URL alphabet": base64.URLEncoding.EncodeToString(raw) + "-", "empty": "", "hex": digest, "shorter": base64.StdEncoding.EncodeToString(raw[:16]),
	} {
		if sdk.HMACSHA256(key, []byte(message), signature) {
			t.Errorf("%s verifies: %q", what, signature)
		}
	}
	if sdk.HMACSHA256Hex(key, []byte(message), strings.ToUpper(digest)) {
		t.Error("upper-case hex verifies")
	}
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte(message))
	if sdk.HMACSHA256("", []byte(message), base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
		t.Error("an empty secret verifies")
	}
	if sdk.Equal("", "") || sdk.Equal("a", "A") || !sdk.Equal("a", "a") {
		t.Error("Equal is wrong")
	}
}

func TestFresh(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for offset, want := range map[time.Duration]bool{0: true, 5 * time.Minute: true, -5 * time.Minute: true, 301 * time.Second: false, -301 * time.Second: false} {
		if sdk.Fresh(now, now.Add(offset), 5*time.Minute) != want {
			t.Errorf("%s: want %v", offset, want)
		}
	}
	if sdk.Fresh(time.Time{}, time.Time{}, time.Hour) {
		t.Error("no time at all is fresh")
	}
}

func TestRequest(t *testing.T) {
	r := sdk.Request{Query: "a=1&b=%20x", Body: []byte("sign=s&ts=1"), Headers: []sdk.Header{{"X-Sign", "s"}, {"x-twice", "1"}, {"X-Twice", "2"}, {"Content-Type", "Text/JSON; charset=utf-8"}}}
	if r.Header("x-sign") != "s" || r.Header("X-Twice") != "" || r.Header("none") != "" || r.ContentType() != "text/json" {
		t.Errorf("headers of %+v", r)
	}
	if q, err := r.QueryValues(); err != nil || q["b"] != " x" {
		t.Errorf("query %v, %v", q, err)
	}
	if f, err := r.Form(); err != nil || f["sign"] != "s" {
		t.Errorf("form %v, %v", f, err)
	}
	for _, bad := range []string{"a=1&a=2", "a=%zz"} {
		if _, err := (sdk.Request{Query: bad}).QueryValues(); err == nil {
			t.Errorf("query %q passed", bad)
		}
	}
}
