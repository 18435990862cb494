package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/internal/config"
)

// good is a configuration without faults; tests replace parts of it.
const good = `
keys: {kek_file: keys/kek}
channels:
  - {id: bureau, kind: gm, url: "https://gateway.example.com", app_id: app, key: "file:keys/key", secret: "env:SECRET", sandbox: true}
sellers:
  - {id: s, name: 示例, tax_no: "91000000MAKP000145", type: general, channel: bureau, policies: [{from: 2026-01-01, issue: on_paid}]}
stores:
  - {code: S01, name: 一号店, seller: s, deliveries: [mail]}
sources:
  - {id: web, plugin: shop, store: S01, token: "file:keys/token", pull_every: 10m, secrets: {secret: "file:keys/web"}}
  - {id: pos, plugin: pos, store: S01, terminals: true}
deliveries:
  - {id: mail, plugin: delivery-email, kind: email}
  - {id: page, plugin: shop, kind: order, for: web}
`

func parse(text string) (*config.Config, error) {
	return config.Parse([]byte(text), "/etc/kaipiao/kaipiao.yaml")
}

func TestDefaultsAndPaths(t *testing.T) {
	c, err := parse(good)
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.Data: "data", c.Language: "zh", c.Log.Level: "info", c.Public.Listen: "127.0.0.1:8080", c.Buyer.Listen: "127.0.0.1:8081",
		c.Admin.Listen: "127.0.0.1:8082", c.Bureau.TimeScale: "1", c.Reconcile.Cron: "30 3 * * *",
		c.Path(c.Keys.KEK): "/etc/kaipiao/keys/kek", c.DataPath("kaipiao.db"): "/etc/kaipiao/data/kaipiao.db",
		c.Path(c.Plugins.Lock): "/etc/kaipiao/data/plugins.lock", c.Path("/abs"): "/abs", c.Path(""): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if d := c.Sources[0].PullEvery.Duration; d != 10*time.Minute {
		t.Errorf("pull_every is %s", d)
	}
	if from := c.Sellers[0].Policies[0].From; from.UTC() != time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC) {
		t.Errorf("a day begins at %s, not at midnight in Beijing", from)
	}
}

