package main

import (
	"testing"
	"time"

	pluginhost "github.com/kaipiao/kaipiao/plugins/host"
)

// A plugin in quarantine is started each minute and dies again: its problem must not close and open with it.
func TestPluginProblemDoesNotFlap(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		state       pluginhost.State
		up          time.Duration
		down, known bool
	}{
		{pluginhost.Quarantined, 0, true, true},
		{pluginhost.Starting, 0, false, false},
		{pluginhost.Dead, 0, false, false},
		{pluginhost.Ready, 5 * time.Second, false, false},
		{pluginhost.Ready, 5 * time.Minute, false, true},
		{pluginhost.Draining, time.Hour, false, false},
		{pluginhost.Stopped, 0, false, false},
	} {
		s := pluginhost.Status{State: c.state}
		if c.up > 0 {
			s.Since = now.Add(-c.up)
		}
		if down, known := pluginDown(s, now); down != c.down || known != c.known {
			t.Errorf("%s for %s: down %t, known %t", c.state, c.up, down, known)
		}
	}
}
