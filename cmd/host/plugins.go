package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/admin"
	"github.com/kaipiao/kaipiao/internal/config"
	pluginhost "github.com/kaipiao/kaipiao/plugins/host"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// instances are the configured uses of plugins with their secrets read.
type instances struct {
	byID     map[core.InstanceID]pluginhost.Instance
	byPlugin map[string][]pluginhost.Instance
}

// Instance finds one by id.
func (i *instances) Instance(id core.InstanceID) (pluginhost.Instance, bool) {
	in, ok := i.byID[id]
	return in, ok
}

func newInstances(cfg *config.Config) (*instances, error) {
	out := &instances{byID: map[core.InstanceID]pluginhost.Instance{}, byPlugin: map[string][]pluginhost.Instance{}}
	add := func(id, plugin string, conf map[string]any, secrets map[string]config.Secret) error {
		in, err := newInstance(cfg, id, plugin, conf, secrets)
		if err != nil {
			return err
		}
		out.byID[core.InstanceID(id)] = in
		out.byPlugin[plugin] = append(out.byPlugin[plugin], in)
		return nil
	}
	for _, s := range cfg.Sources {
		if err := add(s.ID, s.Plugin, s.Config, s.Secrets); err != nil {
			return nil, err
		}
	}
	for _, d := range cfg.Deliveries {
		conf := d.Config
		if conf == nil {
			conf = map[string]any{}
		}
		if err := add(d.ID, d.Plugin, conf, d.Secrets); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func newInstance(cfg *config.Config, id, plugin string, conf map[string]any, secrets map[string]config.Secret) (pluginhost.Instance, error) {
	if conf == nil {
		conf = map[string]any{}
	}
	j, err := json.Marshal(conf)
	if err != nil {
		return pluginhost.Instance{}, fmt.Errorf("configuration of %s: %w", id, err)
	}
	in := pluginhost.Instance{Plugin: plugin, ID: id, Config: j, Secrets: map[string]string{}}
	sum := sha256.New()
	sum.Write(j)
	for name, ref := range secrets {
		v, err := ref.Value(cfg)
		if err != nil {
			return in, fmt.Errorf("secret %s of %s: %w", name, id, err)
		}
		in.Secrets[name] = v
	}
	all, err := json.Marshal(in.Secrets) // map keys come out sorted
	if err != nil {
		return in, err
	}
	sum.Write(all)
	in.Revision = hex.EncodeToString(sum.Sum(nil)[:8])
	return in, nil
}

// openPlugins starts the trusted plugins that the configuration uses. Offline, the ports answer "unavailable".
func (h *host) openPlugins(offline bool) error {
	var err error
	if h.instances, err = newInstances(h.cfg); err != nil {
		return err
	}
	h.adapter = &pluginhost.Adapter{Instances: h.instances, Language: h.cfg.Language, FileDir: h.cfg.DataPath("parcels")}
	if err := h.adapter.ClearFiles(); err != nil { // the database's lock is held: no other host delivers
		return err
	}
	if offline || len(h.instances.byPlugin) == 0 {
		return nil
	}
	var names []string
	for name := range h.instances.byPlugin {
		names = append(names, name)
	}
	h.plugins, err = pluginhost.New(pluginhost.Options{Dir: pluginDir(h.cfg), LockFile: h.cfg.Path(h.cfg.Plugins.Lock),
		OwnDir: h.cfg.DataPath("plugins"), Only: names, HostVersion: version, Log: h.log, Mask: core.MaskText,
		Instances: func(_ context.Context, plugin string) ([]pluginhost.Instance, error) {
			return h.instances.byPlugin[plugin], nil
		}})
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("start plugins: %w; trust them with kaipiao plugin trust", err)
	}
	if err != nil {
		return fmt.Errorf("start plugins: %w", err)
	}
	h.adapter.Host = h.plugins
	h.closers = append(h.closers, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		return h.plugins.Close(ctx)
	})
	return nil
}

// canFetch says whether an instance's plugin fetches orders, as it described itself.
func (h *host) canFetch(id core.InstanceID) bool {
	in, ok := h.instances.byID[id]
	if !ok || h.plugins == nil {
		return false
	}
	d := h.plugins.Described(in.Plugin)
	for _, c := range d.GetCapabilities() {
		if c == pb.Capability_CAPABILITY_FETCH {
			return true
		}
	}
	return false
}

func (h *host) pluginStatus() []admin.PluginStatus {
	out := []admin.PluginStatus{}
	if h.plugins == nil {
		return out
	}
	for _, s := range h.plugins.Status() {
		row := admin.PluginStatus{Name: s.Name, Version: s.Version, State: string(s.State), Since: s.Since, Restarts: len(s.Deaths)}
		if n := len(s.Deaths); n > 0 {
			row.LastWords = s.Deaths[n-1].Output
		}
		out = append(out, row)
	}
	return out
}
