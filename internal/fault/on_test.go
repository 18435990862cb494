//go:build battery

package fault

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain turns the test binary into the victim when the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv("FAULT_TEST_VICTIM") == "" {
		os.Exit(m.Run())
	}
	for range 3 {
		Point("first")
		os.Stdout.WriteString("step\n")
		Point("second:ingest")
	}
	for _, bug := range Bugs() {
		if Bug(bug) {
			os.Stdout.WriteString("bug " + bug + "\n")
		}
	}
}

func runVictim(t *testing.T, env ...string) (out string, killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FAULT_TEST_VICTIM=1")
	cmd.Env = append(cmd.Env, env...)
	b, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status := exit.Sys().(syscall.WaitStatus)
		return string(b), status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b), false
}

func TestPointKillsAtTheNamedArrival(t *testing.T) {
	tests := []struct {
		fail   string
		steps  int
		killed bool
	}{
		{"", 3, false},
		{"first", 0, true},
		{"first#1", 0, true},
		{"first#3", 2, true},
		{"second:ingest#2", 2, true},
		{"first#4", 3, false},
		{"second", 3, false},
	}
	for _, test := range tests {
		t.Run("fail="+test.fail, func(t *testing.T) {
			out, killed := runVictim(t, EnvFail+"="+test.fail)
			if steps := strings.Count(out, "step"); steps != test.steps || killed != test.killed {
				t.Errorf("got %d steps, killed %v; want %d, %v", steps, killed, test.steps, test.killed)
			}
		})
	}
}

func TestPointsAreListedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "points")
	runVictim(t, EnvFailLog+"="+path)
	runVictim(t, EnvFailLog+"="+path, EnvFail+"=first")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "first\nsecond:ingest\nfirst\n"; string(got) != want {
		t.Errorf("list of points is %q, want %q", got, want)
	}
}

func TestBugsAreSwitchedOn(t *testing.T) {
	out, _ := runVictim(t, EnvBug+"=c-body, no-fsync")
	if got := strings.Count(out, "bug "); got != 2 || !strings.Contains(out, "bug c-body") || !strings.Contains(out, "bug no-fsync") {
		t.Errorf("switched on: %q", out)
	}
}

func TestBadSettingsPanic(t *testing.T) {
	for _, env := range []map[string]string{
		{EnvFail: "x#0"}, {EnvFail: "x#y"}, {EnvBug: "no-fsnyc"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v was accepted", env)
				}
			}()
			readPlan(func(k string) string { return env[k] })
		}()
	}
}
