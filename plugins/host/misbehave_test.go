package host_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/host"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

func TestGoodPlugin(t *testing.T) {
	h := start(t, newSetup(t).options())
	about, err := h.Describe(t.Context(), "misbehave")
	if err != nil {
		t.Fatal(err)
	}
	if about.GetName() != "misbehave" || about.GetVersion() != "1.0.0-ok" {
		t.Errorf("described as %s %s", about.GetName(), about.GetVersion())
	}
	if got := mustSay(t, h, "hi"); got != "hello" {
		t.Errorf("default of the configuration: got %q", got)
	}
	// What prints on standard output does no harm, before main or during a call.
	mustSay(t, h, "print")
	if s := status(h); s.State != host.Ready || s.Metrics.Deaths != 0 {
		t.Errorf("state %s with %d deaths", s.State, s.Metrics.Deaths)
	}
}

// A frozen plugin answers nothing, not even the order to stop: go-plugin's own Kill and Ping would wait for ever.
func TestFrozenPluginIsReplaced(t *testing.T) {
	o := newSetup(t).options()
	o.Timings.HealthEvery = 20 * time.Millisecond
	h := start(t, o)
	pid := pidOf(t, h)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := h.Parse(ctx, shop, request("freeze")); !errors.Is(err, host.ErrUnavailable) {
		t.Errorf("call into a frozen plugin: %v", err)
	}
	if next := pidOf(t, h); next == pid {
		t.Error("the frozen process still serves")
	}
	if alive(pid) {
		t.Error("the frozen process still lives")
	}
	if m := status(h).Metrics; m.HealthMisses < 3 || m.SlowKills != 0 {
		t.Errorf("%d health checks missed, %d slow kills", m.HealthMisses, m.SlowKills)
	}
}

func TestCloseDoesNotWaitForAFrozenPlugin(t *testing.T) {
	o := newSetup(t).options()
	o.Timings.Drain = 50 * time.Millisecond
	h, err := host.New(o)
	if err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, h)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Logf("frozen process %d", pid)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	if alive(pid) {
		t.Error("the frozen process outlived its host")
	}
	if _, err := h.Parse(t.Context(), shop, request("hi")); !errors.Is(err, host.ErrClosed) {
		t.Errorf("call after close: %v", err)
	}
}

func TestPanicHarmsOnlyItsRequest(t *testing.T) {
	h := start(t, newSetup(t).options())
	pid := pidOf(t, h)
	if _, err := say(t, h, "panic"); !errors.Is(err, host.ErrPlugin) {
		t.Errorf("a panicking parser: %v", err)
	}
	if pidOf(t, h) != pid {
		t.Error("the panic ended the process")
	}
	// Outside of a call the SDK can't help: the process dies and is replaced.
	if _, err := say(t, h, "crash"); !errors.Is(err, host.ErrUnavailable) {
		t.Errorf("a crashing plugin: %v", err)
	}
	if pidOf(t, h) == pid {
		t.Error("the process survived its crash")
	}
	if d := status(h).Deaths; len(d) != 1 || !strings.Contains(d[0].Output, "outside of any call") {
		t.Errorf("the death does not tell the panic: %+v", d)
	}
}

// Each start needs a hash that was never used, a socket folder of its own and a new client.
func TestExitAndRestartManyTimes(t *testing.T) {
	s := newSetup(t)
	h := start(t, s.options())
	for range 5 {
		pid := pidOf(t, h)
		if _, err := say(t, h, "exit"); !errors.Is(err, host.ErrUnavailable) {
			t.Errorf("an exiting plugin: %v", err)
		}
		if pidOf(t, h) == pid {
			t.Error("the process survived its exit")
		}
	}
	if d := status(h).Deaths; len(d) != 5 || !strings.Contains(d[0].Reason, "exit status 7") {
		t.Errorf("deaths: %+v", d)
	}
	left, err := os.ReadDir(s.run)
	if err != nil || len(left) != 1 {
		t.Errorf("socket folders after five deaths: %v, %v", left, err)
	}
}

func TestNoiseBeforeTheHandshakeIsQuoted(t *testing.T) {
	h := start(t, newSetup(t, "noise").options())
	eventually(t, "a failed start", func() bool { return len(status(h).Deaths) > 0 })
	if why := status(h).Deaths[0].Reason; !strings.Contains(why, "loading... done") || !strings.Contains(why, "handshake") {
		t.Errorf("the death does not show what was printed: %s", why)
	}
}

