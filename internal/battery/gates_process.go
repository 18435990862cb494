package battery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// goTest runs a package's own test with the tag battery.
func goTest(pkg, name string) func(context.Context, bench) error {
	return func(ctx context.Context, b bench) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "go", "test", "-tags", "battery", "-count=1", "-run", name, pkg)
		cmd.Dir, cmd.Env = b.bin.module, append(os.Environ(), b.env...)
		out, err := cmd.CombinedOutput()
		failed := regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`).FindAllStringSubmatch(string(out), -1)
		if err == nil || len(failed) == 0 {
			return err
		}
		return caught(fmt.Sprintf("%s fails", failed[len(failed)-1][1]))
	}
}

// children lists the child processes of a process.
func children(pid int) (out []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(field); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

func stopsInTime(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	if err := r.tell(ctx, r.plain(1234).stages[0]...); err != nil { // so the plugins run
		return err
	}
	plugins := children(r.house.host.cmd.Process.Pid)
	if len(plugins) == 0 {
		return errors.New("the host runs no plugin")
	}
	for _, pid := range plugins {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return err
		}
	}
	defer func() {
		for _, pid := range plugins {
			_ = syscall.Kill(pid, syscall.SIGKILL) // stopped, it can't see that its host is gone
		}
	}()
	if err := r.house.Stop(30 * time.Second); err != nil {
		return caught(err.Error())
	}
	return nil
}
