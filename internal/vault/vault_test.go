package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

func TestSealedValue(t *testing.T) {
	store := &memory{}
	k := newKeyring(t, store)
	sealed := mustSeal(t, k, "s1", november, "上海某某有限公司")
	if len(sealed) != len("上海某某有限公司")+Overhead || sealed[0] != 1 || bytes.Contains(sealed, []byte("某某")) {
		t.Errorf("sealed value is %x", sealed)
	}
	row := store.rows[len(store.rows)-1]
	if binary.BigEndian.Uint64(sealed[1:9]) != row.ID || row.Seller != "s1" || row.Month != "2026-11" || row.Generation != 1 || row.ID>>63 != 0 {
		t.Errorf("key of the value is %+v", row)
	}
	wantText(t, k, sealed, "上海某某有限公司")
	wantText(t, newKeyring(t, store), sealed, "上海某某有限公司") // after a restart
	if again := mustSeal(t, k, "s1", november, "上海某某有限公司"); bytes.Equal(again[9:], sealed[9:]) {
		t.Error("equal texts were sealed equally")
	}
	wantText(t, k, mustSeal(t, k, "s1", november, ""), "")
}

func TestKeysFollowSellerAndMonth(t *testing.T) {
	k := newKeyring(t, &memory{})
	id := func(seller string, at time.Time) string { return string(mustSeal(t, k, seller, at, "x")[1:9]) }
	base := id("s1", november)
	tests := []struct {
		seller string
		at     time.Time
		same   bool
	}{
		{"s1", november, true},
		{"s1", time.Date(2026, 11, 30, 15, 59, 0, 0, time.UTC), true},
		{"s1", time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC), false}, // December in China
		{"s1", time.Date(2026, 10, 31, 16, 0, 0, 0, time.UTC), true},
		{"s1", december, false},
		{"s2", november, false},
		{"", november, false},
	}
	for _, test := range tests {
		if got := id(test.seller, test.at) == base; got != test.same {
			t.Errorf("%s at %s: same key %v, want %v", test.seller, test.at, got, test.same)
		}
	}
}

func TestValueOpensOnlyInItsPlace(t *testing.T) {
	k := newKeyring(t, &memory{})
	sealed := mustSeal(t, k, "s1", november, "text")
	for _, p := range []Place{
		{"refund", "01J", "buyer"}, {"sale", "01K", "buyer"}, {"sale", "01J", "mobile"},
		{"sal", "e01J", "buyer"}, {"sale", "01Jb", "uyer"}, {},
	} {
		if _, err := k.Open(p, sealed); !errors.Is(err, ErrAltered) {
			t.Errorf("opened in %+v: %v", p, err)
		}
	}
}

func TestAlteredValues(t *testing.T) {
	k := newKeyring(t, &memory{})
	sealed := mustSeal(t, k, "s1", november, "text")
	other := mustSeal(t, k, "s2", november, "text")
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		want := ErrAltered
		if i >= 1 && i < 9 {
			want = ErrUnknownKey
		}
		wantErr(t, k, altered, want)
	}
	for n := range Overhead {
		wantErr(t, k, sealed[:n], ErrAltered)
	}
	wantErr(t, k, append(bytes.Clone(other[:9]), sealed[9:]...), ErrAltered) // another seller's key id
}

func TestErase(t *testing.T) {
	store := &memory{}
	k, elsewhere := newKeyring(t, store), newKeyring(t, store)
	old := mustSeal(t, k, "s1", november, "old")
	if err := k.Renew(t.Context(), "s1", november); err != nil {
		t.Fatal(err)
	}
	renewed := mustSeal(t, k, "s1", november, "renewed")
	if bytes.Equal(old[:9], renewed[:9]) {
		t.Error("a renewed key has the old id")
	}
	next, other := mustSeal(t, k, "s1", december, "next"), mustSeal(t, k, "s2", november, "other")
	wantText(t, k, old, "old")
	wantText(t, elsewhere, renewed, "renewed") // loads the key that it does not know

	if n, err := k.Erase(t.Context(), "s1", november); n != 2 || err != nil {
		t.Errorf("erased %d keys, %v", n, err)
	}
	if n, err := k.Erase(t.Context(), "s1", november); n != 0 || err != nil {
		t.Errorf("erased %d keys the second time, %v", n, err)
	}
	if err := elsewhere.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ring := range []*Keyring{k, elsewhere, newKeyring(t, store)} {
		wantErr(t, ring, old, ErrErased)
		wantErr(t, ring, renewed, ErrErased)
		wantText(t, ring, next, "next")
		wantText(t, ring, other, "other")
	}
	wantText(t, k, mustSeal(t, k, "s1", november, "late"), "late") // under a third key
	wantErr(t, k, old, ErrErased)
}

