package vault

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// memory is a Store like a database's: several hosts may share it.
type memory struct {
	mu    sync.Mutex
	rows  []WrappedDEK
	loads int
	fail  error
}

func (m *memory) LoadDEKs(context.Context) ([]WrappedDEK, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loads++
	return slices.Clone(m.rows), m.fail
}

func (m *memory) AddDEK(_ context.Context, d WrappedDEK) (WrappedDEK, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return WrappedDEK{}, m.fail
	}
	for _, row := range m.rows {
		if row.Seller == d.Seller && row.Month == d.Month && row.Generation == d.Generation {
			return row, nil
		}
	}
	m.rows = append(m.rows, d)
	return d, nil
}

func (m *memory) ReplaceDEKs(_ context.Context, ds []WrappedDEK) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, d := range ds {
		for i := range m.rows {
			if m.rows[i].ID == d.ID && !m.rows[i].erased() {
				m.rows[i].Wrapped = d.Wrapped
			}
		}
	}
	return nil
}

var errStore = errors.New("store is down")

var (
	november = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	december = november.AddDate(0, 1, 0)
	place    = Place{Table: "sale", Row: "01J", Column: "buyer"}
	kekA     = newKEK(gmcrypto.Key{1})
	kekB     = newKEK(gmcrypto.Key{2})
)

func newKeyring(t testing.TB, store Store, keks ...KEK) *Keyring {
	t.Helper()
	if len(keks) == 0 {
		keks = []KEK{kekA}
	}
	k, err := New(t.Context(), store, keks[0], keks[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustSeal(t testing.TB, k *Keyring, seller string, at time.Time, text string) []byte {
	t.Helper()
	sealed, err := k.Seal(seller, at, place, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func wantText(t testing.TB, k *Keyring, sealed []byte, want string) {
	t.Helper()
	got, err := k.Open(place, sealed)
	if err != nil || string(got) != want {
		t.Errorf("opened %q, %v; want %q", got, err, want)
	}
}

func wantErr(t testing.TB, k *Keyring, sealed []byte, want error) {
	t.Helper()
	if got, err := k.Open(place, sealed); !errors.Is(err, want) || got != nil {
		t.Errorf("opened %q, %v; want error %v", got, err, want)
	}
}
