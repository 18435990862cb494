package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	data, path := filepath.Join(dir, "data"), filepath.Join(dir, "kek")
	made, err := CreateKEK(path, data) // the data folder need not exist yet
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	loaded, err := LoadKEK(path, data)
	if err != nil || loaded != made {
		t.Errorf("loaded %s, %v; made %s", loaded.ID(), err, made.ID())
	}
	if _, err := CreateKEK(path, data); err == nil {
		t.Error("an existing key file was overwritten")
	}
	shown := fmt.Sprintf("%v %+v %#v %x %d", made, made, made, made, made)
	if want := strings.TrimSpace(strings.Repeat("[kek "+made.ID()+"] ", 5)); shown != want {
		t.Errorf("key prints as %s", shown)
	}
}

func TestBadKeyFiles(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(filepath.Join(data, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(data, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	const good = "0123456789abcdeffedcba9876543210\n"
	tests := []struct {
		name, content string
		mode          os.FileMode
		want          string
	}{
		{"kek", good, 0o600, ""},
		{"data2", good, 0o400, ""}, // beside the folder, not in it
		{"kek", good, 0o440, "chmod 0400"},
		{"kek", good, 0o404, "chmod 0400"},
		{"kek", good, 0o640, "chmod 0400"},
		{"kek", good[:30], 0o400, "32 hex digits"},
		{"kek", good + good, 0o400, "32 hex digits"},
		{"kek", "", 0o400, "32 hex digits"},
		{"kek", strings.Repeat("x", 32), 0o400, "32 hex digits"},
		{"data/kek", good, 0o400, "inside the data folder"},
		{"data/deep/kek", good, 0o400, "inside the data folder"},
		{"link/kek", good, 0o400, "inside the data folder"},
		{"data/../data/kek", good, 0o400, "inside the data folder"},
	}
	for _, test := range tests {
		path := filepath.Join(dir, test.name)
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadKEK(path, data)
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s with mode %o and %q: %v, want %q", test.name, test.mode, test.content, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "0123456789") {
			t.Errorf("the key is in the error %v", err)
		}
	}
	if _, err := LoadKEK(filepath.Join(dir, "missing"), data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing key file: %v", err)
	}
	if _, err := LoadKEK(filepath.Join(dir, "link"), filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("a folder was taken for a key file")
	}
	if _, err := CreateKEK(filepath.Join(data, "new"), data); err == nil {
		t.Error("a key file was made in the data folder")
	}
}