func TestRewrap(t *testing.T) {
	store := &memory{}
	k := newKeyring(t, store)
	sealed, gone, index := mustSeal(t, k, "s1", november, "text"), mustSeal(t, k, "s2", november, "gone"), k.Index("mobile", "1")
	if _, err := k.Erase(t.Context(), "s2", november); err != nil {
		t.Fatal(err)
	}
	store.fail = errStore
	if err := k.RewrapAll(t.Context(), kekB); !errors.Is(err, errStore) {
		t.Errorf("rewrap on a failing store: %v", err)
	}
	store.fail = nil
	wantText(t, newKeyring(t, store), sealed, "text")

	if err := k.RewrapAll(t.Context(), kekB); err != nil {
		t.Fatal(err)
	}
	later := mustSeal(t, k, "s1", december, "later") // its key is under the new KEK
	for _, ring := range []*Keyring{k, newKeyring(t, store, kekB), newKeyring(t, store, kekA, kekB)} {
		wantText(t, ring, sealed, "text")
		wantText(t, ring, later, "later")
		wantErr(t, ring, gone, ErrErased)
		if ring.Index("mobile", "1") != index {
			t.Error("the blind index changed with the KEK")
		}
	}
	_, err := New(t.Context(), store, kekA)
	if !errors.Is(err, errOtherKEK) || !strings.Contains(err.Error(), kekB.ID()) {
		t.Errorf("opened with the old KEK alone: %v, want a hint at %s", err, kekB.ID())
	}
}

func TestAlteredRowIsNoticed(t *testing.T) {
	alter := map[string]func(*WrappedDEK){
		"seller":     func(d *WrappedDEK) { d.Seller = "s2" },
		"month":      func(d *WrappedDEK) { d.Month = "2026-12" },
		"id":         func(d *WrappedDEK) { d.ID++ },
		"generation": func(d *WrappedDEK) { d.Generation++ },
		"key":        func(d *WrappedDEK) { d.Wrapped[30] ^= 1 },
		"version":    func(d *WrappedDEK) { d.Wrapped[0]++ },
		"short":      func(d *WrappedDEK) { d.Wrapped = d.Wrapped[:4] },
	}
	for name, change := range alter {
		store := &memory{}
		mustSeal(t, newKeyring(t, store), "s1", november, "text")
		change(&store.rows[len(store.rows)-1])
		if _, err := New(t.Context(), store, kekA); err == nil {
			t.Errorf("altered %s of a key's row was not noticed", name)
		}
	}
}

func TestStoreFailures(t *testing.T) {
	store := &memory{}
	k := newKeyring(t, store)
	sealed := mustSeal(t, k, "s1", november, "text")
	store.fail = errStore
	if _, err := New(t.Context(), store, kekA); !errors.Is(err, errStore) {
		t.Errorf("new keyring: %v", err)
	}
	if _, err := k.Seal("s1", december, place, nil); !errors.Is(err, errStore) {
		t.Errorf("first seal of a month: %v", err)
	}
	if _, err := k.Erase(t.Context(), "s1", november); !errors.Is(err, errStore) {
		t.Errorf("erase: %v", err)
	}
	wantText(t, k, sealed, "text") // known keys need no store
	mustSeal(t, k, "s1", november, "text")
	store.fail = nil
	mustSeal(t, k, "s1", december, "text")
}

func TestIndex(t *testing.T) {
	store := &memory{}
	k := newKeyring(t, store)
	got := k.Index("mobile", "13800001234")
	if len(got) != 32 || got != k.Index("mobile", "13800001234") || got != newKeyring(t, store).Index("mobile", "13800001234") {
		t.Errorf("index %s is not stable", got)
	}
	for _, other := range []string{
		k.Index("mobile", "13800001235"), k.Index("tax-number", "13800001234"), k.Index("mobile1", "3800001234"),
		newKeyring(t, &memory{}).Index("mobile", "13800001234"),
	} {
		if other == got {
			t.Error("two different values have one index")
		}
	}
}

func TestParallelUse(t *testing.T) {
	store := &memory{}
	hosts := []*Keyring{newKeyring(t, store), newKeyring(t, store)}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				seller, at := fmt.Sprint("s", i%5), november.AddDate(0, i%3, 0)
				text := fmt.Sprintf("text %d of %d", i, g)
				sealed, err := hosts[g%2].Seal(seller, at, place, []byte(text))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := hosts[(g+1)%2].Open(place, sealed); err != nil || string(got) != text {
					t.Errorf("the other host opened %q, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := len(store.rows); got != 1+5*3 {
		t.Errorf("%d keys are stored, want one for each seller and month and the index", got)
	}
}

func TestKeyringDoesNotPrint(t *testing.T) {
	k := newKeyring(t, &memory{})
	if got := fmt.Sprintf("%v %+v %#v %d", k, k, k, k); got != "[keyring] [keyring] [keyring] [keyring]" {
		t.Errorf("keyring prints as %s", got)
	}
}

func FuzzOpen(f *testing.F) {
	k := newKeyring(f, &memory{})
	sealed := mustSeal(f, k, "s1", november, "text")
	f.Add(sealed)
	f.Add(sealed[:len(sealed)-1])
	f.Add([]byte{})
	f.Add(make([]byte, Overhead))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := k.Open(place, b)
		if bytes.Equal(b, sealed) != (err == nil) || (err != nil && got != nil) {
			t.Errorf("opened %x: %q, %v", b, got, err)
		}
	})
}

func BenchmarkSeal2KB(b *testing.B) {
	k := newKeyring(b, &memory{})
	text := make([]byte, 2048)
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := k.Seal("s1", november, place, text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := gmcrypto.SealGCM(gmcrypto.Key{1}, text, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
