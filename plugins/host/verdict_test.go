package host

import (
	"testing"

	"github.com/kaipiao/kaipiao/core"
	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// An event that breaks the contract makes an authentic request malformed, which is kept; nobody else's request.
func TestBrokenEvents(t *testing.T) {
	broken := []*pb.Event{{}}
	for _, c := range []struct {
		said      pb.Verdict
		want      core.Verdict
		authentic bool
	}{
		{pb.Verdict_VERDICT_ACCEPTED, core.Malformed, true},
		{pb.Verdict_VERDICT_UNVERIFIED, core.Malformed, false},
		{pb.Verdict_VERDICT_FORGED, core.Forged, false},
		{pb.Verdict_VERDICT_IGNORED, core.Ignored, false},
	} {
		got, err := verdict(&pb.ParseResult{Verdict: c.said, Events: broken})
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict != c.want || got.Authentic != c.authentic || len(got.Events) != 0 {
			t.Errorf("%s with a broken event: %s, authentic %t, %d events", c.said, got.Verdict, got.Authentic, len(got.Events))
		}
	}
}

func TestDetailsAreMasked(t *testing.T) {
	got, err := verdict(&pb.ParseResult{Verdict: pb.Verdict_VERDICT_MALFORMED, Reason: "bad_phone", Detail: "phone 13800138000 is none"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Reason != "phone 138****8000 is none" || got.Code != "bad_phone" {
		t.Errorf("code %q, reason %q", got.Code, got.Reason)
	}
}
