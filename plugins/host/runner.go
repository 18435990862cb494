package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// outputGrace is how long the last output of a dead process may take to be read. After it the pipes are cut, since a
// grandchild that left the process group could hold them open for ever.
const outputGrace = time.Second

// groupRunner starts a plugin in a process group of its own, holds the pipe by which the plugin sees whether the host
// lives, and ends the whole group when the plugin itself ends.
type groupRunner struct {
	in  *installed
	cmd *exec.Cmd
	dir string

	stdout, stderr *os.File
	hostEnd        *os.File

	exited chan struct{} // closed when the process is gone and reaped
	state  *os.ProcessState

	mu     sync.Mutex
	pid    int
	reaped bool
	killed bool
}

var _ runner.Runner = (*groupRunner)(nil)

func newGroupRunner(in *installed) *groupRunner {
	return &groupRunner{in: in, exited: make(chan struct{})}
}

// prepare takes the environment that go-plugin made (handshake, certificate, socket folder) and adds the allowed part of
// the host's own. Standard input stays empty.
func (r *groupRunner) prepare(handshake []string, dir string) {
	r.dir = dir
	r.cmd = exec.Command(r.in.path, r.in.args...)
	r.cmd.Dir = r.in.dir
	r.cmd.Env = append(allowedEnv(os.Environ()), handshake...)
	r.cmd.Env = append(r.cmd.Env, pb.ParentFDKey+"=3")
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// Start implements runner.Runner. The hash is checked once more at the last moment, with a new SecureConfig: one that was
// used before never matches again.
func (r *groupRunner) Start(context.Context) (err error) {
	ok, err := (&plugin.SecureConfig{Checksum: r.in.sum, Hash: sha256.New()}).Check(r.in.path)
	if err != nil || !ok {
		return errors.Join(ErrUntrusted, err)
	}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			r.closePipes()
		}
	}()
	pipe := func() (read, write *os.File) {
		if err != nil {
			return nil, nil
		}
		read, write, err = os.Pipe()
		return read, write
	}
	var out, errOut, pluginEnd *os.File
	r.stdout, out = pipe()
	r.stderr, errOut = pipe()
	pluginEnd, r.hostEnd = pipe()
	theirs = []*os.File{out, errOut, pluginEnd}
	if err != nil {
		return fmt.Errorf("pipes for plugin %s: %w", r.in.name, err)
	}
	r.cmd.Stdout, r.cmd.Stderr, r.cmd.ExtraFiles = out, errOut, []*os.File{pluginEnd}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return errors.New("stopped before it was started")
	}
	if err := r.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w; is the file for this machine, and its directory mounted noexec?", r.in.path, err)
	}
	r.pid = r.cmd.Process.Pid
	go r.reap()
	return nil
}

// reap follows the process to its end.
func (r *groupRunner) reap() {
	r.awaitEnd()
	r.state = r.cmd.ProcessState
	end := time.Now().Add(outputGrace)
	_ = r.stdout.SetReadDeadline(end)
	_ = r.stderr.SetReadDeadline(end)
	close(r.exited)
}

// killGroup ends the process and all its descendants that stayed in its group. It never waits.
func (r *groupRunner) killGroup() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	if r.pid != 0 && !r.reaped {
		_ = syscall.Kill(-r.pid, syscall.SIGKILL)
	}
}

func (r *groupRunner) closePipes() {
	for _, f := range []*os.File{r.stdout, r.stderr, r.hostEnd} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// Wait implements runner.Runner.
func (r *groupRunner) Wait(context.Context) error {
	<-r.exited
	if !r.state.Success() {
		return errors.New(r.state.String())
	}
	return nil
}

// Kill implements runner.Runner.
func (r *groupRunner) Kill(context.Context) error {
	r.killGroup()
	return nil
}

// Stdout implements runner.Runner.
func (r *groupRunner) Stdout() io.ReadCloser { return r.stdout }

// Stderr implements runner.Runner.
func (r *groupRunner) Stderr() io.ReadCloser { return r.stderr }

// Name implements runner.Runner.
func (r *groupRunner) Name() string { return r.in.name }

// ID implements runner.Runner.
func (r *groupRunner) ID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strconv.Itoa(r.pid)
}

// Diagnose implements runner.Runner.
func (r *groupRunner) Diagnose(context.Context) string {
	return "the first line on standard output must be the handshake: the plugin printed something else (a Go plugin on the SDK can't), " +
		"or ended before it was ready (see its standard error)"
}

// PluginToHost implements runner.AddrTranslator: a plugin may only be called on a socket in the folder made for it.
func (r *groupRunner) PluginToHost(network, address string) (string, string, error) {
	inside, err := filepath.Rel(r.dir, address)
	if network != "unix" || err != nil || strings.HasPrefix(inside, "..") {
		return "", "", fmt.Errorf("plugin %s offers %s address %q; it must be a Unix socket in $%s", r.in.name, network, address, pb.SocketDirKey)
	}
	return network, address, nil
}

// HostToPlugin implements runner.AddrTranslator.
func (r *groupRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
