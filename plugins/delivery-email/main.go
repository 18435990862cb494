// Command delivery-email is the plugin that sends invoices by e-mail: one message for each recipient, with the PDF, OFD
// and XML files attached, over SMTP. docs/delivery-email.md describes its configuration.
package main

import (
	"context"
	"net"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const version = "1.0.0"

// mailer holds what a send needs beside the configuration; tests put their own in.
type mailer struct {
	now  func() time.Time
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func main() {
	m := mailer{now: time.Now, dial: new(net.Dialer).DialContext}
	m.plugin().Serve()
}

func (m mailer) plugin() *sdk.Plugin {
	return sdk.New("delivery-email", version,
		sdk.Deliverer(m.deliver, sdk.ByEmail),
		sdk.Tracker(track),
		sdk.Validator(m.validate),
		// A message may hold 10 MB of files, and many servers take few connections from one sender.
		sdk.WithLimits(sdk.Limits{MaxBatch: 4, MaxInFlight: 2, CallTimeout: time.Minute}),
	)
}

// track cannot know: SMTP has no question for a message that was handed over. A person decides.
func track(_ context.Context, _ config, p sdk.ParcelRef) (sdk.Standing, error) {
	return sdk.Standing{State: sdk.TrackStillUnknown, ProviderRef: p.ProviderRef, Reason: "an e-mail cannot be tracked"}, nil
}
