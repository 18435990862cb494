package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// namePattern keeps a plugin's name from ever being a path.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}$`)

// Transport is how the host talks to a plugin.
type Transport string

const (
	// MTLS is for plugins on the Go SDK: a Unix socket with one-time certificates on both sides.
	MTLS Transport = "mtls"
	// Socket is for plugins in other languages: a Unix socket in a folder that only the host's user can enter.
	Socket Transport = "socket"
)

// Lock is the lock file: the plugins that may run, each file by its hash.
type Lock struct {
	Version int              `json:"version"`
	Plugins map[string]Entry `json:"plugins"`
}

// Entry is one trusted plugin. The first file is the program, or the script when there is an interpreter.
type Entry struct {
	Transport   Transport    `json:"transport"`
	Interpreter *TrustedFile `json:"interpreter,omitempty"`
	// Files are all files of the plugin, by path relative to the plugin directory.
	Files []TrustedFile `json:"files"`
	Args  []string      `json:"args,omitempty"`
}

// TrustedFile is a file with its SHA-256 in lower-case hex.
type TrustedFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

const lockVersion = 1

// ReadLock reads a lock file and refuses one that others may write to. A missing file is an empty lock.
func ReadLock(path string) (Lock, error) {
	raw, err := readGuarded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{Version: lockVersion, Plugins: map[string]Entry{}}, nil
	}
	if err != nil {
		return Lock{}, fmt.Errorf("lock file: %w", err)
	}
	var lock Lock
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&lock); err != nil {
		return Lock{}, fmt.Errorf("lock file %s: %w", path, err)
	}
	if lock.Version != lockVersion {
		return Lock{}, fmt.Errorf("lock file %s has version %d, this host reads %d", path, lock.Version, lockVersion)
	}
	for name, e := range lock.Plugins {
		if err := e.check(name); err != nil {
			return Lock{}, fmt.Errorf("lock file %s: %w", path, err)
		}
	}
	return lock, nil
}

func readGuarded(path string) ([]byte, error) {
	f, err := openGuarded(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func (e Entry) check(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("plugin name %q must match %s", name, namePattern)
	}
	if e.Transport != MTLS && e.Transport != Socket {
		return fmt.Errorf("plugin %s: transport %q is neither %s nor %s", name, e.Transport, MTLS, Socket)
	}
	if len(e.Files) == 0 {
		return fmt.Errorf("plugin %s has no files", name)
	}
	for _, f := range e.Files {
		if !filepath.IsLocal(f.Path) {
			return fmt.Errorf("plugin %s: file %q leaves the plugin directory", name, f.Path)
		}
		if err := f.checkHash(name); err != nil {
			return err
		}
	}
	if e.Interpreter == nil {
		return nil
	}
	if !filepath.IsAbs(e.Interpreter.Path) {
		return fmt.Errorf("plugin %s: interpreter %q is not an absolute path", name, e.Interpreter.Path)
	}
	return e.Interpreter.checkHash(name)
}

func (f TrustedFile) checkHash(name string) error {
	if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("plugin %s: %s has %q, which is not a SHA-256", name, f.Path, f.SHA256)
	}
	return nil
}

// key names the installed copy: it changes when any file, its place or the way of starting does.
func (e Entry) key() string {
	h := sha256.New()
	for _, f := range e.Files {
		fmt.Fprintf(h, "%s %q\n", f.SHA256, f.Path)
	}
	if e.Interpreter != nil {
		fmt.Fprintf(h, "%s %q\n", e.Interpreter.SHA256, e.Interpreter.Path)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Program says what a plugin consists of, for [Trust]. Paths are relative to the plugin directory.
type Program struct {
	Files       []string
	Interpreter string
	Args        []string
	Transport   Transport
}

// Trust hashes a plugin's files as they are now and writes them into the lock file under its name.
func Trust(dir, lockPath, name string, p Program) (Entry, error) {
	lock, err := ReadLock(lockPath)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Transport: p.Transport, Args: p.Args}
	for _, path := range p.Files {
		sum, err := hashFile(filepath.Join(dir, path))
		if err != nil {
			return Entry{}, fmt.Errorf("trust plugin %s: %w", name, err)
		}
		e.Files = append(e.Files, TrustedFile{Path: filepath.ToSlash(path), SHA256: sum})
	}
	if p.Interpreter != "" {
		resolved, err := filepath.EvalSymlinks(p.Interpreter)
		if err != nil {
			return Entry{}, fmt.Errorf("trust plugin %s: interpreter: %w", name, err)
		}
		sum, err := hashFile(resolved)
		if err != nil {
			return Entry{}, fmt.Errorf("trust plugin %s: interpreter: %w", name, err)
		}
		e.Interpreter = &TrustedFile{Path: resolved, SHA256: sum}
	}
	if err := e.check(name); err != nil {
		return Entry{}, err
	}
	lock.Plugins[name] = e
	return e, writeLock(lockPath, lock)
}

// Names lists the plugins in order.
func (l Lock) Names() []string { return slices.Sorted(maps.Keys(l.Plugins)) }

func writeLock(path string, lock Lock) error {
	raw, err := json.MarshalIndent(lock, "", "  ")
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".plugins-lock-*")
	if err != nil {
		return fmt.Errorf("write lock file: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(append(raw, '\n'))
	if err := errors.Join(err, temp.Chmod(0o600), temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write lock file %s: %w", path, err)
	}
	return os.Rename(temp.Name(), path)
}
