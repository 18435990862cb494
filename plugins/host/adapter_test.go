package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/plugins/host"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

type oneInstance struct{}

func (oneInstance) Instance(id core.InstanceID) (host.Instance, bool) {
	return host.Instance{ID: string(id)}, true
}

// A command that runs beside no host has no plugins.
func TestAdapterWithoutPlugins(t *testing.T) {
	a := &host.Adapter{Instances: oneInstance{}}
	calls := map[string]func(ctx context.Context) error{
		"parse": func(ctx context.Context) error { _, err := a.Parse(ctx, "i", core.RawRequest{}); return err },
		"fetch": func(ctx context.Context) error { _, err := a.Fetch(ctx, "i", []string{"1"}); return err },
		"pull":  func(ctx context.Context) error { _, err := a.Pull(ctx, "i", nil, 1); return err },
		"track": func(ctx context.Context) error {
			_, err := a.Track(ctx, "i", []core.TrackQuery{{Parcel: "p"}})
			return err
		},
	}
	for name, call := range calls {
		if err := call(t.Context()); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s without plugins: %v", name, err)
		}
	}
	got, err := a.Deliver(t.Context(), "i", []core.Parcel{{ID: "p"}})
	if err != nil || len(got) != 1 || got[0].Parcel != "p" || got[0].Outcome != core.DeliveryRetry {
		t.Errorf("deliver without plugins: %+v, %v", got, err)
	}
}

// A host that was killed in a call leaves the buyers' files; its next start removes them.
func TestClearFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "parcels")
	a := &host.Adapter{FileDir: dir}
	for range 2 {
		if err := a.ClearFiles(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 0 {
			t.Fatalf("the folder holds %v (%v)", left, err)
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Fatalf("the folder: %v (%v)", info.Mode(), err)
		}
		parcel := filepath.Join(dir, "parcel-1", "p")
		if err := os.MkdirAll(parcel, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(parcel, "invoice.pdf"), []byte("%PDF"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
}

// A call that begins after its time was never made, and what it carried was certainly not sent.
func TestNothingIsSentWhenTimeIsUp(t *testing.T) {
	h := start(t, newSetup(t).options())
	pidOf(t, h)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	got, err := h.Deliver(ctx, shop, []*pb.Parcel{parcel("a", "a@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "no time is left", got, pb.Outcome_OUTCOME_RETRY)
}
