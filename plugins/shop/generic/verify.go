package generic

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Config is what an operator sets for a shop that sends its events itself.
type Config struct {
	Secret      string `json:"secret" secret:"true" doc:"signing secret: whsec_ and the base64 of 24 to 64 random bytes"`
	OtherSecret string `json:"other_secret,omitempty" secret:"true" doc:"a second secret that is accepted too, while the shop changes from one to the other"`

	keys [][]byte
}

// window is how far a signed time may lie from the request's arrival, as in the reference libraries of Standard Webhooks.
const window = 5 * time.Minute

// maxSignatures bounds the work on one request; a sender that rotates keys sends two.
const maxSignatures = 8

const (
	secretPrefix = "whsec_"
	minKeyBytes  = 24
	maxKeyBytes  = 64
)

// Prepare decodes the secrets.
func (c *Config) Prepare() error {
	c.keys = nil
	if err := c.add("secret", c.Secret); err != nil || c.OtherSecret == "" {
		return err
	}
	return c.add("other_secret", c.OtherSecret)
}

func (c *Config) add(name, secret string) error {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := sdk.DecodeBase64(encoded)
	if !ok || err != nil || len(key) < minKeyBytes || len(key) > maxKeyBytes {
		return fmt.Errorf("%s must be %s and the base64 of %d to %d bytes", name, secretPrefix, minKeyBytes, maxKeyBytes)
	}
	c.keys = append(c.keys, key)
	return nil
}

// verify proves the sender by Standard Webhooks v1: base64(HMAC-SHA256(key, id.timestamp.body)). Of several signatures one
// must match; those of other versions are passed over. It returns the webhook's id, which the signature covers.
func (c *Config) verify(r sdk.Request) (id string, forged *sdk.Fault) {
	id, timestamp, signatures := r.Header("webhook-id"), r.Header("webhook-timestamp"), r.Header("webhook-signature")
	if id == "" || timestamp == "" || signatures == "" {
		return "", &sdk.Fault{Reason: sdk.MissingSignature, Detail: "webhook-id, webhook-timestamp and webhook-signature are needed, each once"}
	}
	at, err := sdk.UnixTime("webhook-timestamp", timestamp)
	if err != nil || len(timestamp) > len("9999999999") || !sdk.Fresh(r.ReceivedAt, at, window) {
		return "", &sdk.Fault{Reason: sdk.StaleTimestamp, Detail: "webhook-timestamp is not within 300 seconds of the arrival"}
	}
	signed := append([]byte(id+"."+timestamp+"."), r.Body...)
	for _, signature := range strings.SplitN(signatures, " ", maxSignatures) {
		encoded, ok := strings.CutPrefix(signature, "v1,")
		if !ok {
			continue
		}
		sum, err := sdk.DecodeBase64(encoded)
		if err != nil {
			continue
		}
		for _, key := range c.keys {
			if sdk.VerifyHMAC(sha256.New, key, signed, sum) {
				return id, nil
			}
		}
	}
	return "", &sdk.Fault{Reason: sdk.BadSignature, Detail: "no v1 signature matches"}
}
