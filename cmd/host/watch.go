package main

import (
	"context"
	"time"

	"github.com/kaipiao/kaipiao/core"
	pluginhost "github.com/kaipiao/kaipiao/plugins/host"
)

const (
	// watchEvery is how often the plugins' states are looked at.
	watchEvery = 10 * time.Second
	// steadyAfter is how long a plugin must run before it counts as mended: in quarantine it is tried once a minute.
	steadyAfter = 2 * time.Minute
)

// pluginDown says whether a plugin died too often, if its state tells that.
func pluginDown(s pluginhost.Status, now time.Time) (down, known bool) {
	switch s.State {
	case pluginhost.Quarantined:
		return true, true
	case pluginhost.Ready:
		return false, now.Sub(s.Since) >= steadyAfter
	}
	return false, false
}

// watchPlugins keeps one open problem for each plugin that died too often, until it runs steadily.
func (h *host) watchPlugins(ctx context.Context) {
	if h.plugins == nil {
		return
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	down := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range h.plugins.Status() {
			bad, sure := pluginDown(s, h.clock.Now())
			if was, known := down[s.Name]; !sure || known && bad == was {
				continue // the first sure look also closes what an earlier run left open
			}
			if err := h.tellPlugin(ctx, s.Name, bad); err != nil {
				h.log.Error("tell of a plugin", "plugin", s.Name, "error", err)
				continue
			}
			down[s.Name] = bad
		}
	}
}

func (h *host) tellPlugin(ctx context.Context, name string, down bool) error {
	return h.store.Do(ctx, "plugin.state", func(tx core.Tx) error {
		if !down {
			return tx.CloseProblem(core.ScopeFeed, core.ProblemPlugin, name, h.clock.Now())
		}
		return tx.OpenProblem(core.Problem{ID: h.ids.New(), Scope: core.ScopeFeed, Code: core.ProblemPlugin, Subject: name,
			Detail: "the plugin died too often; it is tried once a minute", OpenedAt: h.clock.Now()})
	})
}
