package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; a quiet machine needs a fraction of it.
const patience = 90 * time.Second

const (
	testAppKey = "00112233445566778899aabbccddeeff"
	testSecret = "constructed-channel-secret"
	sellerNo   = "91000000MAKP000145"
	companyNo  = "91000000MAKP000220"
	codeHome   = "1060512990000000000"
)

// world is a host with its sandbox bureau, configured by init and reached through its doors alone.
type world struct {
	t                            *testing.T
	bin, dir, config             string
	public, buyer, admin, bureau string
	sandbox, host                *process
	env                          []string
}

// newWorld configures a host and starts its bureau. The host itself is started by serve.
func newWorld(t *testing.T, initArgs ...string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, bin: program(t), dir: dir, config: filepath.Join(dir, "kaipiao.yaml"),
		public: freeAddress(t), buyer: freeAddress(t), admin: freeAddress(t), bureau: freeAddress(t)}
	w.sandbox = w.start("sandbox", "--listen", w.bureau, "--dir", filepath.Join(dir, "sandbox"))
	w.answers("http://" + w.bureau + "/sandbox/health")
	w.control("/sandbox/apps", map[string]any{"app_id": "test", "key": testAppKey, "secret": testSecret})
	w.control("/sandbox/sellers", map[string]any{"tax_no": sellerNo, "name": "沙箱示范商贸有限公司", "type": "general", "quota": "10000000.00"})
	w.cli(append([]string{"init", "--dir", dir, "--seller-name", "沙箱示范商贸有限公司", "--tax-no", sellerNo, "--channel-url", "http://" + w.bureau,
		"--app-id", "test", "--sandbox", "--store-name", "一号店"}, initArgs...)...)
	w.edit("127.0.0.1:8080", w.public, "127.0.0.1:8081", w.buyer, "127.0.0.1:8082", w.admin)
	for _, p := range []string{"shop", "pos", "delivery-sms"} {
		w.cli("plugin", "trust", p)
	}
	return w
}

// edit replaces texts in the configuration.
func (w *world) edit(oldnew ...string) {
	w.t.Helper()
	b, err := os.ReadFile(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(oldnew); i += 2 {
		if !bytes.Contains(b, []byte(oldnew[i])) {
			w.t.Fatalf("the configuration holds no %q:\n%s", oldnew[i], b)
		}
		b = bytes.ReplaceAll(b, []byte(oldnew[i]), []byte(oldnew[i+1]))
	}
	if err := os.WriteFile(w.config, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// serve starts the host and waits until it answers.
func (w *world) serve() {
	w.t.Helper()
	w.host = w.start("serve")
	w.answers("http://" + w.admin + "/readyz")
}

// cli runs a command that must succeed and returns its data.
func (w *world) cli(args ...string) []byte {
	w.t.Helper()
	out, errs, code := w.try(args...)
	if code != 0 {
		w.t.Fatalf("kaipiao %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// try runs a command and returns its output, messages and exit code.
func (w *world) try(args ...string) (out []byte, errs string, code int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.bin, args...)
	cmd.Env = w.environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, 5*time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("run kaipiao %s: %v", strings.Join(args, " "), err)
	}
	return stdout.Bytes(), stderr.String(), cmd.ProcessState.ExitCode()
}

func (w *world) environment() []string {
	return append(append(os.Environ(), w.env...), "LC_ALL=C", "KAIPIAO_CONFIG="+w.config, "KAIPIAO_APP_KEY="+testAppKey, "KAIPIAO_APP_SECRET="+testSecret)
}

// data runs a reading command with --json and decodes what it prints.
func (w *world) data(into any, args ...string) {
	w.t.Helper()
	out := w.cli(append(args, "--json")...)
	if err := json.Unmarshal(out, into); err != nil {
		w.t.Fatalf("kaipiao %s --json: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// process is a child with its output in a file.
type process struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// start runs a command in the background. It is ended with the test, and a failed test shows its log.
func (w *world) start(args ...string) *process {
	w.t.Helper()
	f, err := os.CreateTemp(w.dir, args[0]+"-*.log")
	if err != nil {
		w.t.Fatal(err)
	}
	p := &process{cmd: exec.Command(w.bin, args...), log: f.Name(), exited: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = w.environment(), f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := errors.Join(p.cmd.Start(), f.Close()); err != nil {
		w.t.Fatalf("start kaipiao %v: %v", args, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("log of kaipiao %s:\n%s", args[0], p.tail())
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(patience):
			w.t.Errorf("kaipiao %s does not end; its log:\n%s", args[0], p.tail())
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.exited
		}
	})
	return p
}

func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-6000):])
}

// stop asks the process to end, waits, and returns its exit code.
func (w *world) stop(p *process, s syscall.Signal) int {
	w.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		w.t.Fatalf("kaipiao does not end after %s; its log:\n%s", s, p.tail())
	}
	return p.cmd.ProcessState.ExitCode()
}

// until looks again and again until f is content. What it returns last is shown when the time is up.
func (w *world) until(what string, f func() error) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: %v", what, err)
		}
		<-tick.C
	}
}

// answers waits until an address answers 200.
func (w *world) answers(url string) {
	w.t.Helper()
	w.until(url+" does not answer", func() error {
		res, err := web.Get(url)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	})
}

// control tells the sandbox something.
func (w *world) control(path string, body any) {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.do(http.MethodPost, "http://"+w.bureau+path, http.Header{"Content-Type": {"application/json"}}, b)
	if r.status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", path, r.status, r.body)
	}
}

var web = &http.Client{Timeout: patience}

type reply struct {
	status int
	header http.Header
	body   string
}

// code is the code of a refusal.
func (r reply) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(r.body), &p)
	return p.Code
}

// do sends a request, again while the host says that it is busy: on a loaded machine a plugin may be late.
func (w *world) do(method, url string, header http.Header, body []byte) (r reply) {
	w.t.Helper()
	w.until(method+" "+url, func() (err error) {
		if r, err = send(method, url, header, body); err == nil && r.status == http.StatusServiceUnavailable {
			err = errors.New(r.body)
		}
		return err
	})
	return r
}

func send(method, url string, header http.Header, body []byte) (reply, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header = header
	res, err := web.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	return reply{res.StatusCode, res.Header, string(text)}, err
}

var taken struct {
	sync.Mutex
	ports map[int]bool
}

// freeAddress finds a loopback address that nothing listens at, below the ports that systems hand out by themselves.
func freeAddress(t testing.TB) string {
	t.Helper()
	taken.Lock()
	defer taken.Unlock()
	if taken.ports == nil {
		taken.ports = map[int]bool{}
	}
	for range 1000 {
		port := 12000 + rand.IntN(20000)
		if taken.ports[port] {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		taken.ports[port] = true
		return addr
	}
	t.Fatal("no free port")
	return ""
}
