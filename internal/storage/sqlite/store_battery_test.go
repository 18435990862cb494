//go:build battery

package sqlite

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/coretest"
	"github.com/kaipiao/kaipiao/internal/fault"
)

// TestSeededStoreBugs shows that the two bugs of the store, once switched on, really break its promises.
func TestSeededStoreBugs(t *testing.T) {
	for bug, want := range map[string]string{
		"":                         "second request: same, second blue: refused, lost task: refused",
		fault.BugNoUniqueKey:       "second request: fresh, second blue: stored, lost task: refused",
		fault.BugMissingLeaseCheck: "second request: same, second blue: refused, lost task: stored",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSeededStoreVictim$", "-test.v")
		cmd.Env = append(os.Environ(), "STORE_VICTIM=1", fault.EnvBug+"="+bug)
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("bug %q: want %q, got %v:\n%s", bug, want, err, out)
		}
	}
}

func TestSeededStoreVictim(t *testing.T) {
	if os.Getenv("STORE_VICTIM") == "" {
		return
	}
	s, ids := openStore(t), coretest.NewIDs(1)
	stored := func(fn func(tx core.Tx) error) string {
		if err := s.Do(t.Context(), "test", fn); err != nil {
			return "refused"
		}
		return "stored"
	}
	var seen core.Seen
	remember := func(tx core.Tx) (err error) {
		seen, err = tx.Remember(core.DedupeRequest, "i", "key", "hash")
		return err
	}
	blue := func(tx core.Tx) error {
		return tx.PutDocument(core.DocumentRecord{Document: core.Document{ID: ids.New(), Sale: "s", Color: core.Blue, State: core.DocReady}})
	}
	var task core.Task
	claim := func(owner string, at time.Time) func(tx core.Tx) error {
		return func(tx core.Tx) error {
			tasks, err := tx.Claim(core.Claimant{Owner: owner, Now: at, Lease: time.Minute, Max: 1})
			if err == nil && owner == "first" {
				task = tasks[0]
			}
			return err
		}
	}
	stored(remember)
	stored(remember)
	stored(blue)
	second := stored(blue)
	stored(func(tx core.Tx) error { return tx.Enqueue(core.Task{ID: ids.New(), Key: "k", Lane: "l"}) })
	stored(claim("first", coretest.T0))
	stored(claim("second", coretest.T0.Add(time.Hour)))
	lost := stored(func(tx core.Tx) error { return tx.Finish(task) })
	fmt.Printf("second request: %s, second blue: %s, lost task: %s\n", seen, second, lost)
}
