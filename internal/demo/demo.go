// Package demo is a small day of a small merchant, sent through the real doors of a real host: a shop that signs its
// webhooks, two tills, a mailbox that takes real SMTP, a file of SMS, and the sandbox bureau beside it. It knows
// nothing of the host's insides.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Options say how the demo runs.
type Options struct {
	// Binary is the host's program.
	Binary string
	// Dir holds the configuration, the data and the sandbox's storage.
	Dir string
	// FreePorts takes any free ports; otherwise the usual ones, or the next free where one is taken.
	FreePorts bool
	// Keep goes on serving after the table until the context ends.
	Keep bool
	// Solve runs the command beside each problem and waits until its order is delivered.
	Solve bool
	// Out gets what happens; nothing else is printed.
	Out io.Writer
	// Configure writes the host's configuration for these addresses.
	Configure func(Addresses) error
	// Chinese chooses the language of the table.
	Chinese bool
	// Limit bounds the time until the table is complete.
	Limit time.Duration
}

// Addresses are the doors of the demo.
type Addresses struct {
	Public, Buyer, Admin, Bureau, Mail string
	// Dir is where the configuration is to be written; SMS the file of messages.
	Dir, Config, SMS  string
	AppKey, AppSecret string
	TaxNo             string
}

// ErrUnexpected says that a row did not end as it should.
var ErrUnexpected = errors.New("a row of the demo did not end as it should")

// ErrInterrupted says that the demo was ended before its table was complete.
var ErrInterrupted = errors.New("the demo was interrupted")

// The demo's seller and two buyers; the numbers are constructed and belong to nobody.
const (
	sellerTaxNo = "91000000MAKP000145"
	buyerTaxNo  = "91000000MAKP000220"
	wrongTaxNo  = "91000000MAKP000221"
)

// Run plays the day and prints the table.
func Run(ctx context.Context, o Options) (err error) {
	d := &demo{Options: o, started: time.Now()}
	defer func() {
		if err != nil && ctx.Err() != nil { // what failed, failed because of it
			err = ErrInterrupted
		}
		err = errors.Join(err, d.stop())
	}()
	if err := d.start(ctx); err != nil {
		return err
	}
	rows, err := d.day(ctx)
	if err != nil {
		return err
	}
	bad := d.await(ctx, rows)
	d.table(rows)
	if o.Solve && bad == nil {
		bad = d.solve(ctx, rows)
	}
	if o.Keep && ctx.Err() == nil {
		d.addressesTable()
		d.say("继续运行, 按 Ctrl-C 结束", "serving on; end with Ctrl-C")
		<-ctx.Done()
		return nil
	}
	return bad
}

type demo struct {
	Options
	started time.Time
	addr    Addresses
	bureau  *process
	host    *process
	mailbox *mailbox
	shop    *shop
	tills   []*till
}

func (d *demo) say(zh, en string, args ...any) {
	text := en
	if d.Chinese {
		text = zh
	}
	fmt.Fprintf(d.Out, "[%5.1fs] "+text+"\n", append([]any{time.Since(d.started).Seconds()}, args...)...)
}

// start brings bureau, host, mailbox, shop and tills up.
func (d *demo) start(ctx context.Context) error {
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return fmt.Errorf("demo folder: %w", err)
	}
	d.addr = Addresses{Dir: d.Dir, Config: filepath.Join(d.Dir, "kaipiao.yaml"), SMS: filepath.Join(d.Dir, "sms.jsonl"),
		AppKey: "00112233445566778899aabbccddeeff", AppSecret: "demo-secret-of-the-sandbox", TaxNo: sellerTaxNo}
	if err := d.ports(); err != nil {
		return err
	}
	d.say("启动沙箱税局 http://%s", "starting the sandbox bureau at http://%s", d.addr.Bureau)
	var err error
	if d.bureau, err = start(d.Binary, filepath.Join(d.Dir, "sandbox.log"), "sandbox", "--listen", d.addr.Bureau, "--dir", filepath.Join(d.Dir, "sandbox")); err != nil {
		return err
	}
	if err := d.bureau.await(ctx, "http://"+d.addr.Bureau+"/sandbox/health"); err != nil {
		return err
	}
	if err := d.prepareBureau(); err != nil {
		return err
	}
	if d.mailbox, err = newMailbox(d.addr.Mail); err != nil {
		return err
	}
	return d.startHost(ctx)
}

