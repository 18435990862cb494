//go:build linux

package bench

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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// binaries is a folder with the host and the plugins that the bench uses.
type binaries struct{ dir string }

// build builds the binaries once for a run, as they are released: without any tag. Binaries that were named are taken.
func (r *run) build(ctx context.Context) (err error) {
	if r.bin.dir != "" {
		return nil
	}
	if r.Bin != "" {
		named := binaries{r.Bin}
		if named.dir, err = filepath.Abs(r.Bin); err == nil {
			_, err = os.Stat(named.host())
		}
		if err == nil {
			r.bin = named
		}
		return err
	}
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w; run the bench inside it", err)
	}
	dir := filepath.Join(r.dir, "bin")
	for target, pkg := range map[string]string{"kaipiao": "./cmd/host", "plugins/shop": "./plugins/shop", "plugins/delivery-sms": "./plugins/delivery-sms"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(dir, target), pkg)
		cmd.Dir, cmd.Env = strings.TrimSpace(string(module)), append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", pkg, err, text)
		}
	}
	r.bin.dir = dir
	return nil
}

func (b binaries) host() string { return filepath.Join(b.dir, "kaipiao") }

// house is a host with a folder, keys and addresses of its own.
type house struct {
	bin                              binaries
	dir, issue                       string
	publicAddr, buyerAddr, adminAddr string
	admin, token                     string
	signing                          []byte
	host                             *process
}

// Names in every house's configuration.
const (
	appID     = "bench"
	sellerTax = "91330100MA2B000005"
	sellerID  = "seller"
	channelID = "bureau"
)

// newHouse makes a house whose store issues by a policy. Nothing runs yet.
func (r *run) newHouse(ctx context.Context, name, issue string) (*house, error) {
	if err := r.build(ctx); err != nil {
		return nil, err
	}
	h := &house{bin: r.bin, dir: filepath.Join(r.dir, name), issue: issue, signing: make([]byte, 32)}
	for _, addr := range []*string{&h.publicAddr, &h.buyerAddr, &h.adminAddr} {
		var err error
		if *addr, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	h.admin = "http://" + h.adminAddr
	var random [80]byte
	_, _ = rand.Read(random[:]) // never fails
	_, _ = rand.Read(h.signing)
	h.token = hex.EncodeToString(random[:16])
	if err := os.MkdirAll(filepath.Join(h.dir, "data"), 0o700); err != nil {
		return nil, err
	}
	for file, text := range map[string]string{"token": h.token, keyFile: hex.EncodeToString(random[16:32]), secretFile: hex.EncodeToString(random[32:64]),
		"kek": hex.EncodeToString(random[64:]), "signing": "whsec_" + base64.StdEncoding.EncodeToString(h.signing)} {
		if err := os.WriteFile(filepath.Join(h.dir, file), []byte(text), 0o400); err != nil {
			return nil, err
		}
	}
	if err := h.configure("http://127.0.0.1:1", 8); err != nil {
		return nil, err
	}
	for _, plugin := range []string{"shop", "delivery-sms"} {
		cmd := exec.CommandContext(ctx, h.bin.host(), "plugin", "trust", plugin, "-c", h.file("kaipiao.yaml"))
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("trust the plugin %s: %w: %s", plugin, err, text)
		}
	}
	return h, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (h *house) file(name string) string { return filepath.Join(h.dir, name) }

// configure writes the host's configuration for a bureau and a number of connections to it.
func (h *house) configure(bureau string, connections int) error {
	return os.WriteFile(h.file("kaipiao.yaml"), fmt.Appendf(nil, `data: data
log: {level: warn, format: text}
public: {listen: "%s"}
buyer: {listen: "%s"}
admin: {listen: "%s"}
keys: {kek_file: kek}
channels:
  - {id: %s, kind: gm, url: "%s", app_id: %s, key: "file:%s", secret: "file:%s", sandbox: true, connections: %d, without_files: true}
sellers:
  - {id: %s, name: 杭州样例商贸有限公司, tax_no: "%s", type: general, drawer: 开票员, channel: %s}
stores:
  - {code: S1, name: 样例店, seller: %s, policies: [{from: 2020-01-01, issue: %s}]}
plugins: {dir: "%s", lock_file: plugins.lock}
sources:
  - {id: web, plugin: shop, store: S1, token: "file:token", config: {platform: generic, generic: {}}, secrets: {generic.secret: "file:signing"}}
deliveries:
  - {id: sms, plugin: delivery-sms, kind: sms, config: {provider: file, file: "%s"}}
`, h.publicAddr, h.buyerAddr, h.adminAddr, channelID, bureau, appID, keyFile, secretFile, connections, sellerID, sellerTax, channelID,
		sellerID, h.issue, filepath.Join(h.bin.dir, "plugins"), h.file("sms.jsonl")), 0o600)
}

// start starts the host and waits until it takes webhooks.
func (h *house) start(ctx context.Context, bureau string, connections int) (err error) {
	if err := h.configure(bureau, connections); err != nil {
		return err
	}
	if h.host, err = launch(h.dir, "host", h.bin.host(), "serve", "-c", h.file("kaipiao.yaml")); err != nil {
		return err
	}
	if err := h.host.answers(ctx, h.admin+"/readyz"); err != nil {
		return errors.Join(err, h.stop())
	}
	return nil
}

func (h *house) stop() error {
	p := h.host
	h.host = nil
	return p.stop(30 * time.Second)
}

// loader makes a loader for the house's webhook address.
func (h *house) loader(kind string, first int64) *loader {
	return &loader{host: h.publicAddr, path: "/hooks/" + h.token, key: h.signing, events: newEvents(kind, first)}
}

// lanes are the host's lanes now.
func (h *house) lanes(ctx context.Context) (map[core.Lane]core.LaneState, error) {
	text, err := get(ctx, h.admin+"/v1/status")
	if err != nil {
		return nil, err
	}
	var status struct {
		Lanes []core.LaneState `json:"lanes"`
	}
	if err := json.Unmarshal(text, &status); err != nil {
		return nil, fmt.Errorf("status of the host: %w", err)
	}
	lanes := map[core.Lane]core.LaneState{}
	for _, l := range status.Lanes {
		lanes[l.Lane] = l
	}
	return lanes, nil
}

// prepared waits until every order that came has been looked at.
func (h *house) prepared(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		lanes, err := h.lanes(ctx)
		if err != nil {
			return err
		}
		l := lanes[core.LanePrepare]
		if l.Ready+l.Running == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s %d orders still wait to be looked at", patience, l.Ready+l.Running)
		case <-tick.C:
		}
	}
}

// delivered counts the short messages that were handed over.
func (h *house) delivered() (int, error) {
	b, err := os.ReadFile(h.file("sms.jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	return bytes.Count(b, []byte("\n")), err
}
