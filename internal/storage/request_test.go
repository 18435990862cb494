package storage

import (
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

func TestStoredKeyIsShortAndNeverMistakenForAnother(t *testing.T) {
	seen := map[string]string{}
	for _, key := range []string{"", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "订单:1001:3", strings.Repeat("k", 64), strings.Repeat("k", 65), strings.Repeat("k", 66),
		strings.Repeat("长", 22), "a\x00b", "a\x00c", "\xff\xfe"} {
		stored := storedKey(key)
		if plain := len(key) <= 64 && !strings.ContainsAny(key, "\x00\xff"); plain != (stored == key) {
			t.Errorf("key %q is stored as %q", key, stored)
		}
		if len(stored) > 65 {
			t.Errorf("key %q takes %d bytes", key, len(stored))
		}
		if other, ok := seen[stored]; ok {
			t.Errorf("keys %q and %q are stored alike", key, other)
		}
		seen[stored] = key
	}
	if hashed := storedKey(strings.Repeat("k", 65)); storedKey(hashed) == hashed {
		t.Error("a sender can choose a key that looks like a hashed one")
	}
}

func TestMonthOf(t *testing.T) {
	tests := []struct {
		id   core.ID
		want int
	}{
		{core.MakeID(time.Date(2026, time.November, 30, 23, 59, 59, 999e6, time.UTC), 1), 202611},
		{core.MakeID(time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC), 1<<50-1), 202612},
		{core.MakeID(time.Date(2099, time.January, 1, 0, 0, 0, 0, time.UTC), 0), 209901},
		{"", 0},
		{"not an id", 0},
	}
	for _, test := range tests {
		if got := monthOf(test.id); got != test.want {
			t.Errorf("month of %q is %d, want %d", test.id, got, test.want)
		}
	}
}

func TestDueAtIsNeverEarlyAndAtMostABucketLate(t *testing.T) {
	for _, offset := range []time.Duration{0, time.Microsecond, 99_999 * time.Microsecond, 100 * time.Millisecond, 12345678 * time.Microsecond} {
		at := time.Date(2026, time.November, 2, 1, 0, 0, 0, time.UTC).Add(offset)
		due := fromMicros(dueAt(at))
		if due.Before(at) || due.Sub(at) >= bucket || due.UnixMicro()%bucket.Microseconds() != 0 {
			t.Errorf("a task that waits until %s is due at %s", at, due)
		}
	}
}
