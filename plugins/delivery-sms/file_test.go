package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func fileConfig(t *testing.T) config {
	return config{Provider: toFile, File: filepath.Join(t.TempDir(), "sms.jsonl"), Amount: true, Timeout: sdk.Duration(time.Minute)}
}

func TestFile(t *testing.T) {
	c, s := fileConfig(t), newTestService(func() time.Time { return noon })
	if got := mustTrack(t, s, c, reference(noon)); got.State != sdk.TrackNotSent {
		t.Errorf("before: %+v", got)
	}
	// The second service is the plugin after a crash: it must find what the first wrote.
	for range 2 {
		for range 2 {
			got, err := s.deliver(t.Context(), c, parcel(nil))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, sdk.OutcomeSent, "")
		}
		s = newTestService(func() time.Time { return noon.Add(time.Hour) })
	}
	if got := mustTrack(t, s, c, reference(noon)); got.State != sdk.TrackSent || !got.At.Equal(noon) {
		t.Errorf("after: %+v", got)
	}
	want := []record{{At: noon, Parcel: parcelID, Mobile: "+86" + buyer, Code: "7KQ2M9XB4TD", Amount: "128.50"}}
	if diff := cmp.Diff(want, readOutbox(t, c.File)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	info, err := os.Stat(c.File)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func readOutbox(t *testing.T, path string) (out []record) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var r record
		if json.Unmarshal(line, &r) == nil {
			out = append(out, r)
		}
	}
	return out
}

// TestFileAfterATornWrite finds the file as a crash in the middle of a line leaves it.
func TestFileAfterATornWrite(t *testing.T) {
	c, now := fileConfig(t), func() time.Time { return noon }
	if _, err := newTestService(now).deliver(t.Context(), c, parcel(nil)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(c.File)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) {
		if err := os.WriteFile(c.File, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		s := newTestService(now)
		want := sdk.TrackNotSent
		if cut == len(whole)-1 { // only the line's end is missing
			want = sdk.TrackSent
		}
		if got := mustTrack(t, s, c, reference(noon)); got.State != want {
			t.Fatalf("cut at %d: %+v", cut, got)
		}
		for _, id := range []string{parcelID, "other"} {
			got, err := s.deliver(t.Context(), c, parcel(func(p *sdk.Parcel) { p.ID = id }))
			if err != nil || got.Outcome != sdk.OutcomeSent {
				t.Fatalf("cut at %d: %+v, %v", cut, got, err)
			}
		}
		count := map[string]int{}
		for _, r := range readOutbox(t, c.File) {
			count[r.Parcel]++
		}
		if count[parcelID] != 1 || count["other"] != 1 {
			t.Fatalf("cut at %d: %v", cut, count)
		}
	}
}

func TestFileBegunAnew(t *testing.T) {
	c, s := fileConfig(t), newTestService(func() time.Time { return noon })
	for range 2 {
		got, err := s.deliver(t.Context(), c, parcel(nil))
		if err != nil || got.Outcome != sdk.OutcomeSent || len(readOutbox(t, c.File)) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		if err := os.Truncate(c.File, 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileInParallel(t *testing.T) {
	c, s := fileConfig(t), newTestService(func() time.Time { return noon })
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			got, err := s.deliver(t.Context(), c, parcel(func(p *sdk.Parcel) { p.ID = fmt.Sprint(i / 2) }))
			if err != nil || got.Outcome != sdk.OutcomeSent {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := len(readOutbox(t, c.File)); n != 20 {
		t.Errorf("%d lines, want 20", n)
	}
}

func TestFileThatCannotBeUsed(t *testing.T) {
	c := fileConfig(t)
	c.File = filepath.Join(filepath.Dir(c.File), "no such folder", "sms.jsonl")
	s := newTestService(func() time.Time { return noon })
	got, err := s.deliver(t.Context(), c, parcel(nil))
	if err != nil {
		t.Fatal(err)
	}
	wantReceipt(t, got, sdk.OutcomeRetry, sdk.ProviderProblem)
	if strings.Contains(got.Reason, c.File) {
		t.Errorf("the reason holds the path: %q", got.Reason)
	}
	c.File = t.TempDir() // a folder
	if got := mustTrack(t, s, c, reference(noon)); got.State != sdk.TrackStillUnknown {
		t.Errorf("%+v", got)
	}
}
