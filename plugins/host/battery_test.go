//go:build battery

package host_test

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/kaipiao/kaipiao/internal/fault"
)

// The test of a frozen plugin finds the mistake that it is there for.
func TestFrozenPluginTestFindsTheSeededBug(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCloseDoesNotWaitForAFrozenPlugin$", "-test.timeout=20s", "-test.v")
	cmd.Env = append(os.Environ(), fault.EnvBug+"="+fault.BugPluginKillNoDeadline)
	out, err := cmd.CombinedOutput()
	if m := regexp.MustCompile(`frozen process (\d+)`).FindSubmatch(out); m != nil {
		// Stopped, it can't see that its host is gone.
		if pid, convErr := strconv.Atoi(string(m[1])); convErr == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if err == nil || !strings.Contains(string(out), "test timed out") {
		t.Errorf("a stop without deadline went unnoticed: %v\n%s", err, out)
	}
}
