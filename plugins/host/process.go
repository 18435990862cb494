package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/kaipiao/kaipiao/internal/fault"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// maxSocketPath is what is left for a socket's path: Linux allows 107 bytes, macOS 103.
const maxSocketPath = 103

// process is one running plugin. It is started once and never again.
type process struct {
	in      *installed
	runner  *groupRunner
	client  *plugin.Client
	conn    *grpc.ClientConn
	dir     string
	tail    *tail
	about   *pb.DescribeResponse
	started time.Time
	timings Timings
	slots   chan struct{} // nil without limit

	lost     chan struct{} // closed when a call found the connection dead
	loseOnce sync.Once
	calls    callGate
	kill     sync.Once
	leftover atomic.Bool // tidying up did not end in time
}

// startProcess runs a plugin until it has described itself. On error nothing is left running.
func startProcess(ctx context.Context, in *installed, o Options, c *Counters) (_ *process, _ *tail, err error) {
	output := &tail{}
	if err := in.verify(); err != nil {
		return nil, output, err
	}
	dir, err := socketDir(o.RunDir)
	if err != nil {
		return nil, output, err
	}
	p := &process{in: in, runner: newGroupRunner(in), dir: dir, tail: output, started: o.Now(), timings: o.Timings, lost: make(chan struct{})}
	bridge := &logBridge{
		plugin: in.name, log: o.Log, mask: o.Mask, limit: rate.NewLimiter(logLinesPerSecond, logBurst), dropped: &c.LogLinesDropped,
	}
	p.client = plugin.NewClient(p.clientConfig(bridge))
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	if err := p.connect(ctx); err != nil {
		return nil, output, fmt.Errorf("start plugin %s: %w", in.name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timings.Describe)
	defer cancel()
	p.about, err = pb.NewPluginClient(p.conn).Describe(ctx, &pb.DescribeRequest{HostVersion: o.HostVersion})
	if err != nil {
		return nil, output, fmt.Errorf("plugin %s does not describe itself: %w", in.name, err)
	}
	if n := p.about.GetLimits().GetMaxInFlight(); n > 0 {
		p.slots = make(chan struct{}, n)
	}
	return p, output, nil
}

func socketDir(runDir string) (string, error) {
	dir, err := os.MkdirTemp(runDir, "kp")
	if err != nil {
		return "", fmt.Errorf("folder for a plugin's socket: %w", err)
	}
	// go-plugin puts a folder and a socket below, each with a random number.
	if len(filepath.Join(dir, "plugin-dir0123456789", "plugin0123456789")) > maxSocketPath {
		_ = os.Remove(dir)
		return "", fmt.Errorf("%s is too long for a socket's path (at most %d bytes in all): set a shorter run directory", dir, maxSocketPath)
	}
	return dir, nil
}

func (p *process) clientConfig(bridge *logBridge) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{ProtocolVersion: pb.Major, MagicCookieKey: pb.CookieKey, MagicCookieValue: pb.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{pb.Major: {"plugin": connPlugin{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         p.in.entry.Transport == MTLS,
		SkipHostEnv:      true,
		StartTimeout:     p.timings.Start,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: p.dir},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			p.runner.prepare(cmd.Env, dir)
			return p.runner, nil
		},
		Logger:     bridge.logger(),
		Stderr:     p.tail,
		SyncStdout: printed{p.tail, bridge},
		SyncStderr: printed{p.tail, bridge},
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(pb.MaxMessageBytes), grpc.MaxCallSendMsgSize(pb.MaxMessageBytes))},
	}
}

// connect starts the process and waits for its connection. go-plugin's own wait for the connection knows no deadline, so
// it happens beside, and killing the group ends it.
func (p *process) connect(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		rpc, err := p.client.Client()
		if err == nil {
			var conn any
			if conn, err = rpc.Dispense("plugin"); err == nil {
				p.conn = conn.(*grpc.ClientConn)
			}
		}
		done <- err
	}()
	// The start timeout is go-plugin's for the handshake; the connection gets the same again.
	deadline := time.NewTimer(2 * p.timings.Start)
	defer deadline.Stop()
	var cause error
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		cause = ctx.Err()
	case <-deadline.C:
		cause = errors.New("no connection in time; antivirus software or lack of memory may hold it up")
	}
	p.runner.killGroup()
	<-done
	return cause
}

// stop ends the process group at once and tidies up. It returns within the kill deadline whatever the plugin does.
func (p *process) stop() {
	p.kill.Do(func() {
		if fault.Bug(fault.BugPluginKillNoDeadline) {
			p.client.Kill()
			return
		}
		p.runner.killGroup()
		tidied := make(chan struct{})
		go func() {
			defer close(tidied)
			p.client.Kill()
			p.runner.closePipes()
			_ = os.RemoveAll(p.dir)
		}()
		timeout := time.NewTimer(p.timings.Kill)
		defer timeout.Stop()
		select {
		case <-tidied:
		case <-timeout.C:
			p.leftover.Store(true)
		}
	})
}

// drain lets calls under way finish and asks the plugin to do the same, then stops it.
func (p *process) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.timings.Drain)
	defer cancel()
	p.calls.close()
	select {
	case <-p.calls.idle:
		_, _ = pb.NewPluginClient(p.conn).Drain(ctx, &pb.DrainRequest{})
	case <-ctx.Done():
	case <-p.runner.exited:
	}
	p.stop()
}

// healthy asks the standard health service, with a deadline of its own.
func (p *process) healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, p.timings.HealthDeadline)
	defer cancel()
	answer, err := grpc_health_v1.NewHealthClient(p.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
	return err == nil && answer.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING
}

// connPlugin gives the bare connection; calls are made on it directly.
type connPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (connPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a host serves no plugin")
}

func (connPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

// callGate counts the calls under way and can be closed to new ones.
type callGate struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // closed when the gate is and nothing is under way; made by close
}

func (g *callGate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.n++
	return true
}

func (g *callGate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n--; g.n == 0 && g.closed {
		close(g.idle)
	}
}

func (g *callGate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.closed, g.idle = true, make(chan struct{})
	if g.n == 0 {
		close(g.idle)
	}
}
