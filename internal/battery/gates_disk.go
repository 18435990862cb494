package battery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// traced starts the host under strace.
func (h *House) traced(ctx context.Context, env []string, options ...string) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return errors.New("strace is missing, and without it nobody sees whether a disk is synced: apt-get install strace")
	}
	log, err := os.OpenFile(h.file("host.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	args := append(append([]string{"-f", "-qq", "-o", h.file("trace")}, options...), h.bin.host(), "serve", "-c", h.file("kaipiao.yaml"))
	if h.host, err = launch(exec.Command(strace, args...), log, env); err != nil {
		return err
	}
	return h.answers(ctx, h.admin+"/readyz", h.host)
}

// killTraced kills the host under its tracer.
func (h *House) killTraced() {
	for _, pid := range children(h.host.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-h.host.ended
}

// syncedBeforeReply posts orders one by one and looks in the trace for a sync of the database's log before each answer.
func syncedBeforeReply(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	if err := r.house.Stop(30 * time.Second); err != nil {
		return err
	}
	if err := r.house.traced(ctx, b.env, "-yy", "-s", "32", "-e", "trace=fsync,fdatasync,write"); err != nil {
		return err
	}
	defer r.house.killTraced()
	const posts = 5
	for i := range posts {
		if err := r.tell(ctx, r.plain(int64(1000 + i)).stages[0]...); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(r.house.file("trace"))
	if err != nil {
		return err
	}
	synced, answers := false, 0
	for line := range strings.SplitSeq(string(text), "\n") {
		switch {
		case strings.Contains(line, "sync(") && strings.Contains(line, "kaipiao.db"):
			synced = true
		case strings.Contains(line, `"HTTP/1.1 200`) && strings.Contains(line, r.house.public[len("http://127.0.0.1:"):]):
			if answers++; !synced {
				return caught(fmt.Sprintf("answer %d left before anything was synced", answers))
			}
			synced = false
		}
	}
	if answers < posts {
		return fmt.Errorf("the trace shows %d answers, %d were given", answers, posts)
	}
	return nil
}

// knownAfterKill posts to a host whose disk is slow, kills it at the moment of the 2xx, and asks whether the event is known.
func knownAfterKill(ctx context.Context, b bench) error {
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	defer r.house.Close()
	if err := r.house.Stop(30 * time.Second); err != nil {
		return err
	}
	wal := filepath.Join(r.house.dir, "data", "kaipiao.db-wal")
	if err := r.house.traced(ctx, b.env, "-P", wal, "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=20000"); err != nil {
		return err
	}
	m := r.plain(1234).stages[0][0]
	err = r.house.sender.tell(ctx, m)
	r.house.killTraced()
	if err != nil {
		return err
	}
	if err := r.house.Start(ctx); err != nil {
		return err
	}
	wrong, err := r.house.sender.recheck(ctx)
	if err == nil && len(wrong) > 0 {
		err = caught(wrong[0])
	}
	return err
}
