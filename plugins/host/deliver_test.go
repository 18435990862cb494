package host_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/host"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

func parcel(id, email string) *pb.Parcel {
	return &pb.Parcel{Id: id, Recipient: &pb.Recipient{To: &pb.Recipient_Email{Email: email}}, Invoice: &pb.Invoice{Number: "1"}}
}

// Whatever happens, every parcel has a receipt, and "not sent" is said only when it is certain.
func TestReceipts(t *testing.T) {
	h := start(t, newSetup(t).options())
	got, err := h.Deliver(t.Context(), shop, []*pb.Parcel{parcel("a", "a@example.com"), parcel("b", "panic@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "a panic in one of two", got, pb.Outcome_OUTCOME_SENT, pb.Outcome_OUTCOME_UNKNOWN)

	got, err = h.Deliver(t.Context(), shop, []*pb.Parcel{parcel("a", "a@example.com"), parcel("b", "exit@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "the process died", got, pb.Outcome_OUTCOME_UNKNOWN, pb.Outcome_OUTCOME_UNKNOWN)

	bad := shop
	bad.ID, bad.Config = "bad", []byte(`{"x":1}`)
	pidOf(t, h)
	got, err = h.Deliver(t.Context(), bad, []*pb.Parcel{parcel("a", "a@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "a configuration that does not fit", got, pb.Outcome_OUTCOME_RETRY)
}

func TestNothingIsSentWhileThePluginIsDown(t *testing.T) {
	o := newSetup(t, "die").options()
	o.Timings.BackoffMin, o.Timings.BackoffMax = time.Hour, time.Hour
	h := start(t, o)
	eventually(t, "the death", func() bool { return status(h).State == host.Dead })
	got, err := h.Deliver(t.Context(), shop, []*pb.Parcel{parcel("a", "a@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, "the plugin is down", got, pb.Outcome_OUTCOME_RETRY)
	// A call does not wait for a restart that comes too late for it.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := h.Parse(ctx, shop, request("hi")); !errors.Is(err, host.ErrNotCalled) || ctx.Err() != nil {
		t.Errorf("a call to a dead plugin: %v", err)
	}
}

func wantOutcomes(t *testing.T, what string, got []*pb.Receipt, want ...pb.Outcome) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d receipts for %d parcels", what, len(got), len(want))
	}
	for i := range want {
		if got[i].GetOutcome() != want[i] {
			t.Errorf("%s: parcel %d got %v, want %s", what, i, got[i], want[i])
		}
	}
}

func TestMissingCapability(t *testing.T) {
	h := start(t, newSetup(t).options())
	if _, err := h.Track(t.Context(), shop, []*pb.ParcelRef{{ParcelId: "a"}}); !errors.Is(err, host.ErrCapability) {
		t.Errorf("track: %v", err)
	}
	if _, err := h.Pull(t.Context(), shop, nil, 10, 0); !errors.Is(err, host.ErrCapability) {
		t.Errorf("pull: %v", err)
	}
	if _, err := h.Refresh(t.Context(), shop); !errors.Is(err, host.ErrCapability) {
		t.Errorf("refresh: %v", err)
	}
	problems, err := h.Validate(t.Context(), host.Instance{Plugin: "misbehave", ID: "x", Config: []byte(`{"greetings":1}`)}, false)
	if err != nil || len(problems) != 1 || problems[0].GetPointer() != "/greetings" {
		t.Errorf("validate: %v, %v", problems, err)
	}
}
