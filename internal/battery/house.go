package battery

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Binaries is a folder with the host and its plugins, built with the tag battery.
type Binaries struct{ dir, module string }

// Build builds the host and the plugins that the battery uses into a folder.
func Build(ctx context.Context, dir string) (Binaries, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("find the module: %w", err)
	}
	b := Binaries{dir, strings.TrimSpace(string(out))}
	for target, pkg := range map[string]string{"kaipiao": "./cmd/host", "plugins/shop": "./plugins/shop", "plugins/delivery-sms": "./plugins/delivery-sms"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-tags", "battery", "-o", filepath.Join(dir, target), pkg)
		cmd.Dir, cmd.Env = b.module, append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return b, fmt.Errorf("build %s: %w: %s", pkg, err, text)
		}
	}
	return b, nil
}

func (b Binaries) host() string { return filepath.Join(b.dir, "kaipiao") }

// House is a scratch folder with a sandbox bureau, a host and a shop that talks to it.
type House struct {
	bin    Binaries
	dir    string
	bureau string // base URL of the sandbox
	admin  string // base URL of the operators' listener
	public string
	sender *sender
	client *http.Client

	sandbox *process
	host    *process
	starts  int
}

// process is a child that somebody waits for.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

const (
	appID     = "battery"
	sellerTax = "91330100MA2B000005"
)

// timeScale makes a bureau's minute 0.6 seconds.
const timeScale = "0.01"

// NewHouse makes the folder, starts the sandbox with duplicate detection off and trusts the plugins. The host is not
// started yet.
func NewHouse(ctx context.Context, bin Binaries, dir string) (_ *House, err error) {
	var ports [4]string
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	var random [88]byte
	_, _ = rand.Read(random[:])
	key, secret, token, signing := hex.EncodeToString(random[:16]), hex.EncodeToString(random[16:32]), hex.EncodeToString(random[32:40]), random[40:72]
	h := &House{bin: bin, dir: dir, bureau: "http://" + ports[0], public: "http://" + ports[1], admin: "http://" + ports[3],
		client: &http.Client{Timeout: time.Minute}}
	h.sender = newSender(h.public+"/hooks/"+token, signing)
	files := map[string]string{"channel.key": key, "channel.secret": secret, "token": token, "kek": hex.EncodeToString(random[72:]),
		"signing": "whsec_" + base64.StdEncoding.EncodeToString(signing), "kaipiao.yaml": h.config(ports, "data")}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		return nil, err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o400); err != nil {
			return nil, err
		}
	}
	if h.sandbox, err = h.start("sandbox", nil, "sandbox", "--listen", ports[0], "--dir", filepath.Join(dir, "bureau")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	if err := h.answers(ctx, h.bureau+"/sandbox/health", h.sandbox); err != nil {
		return nil, err
	}
	err = errors.Join(
		h.control(ctx, "apps", map[string]any{"app_id": appID, "key": key, "secret": secret}),
		h.control(ctx, "sellers", map[string]any{"tax_no": sellerTax, "name": "杭州样例商贸有限公司", "type": "general", "quota": "1000000000.00"}),
		h.control(ctx, "settings", map[string]any{"duplicate_detection": false}))
	if err != nil {
		return nil, err
	}
	for _, plugin := range []string{"shop", "delivery-sms"} {
		if _, err := h.CLI(ctx, "plugin", "trust", plugin, "--transport", "mtls"); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// config writes the host's configuration for a data folder.
func (h *House) config(ports [4]string, data string) string {
	return fmt.Sprintf(`data: %s
log: {level: warn, format: text}
public: {listen: "%s"}
buyer: {listen: "%s"}
admin: {listen: "%s"}
keys: {kek_file: kek}
bureau: {time_scale: "%s"}
channels:
  - {id: bureau, kind: gm, url: "%s", app_id: %s, key: "file:channel.key", secret: "file:channel.secret", sandbox: true, connections: 16}
sellers:
  - {id: seller, name: 杭州样例商贸有限公司, tax_no: "%s", type: general, drawer: 开票员, channel: bureau}
stores:
  - {code: S1, name: 样例店, seller: seller, policies: [{from: 2020-01-01, issue: when_named}]}
plugins: {dir: "%s", lock_file: plugins.lock}
sources:
  - {id: web, plugin: shop, store: S1, token: "file:token", config: {platform: generic, generic: {}}, secrets: {generic.secret: "file:signing"}}
deliveries:
  - {id: sms, plugin: delivery-sms, kind: sms, config: {provider: file, file: "%s"}}
`, data, ports[1], ports[2], ports[3], timeScale, h.bureau, appID, sellerTax, filepath.Join(h.bin.dir, "plugins"), filepath.Join(h.dir, "sms.jsonl"))
}

// start starts the battery's binary; its standard error is appended to a file.
func (h *House) start(name string, env []string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(h.dir, name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	return launch(exec.Command(h.bin.host(), args...), log, env)
}

func launch(cmd *exec.Cmd, log *os.File, env []string) (*process, error) {
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // nothing survives a test that was cut off
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	return p, nil
}

// killed says that the process ended by SIGKILL.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func (p *process) kill() {
	if p != nil {
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// Start starts the host and waits until it is ready. errEnded says that it ended before.
func (h *House) Start(ctx context.Context, env ...string) (err error) {
	h.starts++
	if h.host, err = h.start("host", env, "serve", "-c", h.file("kaipiao.yaml")); err != nil {
		return err
	}
	return h.answers(ctx, h.admin+"/readyz", h.host)
}

func (h *House) file(name string) string { return filepath.Join(h.dir, name) }

// errEnded says that a process ended while something was expected of it.
var errEnded = errors.New("the process ended")

// answers waits until an address answers 200.
func (h *House) answers(ctx context.Context, url string, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if res, err := h.client.Get(url); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.ended:
			return fmt.Errorf("wait for %s: %w; see the log in %s", url, errEnded, h.dir)
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; see the log in %s", url, ctx.Err(), h.dir)
		case <-tick.C:
		}
	}
}

// Stop stops the host as an operator does, within a deadline.
func (h *House) Stop(deadline time.Duration) error {
	_ = h.host.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	select {
	case <-h.host.ended:
		return nil
	case <-timer.C:
		h.host.kill()
		return fmt.Errorf("the host did not stop within %s", deadline)
	}
}

// Close ends both processes.
func (h *House) Close() {
	h.host.kill()
	h.sandbox.kill()
	h.client.CloseIdleConnections()
	h.sender.client.CloseIdleConnections()
}

// control posts to the sandbox's control API.
func (h *House) control(ctx context.Context, what string, body any) error {
	return h.post(ctx, h.bureau+"/sandbox/"+what, body, nil)
}

func (h *House) post(ctx context.Context, url string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return err
	}
	return h.exchange(req, into)
}

func (h *House) get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return h.exchange(req, into)
}

func (h *House) exchange(req *http.Request, into any) error {
	res, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode/100 != 2 {
		var text bytes.Buffer
		_, _ = text.ReadFrom(res.Body)
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, res.Status, text.String())
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// CLI runs the command line of the host against this house and returns its standard output. A finding (exit code 4) is no
// error.
func (h *House) CLI(ctx context.Context, args ...string) ([]byte, error) {
	return h.cliWith(ctx, "kaipiao.yaml", args...)
}

func (h *House) cliWith(ctx context.Context, config string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.bin.host(), append(args, "-c", h.file(config))...)
	var errText bytes.Buffer
	cmd.Stderr = &errText
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 4 {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("kaipiao %s: %w: %s", strings.Join(args, " "), err, errText.String())
	}
	return out, nil
}
