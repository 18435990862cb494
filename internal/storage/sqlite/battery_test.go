//go:build battery

package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/internal/fault"
)

func TestFailpointsAreReached(t *testing.T) {
	dir := t.TempDir()
	points := filepath.Join(dir, "points")
	crash(t, filepath.Join(dir, "test.db"), 20, map[string]bool{}, fault.EnvFailLog+"="+points)
	list, err := os.ReadFile(points)
	if err != nil {
		t.Fatal(err)
	}
	reached := strings.Fields(string(list))
	for _, want := range []string{"commit.before:insert", "commit.after:insert"} {
		if !slices.Contains(reached, want) {
			t.Errorf("point %s was not reached: %q", want, reached)
		}
	}
}

func TestKillAroundTheCommit(t *testing.T) {
	for _, point := range []string{"commit.before:insert#40", "commit.after:insert#40"} {
		path, acked := filepath.Join(t.TempDir(), "test.db"), map[string]bool{}
		crash(t, path, -1, acked, fault.EnvFail+"="+point)
		checkAcked(t, path, acked, point)
	}
}

// TestEarlyReplyVictim makes the answer before the commit visible: the second use case of a
// group waits for the answer to the first, which the correct writer would never give.
func TestEarlyReplyVictim(t *testing.T) {
	path := os.Getenv(envCrashPath)
	if path == "" {
		return
	}
	db := openTest(t, Options{Path: path})
	begun, open, answered := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(answered)
		err := db.Write(context.Background(), "first", func(tx Tx) error {
			close(begun)
			<-open
			return insert("first")(tx)
		})
		if err == nil {
			fmt.Println("acked first")
		}
	}()
	<-begun
	go func() {
		waitFor(t, "the second waits", func() bool { return db.Stats().Waiting == 1 })
		close(open)
	}()
	_ = db.Write(context.Background(), "second", func(Tx) error { <-answered; return nil })
}

func TestSeededBugIsFound(t *testing.T) {
	path, acked := filepath.Join(t.TempDir(), "test.db"), map[string]bool{}
	crashIn(t, "TestEarlyReplyVictim", path, -1, acked,
		fault.EnvBug+"="+fault.BugReplyBeforeCommit, fault.EnvFail+"=commit.before:second")
	if countLost(names(t, openTest(t, Options{Path: path})), acked) != 1 {
		t.Error("the answer was sent before the commit, the process was killed there, and nothing was lost")
	}
}