// TestFaultsOfContent: each is placed by a pointer, and the text says what to write.
func TestFaultsOfContent(t *testing.T) {
	for _, test := range []struct{ old, new, pointer, says string }{
		{"keys:", "language: fr\nkeys:", "/language", `"fr" is none of zh, en`},
		{"keys:", "log: {level: loud, format: text}\nkeys:", "/log/level", "debug, info, warn, error"},
		{"keys:", "log: {level: info, format: xml}\nkeys:", "/log/format", "text, json"},
		{"keys:", "public: {listen: \"8080\"}\nkeys:", "/public/listen", "host:port"},
		{"keys:", "buyer: {listen: here}\nkeys:", "/buyer/listen", "host:port"},
		{"keys:", "public: {url: hooks.example.com}\nkeys:", "/public/url", "https://"},
		{"keys:", "buyer: {url: \"ftp://fapiao.example.com\"}\nkeys:", "/buyer/url", "https://"},
		{"keys:", "public: {tls: {cert: cert.pem}}\nkeys:", "/public/tls", "together"},
		{"keys:", "admin: {listen: \"0.0.0.0:8082\"}\nkeys:", "/admin/listen", "loopback"},
		{"keys:", "admin: {listen: \":8082\"}\nkeys:", "/admin/listen", "loopback"},
		{"keys:", "admin: {listen: \"[::]:8082\"}\nkeys:", "/admin/listen", "loopback"},
		{"keys/kek", "data/kek", "/keys/kek_file", "must not lie in the data folder"},
		{"keys/kek", "./data/deep/../kek", "/keys/kek_file", "must not lie in the data folder"},
		{"keys/kek", "data/..kek", "/keys/kek_file", "must not lie in the data folder"},
		{"kek_file: keys/kek", "", "/keys/kek_file", "kaipiao init makes one"},
		{"{id: bureau,", "{id: Bureau,", "/channels/0/id", "a-z, 0-9"},
		{"kind: gm", "kind: other", "/channels/0/kind", "none of gm"},
		{"https://gateway", "http://gateway", "/channels/0/url", "https is needed"},
		{"https://gateway.example.com", "gateway", "/channels/0/url", "https is needed"},
		{"app_id: app,", "", "/channels/0/app_id", "is needed"},
		{`key: "file:keys/key"`, "key: 00112233445566778899aabbccddeeff", "/channels/0/key", "in clear; write env:NAME or file:PATH"},
		{`secret: "env:SECRET", `, "", "/channels/0/secret", "is needed"},
		{"sandbox: true", "sandbox: true, connections: 5000", "/channels/0", "0 to 4096"},
		{"sandbox: true", "sandbox: true, rate: -1", "/channels/0", "not negative"},
		{"sandbox: true}", "sandbox: false}\nbureau: {time_scale: \"0.5\"}", "/channels/0/sandbox", "needs every channel to be the sandbox"},
		{"name: 示例, ", "", "/sellers/0", "name and tax_no"},
		{"type: general", "type: huge", "/sellers/0/type", "general, small"},
		{"channel: bureau", "channel: nowhere", "/sellers/0/channel", `no channel is called "nowhere"`},
		{"issue: on_paid", "issue: someday", "/sellers/0/policies/0/issue", "on_request, when_named"},
		{"issue: on_paid", "refunds: never", "/sellers/0/policies/0/refunds", "partial"},
		{"issue: on_paid", "kinds: [rare]", "/sellers/0/policies/0/kinds", "general, special"},
		{"issue: on_paid", "tenders: {points: maybe}", "/sellers/0/policies/0/tenders/points", "counts, excluded, asks"},
		{"issue: on_paid", "roll_out: 101", "/sellers/0/policies/0/roll_out", "0 to 100"},
		{"issue: on_paid", "shipping_reason: none", "/sellers/0/policies/0/shipping_reason", "allowance"},
		{"code: S01", "code: \"\"", "/stores/0/code", "empty"},
		{"stores:\n", "stores:\n  - {code: S01, seller: s}\n", "/stores/1/code", "occurs twice"},
		{"seller: s, deliveries", "deliveries", "/stores/0/seller", "is needed"},
		{"seller: s, deliveries", "seller: x, deliveries", "/stores/0/seller", `no seller is called "x"`},
		{"seller: s, deliveries", "sellers: [{from: 2026-01-01, seller: x}], deliveries", "/stores/0/sellers/0/seller", `no seller is called "x"`},
		{"deliveries: [mail]", "deliveries: [pigeon]", "/stores/0/deliveries/0", `no delivery is called "pigeon"`},
		{"{id: pos,", "{id: web,", "/sources/1/id", "occurs twice"},
		{"{id: mail,", "{id: web,", "/deliveries/0/id", "occurs twice"},
		{"plugin: pos", "plugin: ../pos", "/sources/1/plugin", "no plugin's name"},
		{"plugin: delivery-email", "plugin: \"\"", "/deliveries/0/plugin", "no plugin's name"},
		{"plugin: pos, store: S01", "plugin: pos, store: S02", "/sources/1/store", `no store has the code "S02"`},
		{`token: "file:keys/token", `, "", "/sources/0/token", "is needed"},
		{`secrets: {secret: "file:keys/web"}`, "secrets: {secret: hunter2}", "/sources/0/secrets/secret", "in clear"},
		{"kind: email", "kind: pigeon", "/deliveries/0/kind", "email, sms, order"},
		{"kind: order, for: web", "kind: order", "/deliveries/1/for", "name the source"},
		{"kind: order, for: web", "kind: order, for: nowhere", "/deliveries/1/for", `no source is called "nowhere"`},
	} {
		if strings.Count(good, test.old) == 0 {
			t.Fatalf("the good configuration holds no %q", test.old)
		}
		_, err := parse(strings.Replace(good, test.old, test.new, 1))
		if err == nil {
			t.Errorf("%s: no fault at %s", test.new, test.pointer)
			continue
		}
		found := false
		for _, line := range strings.Split(err.Error(), "\n") {
			found = found || (strings.HasPrefix(line, test.pointer+": ") && strings.Contains(line, test.says))
		}
		if !found {
			t.Errorf("%s: %v, want %s with %q", test.new, err, test.pointer, test.says)
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "00112233") {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
}

// TestAllFaultsAtOnce: they come in the order of the file, the same each time.
func TestAllFaultsAtOnce(t *testing.T) {
	text := strings.NewReplacer("kind: gm", "kind: x", "type: general", "type: x", "kind: email", "kind: x",
		`secrets: {secret: "file:keys/web"}`, "secrets: {b: x, a: x, c: x}", "issue: on_paid", "tenders: {b: x, a: x}").Replace(good)
	for range 20 {
		_, err := parse("public: {listen: x}\nbuyer: {listen: x}\n" + text)
		var pointers []string
		for _, line := range strings.Split(err.Error(), "\n")[1:] {
			pointer, _, _ := strings.Cut(line, ": ")
			pointers = append(pointers, pointer)
		}
		want := []string{"/public/listen", "/buyer/listen", "/channels/0/kind", "/sellers/0/type", "/sellers/0/policies/0/tenders/a", "/sellers/0/policies/0/tenders/b",
			"/sources/0/secrets/a", "/sources/0/secrets/b", "/sources/0/secrets/c", "/deliveries/0/kind"}
		if diff := cmp.Diff(want, pointers); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestFaultsOfForm: line and column, and never the lines around them.
func TestFaultsOfForm(t *testing.T) {
	for _, test := range []struct{ text, says string }{
		{"data: data\nsekret: hunter2", `[2:1] unknown field "sekret"`},
		{"channels:\n  - id: a\n    key: hunter2\n    keyy: x", `[4:5] unknown field "keyy"`},
		{"secret: hunter2\ndata: [a", "[2:7] "},
		{"data: data\npublic: [hunter2]", "[2:9] "},
		{"data: data\ndata: other", "[2:1] "},
		{"sellers:\n  - policies: [{from: 25.11.2026}]", `date "25.11.2026": write it as 2026-11-25`},
		{"sources:\n  - pull_every: often", `duration "often": write it as 10m or 1h30m`},
		{"sources:\n  - pull_every: -5m", `duration "-5m": write it as 10m or 1h30m`},
	} {
		_, err := parse(test.text)
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "configuration kaipiao.yaml: ") {
			t.Errorf("%q: %v, want %q", test.text, err, test.says)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error holds a line of the file: %v", err)
		}
	}
	if _, err := parse(""); err == nil || !strings.Contains(err.Error(), "/keys/kek_file") {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "absent.yaml")); err == nil || !strings.Contains(err.Error(), "kaipiao init") {
		t.Errorf("an absent file: %v", err)
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kaipiao.yaml")
	for name, content := range map[string]string{"kaipiao.yaml": good, "secret": "s3cret\r\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KAIPIAO_TEST_SECRET", "from env")
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		ref         config.Secret
		value, says string
	}{
		{"", "", ""}, {"file:secret", "s3cret", ""}, {"env:KAIPIAO_TEST_SECRET", "from env", ""},
		{"file:absent", "", "secret file:absent: "}, {"env:KAIPIAO_TEST_ABSENT", "", "the variable is not set"},
		{"hunter2", "", "in clear"}, {"file:", "", "in clear"}, {"env:", "", "in clear"},
	} {
		got, err := test.ref.Value(c)
		if got != test.value || (err == nil) != (test.says == "") || (err != nil && !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%q: %q, %v", test.ref, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error holds the value: %v", err)
		}
	}
}
