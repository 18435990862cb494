package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/admin"
	"github.com/kaipiao/kaipiao/internal/vault"
	"github.com/kaipiao/kaipiao/mapping"
)

func (h *host) newAPI(log *slog.Logger) {
	h.api = admin.New(admin.Options{Flow: h.flow, Store: h.store, Vault: h.sealer, Book: h.book, Codes: codes{h.catalogue, mapping.NewMatcher(h.catalogue)},
		Terminals: h.tills, Plugins: h.pluginStatus, Starting: h.starting, Doctor: h.doctor, Log: log, Version: version,
		Metrics: http.HandlerFunc(h.metrics)})
}

// codes looks classification codes up in the catalogue.
type codes struct {
	catalogue *mapping.Catalogue
	matcher   *mapping.Matcher
}

// Find lists candidates for a text, a general taxpayer's rates assumed.
func (c codes) Find(text string, limit int) []core.Candidate {
	found := c.matcher.Candidates(core.MapQuery{Type: core.GeneralTaxpayer, Date: time.Now(), Item: core.Item{Kind: core.Goods, Name: text}})
	return found[:min(limit, len(found))]
}

// Known says whether a code can be printed today.
func (c codes) Known(code core.ClassificationCode) bool {
	_, _, err := c.catalogue.Resolve(code, core.GeneralTaxpayer, time.Now(), mapping.Want{})
	return err == nil
}

// doctor looks at everything that the host depends on.
func (h *host) doctor(ctx context.Context) []admin.Check {
	var out []admin.Check
	add := func(name string, err error, good, remedy string) {
		c := admin.Check{Name: name, OK: err == nil, Detail: good}
		if err != nil {
			c.Detail, c.Remedy = err.Error(), remedy
		}
		out = append(out, c)
	}
	add("database", h.store.View(ctx, func(v core.View) error { _, err := v.NextTask(); return err }), h.cfg.DataPath("kaipiao.db"), "look at the disk and the log")
	add("key file", keyFileOutside(h), h.cfg.Path(h.cfg.Keys.KEK), "move the key out of the data folder and keep a copy of it apart")
	for _, s := range h.book.Sellers() {
		add("channel "+string(s.Channel)+" for seller "+string(s.ID), h.probe(ctx, s), "answers", "kaipiao check --probe; if a lane is paused: kaipiao doctor --resume "+string(core.SendLane(s.Channel, s.ID)))
	}
	for _, p := range h.pluginStatus() {
		var err error
		if p.State != "ready" {
			err = fmt.Errorf("is %s; its last words: %s", p.State, lastLine(p.LastWords))
		}
		add("plugin "+p.Name, err, p.Version, "kaipiao plugin list")
	}
	out = append(out, h.validate(ctx, true)...)
	out = append(out, h.laneChecks(ctx)...)
	return out
}

func keyFileOutside(h *host) error {
	_, err := vault.LoadKEK(h.cfg.Path(h.cfg.Keys.KEK), h.cfg.DataPath())
	return err
}

// probe asks a seller's channel for the quota, which proves address, keys, clock and registration at once.
func (h *host) probe(ctx context.Context, s core.Seller) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for _, c := range h.cfg.Channels {
		if c.ID != string(s.Channel) {
			continue
		}
		client, err := newChannel(h.cfg, c, 10*time.Second)
		if err != nil {
			return err
		}
		defer client.Close()
		return client.Probe(ctx, s)
	}
	return fmt.Errorf("channel %s: %w in the configuration", s.Channel, core.ErrNotFound)
}

func (h *host) laneChecks(ctx context.Context) []admin.Check {
	var out []admin.Check
	_ = h.store.View(ctx, func(v core.View) error {
		lanes, err := v.Lanes()
		for _, l := range lanes {
			if l.Paused {
				out = append(out, admin.Check{Name: "lane " + string(l.Lane), Detail: "paused: " + l.Reason, Remedy: "kaipiao doctor --resume " + string(l.Lane)})
			}
		}
		return err
	})
	return out
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