func (d *demo) startHost(ctx context.Context) error {
	if err := d.configure(); err != nil {
		return fmt.Errorf("configure the host: %w", err)
	}
	for _, plugin := range []string{"shop", "pos", "delivery-email", "delivery-sms"} {
		if _, err := d.cli(ctx, "plugin", "trust", plugin); err != nil {
			return err
		}
	}
	d.say("启动主机 http://%s", "starting the host at http://%s", d.addr.Public)
	var err error
	if d.host, err = start(d.Binary, filepath.Join(d.Dir, "host.log"), "serve", "-c", d.addr.Config); err != nil {
		return err
	}
	if err := d.host.await(ctx, "http://"+d.addr.Admin+"/readyz"); err != nil {
		return err
	}
	if d.shop, err = newShop(d.addr); err != nil {
		return err
	}
	return d.enrolTills(ctx)
}

// configure writes the host's configuration, the first time and when its addresses have changed since.
func (d *demo) configure() error {
	now, err := json.Marshal(d.addr)
	if err != nil {
		return err
	}
	note := filepath.Join(d.Dir, "demo.json")
	before, err := os.ReadFile(note)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(d.addr.Config); err == nil && bytes.Equal(before, now) {
		return nil
	}
	if err := d.Configure(d.addr); err != nil {
		return err
	}
	return os.WriteFile(note, now, 0o600)
}

func (d *demo) enrolTills(ctx context.Context) error {
	for _, store := range []string{"S01", "S02"} {
		out, err := d.cli(ctx, "terminals", "activate", "--json", "--store", store, "--label", store+" 收银台")
		if err != nil {
			return err
		}
		var code struct {
			Code string `json:"code"`
		}
		if err := json.Unmarshal(out, &code); err != nil {
			return fmt.Errorf("activation code: %w", err)
		}
		t, err := enrol(d.addr.Public, store, code.Code)
		if err != nil {
			return err
		}
		d.tills = append(d.tills, t)
	}
	d.say("两台收银终端已激活", "two tills enrolled")
	return nil
}

// prepareBureau registers the demo at the bureau and tells it to lose one answer.
func (d *demo) prepareBureau() error {
	for path, body := range map[string]any{
		"/sandbox/apps":     map[string]any{"app_id": "demo", "key": d.addr.AppKey, "secret": d.addr.AppSecret},
		"/sandbox/sellers":  map[string]any{"tax_no": sellerTaxNo, "name": "沙箱示范商贸有限公司", "type": "general", "quota": "10000000.00"},
		"/sandbox/settings": map[string]any{"duplicate_detection": false},
		"/sandbox/faults":   map[string]any{"id": "lost answer", "op": "issue", "remark_contains": "-TIMEOUT", "times": 1, "kind": "timeout_after", "hold": "60s"},
	} {
		if err := post("http://"+d.addr.Bureau+path, body); err != nil {
			return fmt.Errorf("prepare the sandbox: %w", err)
		}
	}
	return nil
}

// ports chooses the address of every door. All are held until the last one is chosen, so that no two are the same.
func (d *demo) ports() (err error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			err = errors.Join(err, l.Close())
		}
	}()
	for _, p := range []struct {
		dst  *string
		port int
		name string
	}{{&d.addr.Public, 8080, "public"}, {&d.addr.Buyer, 8081, "buyer"}, {&d.addr.Admin, 8082, "admin"}, {&d.addr.Bureau, 8090, "sandbox"}, {&d.addr.Mail, 2525, "SMTP"}} {
		l, err := d.port(p.port, p.name)
		if err != nil {
			return err
		}
		held = append(held, l)
		*p.dst = l.Addr().String()
	}
	return nil
}

// port takes the usual port, or the next free one and says so.
func (d *demo) port(usual int, name string) (net.Listener, error) {
	if d.FreePorts {
		usual = 0
	}
	for port := usual; port < usual+50; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if port > usual {
			d.say("端口 %d 已占用, %s 改用 %s", "port %d is taken; %s takes %s", usual, name, l.Addr())
		}
		return l, nil
	}
	return nil, fmt.Errorf("no free port for %s in %d to %d", name, usual, usual+49)
}

// stop ends the host before the bureau, so that what is in hand can be finished.
func (d *demo) stop() error {
	var errs []error
	for _, p := range []*process{d.host, d.bureau} {
		if p != nil {
			errs = append(errs, p.stop())
		}
	}
	if d.mailbox != nil {
		errs = append(errs, d.mailbox.close())
	}
	return errors.Join(errs...)
}

func (d *demo) addressesTable() {
	d.say("地址:", "addresses:")
	fmt.Fprintf(d.Out, "  webhook   http://%s/hooks/…\n  buyer     http://%s/\n  admin     http://%s/v1/orders\n  sandbox   http://%s/sandbox/ledger\n  mailbox   %s (%d)\n  sms       %s\n  config    %s\n  logs      %s\n",
		d.addr.Public, d.addr.Buyer, d.addr.Admin, d.addr.Bureau, d.addr.Mail, d.mailbox.count(), d.addr.SMS, d.addr.Config, filepath.Join(d.Dir, "host.log"))
}
