package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Between the socket's birth and a chmod anybody could connect.
func TestAdminSocketIsBornPrivate(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("left out: only Linux lets a socket be born private; elsewhere it is guarded right after")
		return
	}
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := privateSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		t.Errorf("the socket's mode is %o", mode)
	}
}
