package sdk

import (
	"context"
	"fmt"
	"reflect"
	"time"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Plugin is a plugin put together: what [Serve] runs and sdktest tests.
type Plugin struct {
	name, version string
	configs       configs
	limits        Limits
	channels      []Channel

	// Nil where the plugin lacks the capability. cfg is a value of the configuration type.
	parse    func(ctx context.Context, cfg any, r Request) (Parsed, error)
	fetch    func(ctx context.Context, cfg any, orderNo string) ([]Event, error)
	pull     func(ctx context.Context, cfg any, r PullRequest) (Page, error)
	deliver  func(ctx context.Context, cfg any, p Parcel) (Receipt, error)
	track    func(ctx context.Context, cfg any, p ParcelRef) (Standing, error)
	refresh  func(ctx context.Context, cfg any) (Renewed, error)
	validate func(ctx context.Context, cfg any, probe bool) []Problem
}

// Part is one thing that a plugin can do. [Webhook], [Fetcher], [Puller], [Deliverer], [Tracker], [Refresher],
// [Validator] and [WithLimits] make them.
type Part struct {
	config reflect.Type
	add    func(*Plugin)
}

// Limits are what the plugin wants of the host; zero leaves the host's own limit.
type Limits struct {
	MaxBatch    int
	MaxInFlight int
	CallTimeout time.Duration
}

// WithLimits sets the plugin's limits.
func WithLimits(l Limits) Part { return Part{add: func(p *Plugin) { p.limits = l }} }

// New puts a plugin together. All parts share one configuration type. It panics when they don't or when the
// type can't be described by a schema: mistakes that the first start shows.
func New(name, version string, parts ...Part) *Plugin {
	p := &Plugin{name: name, version: version}
	for _, part := range parts {
		part.add(p)
		if part.config == nil {
			continue
		}
		if t := p.configs.of; t != nil && t != part.config {
			panic(fmt.Sprintf("sdk: plugin %s has parts with configuration types %s and %s", name, t, part.config))
		}
		p.configs.of = part.config
	}
	if p.configs.of == nil {
		panic(fmt.Sprintf("sdk: plugin %s has no part", name))
	}
	p.configs.schema = mustSchema(p.configs.of)
	return p
}

// Name is the plugin's name.
func (p *Plugin) Name() string { return p.name }

// Version is the plugin's version.
func (p *Plugin) Version() string { return p.version }

// Schema is the JSON Schema of one instance's configuration as an operator writes it.
func (p *Plugin) Schema() []byte { return p.configs.schema }

func (p *Plugin) capabilities() []pb.Capability {
	var out []pb.Capability
	for _, c := range []struct {
		has bool
		is  pb.Capability
	}{
		{p.parse != nil, pb.Capability_CAPABILITY_PARSE},
		{p.fetch != nil, pb.Capability_CAPABILITY_FETCH},
		{p.pull != nil, pb.Capability_CAPABILITY_PULL},
		{p.deliver != nil, pb.Capability_CAPABILITY_DELIVER},
		{p.track != nil, pb.Capability_CAPABILITY_TRACK},
		{p.refresh != nil, pb.Capability_CAPABILITY_REFRESH},
	} {
		if c.has {
			out = append(out, c.is)
		}
	}
	return out
}
