//go:build battery

package fault

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Enabled tells whether this binary was built with the tag battery. Guard with it the
// building of a point's name where that costs something.
const Enabled = true

var (
	plan  = readPlan(os.Getenv)
	seen  = map[string]int{}
	guard sync.Mutex
)

type settings struct {
	kill    string // name of the point that kills
	arrival int    // on which arrival, from 1
	log     string // path of the list of points reached
	bugs    []string
}

// readPlan panics on a setting that it does not understand: a misspelt bug would count as
// a bug that the battery failed to find.
func readPlan(getenv func(string) string) settings {
	s := settings{log: getenv(EnvFailLog), arrival: 1}
	name, count, counted := strings.Cut(getenv(EnvFail), "#")
	s.kill = name
	if counted {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			panic(fmt.Sprintf("fault: %s wants name#n with n from 1, got %q", EnvFail, getenv(EnvFail)))
		}
		s.arrival = n
	}
	for bug := range strings.SplitSeq(getenv(EnvBug), ",") {
		bug = strings.TrimSpace(bug)
		if bug == "" {
			continue
		}
		if !slices.Contains(Bugs(), bug) {
			panic(fmt.Sprintf("fault: %s names the unknown bug %q", EnvBug, bug))
		}
		s.bugs = append(s.bugs, bug)
	}
	return s
}

// Point marks a place where the battery may kill the process.
func Point(name string) {
	guard.Lock()
	defer guard.Unlock()
	seen[name]++
	if seen[name] == 1 && plan.log != "" {
		appendLine(plan.log, name)
	}
	if name == plan.kill && seen[name] == plan.arrival {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal needs a moment; nothing may run after the point
	}
}

func appendLine(path, line string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(fmt.Sprintf("fault: cannot append to %s: %v", EnvFailLog, err))
	}
	defer f.Close()
	if _, err := f.WriteString(line + "\n"); err != nil {
		panic(fmt.Sprintf("fault: cannot append to %s: %v", EnvFailLog, err))
	}
}

// Bug tells whether the named seeded bug is on.
func Bug(name string) bool { return slices.Contains(plan.bugs, name) }
