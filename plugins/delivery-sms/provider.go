package main

import (
	"context"
	"regexp"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// provider is a way to send SMS. A provider answers "certainly not sent" only where it is certain; it keeps mobile
// numbers and its own servers' texts out of every reason.
type provider interface {
	// Send hands one SMS over under its parcel's id.
	Send(ctx context.Context, m message) sdk.Receipt
	// Track looks the parcel up at the provider.
	Track(ctx context.Context, p sent) sdk.Standing
	// Probe checks that the provider can be used, without sending anything.
	Probe(ctx context.Context) *sdk.Problem
}

// message is what one SMS is made of; the text around it is the template's.
type message struct {
	parcelID string
	mobile   mobile
	red      bool
	code     string
	amount   string // without sign, or "" where the template has no place for it
}

// sent names an SMS that was sent, or perhaps sent.
type sent struct {
	parcelID    string
	mobile      mobile
	providerRef string
	at          time.Time
}

func (s service) provider(c config) provider {
	if c.Provider == toFile {
		return &fileProvider{outbox: s.outboxes.at(c.File), now: s.now}
	}
	return &aliyun{config: c, client: s.client, now: s.now, nonce: s.nonce}
}

// configWait is how long a parcel waits for a person to mend the configuration.
const configWait = 15 * time.Minute

// pickUpCode is what providers take for a code: a variable that looks like an address is refused.
var pickUpCode = regexp.MustCompile(`^[0-9A-Za-z-]{4,32}$`)

func (s service) deliver(ctx context.Context, c config, p sdk.Parcel) (sdk.Receipt, error) {
	if problems := c.check(); len(problems) > 0 {
		return sdk.Retry(configWait, sdk.CredentialsProblem,
			"not sent: the configuration cannot be used: "+problems[0].Pointer+" "+problems[0].Message), nil
	}
	to, ok := parseMobile(p.Recipient.Mobile)
	if !ok {
		return sdk.Rejected(sdk.RecipientProblem, "the number is not a mobile number of mainland China"), nil
	}
	m := message{parcelID: p.ID, mobile: to, red: p.Invoice.Color == sdk.Red, code: p.Invoice.PickUpCode}
	if !pickUpCode.MatchString(m.code) {
		return sdk.Rejected(sdk.ContentProblem, "the pick-up code is missing or holds other than letters and digits"), nil
	}
	if c.Amount {
		amount, err := sdk.Number("gross", p.Invoice.Gross)
		if err != nil {
			return sdk.Rejected(sdk.ContentProblem, "the amount is not a number"), nil
		}
		m.amount = sdk.Yuan(amount.Abs())
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	return s.provider(c).Send(ctx, m), nil
}

func (s service) track(ctx context.Context, c config, p sdk.ParcelRef) (sdk.Standing, error) {
	unknown := sdk.Standing{State: sdk.TrackStillUnknown, ProviderRef: p.ProviderRef}
	if problems := c.check(); len(problems) > 0 {
		unknown.Reason, unknown.Class = "the configuration cannot be used: "+problems[0].Pointer, sdk.CredentialsProblem
		return unknown, nil
	}
	to, ok := parseMobile(p.Recipient.Mobile)
	if !ok {
		unknown.Reason, unknown.Class = "the number is not a mobile number of mainland China", sdk.RecipientProblem
		return unknown, nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	return s.provider(c).Track(ctx, sent{parcelID: p.ParcelID, mobile: to, providerRef: p.ProviderRef, at: p.SentAt}), nil
}

func (s service) validate(ctx context.Context, c config, probe bool) []sdk.Problem {
	problems := c.check()
	if !probe || len(problems) > 0 {
		return problems
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	if p := s.provider(c).Probe(ctx); p != nil {
		problems = append(problems, *p)
	}
	return problems
}
