package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestTrackReadsTheStatus(t *testing.T) {
	for status, want := range map[int]sdk.TrackState{
		1: sdk.TrackSent, 2: sdk.TrackFailed, 3: sdk.TrackDelivered, 7: sdk.TrackStillUnknown,
	} {
		d := startDouble(t, func() time.Time { return noon })
		s, c := newTestService(d.now), aliyunConfig(d.URL)
		if _, err := s.deliver(t.Context(), c, parcel(nil)); err != nil {
			t.Fatal(err)
		}
		d.taken[0].status = status
		got := mustTrack(t, s, c, reference(noon))
		if got.State != want {
			t.Errorf("status %d: %+v, want %s", status, got, want)
		}
		if want == sdk.TrackDelivered && !got.At.Equal(noon.Add(3*time.Second)) {
			t.Errorf("delivered at %v", got.At)
		}
	}
}

// TestTrackReadsEveryPage hides the parcel behind two full pages.
func TestTrackReadsEveryPage(t *testing.T) {
	d := startDouble(t, func() time.Time { return noon })
	for i := range 120 {
		d.taken = append(d.taken, accepted{outID: fmt.Sprint("other", i), phone: buyer, at: noon, status: 3})
	}
	s, c := newTestService(d.now), aliyunConfig(d.URL)
	if got := mustTrack(t, s, c, reference(noon.Add(-time.Hour))); got.State != sdk.TrackNotSent {
		t.Errorf("not among them: %+v", got)
	}
	d.taken = append(d.taken, accepted{outID: parcelID, phone: buyer, at: noon, status: 1})
	if got := mustTrack(t, s, c, reference(noon.Add(-time.Hour))); got.State != sdk.TrackSent {
		t.Errorf("on the third page: %+v", got)
	}
	if len(d.calls) != 6 {
		t.Errorf("%d calls, want 6", len(d.calls))
	}
	for range 600 {
		d.taken = append([]accepted{{outID: "flood", phone: buyer, at: noon, status: 3}}, d.taken...)
	}
	if got := mustTrack(t, s, c, reference(noon.Add(-time.Hour))); got.State != sdk.TrackStillUnknown {
		t.Errorf("beyond the pages that are read: %+v", got)
	}
}

// TestTrackAroundMidnight finds an SMS that the service filed under the next Beijing day.
func TestTrackAroundMidnight(t *testing.T) {
	sentAt := time.Date(2026, 3, 5, 15, 59, 58, 0, time.UTC)
	d := startDouble(t, func() time.Time { return sentAt.Add(10 * time.Minute) })
	d.taken = append(d.taken, accepted{outID: parcelID, phone: buyer, at: sentAt.Add(4 * time.Second), status: 3})
	s, c := newTestService(d.now), aliyunConfig(d.URL)
	if got := mustTrack(t, s, c, reference(sentAt)); got.State != sdk.TrackDelivered {
		t.Errorf("%+v", got)
	}
}

func TestTrackStaysUnknown(t *testing.T) {
	for name, tc := range map[string]struct {
		config func(*config)
		fault  fault
		at     time.Time
		mobile string
	}{
		"service is broken": {fault: error502, at: noon.Add(-time.Hour), mobile: buyer},
		"nonsense":          {fault: redirect, at: noon.Add(-time.Hour), mobile: buyer},
		"wrong secret":      {config: func(c *config) { c.AccessKeySecret += "x" }, at: noon.Add(-time.Hour), mobile: buyer},
		"unusable":          {config: func(c *config) { c.AccessKeyID = "" }, at: noon.Add(-time.Hour), mobile: buyer},
		"too fresh":         {at: noon.Add(-time.Minute), mobile: buyer},
		"too old":           {at: noon.Add(-31 * 24 * time.Hour), mobile: buyer},
		"no time":           {mobile: buyer},
		"no number":         {at: noon.Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDouble(t, func() time.Time { return noon })
			c := aliyunConfig(d.URL)
			if tc.config != nil {
				tc.config(&c)
			}
			d.next(tc.fault)
			got := mustTrack(t, newTestService(d.now), c,
				sdk.ParcelRef{ParcelID: parcelID, Recipient: sdk.Recipient{Mobile: tc.mobile}, SentAt: tc.at})
			if got.State != sdk.TrackStillUnknown || got.Reason == "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// FuzzReadDetails feeds answers: a page is believed only when it is whole, and no text of it gets out.
func FuzzReadDetails(f *testing.F) {
	for _, body := range []string{
		`{"Code":"OK","TotalCount":1,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"a","SendStatus":3,"ReceiveDate":"2026-03-05 12:00:03"}]}}`,
		`{"Code":"OK","TotalCount":"0","SmsSendDetailDTOs":{}}`, `{"Code":"OK","SmsSendDetailDTOs":[]}`, `{"Code":"isv.13912345678"}`,
		`{"Code":"OK","TotalCount":1e9}`, `{"TotalCount":1}`, ``, `null`, `{"Code":"OK","TotalCount":1,"totalcount":2}`,
	} {
		f.Add(200, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		got, reason := readDetails(answer{status: status, body: body})
		if reason == "" && (got.Code != codeOK || status != 200) {
			t.Errorf("HTTP %d %q is believed", status, body)
		}
		if strings.Contains(reason, buyer) {
			t.Errorf("reason %q", reason)
		}
	})
}
