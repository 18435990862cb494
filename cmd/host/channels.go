package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/config"
	"github.com/kaipiao/kaipiao/taxapi"
	"github.com/kaipiao/kaipiao/taxapi/gm"
)

// newChannel makes the client of one configured channel; deadline bounds each exchange.
func newChannel(cfg *config.Config, c config.Channel, deadline time.Duration) (*gm.Client, error) {
	text, err := c.Key.Value(cfg)
	if err != nil {
		return nil, fmt.Errorf("channel %s: key: %w", c.ID, err)
	}
	key, err := gm.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", c.ID, err)
	}
	secret, err := c.Secret.Value(cfg)
	if err != nil {
		return nil, fmt.Errorf("channel %s: secret: %w", c.ID, err)
	}
	client, err := gm.New(gm.Options{BaseURL: c.URL, AppID: c.AppID, Key: key, Secret: gm.Secret(secret), Mode: gm.Mode(c.Mode),
		Encoding: gm.Encoding(c.Encoding), Signature: gm.Signature(c.Signature), CodesFile: cfg.Path(c.Codes),
		Timeout: deadline, MaxConns: 2 * max(c.Connections, 8)})
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", c.ID, err)
	}
	return client, nil
}

// openChannels makes every configured channel, guarded by its limits.
func (h *host) openChannels(context.Context) error {
	var channels []core.Channel
	for _, c := range h.cfg.Channels {
		client, err := newChannel(h.cfg, c, h.schedule.SendDeadline)
		if err != nil {
			return err
		}
		h.closers = append(h.closers, func(context.Context) error { client.Close(); return nil })
		channel := client.Channel(core.ChannelID(c.ID))
		if c.WithoutFiles {
			channel.Files = nil
		}
		limits := taxapi.DefaultLimits()
		limits.Every, limits.Rest = 0, h.schedule.Probe
		if c.Rate > 0 {
			limits.Every, limits.Burst = time.Second/time.Duration(c.Rate), max(c.Connections, 1)
		}
		channels = append(channels, taxapi.Guard(channel, limits, h.clock))
	}
	var err error
	h.channels, err = taxapi.NewRegistry(channels...)
	return err
}
