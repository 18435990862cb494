package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrLocked means that another process has the database open.
var ErrLocked = errors.New("database is in use by another process")

// prepareFiles makes the folder and an empty database file that nobody else can read. SQLite
// gives the files beside it the same permissions.
//
// It must run before SQLite opens the file: closing any descriptor of a database file drops
// all POSIX locks that this process holds on it.
func prepareFiles(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder for database %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("create database %s: %w", path, err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return fmt.Errorf("protect database %s from other users: %w", path, err)
	}
	return nil
}

// acquireLock takes the lock that keeps a second host away. The kernel drops it when the
// process ends, however it ends; the process number inside is for people.
func acquireLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of database %s: %w", path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(f, 20))
		_ = f.Close()
		return nil, fmt.Errorf("open %s: %w (process %s): stop that process, or give the command to it through its admin socket",
			path, ErrLocked, holderName(holder))
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock database %s: %w", path, err)
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("note the process number in the lock of database %s: %w", path, err)
	}
	return f, nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

func holderName(content []byte) string {
	pid, err := strconv.Atoi(string(bytes.TrimSpace(content)))
	if err != nil {
		return "unknown"
	}
	return strconv.Itoa(pid)
}
