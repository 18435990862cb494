package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// metrics writes the host's counters in the text format of Prometheus. Labels hold names from the configuration only.
func (h *host) metrics(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	sample := func(name, labels string, value any) { fmt.Fprintf(&b, "%s%s %v\n", name, labels, value) }
	s := h.db.Stats()
	sample("kaipiao_db_commits_total", "", s.Commits)
	sample("kaipiao_db_use_cases_total", "", s.Stored)
	sample("kaipiao_db_lost_groups_total", "", s.Lost)
	if h.edge != nil {
		for _, c := range h.edge.Counts() {
			sample("kaipiao_requests_total", fmt.Sprintf("{source=%q,kind=%q}", c.Instance, c.Kind), c.N)
		}
	}
	if h.plugins != nil {
		for _, p := range h.plugins.Status() {
			labels := fmt.Sprintf("{plugin=%q}", p.Name)
			up := 0
			if p.State == "ready" {
				up = 1
			}
			sample("kaipiao_plugin_up", labels, up)
			sample("kaipiao_plugin_deaths_total", labels, len(p.Deaths))
		}
	}
	err := h.store.View(r.Context(), func(v core.View) error {
		lanes, err := v.Lanes()
		for _, l := range lanes {
			labels := fmt.Sprintf("{lane=%q}", l.Lane)
			sample("kaipiao_lane_ready", labels, l.Ready)
			sample("kaipiao_lane_running", labels, l.Running)
			paused := 0
			if l.Paused {
				paused = 1
			}
			sample("kaipiao_lane_paused", labels, paused)
		}
		return err
	})
	if err != nil {
		h.log.Warn("lanes for the metrics", "error", err)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = w.Write([]byte(b.String()))
}
