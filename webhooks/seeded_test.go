//go:build battery

package webhooks_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/fault"
	"github.com/kaipiao/kaipiao/webhooks"
)

// TestSeededBugs runs this test again with each seeded bug of the edge switched on, and without any.
func TestSeededBugs(t *testing.T) {
	if os.Getenv("WEBHOOKS_SEEDED") != "" {
		seeded(t)
		return
	}
	for _, bug := range []string{"", fault.BugCBody, fault.BugReplyBeforeCommit} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSeededBugs$")
		cmd.Env = append(os.Environ(), "WEBHOOKS_SEEDED=1", fault.EnvBug+"="+bug)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("bug %q: %v\n%s", bug, err, out)
		}
	}
}

func seeded(t *testing.T) {
	failing := func(o *webhooks.PublicOptions) {
		o.Inbox = inbox(func(context.Context, []flow.Inbound) ([]flow.Receipt, error) { return nil, core.ErrNotStored })
	}
	if r, want := newWorld(t, failing).hook(note{ID: "e1", Order: "SO-1"}), fault.Bug(fault.BugReplyBeforeCommit); (r.status == 200) != want {
		t.Errorf("answer %d to what is not stored; reply-before-commit is %v", r.status, want)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(`{"id":"e1","order":"SO-1"}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	if r, want := one(t, w.addr, post("/hooks/"+token, packed.String(), "Content-Encoding: gzip")), fault.Bug(fault.BugCBody); (r.status == 200) != want {
		t.Errorf("answer %d to a packed body; c-body is %v", r.status, want)
	}
}
