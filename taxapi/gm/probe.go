package gm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// remedies say what to look at when an exchange proves nothing.
var remedies = map[doubt]string{
	doubtUnreached: "check the base URL, the network, and the certificates on both sides",
	doubtTimeout:   "the gateway accepted the connection but is silent; try again, then ask its operator",
	doubtCut:       "check for a proxy or firewall in between, and whether the gateway wants TLS or a client certificate",
	doubtStatus:    "check the path of the base URL and the application id",
	doubtTooLong:   "this is not a gm gateway; check the base URL",
	doubtNonce:     "this is not a gm gateway, or a cache sits in between; check the base URL",
	doubtSignature: "check the secret and the signature scheme",
	doubtSealed:    "the secret is right; check the key, the cipher mode and the encoding",
	doubtShape:     "check the key and the cipher mode, then the gateway's version",
}

// classRemedies say what to look at when the gateway says no.
var classRemedies = map[Class]string{
	ClassAuthority: "have the application and the seller registered at the gateway",
	ClassSignature: "check the secret, the signature scheme and this host's clock",
	ClassLogin:     "a person has to log in at the bureau",
	ClassParameter: "check the key, the cipher mode and the encoding; the gateway could not read the request",
	ClassBusy:      "try again later",
}

// Probe proves address, certificates, application, secret, key, clock and the seller's registration by asking for the
// seller's quota. Its error says in one line what failed and what to look at.
func (c *Client) Probe(ctx context.Context, seller core.Seller) error {
	r, err := c.askQuota(ctx, seller)
	if err != nil {
		return err
	}
	if r.doubt != whole {
		return fmt.Errorf("probe of %s: %w; %s", c.base.Host, r.failure(), remedies[r.doubt])
	}
	if err := r.failure(); err != nil {
		remedy := classRemedies[r.meaning.Class]
		if remedy == "" {
			remedy = "ask the gateway's operator"
		}
		return fmt.Errorf("probe of %s: %w; %s%s", c.base.Host, err, remedy, r.clockNote(c.window))
	}
	if _, err := r.quota(seller); err != nil {
		return fmt.Errorf("probe of %s: %w; check the gateway's version", c.base.Host, err)
	}
	if note := r.clockNote(c.window); note != "" {
		return errors.New("probe of " + c.base.Host + ": answered" + note)
	}
	return nil
}

// clockNote tells of a difference between the clocks that the window does not allow.
func (r reply) clockNote(window time.Duration) string {
	if r.ahead.Abs() <= window {
		return ""
	}
	return fmt.Sprintf("; the gateway's clock differs from this host's by %s, %s is allowed", r.ahead.Round(time.Second), window)
}
