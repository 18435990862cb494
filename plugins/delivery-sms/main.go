// Command delivery-sms is the plugin that tells buyers by SMS that their invoice is there and how to pick it up. An SMS
// carries a pick-up code and, where the template has room, the amount; never an address or a name. docs/delivery-sms.md
// describes its configuration and the template to register.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const version = "1.0.0"

// service holds what providers need beside the configuration; tests put their own in.
type service struct {
	client   *http.Client
	now      func() time.Time
	nonce    func() string
	outboxes *outboxes
}

func main() { newService().plugin().Serve() }

func newService() service {
	return service{client: newHTTPClient(), now: time.Now, nonce: randomNonce, outboxes: &outboxes{}}
}

func (s service) plugin() *sdk.Plugin {
	return sdk.New("delivery-sms", version,
		sdk.Deliverer(s.deliver, sdk.ByMobile),
		sdk.Tracker(s.track),
		sdk.Validator(s.validate),
		sdk.WithLimits(sdk.Limits{MaxBatch: 4, MaxInFlight: 2, CallTimeout: 30 * time.Second}),
	)
}

// newHTTPClient makes a client that never follows a redirect, since a signed request is meant for one host, and never
// writes to a connection that the other side may be closing: that would leave an SMS in doubt.
func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	transport.TLSHandshakeTimeout, transport.ResponseHeaderTimeout = 5*time.Second, 15*time.Second
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func randomNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
