// Package taxapi is what the connections to tax bureaus have in common: the registry in which the use cases find them,
// and the guard that keeps a bureau's limits, rests when it fails and stays away while it is closed. Each wire has a
// package of its own below this one.
package taxapi

import (
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// Registry finds channels by id.
type Registry struct {
	channels map[core.ChannelID]core.Channel
}

// NewRegistry makes a registry. Each channel needs an id of its own, an issuer and a reverser.
func NewRegistry(channels ...core.Channel) (*Registry, error) {
	r := &Registry{channels: map[core.ChannelID]core.Channel{}}
	for _, c := range channels {
		switch _, twice := r.channels[c.ID]; {
		case c.ID == "":
			return nil, errors.New("a tax channel has no id")
		case twice:
			return nil, fmt.Errorf("two tax channels are called %s", c.ID)
		case c.Issuer == nil || c.Reverser == nil:
			return nil, fmt.Errorf("tax channel %s can't issue and reverse", c.ID)
		}
		r.channels[c.ID] = c
	}
	return r, nil
}

// Channel finds a channel. See core.Channels.
func (r *Registry) Channel(id core.ChannelID) (core.Channel, bool) {
	c, ok := r.channels[id]
	return c, ok
}
