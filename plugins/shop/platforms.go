package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/plugins/sdk"
	"github.com/kaipiao/kaipiao/plugins/shop/generic"
	"github.com/kaipiao/kaipiao/plugins/shop/woocommerce"
)

// config is one shop. The platform is chosen by its name; its settings are in the section of that name.
type config struct {
	Platform    string              `json:"platform" enum:"generic,woocommerce" doc:"the shop's software; generic takes signed events from any shop"`
	Generic     *generic.Config     `json:"generic,omitempty" doc:"settings for platform generic"`
	WooCommerce *woocommerce.Config `json:"woocommerce,omitempty" doc:"settings for platform woocommerce"`

	chosen platform
}

// platforms is the table of what this plugin connects. A new platform is a folder, a section above and a row here.
var platforms = map[string]func(*config) platform{
	"generic":     func(c *config) platform { return section(c.Generic) },
	"woocommerce": func(c *config) platform { return section(c.WooCommerce) },
}

// platform is what every shop platform does; the interfaces below it are what some do.
type platform interface {
	Prepare() error
	Parse(sdk.Request) sdk.Parsed
}

type fetcher interface {
	Fetch(ctx context.Context, orderNo string) ([]sdk.Event, error)
}

type puller interface {
	Pull(context.Context, sdk.PullRequest) (sdk.Page, error)
}

type orderPage interface {
	Deliver(context.Context, sdk.Parcel) (sdk.Receipt, error)
	Track(context.Context, sdk.ParcelRef) (sdk.Standing, error)
}

type prober interface {
	Probe(context.Context) []sdk.Problem
}

// section turns a missing section into no platform, rather than into an interface around a nil pointer.
func section[P interface {
	*C
	platform
}, C any](s *C) platform {
	if s == nil {
		return nil
	}
	return P(s)
}

// Prepare chooses the platform once for each revision of an instance.
func (c *config) Prepare() error {
	choose, ok := platforms[c.Platform]
	if !ok {
		return fmt.Errorf("platform %q is not in the table", c.Platform)
	}
	if c.chosen = choose(c); c.chosen == nil {
		return fmt.Errorf("platform %s needs its settings in section %s", c.Platform, c.Platform)
	}
	if err := c.chosen.Prepare(); err != nil {
		return fmt.Errorf("section %s: %w", c.Platform, err)
	}
	return nil
}

var errNoSuchPart = errors.New("the platform has no interface for this")

func parse(_ context.Context, c config, r sdk.Request) (sdk.Parsed, error) {
	return c.chosen.Parse(r), nil
}

func fetch(ctx context.Context, c config, orderNo string) ([]sdk.Event, error) {
	if f, ok := c.chosen.(fetcher); ok {
		return f.Fetch(ctx, orderNo)
	}
	return nil, sdk.Permanent(fmt.Errorf("fetch order from platform %s: %w", c.Platform, errNoSuchPart))
}

// pull gives an empty page for platforms that only push: there is nothing to wait for.
func pull(ctx context.Context, c config, r sdk.PullRequest) (sdk.Page, error) {
	if p, ok := c.chosen.(puller); ok {
		return p.Pull(ctx, r)
	}
	return sdk.Page{Cursor: r.Cursor}, nil
}

func deliver(ctx context.Context, c config, p sdk.Parcel) (sdk.Receipt, error) {
	if o, ok := c.chosen.(orderPage); ok {
		return o.Deliver(ctx, p)
	}
	return sdk.Rejected(sdk.OrderProblem, "platform "+c.Platform+" has no order page to write to"), nil
}

func track(ctx context.Context, c config, ref sdk.ParcelRef) (sdk.Standing, error) {
	if o, ok := c.chosen.(orderPage); ok {
		return o.Track(ctx, ref)
	}
	return sdk.Standing{State: sdk.TrackNotSent, Reason: "platform " + c.Platform + " has no order page"}, nil
}

func validate(ctx context.Context, c config, probe bool) []sdk.Problem {
	if p, ok := c.chosen.(prober); ok && probe {
		return p.Probe(ctx)
	}
	return nil
}
