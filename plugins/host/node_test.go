package host_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/kaipiao/kaipiao/plugins/host"
	"github.com/kaipiao/kaipiao/plugins/sdk/fixture"
	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
)

// A plugin without our SDK keeps the wire honest: everything it knows is in docs/plugin-wire.md.
func TestNodePlugin(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("LEFT OUT: no node on this machine, so no plugin in another language was tried")
	}
	s := newSetup(t)
	dir := filepath.Join(s.dir, "node")
	from := filepath.Join("..", "testdata", "node-plugin")
	for to, part := range map[string]string{"": from, "proto/einvoice/plugin/v1": "../proto/einvoice/plugin/v1"} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(part)); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("LEFT OUT: npm cannot install grpc-js, so no plugin in another language was tried: %v\n%s", err, out)
	}
	p := host.Program{Files: []string{"node/plugin.mjs"}, Interpreter: node, Transport: host.Socket}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(s.dir, path)
		if err == nil && d.Type().IsRegular() && !slices.Contains(p.Files, name) {
			p.Files = append(p.Files, name)
		}
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := host.Trust(s.dir, s.lock, "node-plugin", p); err != nil {
		t.Fatal(err)
	}
	o := s.options()
	o.Only = []string{"node-plugin"}
	h := start(t, o)
	cases, err := fixture.Check(t.Context(), h.Raw("node-plugin"), filepath.Join(from, "fixtures"), sdktest.Update())
	if err != nil {
		for _, d := range status(h).Deaths {
			t.Log(d.Reason, d.Output)
		}
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Log(c)
		if len(c.Faults) > 0 || (c.Name == "paid" && c.Forgeries < 100) {
			t.Error("it does not pass")
		}
	}
	in := host.Instance{Plugin: "node-plugin", ID: "x", Config: []byte(`{}`)}
	if problems, err := h.Validate(t.Context(), in, false); err != nil || len(problems) != 1 {
		t.Errorf("validate: %v, %v", problems, err)
	}
	if _, err := h.Fetch(t.Context(), in, []string{"1"}); !errors.Is(err, host.ErrCapability) {
		t.Errorf("fetch: %v", err)
	}
	// What runs is the copy.
	if err := os.WriteFile(filepath.Join(dir, "proto", "health.proto"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.Swap(t.Context(), "node-plugin"); err != nil {
		t.Errorf("swap after a change to the original alone: %v", err)
	}
	pid := 0
	for _, st := range h.Status() {
		if _, err := os.Stat("/proc/" + st.PID); err == nil {
			pid = atoi(t, st.PID)
		}
	}
	if pid == 0 || syscall.Kill(pid, syscall.SIGKILL) != nil {
		t.Fatal("no process to kill")
	}
	eventually(t, "the restart", func() bool {
		return status(h).State == host.Ready && status(h).PID != "" && atoi(t, status(h).PID) != pid
	})
}
