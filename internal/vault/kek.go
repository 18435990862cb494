package vault

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// KEK is the key that encrypts the data keys. It lives in a file of its own, outside the
// database's folder, so that a copy of the database alone is worthless.
type KEK struct {
	key gmcrypto.Key
	id  kekID
}

type kekID [4]byte

func newKEK(key gmcrypto.Key) KEK {
	digest := gmcrypto.HMACSM3(key[:], []byte("kaipiao kek id"))
	return KEK{key: key, id: kekID(digest[:4])}
}

// ID is a short fingerprint for people: it tells which key file belongs to a database.
func (k KEK) ID() string { return hex.EncodeToString(k.id[:]) }

// Format shows the fingerprint and never the key, whose own Format is not asked in a private field.
func (k KEK) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[kek "+k.ID()+"]") }

// CreateKEK draws a key and writes it to a new file that only its owner can read. The file
// must be outside dataFolder. Keep a copy of it apart from the copies of the database: without
// it nothing in them can be read.
func CreateKEK(path, dataFolder string) (KEK, error) {
	if err := checkOutside(path, dataFolder); err != nil {
		return KEK{}, err
	}
	key := gmcrypto.NewKey()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return KEK{}, fmt.Errorf("create key file %s (an existing one is never overwritten): %w", path, err)
	}
	_, err = io.WriteString(f, hex.EncodeToString(key[:])+"\n")
	if err := errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path))); err != nil {
		return KEK{}, errors.Join(fmt.Errorf("write key file %s: %w", path, err), os.Remove(path))
	}
	return newKEK(key), nil
}

// syncFolder makes a new file's name last.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// LoadKEK reads a key file: 32 hex digits. It refuses a file that others can read, and one
// inside dataFolder.
func LoadKEK(path, dataFolder string) (KEK, error) {
	if err := checkOutside(path, dataFolder); err != nil {
		return KEK{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return KEK{}, fmt.Errorf("open key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return KEK{}, fmt.Errorf("inspect key file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return KEK{}, fmt.Errorf("key file %s must be a regular file that only its owner can read, its mode is %s: chmod 0400 %s",
			path, info.Mode(), path)
	}
	content, err := io.ReadAll(io.LimitReader(f, 100))
	if err != nil {
		return KEK{}, fmt.Errorf("read key file %s: %w", path, err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(content)))
	if err != nil || len(raw) != gmcrypto.KeySize {
		return KEK{}, fmt.Errorf("key file %s must hold %d hex digits and nothing else", path, 2*gmcrypto.KeySize)
	}
	return newKEK(gmcrypto.Key(raw)), nil
}

// checkOutside follows symbolic links of both folders, as far as they exist.
func checkOutside(path, dataFolder string) error {
	folder, err := resolve(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("find the folder of key file %s: %w", path, err)
	}
	data, err := resolve(dataFolder)
	if errors.Is(err, os.ErrNotExist) {
		data, err = filepath.Abs(dataFolder)
	}
	if err != nil {
		return fmt.Errorf("find the data folder %s: %w", dataFolder, err)
	}
	rel, err := filepath.Rel(data, folder)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("key file %s is inside the data folder %s, so that a copy of the data would hold its key: move it elsewhere",
			path, dataFolder)
	}
	return nil
}

func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}
