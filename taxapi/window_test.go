package taxapi_test

import (
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/taxapi"
)

func TestWindows(t *testing.T) {
	tests := []struct{ window, at, until string }{
		{"23:30-00:30", "2026-11-25T23:29:59+08:00", ""},
		{"23:30-00:30", "2026-11-25T23:30:00+08:00", "2026-11-26T00:30:00+08:00"},
		{"23:30-00:30", "2026-11-26T00:29:59+08:00", "2026-11-26T00:30:00+08:00"},
		{"23:30-00:30", "2026-11-26T00:30:00+08:00", ""},
		{"23:30-00:30", "2026-11-25T16:00:00Z", "2026-11-26T00:30:00+08:00"}, // midnight in Beijing
		{"08:00-08:00", "2026-11-25T07:59:59+08:00", "2026-11-25T08:00:00+08:00"},
		{"Sun 02:00-04:00", "2026-11-29T02:00:00+08:00", "2026-11-29T04:00:00+08:00"},
		{"Sun 02:00-04:00", "2026-11-28T02:00:00+08:00", ""},
		{"Sun 02:00-04:00", "2026-11-28T18:30:00Z", "2026-11-29T04:00:00+08:00"}, // still Saturday in London
		{"Sat 22:00-06:00", "2026-11-29T05:00:00+08:00", "2026-11-29T06:00:00+08:00"},
		{"Sat 22:00-06:00", "2026-11-28T05:00:00+08:00", ""},
		{"2026-12-31T22:00:00+08:00/2027-01-01T02:00:00+08:00", "2026-12-31T15:00:00Z", "2027-01-01T02:00:00+08:00"},
		{"2026-12-31T22:00:00+08:00/2027-01-01T02:00:00+08:00", "2027-01-01T02:00:00+08:00", ""},
		{"2026-12-31T22:00:00+08:00/2027-01-01T02:00:00+08:00", "2026-12-30T23:00:00+08:00", ""},
	}
	for _, test := range tests {
		w, err := taxapi.ParseWindow(test.window)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if until, closed := w.Covers(at); closed {
			got = until.In(zone).Format(time.RFC3339)
		}
		if got != test.until {
			t.Errorf("%s at %s: closed until %q, want %q", test.window, test.at, got, test.until)
		}
	}
}

func TestBadWindows(t *testing.T) {
	for _, bad := range []string{"", "23:30", "25:00-26:00", "Sonntag 02:00-04:00", "Sun", "02:00-04:00-06:00", "a/b",
		"2026-12-31T22:00:00+08:00/x", "2026-12-31T22:00:00+08:00/2026-12-31T22:00:00+08:00"} {
		if _, err := taxapi.ParseWindow(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
