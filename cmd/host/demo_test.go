package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// demoRun is a run of the demonstration whose files all lie below a folder of its own.
type demoRun struct {
	*process
	t   *testing.T
	dir string
}

func startDemo(t *testing.T, args ...string) *demoRun {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, bin: program(t), dir: t.TempDir(), env: []string{"TMPDIR=" + dir}}
	return &demoRun{w.start(append([]string{"demo"}, args...)...), t, dir}
}

// output is what was printed up to now.
func (d *demoRun) output() string {
	b, err := os.ReadFile(d.log)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// shows waits until something was printed.
func (d *demoRun) shows(text string) {
	d.t.Helper()
	(&world{t: d.t}).until("the demo does not print "+text, func() error {
		if out := d.output(); !strings.Contains(out, text) {
			return errors.New(out)
		}
		return nil
	})
}

func (d *demoRun) exit() int {
	d.t.Helper()
	select {
	case <-d.exited:
	case <-time.After(2 * patience):
		d.t.Fatalf("the demo does not end:\n%s", d.output())
	}
	return d.cmd.ProcessState.ExitCode()
}

// leavesNothing checks that no process of the demo lives: bureau, host and plugins run with files below its folder.
func (d *demoRun) leavesNothing(folder string) {
	d.t.Helper()
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		d.t.Logf("left out: without /proc the demo's processes can't be counted: %v", err)
		return
	}
	(&world{t: d.t}).until("processes of the demo are left", func() error {
		var left []string
		entries, err := filepath.Glob("/proc/[0-9]*")
		for _, p := range entries {
			cmdline, _ := os.ReadFile(filepath.Join(p, "cmdline")) // of a process that ended meanwhile there is none
			exe, _ := os.Readlink(filepath.Join(p, "exe"))
			if bytes.Contains(cmdline, []byte(folder)) || strings.HasPrefix(exe, folder) {
				left = append(left, p+" "+string(bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '})))
			}
		}
		if len(left) > 0 {
			return errors.New(strings.Join(left, "\n"))
		}
		return err
	})
}

var rowMark = regexp.MustCompile(`(?m)^[✓✗] `)

// TestDemo plays the whole day through every door, solves its problems by the commands beside them, and ends.
func TestDemo(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "--once", "--solve")
	if code := d.exit(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, d.output())
	}
	out := d.output()
	if good, bad := strings.Count(out, "\n✓ "), strings.Count(out, "✗"); good != 24 || bad != 0 {
		t.Errorf("%d rows ended as they should, %d did not:\n%s", good, bad, out)
	}
	solved := out[strings.LastIndex(out, "running:"):]
	if strings.Contains(solved, "→") || strings.Count(solved, "settled") < 8 {
		t.Errorf("problems are left:\n%s", solved)
	}
	d.leavesNothing(d.dir)
	if left, err := os.ReadDir(d.dir); err != nil || len(left) != 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// TestDemoInterrupted: whenever Ctrl-C comes, nothing stays behind.
func TestDemoInterrupted(t *testing.T) {
	for _, at := range []string{"启动沙箱税局", "启动主机", "发送一天的业务"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, "--once", "--lang", "zh")
			d.shows(at)
			if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			if code, out := d.exit(), d.output(); code != exitFailed || !strings.Contains(out, "kaipiao: the demo was interrupted") {
				t.Errorf("exit %d:\n%s", code, out)
			}
			d.leavesNothing(d.dir)
			if left, err := os.ReadDir(d.dir); err != nil || len(left) != 0 {
				t.Errorf("files are left: %v, %v", left, err)
			}
		})
	}
}

// TestDemoServesOn: without --once the demo takes the next free port where the usual one is taken, keeps serving, and
// can be played again on the same data.
func TestDemoServesOn(t *testing.T) {
	t.Parallel()
	const usual = "127.0.0.1:8080"
	l, err := net.Listen("tcp", usual)
	if err != nil {
		t.Logf("%s is taken by another program, which serves the test as well: %v", usual, err)
	}
	dir := t.TempDir()
	for _, lang := range []string{"en", "zh"} {
		if lang == "zh" && l != nil { // now the usual port is free again
			_ = l.Close()
		}
		d := startDemo(t, "--dir", dir, "--lang", lang)
		d.shows(map[string]string{"en": "end with Ctrl-C", "zh": "按 Ctrl-C 结束"}[lang])
		out := d.output()
		if lang == "en" && !regexp.MustCompile(`port 8080 is taken; public takes 127\.0\.0\.1:[0-9]+`).MatchString(out) {
			t.Errorf("nothing is said of the port:\n%s", out)
		}
		if strings.Contains(out, "✗") || len(rowMark.FindAllString(out, -1)) != 12 {
			t.Errorf("rows did not end as they should:\n%s", out)
		}
		if lang == "zh" && (!strings.Contains(out, "已开具") || strings.Contains(out, "settled")) {
			t.Errorf("not in Chinese:\n%s", out)
		}
		admin := regexp.MustCompile(`admin +(http://\S+)`).FindStringSubmatch(out)
		if admin == nil {
			t.Fatalf("no addresses:\n%s", out)
		}
		if r, err := send("GET", admin[1], nil, nil); err != nil || r.status != 200 {
			t.Errorf("%s: %v %v", admin[1], r, err)
		}
		if command := regexp.MustCompile(`→ (.*orders buyer.*)`).FindStringSubmatch(out); command == nil {
			t.Errorf("no command beside the problem:\n%s", out)
		} else if text, err := exec.Command("sh", "-c", command[1]).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command[1], err, text)
		}
		if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := d.exit(); code != 0 {
			t.Errorf("exit %d:\n%s", code, d.output())
		}
		d.leavesNothing(dir)
	}
}
