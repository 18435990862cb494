package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is the program with its plugins, in a folder that lives as long as the test run.
var built struct {
	dir     string
	plugins sync.Once
	err     error
}

// TestMain lets this binary be the program: under the name kaipiao it runs main. So the tests start what they were
// compiled with, and the demo, which starts itself again, works too.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "kaipiao" {
		main()
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kaipiao-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	self, err := os.Executable()
	if err == nil {
		built.dir = dir
		err = linkOrCopy(self, filepath.Join(dir, "kaipiao"))
	}
	if err != nil {
		panic(err)
	}
	return m.Run()
}

func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// program is the path of kaipiao; its plugins lie beside it in plugins/.
func program(t testing.TB) string {
	t.Helper()
	built.plugins.Do(func() {
		dir := filepath.Join(built.dir, "plugins")
		args := []string{"build", "-ldflags=-s -w", "-o", dir + "/"}
		names := []string{"shop", "pos", "delivery-email", "delivery-sms"}
		for _, n := range names {
			args = append(args, "../../plugins/"+n)
		}
		if built.err = os.Mkdir(dir, 0o755); built.err != nil {
			return
		}
		out, err := exec.Command("go", args...).CombinedOutput()
		if err != nil {
			built.err = errors.Join(err, errors.New(string(out)))
			return
		}
		for _, n := range names { // whatever the umask is, nobody else may write to them
			built.err = errors.Join(built.err, os.Chmod(filepath.Join(dir, n), 0o755))
		}
	})
	if built.err != nil {
		t.Fatalf("build the plugins: %v", built.err)
	}
	return filepath.Join(built.dir, "kaipiao")
}
