package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// installed is a plugin's copy in the host's own directory, ready to run.
type installed struct {
	name  string
	entry Entry
	dir   string
	// path and args are what is executed; sum is the hash of path.
	path string
	args []string
	sum  []byte
}

// install copies a plugin's files below own, checks the copies against the lock file, and gives what is to be run. The
// hash is taken of the bytes that were copied, so nobody can swap a file between check and run.
func install(dir, own, name string, e Entry) (*installed, error) {
	if err := guardDir(dir, false); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	target := filepath.Join(own, name+"-"+e.key()[:32])
	if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
		if err := copyAll(dir, own, target, e); err != nil {
			return nil, fmt.Errorf("plugin %s: %w", name, err)
		}
	}
	in := &installed{name: name, entry: e, dir: target, path: filepath.Join(target, e.Files[0].Path), args: e.Args}
	sum := e.Files[0].SHA256
	if e.Interpreter != nil {
		in.args = append([]string{in.path}, e.Args...)
		in.path, sum = e.Interpreter.Path, e.Interpreter.SHA256
	}
	in.sum, _ = hex.DecodeString(sum)
	if err := expectHash(in.path, sum); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	return in, in.verify()
}

// verify checks the copy again before each start: all but the program itself, which the runner checks at the last moment.
func (in *installed) verify() error {
	if err := guardDir(in.dir, true); err != nil {
		return fmt.Errorf("plugin %s: %w", in.name, err)
	}
	for _, f := range in.entry.Files {
		path := filepath.Join(in.dir, f.Path)
		if path == in.path {
			continue
		}
		if err := expectHash(path, f.SHA256); err != nil {
			return fmt.Errorf("plugin %s: %w", in.name, err)
		}
	}
	return nil
}

// copyAll builds the copy beside its place and then moves it there, so that a half-made one is never found.
func copyAll(dir, own, target string, e Entry) error {
	temp, err := os.MkdirTemp(own, ".new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	for i, f := range e.Files {
		mode := fs.FileMode(0o400)
		if i == 0 && e.Interpreter == nil {
			mode = 0o500
		}
		if err := copyChecked(filepath.Join(dir, f.Path), filepath.Join(temp, f.Path), mode, f.SHA256); err != nil {
			return err
		}
	}
	return os.Rename(temp, target)
}

func copyChecked(from, to string, mode fs.FileMode, sum string) error {
	src, err := openGuarded(from)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(dst, h), src)
	if err := errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("%w: %s has SHA-256 %s, the lock file says %s; if you changed it, run \"kaipiao plugin trust\"",
			ErrUntrusted, from, got, sum)
	}
	return nil
}

// openGuarded opens a regular file that nobody but its owner (root or the host's user) may write to.
func openGuarded(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = guard(path, info)
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is not a regular file", ErrUntrusted, path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// guardDir refuses a directory that others may write to; a private one must not even be readable to them.
func guardDir(path string, private bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is not a directory", ErrUntrusted, path)
	}
	if private && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %v; it must be 0700", ErrUntrusted, path, info.Mode().Perm())
	}
	return guard(path, info)
}

func guard(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%w: %s has mode %v; take write permission from group and others", ErrUntrusted, path, info.Mode().Perm())
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d, neither root nor the host's user", ErrUntrusted, path, st.Uid)
	}
	return nil
}

func hashFile(path string) (string, error) {
	f, err := openGuarded(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func expectHash(path, sum string) error {
	got, err := hashFile(path)
	if err != nil {
		return err
	}
	if got != sum {
		return fmt.Errorf("%w: %s has SHA-256 %s, the lock file says %s", ErrUntrusted, path, got, sum)
	}
	return nil
}
