package host

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Host runs all plugins of a lock file. Make one with [New] and end it with [Host.Close].
type Host struct {
	options     Options
	supervisors map[string]*supervisor

	mu       sync.Mutex
	batchers map[batchKey]*batcher
	closed   bool

	closing  chan struct{}
	stop     context.CancelFunc // ends supervision: plugins drain
	giveUp   context.CancelFunc // ends draining
	running  sync.WaitGroup     // supervisors
	batching sync.WaitGroup     // batches under way
}

// New checks and copies the plugins and begins to start them; it does not wait until they are ready. A plugin that isn't
// trusted or can't be copied fails New: a host must not come up with half its plugins unnoticed.
func New(o Options) (*Host, error) {
	o = o.withDefaults()
	lock, err := ReadLock(o.LockFile)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.OwnDir, 0o700); err != nil {
		return nil, fmt.Errorf("directory for plugin copies: %w", err)
	}
	if err := guardDir(o.OwnDir, true); err != nil {
		return nil, fmt.Errorf("directory for plugin copies: %w", err)
	}
	names := o.Only
	if len(names) == 0 {
		names = lock.Names()
	}
	h := &Host{
		options: o, supervisors: map[string]*supervisor{}, batchers: map[batchKey]*batcher{}, closing: make(chan struct{}),
	}
	for _, name := range names {
		e, ok := lock.Plugins[name]
		if !ok {
			return nil, fmt.Errorf("plugin %q: %w in %s; run \"kaipiao plugin trust %s\"", name, ErrUnknownPlugin, o.LockFile, name)
		}
		in, err := install(o.Dir, o.OwnDir, name, e)
		if err != nil {
			return nil, err
		}
		h.supervisors[name] = newSupervisor(in, o)
	}
	var ctx, drainCtx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	drainCtx, h.giveUp = context.WithCancel(context.Background())
	for _, s := range h.supervisors {
		h.running.Go(func() { s.run(ctx, drainCtx) })
	}
	return h, nil
}

// Close drains and stops all plugins. When ctx ends first the plugins are killed at once. It returns when no process and no
// goroutine is left.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	close(h.closing)
	h.stop()
	unhurried := context.AfterFunc(ctx, h.giveUp)
	h.running.Wait()
	h.batching.Wait()
	if !unhurried() {
		return fmt.Errorf("plugins were killed before they had drained: %w", ctx.Err())
	}
	h.giveUp()
	return nil
}

// Status is where a plugin stands and how it got there.
type Status struct {
	Name    string
	Version string
	State   State
	PID     string
	// Since is when the running process was started.
	Since   time.Time
	NextTry time.Time
	Deaths  []Death
	Metrics Metrics
}

// Status lists all plugins by name.
func (h *Host) Status() []Status {
	var out []Status
	for _, s := range h.supervisors {
		s.mu.Lock()
		st := Status{Name: s.name, State: s.state, NextTry: s.nextTry, Deaths: slices.Clone(s.deaths), Metrics: s.counters.read()}
		s.mu.Unlock()
		if p := s.live.Load(); p != nil {
			st.Version, st.PID, st.Since = p.about.GetVersion(), p.runner.ID(), p.started
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Describe waits until the plugin is ready and gives its description.
func (h *Host) Describe(ctx context.Context, name string) (*pb.DescribeResponse, error) {
	s, err := h.supervisor(name)
	if err != nil {
		return nil, err
	}
	p, err := s.acquire(ctx)
	if err != nil {
		return nil, &CallError{Plugin: name, Method: "Describe", Class: ErrUnavailable, NotCalled: true, Err: err}
	}
	defer p.calls.leave()
	return p.about, nil
}

func (h *Host) supervisor(name string) (*supervisor, error) {
	s, ok := h.supervisors[name]
	if !ok {
		return nil, fmt.Errorf("plugin %q: %w", name, ErrUnknownPlugin)
	}
	return s, nil
}
