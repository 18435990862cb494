package generic

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestSecrets(t *testing.T) {
	long := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for secret, good := range map[string]bool{
		long(24): true, long(32): true, long(64): true, long(23): false, long(65): false,
		"": false, "whsec_": false, strings.TrimPrefix(long(32), "whsec_"): false, long(32) + "\n": false, "whsec_???": false,
	} {
		c := Config{Secret: secret}
		err := c.Prepare()
		if (err == nil) != good {
			t.Errorf("secret of length %d: %v, want good %v", len(secret), err, good)
		}
		if err != nil && len(secret) > 10 && strings.Contains(err.Error(), secret) {
			t.Error("the error tells the secret")
		}
	}
}

// The vector of the reference library proves the algorithm against somebody else's code.
func TestReferenceVector(t *testing.T) {
	raw, err := os.ReadFile("../../../../shared/fixtures/shop/standardwebhooks/vector_v1.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("left out: the vector of the reference library is not at hand")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]string
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	at, err := sdk.UnixTime("webhook-timestamp", v["webhook-timestamp"])
	if err != nil {
		t.Fatal(err)
	}
	r := sdk.Request{Body: []byte(v["body"]), ReceivedAt: at}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		r.Headers = append(r.Headers, sdk.Header{Name: name, Value: v[name]})
	}
	c := Config{Secret: v["secret"]}
	if err := c.Prepare(); err != nil {
		t.Fatal(err)
	}
	if id, forged := c.verify(r); forged != nil || id != v["webhook-id"] {
		t.Errorf("id %q, %v", id, forged)
	}
	r.Body = append(r.Body, ' ')
	if _, forged := c.verify(r); forged == nil {
		t.Error("a longer body verifies")
	}
}