func TestFloodOfOutput(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	o := newSetup(t, "flood").options()
	o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Mask = func(s string) string { return strings.ReplaceAll(s, "xxxx", "*") }
	h := start(t, o)
	for range 20 {
		mustSay(t, h, "hi")
	}
	eventually(t, "dropped lines", func() bool { return status(h).Metrics.LogLinesDropped > 0 })
	if _, err := say(t, h, "exit"); !errors.Is(err, host.ErrUnavailable) {
		t.Error(err)
	}
	eventually(t, "the death", func() bool { return len(status(h).Deaths) > 0 })
	if n := len(status(h).Deaths[0].Output); n == 0 || n > 64<<10 {
		t.Errorf("%d bytes of last output are kept", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(log.String(), "xxxx") {
		t.Error("the log is not masked")
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestLargeMessages(t *testing.T) {
	h := start(t, newSetup(t).options())
	for _, size := range []int{5 << 20, 15 << 20} {
		body := "size:" + strings.Repeat("x", size)
		if got := mustSay(t, h, body); got != strconv.Itoa(len(body)) {
			t.Errorf("a body of %d bytes came as %s", len(body), got)
		}
	}
	if _, err := say(t, h, "size:"+strings.Repeat("x", 17<<20)); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("a body of 17 MiB: %v", err)
	}
	if _, err := say(t, h, "big"); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("an answer of 17 MiB: %v", err)
	}
	// Six orders of 6 MiB each don't fit one answer: they come in halves.
	out, err := h.Fetch(t.Context(), shop, []string{"big1", "big2", "big3", "big4", "big5", "none"})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.GetEvents()) != 5 || len(out.GetFailures()) != 1 || !out.GetFailures()[0].GetPermanent() {
		t.Errorf("%d events, failures %v", len(out.GetEvents()), out.GetFailures())
	}
}

// A child that holds the plugin's output open must neither survive it nor hide its death.
func TestForks(t *testing.T) {
	for _, kind := range []string{"fork", "daemon"} {
		t.Run(kind, func(t *testing.T) {
			h := start(t, newSetup(t).options())
			child, err := strconv.Atoi(mustSay(t, h, kind))
			if err != nil {
				t.Fatal(err)
			}
			pid := pidOf(t, h)
			if _, err := say(t, h, "exit"); !errors.Is(err, host.ErrUnavailable) {
				t.Error(err)
			}
			if pidOf(t, h) == pid {
				t.Error("the dead process was not replaced")
			}
			if kind == "daemon" {
				// It left the group, so it is its own master; it just can't hold the host up.
				_ = syscall.Kill(child, syscall.SIGKILL)
				return
			}
			eventually(t, "the child's end", func() bool { return !alive(child) })
		})
	}
}

func TestEnvironmentIsStripped(t *testing.T) {
	t.Setenv("HOST_SECRET", "constructed")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	h := start(t, newSetup(t).options())
	names := strings.Fields(mustSay(t, h, "env"))
	has := map[string]bool{}
	for _, n := range names {
		has[n] = true
	}
	if has["HOST_SECRET"] {
		t.Error("the plugin sees the host's secret")
	}
	for _, n := range []string{"HTTPS_PROXY", "PATH", pb.CookieKey, pb.ParentFDKey, pb.SocketDirKey} {
		if !has[n] {
			t.Errorf("the plugin lacks %s; it has %v", n, names)
		}
	}
}

func TestStartThatHangsOrDies(t *testing.T) {
	for mode, wants := range map[string]string{"hang": "timeout", "die": "out of cheese"} {
		t.Run(mode, func(t *testing.T) {
			o := newSetup(t, mode).options()
			o.Timings.Start = 300 * time.Millisecond
			h := start(t, o)
			eventually(t, "a second try", func() bool { return status(h).Metrics.Starts >= 2 })
			if d := status(h).Deaths[0]; !strings.Contains(d.Reason+d.Output, wants) {
				t.Errorf("the death does not say %q: %+v", wants, d)
			}
		})
	}
}

// A plugin that dies again and again is tried on, but no longer at once, and loudly.
func TestQuarantine(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	o := newSetup(t, "die").options()
	o.Timings.DeathsToQuarantine = 3
	o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))
	h := start(t, o)
	eventually(t, "tries in quarantine", func() bool { return status(h).Metrics.Starts >= 6 })
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d warnings before the quarantine", n)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n < 3 {
		t.Errorf("%d alarms during the quarantine", n)
	}
}

func TestCloseDuringAHangingStart(t *testing.T) {
	h, err := host.New(newSetup(t, "hang").options())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the start", func() bool { return status(h).State == host.Starting })
	ctx, cancel := context.WithTimeout(t.Context(), patience/2)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
}

// kill -9 of the host leaves no plugin behind.
func TestNoOrphans(t *testing.T) {
	s := newSetup(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), hostRole+"="+s.dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the host did not come up: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatal("the plugin does not run")
	}
	// A service manager's SIGTERM to the group does not end the plugin while the host lives.
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Error("the plugin fell to SIGTERM")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "the plugin's end after its host's", func() bool { return !alive(pid) })
}

// runAsHost is the host that TestNoOrphans kills.
func runAsHost(dir string) {
	root := strings.TrimSuffix(dir, "/plugins")
	s := setup{dir: dir, lock: root + "/plugins.lock", own: root + "/own", run: root + "/run"}
	h, err := host.New(s.options())
	if err != nil {
		panic(err)
	}
	r, err := h.Parse(context.Background(), shop, request("pid"))
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(r.GetReason() + "\n")
	select {}
}
