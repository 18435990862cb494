package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the newcomer's want.json files")

// TestNewcomer is the way of somebody who writes a first plugin: the scaffold, an own parse and configuration in place
// of the sample's, a build, the test of the built plugin. The webhook goes on to a host and to an issued invoice.
func TestNewcomer(t *testing.T) {
	for kind, name := range map[string]string{"webhook": "acme-shop", "pull": "acme-feed", "delivery": "acme-post"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, bin: program(t), dir: t.TempDir()}
			dir := filepath.Join(w.dir, name)
			w.cli("plugin", "new", "--kind", kind, name, "--dir", dir, "--sdk", "../..")
			own := filepath.Join("testdata", "newcomer", kind)
			if err := copyTree(own, dir); err != nil {
				t.Fatal(err)
			}
			build := exec.Command("go", "build", "-ldflags=-s -w", "-o", name, ".")
			build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("go build: %v\n%s", err, out)
			}
			binary := filepath.Join(dir, name)
			if *update && kind == "webhook" {
				w.cli("plugin", "test", "--update", "--dir", filepath.Join(own, "testdata"), binary)
				return
			}
			out := string(w.cli("plugin", "test", binary))
			if kind == "webhook" {
				if !regexp.MustCompile(`(?m)^ok   paid \([1-9][0-9]* forgeries refused\)$`).MatchString(out) || !strings.Contains(out, "ok   forged") {
					t.Errorf("plugin test:\n%s", out)
				}
				issueThrough(t, binary)
			}
		})
	}
}

// copyTree lays files over a folder.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rel)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	})
}

// issueThrough makes the plugin a source of a host: a forged order is refused, a genuine one becomes an invoice.
func issueThrough(t *testing.T, binary string) {
	w := newWorld(t)
	plugins := filepath.Join(w.dir, "plugins")
	if err := os.Mkdir(plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{binary, filepath.Join(filepath.Dir(w.bin), "plugins", "delivery-sms")} {
		to := filepath.Join(plugins, filepath.Base(from))
		if err := linkOrCopy(from, to); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(to, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const secret, token = "secret-of-the-newcomer", "token-of-the-newcomer"
	for name, value := range map[string]string{"acme.secret": secret, "acme.token": token} {
		if err := os.WriteFile(filepath.Join(w.dir, "keys", name), []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	text = text[:strings.Index(text, "\nsources:")] + `
sources:
  - id: acme
    plugin: acme-shop
    store: "S01"
    token: file:keys/acme.token
    config: {tax_code: "` + codeHome + `"}
    secrets: {secret: file:keys/acme.secret}

` + text[strings.Index(text, "# Channels to the buyer"):]
	text = strings.Replace(text, "dir: bin/plugins", "dir: plugins", 1)
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.cli("plugin", "trust", "acme-shop")
	w.cli("plugin", "trust", "delivery-sms")
	w.cli("check")
	w.serve()

	now := time.Now().Unix()
	body := fmt.Appendf(nil, `{"notice_id":"n-1","event":"PAID","order_id":80001,"paid_time":%d,"payment":11800,"title":"张三","items":[{"id":1,"title":"不锈钢保温杯","num":2,"payment":11800}]}`, now)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d\n%s", now, body)
	header := http.Header{"X-Acme-Time": {fmt.Sprint(now)}, "X-Acme-Sign": {hex.EncodeToString(mac.Sum(nil))}}
	flipped := bytes.Clone(body)
	flipped[len(flipped)/2] ^= 1
	url := "http://" + w.public + "/hooks/" + token
	for _, step := range []struct {
		body   []byte
		status int
		answer string
	}{{flipped, 401, "bad_signature"}, {body, 200, "OK"}, {body, 200, "OK"}} {
		if r := w.do(http.MethodPost, url, header, step.body); r.status != step.status || !strings.Contains(r.body, step.answer) {
			t.Errorf("got %d %s, want %d %s", r.status, r.body, step.status, step.answer)
		}
	}
	o := w.order("80001", "settled")
	if len(o.Invoices) != 1 || o.Invoices[0].State != "issued" || o.Invoices[0].Gross.String() != "118.00" {
		t.Errorf("invoices %+v", o.Invoices)
	}
}
