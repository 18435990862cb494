package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/internal/storage"
)

func TestDataKeys(t *testing.T) {
	db := openStore(t).db
	write := func(fn func(tx Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), "test", fn); err != nil {
			t.Fatal(err)
		}
	}
	keys := func() (out []storage.DEK) {
		t.Helper()
		err := db.Read(t.Context(), func(q storage.Querier) (err error) {
			out, err = storage.LoadDEKs(q)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	add := func(d, want storage.DEK) {
		t.Helper()
		write(func(tx Tx) error {
			got, err := storage.AddDEK(tx, d)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("stored key (-want +got):\n%s", diff)
			}
			return err
		})
	}
	first := storage.DEK{ID: 1<<63 - 1, Seller: "seller-a", Month: "2026-11", Generation: 1, Wrapped: []byte("first")}
	rival := storage.DEK{ID: 7, Seller: "seller-a", Month: "2026-11", Generation: 1, Wrapped: []byte("rival")}
	second := storage.DEK{ID: 8, Seller: "seller-a", Month: "2026-11", Generation: 2, Wrapped: []byte("second")}
	add(first, first)
	add(rival, first) // another host was faster
	add(second, second)

	erased := first
	erased.Wrapped = nil
	second.Wrapped = []byte("wrapped by another key file")
	write(func(tx Tx) error { return storage.ReplaceDEKs(tx, []storage.DEK{erased, second}) })
	write(func(tx Tx) error { return storage.ReplaceDEKs(tx, []storage.DEK{first, second}) }) // it stays erased
	if diff := cmp.Diff([]storage.DEK{second, erased}, keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}

	unknown := storage.DEK{ID: 9, Wrapped: []byte("x")}
	second.Wrapped = []byte("not stored")
	err := db.Write(t.Context(), "test", func(tx Tx) error { return storage.ReplaceDEKs(tx, []storage.DEK{second, unknown}) })
	if err == nil {
		t.Error("an unknown key was replaced")
	}
	if got := keys(); string(got[0].Wrapped) == "not stored" {
		t.Error("half of the keys were replaced")
	}
}

// Erasing a key erases every value under it, so the file must not keep the key in a gap of a page.
func TestErasedKeyIsNotInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	secret := bytes.Repeat([]byte("the wrapped key that must go "), 2)
	key := storage.DEK{ID: 2, Seller: "seller-a", Month: "2026-11", Generation: 2, Wrapped: secret}
	before, after := key, key
	before.ID, before.Generation, before.Wrapped = 1, 1, []byte("another key")
	after.ID, after.Generation, after.Wrapped = 3, 3, []byte("another key")
	for _, d := range []storage.DEK{before, key, after} {
		if err := db.Write(t.Context(), "test", func(tx Tx) error { _, err := storage.AddDEK(tx, d); return err }); err != nil {
			t.Fatal(err)
		}
	}
	key.Wrapped = nil
	if err := db.Write(t.Context(), "test", func(tx Tx) error { return storage.ReplaceDEKs(tx, []storage.DEK{key}) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, secret[:16]) {
		t.Error("the file still holds a part of the erased key")
	}
}
