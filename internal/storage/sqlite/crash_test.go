package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kaipiao/kaipiao/internal/storage"
)

const envCrashPath = "SQLITE_TEST_CRASH_PATH"

// TestCrashVictim is the process that TestKillLosesNothing kills: eight producers insert and
// say so after Write returned.
func TestCrashVictim(t *testing.T) {
	path := os.Getenv(envCrashPath)
	if path == "" {
		return
	}
	db := openTest(t, Options{Path: path, CheckpointBytes: 10 * pageSize})
	acked := make(chan string)
	for p := range 8 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), p, n)
				err := db.Write(context.Background(), "insert", statement(`INSERT INTO item (name, body) VALUES (?, zeroblob(3000))`, name))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				acked <- name
			}
		}()
	}
	for name := range acked {
		fmt.Println("acked", name)
	}
}

func TestKillLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	acked := map[string]bool{}
	for round := range rounds {
		killAfter := 1 + rand.IntN(600)
		crash(t, path, killAfter, acked)
		checkAcked(t, path, acked, fmt.Sprintf("round %d, killed after %d answers", round, killAfter))
	}
	t.Logf("%d kills, %d acknowledged inserts, all there", rounds, len(acked))
}

// crash runs a victim on the database, kills it after so many answers and adds to acked
// everything that the victim had acknowledged until its death.
func crash(t *testing.T, path string, killAfter int, acked map[string]bool, env ...string) {
	t.Helper()
	crashIn(t, "TestCrashVictim", path, killAfter, acked, env...)
}

func crashIn(t *testing.T, victim, path string, killAfter int, acked map[string]bool, env ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+victim+"$")
	cmd.Env = append(append(os.Environ(), envCrashPath+"="+path), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var name string
		if _, err := fmt.Sscanf(lines.Text(), "acked %s", &name); err != nil {
			continue
		}
		acked[name] = true
		if answers++; answers == killAfter {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the victim ended by itself")
	}
	if answers == 0 {
		t.Fatal("the victim acknowledged nothing")
	}
}

func checkAcked(t *testing.T, path string, acked map[string]bool, when string) {
	t.Helper()
	db := openTest(t, Options{Path: path})
	defer db.Close()
	if lost := countLost(names(t, db), acked); lost != 0 {
		t.Errorf("%s: %d of %d acknowledged inserts are lost", when, lost, len(acked))
	}
	var integrity string
	err := db.Read(t.Context(), func(q storage.Querier) error {
		return q.QueryRow(`PRAGMA integrity_check`).Scan(&integrity)
	})
	if err != nil || integrity != "ok" {
		t.Errorf("%s: integrity check says %q, %v", when, integrity, err)
	}
}

func countLost(stored []string, acked map[string]bool) (lost int) {
	there := map[string]bool{}
	for _, name := range stored {
		there[name] = true
	}
	for name := range acked {
		if !there[name] {
			lost++
		}
	}
	return lost
}
