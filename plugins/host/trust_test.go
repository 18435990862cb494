package host_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/plugins/host"
)

func TestWhatIsNotTrustedDoesNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s setup)
		says  string
	}{
		"changed file": {func(t *testing.T, s setup) {
			replace(t, filepath.Join(s.dir, "misbehave"), "#!/bin/sh\n")
		}, "the lock file says"},
		"file writable by all": {func(t *testing.T, s setup) {
			copyOf(t, filepath.Join(s.dir, "misbehave"), 0o757)
		}, "take write permission"},
		"directory writable by the group": {func(t *testing.T, s setup) {
			chmod(t, s.dir, 0o770)
		}, "take write permission"},
		"lock file writable by all": {func(t *testing.T, s setup) {
			chmod(t, s.lock, 0o666)
		}, "take write permission"},
		"own directory open to others": {func(t *testing.T, s setup) {
			chmod(t, s.own, 0o755)
		}, "must be 0700"},
		"symbolic link": {func(t *testing.T, s setup) {
			path := filepath.Join(s.dir, "misbehave")
			if err := errors.Join(os.Rename(path, path+"2"), os.Symlink(path+"2", path)); err != nil {
				t.Fatal(err)
			}
		}, "too many levels of symbolic links"},
		"name that is a path": {func(t *testing.T, s setup) {
			edit(t, s.lock, `"misbehave": {`, `"../misbehave": {`)
		}, "must match"},
		"file outside of the directory": {func(t *testing.T, s setup) {
			edit(t, s.lock, `"path": "misbehave"`, `"path": "../misbehave"`)
		}, "leaves the plugin directory"},
		"field that nobody knows": {func(t *testing.T, s setup) {
			edit(t, s.lock, `"transport"`, `"trnsport"`)
		}, "unknown field"},
		"lock file of another version": {func(t *testing.T, s setup) {
			edit(t, s.lock, `"version": 1`, `"version": 2`)
		}, "version 2"},
		"no hash": {func(t *testing.T, s setup) {
			edit(t, s.lock, `"sha256": "`, `"sha256": "zz`)
		}, "not a SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t)
			c.spoil(t, s)
			h, err := host.New(s.options())
			if err == nil {
				_ = h.Close(t.Context())
				t.Fatal("the host came up")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want one that says %q", err, c.says)
			}
		})
	}
}

// A copy that was changed after it was made is found at the next start.
func TestChangedCopyDoesNotStart(t *testing.T) {
	s := newSetup(t)
	h := start(t, s.options())
	pidOf(t, h)
	copies, err := filepath.Glob(filepath.Join(s.own, "misbehave-*", "misbehave"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies: %v, %v", copies, err)
	}
	replace(t, copies[0], "#!/bin/sh\n")
	if _, err := say(t, h, "exit"); !errors.Is(err, host.ErrUnavailable) {
		t.Error(err)
	}
	eventually(t, "a refused start", func() bool { return len(status(h).Deaths) >= 2 })
	if why := status(h).Deaths[1].Reason; !strings.Contains(why, "not trusted") {
		t.Errorf("the start failed for another reason: %s", why)
	}
}

func TestUnknownPlugin(t *testing.T) {
	s := newSetup(t)
	o := s.options()
	o.Only = []string{"other"}
	if _, err := host.New(o); !errors.Is(err, host.ErrUnknownPlugin) {
		t.Errorf("a plugin that is not in the lock file: %v", err)
	}
	h := start(t, s.options())
	if _, err := h.Parse(t.Context(), host.Instance{Plugin: "other"}, request("hi")); !errors.Is(err, host.ErrUnknownPlugin) {
		t.Errorf("a call to it: %v", err)
	}
}

func edit(t *testing.T, path, old, new string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), old) {
		t.Fatalf("%s does not hold %s:\n%s", path, old, raw)
	}
	replace(t, path, strings.Replace(string(raw), old, new, 1))
}

// replace writes a new file in the place of the old one, which other tests may share by hard link or run.
func replace(t *testing.T, path, content string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(path+".new", []byte(content), 0o600), os.Chmod(path+".new", info.Mode()),
		os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func copyOf(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	src, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(path + ".new")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(dst, src)
	if err := errors.Join(err, dst.Chmod(mode), dst.Close(), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
