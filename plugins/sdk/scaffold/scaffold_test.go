package scaffold_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/plugins/sdk/scaffold"
)

// A new plugin compiles and passes its own tests, without a network.
func TestNewPluginsPassTheirOwnTests(t *testing.T) {
	for _, kind := range scaffold.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new")
			if err := scaffold.Write(scaffold.Options{Kind: kind, Name: "acme-" + string(kind), Dir: dir, SDK: "../../.."}); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("not formatted: %s %v", out, err)
			}
			test := exec.Command("go", "test", "-vet=all", "./...")
			test.Dir = dir
			test.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
			if out, err := test.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestWithoutACheckout(t *testing.T) {
	dir := t.TempDir()
	if err := scaffold.Write(scaffold.Options{Kind: scaffold.Webhook, Name: "acme", Module: "example.com/acme", Dir: dir}); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module example.com/acme\n") {
		t.Errorf("%s, %v", mod, err)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(readme), "go get") {
		t.Errorf("the readme does not say how to get the SDK: %s, %v", readme, err)
	}
}

func TestRefusals(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for says, o := range map[string]scaffold.Options{
		"must match":     {Kind: scaffold.Webhook, Name: "../x", Dir: t.TempDir()},
		"is none of":     {Kind: "other", Name: "x", Dir: t.TempDir()},
		"kind \"\"":      {Name: "x", Dir: t.TempDir()},
		"is not empty":   {Kind: scaffold.Pull, Name: "x", Dir: full},
		"not a checkout": {Kind: scaffold.Pull, Name: "x", Dir: t.TempDir(), SDK: t.TempDir()},
	} {
		if err := scaffold.Write(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: got %v, want one that says %q", o, err, says)
		}
	}
}
