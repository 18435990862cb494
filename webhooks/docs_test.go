package webhooks_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheDocumentedClientWorks runs the shell client of docs/http.md as it is printed there.
func TestTheDocumentedClientWorks(t *testing.T) {
	for _, tool := range []string{"bash", "openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("LEFT OUT: the shell client of docs/http.md is not tried, since this machine has no %s", tool)
		}
	}
	doc, err := os.ReadFile("../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "```bash\n")
	script, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/http.md has no shell client")
	}
	w := newWorld(t)
	w.clock.Set(time.Now())
	till := w.enrol()
	dir := t.TempDir()
	for name, content := range map[string]string{"receipts.ndjson": receipt("r1", "T-1") + "\n" + receipt("r2", "T-2") + "\n", "sequence": "0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, status := range []string{"stored", "duplicate"} {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", strings.ReplaceAll(script, "https://pos.example.com", "http://"+w.addr))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TERMINAL="+till.Terminal, "KEY_ID="+till.KeyID, "SECRET="+till.Secret, "no_proxy=127.0.0.1")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Count(string(out), fmt.Sprintf("%q:%q", "status", status)) != 2 {
			t.Errorf("want two %s lines: %s %v", status, out, err)
		}
	}
}
