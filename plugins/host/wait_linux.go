package host

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// awaitEnd waits for the process to end, kills what is left of its group, and collects it. The group is killed first,
// while the number is still taken by the dead process and can't belong to anybody else.
func (r *groupRunner) awaitEnd() {
	for {
		err := unix.Waitid(unix.P_PID, r.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = syscall.Kill(-r.pid, syscall.SIGKILL)
	_ = r.cmd.Wait() // the process state says more than this error
	r.reaped = true
}
