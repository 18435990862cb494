package host_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kaipiao/kaipiao/plugins/host"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// hostRole makes the test binary run as a host of its own, to be killed by a test.
const hostRole = "KAIPIAO_TEST_HOST_DIR"

// binary is the misbehaving plugin, built once.
var binary string

func TestMain(m *testing.M) {
	if dir := os.Getenv(hostRole); dir != "" {
		runAsHost(dir)
		return
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "kph")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "misbehave")
		build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "../testdata/misbehave")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the misbehaving plugin: %v\n%s", err, out)
			return 1
		}
		code := m.Run()
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, "goroutines are left:", err)
			code = 1
		}
		return code
	}())
}

const patience = time.Minute

// setup is a plugin directory with one trusted plugin.
type setup struct {
	dir  string
	lock string
	own  string
	run  string
}

func newSetup(t testing.TB, args ...string) setup {
	t.Helper()
	// Not t.TempDir: sockets need short paths.
	root, err := os.MkdirTemp("", "kp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	s := setup{
		dir: filepath.Join(root, "plugins"), lock: filepath.Join(root, "plugins.lock"),
		own: filepath.Join(root, "own"), run: filepath.Join(root, "run"),
	}
	for _, d := range []string{s.dir, s.own, s.run} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(binary, filepath.Join(s.dir, "misbehave")); err != nil {
		t.Fatal(err)
	}
	s.trust(t, args...)
	return s
}

func (s setup) trust(t testing.TB, args ...string) {
	t.Helper()
	p := host.Program{Files: []string{"misbehave"}, Args: args, Transport: host.MTLS}
	if _, err := host.Trust(s.dir, s.lock, "misbehave", p); err != nil {
		t.Fatal(err)
	}
}

// quick has short waits for deaths and generous ones for a loaded machine.
func quick() host.Timings {
	return host.Timings{
		Start: patience, Describe: patience, Kill: patience, Drain: 5 * time.Second, HealthEvery: time.Hour, HealthDeadline: 500 * time.Millisecond,
		BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond, DeathsToQuarantine: 1 << 30, Parse: patience, Batch: patience,
	}
}

func (s setup) options() host.Options {
	return host.Options{
		Dir: s.dir, LockFile: s.lock, OwnDir: s.own, RunDir: s.run, Timings: quick(), Log: slog.New(slog.DiscardHandler),
	}
}

func start(t testing.TB, o host.Options) *host.Host {
	t.Helper()
	h, err := host.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

var shop = host.Instance{Plugin: "misbehave", ID: "shop", Revision: "1", Config: []byte(`{}`)}

func request(body string) *pb.Request {
	return &pb.Request{Method: "POST", Path: "/", Body: []byte(body)}
}

// say sends a request and gives the reason in its result.
func say(t testing.TB, h *host.Host, body string) (string, error) {
	t.Helper()
	r, err := h.Parse(t.Context(), shop, request(body))
	return r.GetReason(), err
}

func mustSay(t testing.TB, h *host.Host, body string) string {
	t.Helper()
	reason, err := say(t, h, body)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return reason
}

// pidOf asks the plugin for its process number, again and again while it is down, as a platform sends a webhook again.
func pidOf(t testing.TB, h *host.Host) int {
	t.Helper()
	for {
		answer, err := say(t, h, "pid")
		if errors.Is(err, host.ErrUnavailable) && t.Context().Err() == nil {
			continue
		}
		pid, convErr := strconv.Atoi(answer)
		if err != nil || convErr != nil {
			t.Fatalf("process number %q: %v", answer, err)
		}
		return pid
	}
}

// alive says whether a process runs; one that ended but was not collected by its parent counts as gone.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !os.IsNotExist(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

// eventually polls, since the end of a process that isn't ours can't be waited for.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not in time: %s", what)
		}
	}
}

func status(h *host.Host) host.Status { return h.Status()[0] }

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
