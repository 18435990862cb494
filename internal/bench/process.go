//go:build linux

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// process is a child that somebody waits for.
type process struct {
	name  string
	log   string
	cmd   *exec.Cmd
	ended chan struct{}
}

// launch starts a child whose output goes to a file. It does not outlive this program.
func launch(dir, name string, command ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), cmd: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// stop asks the process to end and, if it does not, ends it. A process that is nil was never started.
func (p *process) stop(patience time.Duration) error {
	if p == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		return nil
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("the %s did not stop within %s", p.name, patience)
	}
}

// answers waits until an address answers 200.
func (p *process) answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := get(ctx, url); err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("the %s ended: %s", p.name, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("the %s does not answer at %s: %s", p.name, url, p.lastWords())
		case <-tick.C:
		}
	}
}

// lastWords is the end of the process's output.
func (p *process) lastWords() string {
	b, _ := os.ReadFile(p.log) // best effort: it only explains another error
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

var client = &http.Client{Timeout: 10 * time.Second}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", req.URL.Path, res.Status)
	}
	return b.Bytes(), nil
}

// jiffy is the unit of processor times in /proc, 100 a second on every Linux that Go runs on.
const jiffy = 10 * time.Millisecond

// usage is what a process and its children have used of the processors.
type usage struct{ own, children time.Duration }

func (u usage) since(before usage) usage {
	return usage{u.own - before.own, u.children - before.children}
}

// usage reads the processor time of the process and of the children it has now: a host's plugins.
func (p *process) usage() (u usage, err error) {
	pid := p.cmd.Process.Pid
	if u.own, _, err = cpuOf(pid); err != nil {
		return u, err
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return u, err
	}
	for _, path := range stats {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return u, err
		}
		if spent, parent, err := cpuOf(child); err == nil && parent == pid { // others come and go
			u.children += spent
		}
	}
	return u, nil
}

func cpuOf(pid int) (spent time.Duration, parent int, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	return parseStat(string(b))
}

// parseStat reads a line of /proc/PID/stat. The name in it may hold anything, so fields are counted behind it.
func parseStat(s string) (spent time.Duration, parent int, err error) {
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, errors.New("a line of /proc/PID/stat has too few fields")
	}
	parent, err = strconv.Atoi(fields[1])
	user, uerr := strconv.ParseInt(fields[11], 10, 64)
	system, serr := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * jiffy, parent, errors.Join(err, uerr, serr)
}

// memory is a process's resident memory in bytes, now and at its most.
type memory struct{ now, peak int64 }

func (p *process) memory() (memory, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return memory{}, err
	}
	return parseStatus(string(b))
}

func parseStatus(s string) (m memory, err error) {
	for line := range strings.Lines(s) {
		name, value, _ := strings.Cut(line, ":")
		var into *int64
		switch name {
		case "VmRSS":
			into = &m.now
		case "VmHWM":
			into = &m.peak
		default:
			continue
		}
		kb, perr := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		*into, err = kb<<10, errors.Join(err, perr)
	}
	if m.now == 0 || m.peak == 0 {
		err = errors.Join(err, errors.New("/proc/PID/status tells no memory"))
	}
	return m, err
}

// processor says what a fixed piece of work costs now, an SM3 of 2 KB: on a machine that is busy with other things every
// processor time is higher.
func processor() (string, error) {
	record := make([]byte, eventSize)
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		return "", err
	}
	const n = 2000
	for range n {
		gmcrypto.SM3(record)
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		return "", err
	}
	spent := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	return fmt.Sprintf("processor now: %.1f µs an SM3 of 2 KB", float64(spent.Nanoseconds())/n/1000), nil
}
