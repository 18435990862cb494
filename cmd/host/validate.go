package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/admin"
	pluginhost "github.com/kaipiao/kaipiao/plugins/host"
)

// validate asks each plugin what it says to the configurations of its instances; with probe it also tries credentials.
func (h *host) validate(ctx context.Context, probe bool) []admin.Check {
	if h.plugins == nil {
		return nil
	}
	var ids []string
	for _, s := range h.cfg.Sources {
		ids = append(ids, s.ID)
	}
	for _, d := range h.cfg.Deliveries {
		ids = append(ids, d.ID)
	}
	var out []admin.Check
	for _, id := range ids {
		in, _ := h.instances.Instance(core.InstanceID(id))
		c := admin.Check{Name: "instance " + id, OK: true, Detail: "plugin " + in.Plugin + " takes its configuration"}
		if err := h.refusal(ctx, in, probe); err != nil {
			c.OK, c.Detail, c.Remedy = false, err.Error(), "correct it in the configuration; kaipiao plugin schema "+in.Plugin+" says what it may hold"
		}
		out = append(out, c)
	}
	return out
}

// refusal is what a plugin says against a configuration. It waits until the plugin runs.
func (h *host) refusal(ctx context.Context, in pluginhost.Instance, probe bool) error {
	problems, err := h.plugins.Validate(ctx, in, probe)
	errs := []error{err}
	for _, p := range problems {
		errs = append(errs, fmt.Errorf("%s: %s", p.GetPointer(), core.MaskText(p.GetMessage())))
	}
	return errors.Join(errs...)
}

// tellRefusals writes refused configurations to the log once the plugins run: the host serves everything else.
func (h *host) tellRefusals(ctx context.Context) {
	for _, c := range h.validate(ctx, false) {
		if !c.OK && ctx.Err() == nil {
			h.log.Error("configuration refused by its plugin", "what", c.Name, "error", c.Detail, "remedy", c.Remedy)
		}
	}
}

// starting lists the plugins whose first process is not up yet; until then their requests are turned away.
func (h *host) starting() []string {
	var out []string
	if h.plugins == nil {
		return nil
	}
	for _, s := range h.plugins.Status() {
		if s.State == pluginhost.Starting && len(s.Deaths) == 0 {
			out = append(out, s.Name)
		}
	}
	return out
}
