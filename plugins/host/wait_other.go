//go:build !linux

package host

import "syscall"

// awaitEnd waits for the process to end and kills what is left of its group.
func (r *groupRunner) awaitEnd() {
	_ = r.cmd.Wait() // the process state says more than this error
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = syscall.Kill(-r.pid, syscall.SIGKILL)
	r.reaped = true
}
