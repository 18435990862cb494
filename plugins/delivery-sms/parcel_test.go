package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const (
	buyer    = "13912345678"
	parcelID = "01JPARCEL0000000000000001"
)

// noon is 12:00 in Beijing.
var noon = time.Date(2026, 3, 5, 4, 0, 0, 0, time.UTC)

// clock is a time that a test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

func newTestService(now func() time.Time) service {
	var n atomic.Int64
	return service{
		client: newHTTPClient(), now: now, outboxes: &outboxes{},
		nonce: func() string { return fmt.Sprintf("%032x", n.Add(1)) },
	}
}

func aliyunConfig(endpoint string) config {
	return config{
		Provider: toAliyun, AccessKeyID: testKeyID, AccessKeySecret: testSecret, SignName: "青禾茶铺", TemplateCode: "SMS_100000001",
		TemplateCodeRed: "SMS_100000002", Amount: true, Endpoint: endpoint, Timeout: sdk.Duration(time.Minute),
	}
}

func parcel(change func(*sdk.Parcel)) sdk.Parcel {
	p := sdk.Parcel{
		ID: parcelID, Attempt: 1, Recipient: sdk.Recipient{Mobile: "+86 139-1234-5678"},
		Invoice: sdk.Invoice{
			Number: "26312000000012345678", Color: sdk.Blue, Gross: "128.5", BuyerTitle: "杭州示例科技有限公司",
			StoreName: "青禾茶铺西湖店", PickUpCode: "7KQ2M9XB4TD", PageURL: "https://fp.shop.example/p",
		},
	}
	if change != nil {
		change(&p)
	}
	return p
}

func reference(at time.Time) sdk.ParcelRef {
	return sdk.ParcelRef{ParcelID: parcelID, Recipient: sdk.Recipient{Mobile: buyer}, SentAt: at}
}

func wantReceipt(t *testing.T, got sdk.Receipt, outcome sdk.Outcome, class sdk.ReasonClass) {
	t.Helper()
	if got.Outcome != outcome || got.Class != class {
		t.Errorf("receipt is %s %s (%s), want %s %s", got.Outcome, got.Class, got.Reason, outcome, class)
	}
	wantNothingPersonal(t, got.Reason)
	wantNothingPersonal(t, got.ProviderRef)
	if outcome == sdk.OutcomeRetry && got.RetryAfter <= 0 {
		t.Errorf("a retry without a wait: %+v", got)
	}
}

func wantNothingPersonal(t *testing.T, s string) {
	t.Helper()
	for _, secret := range []string{buyer, "1234-5678", testSecret, testKeyID, "7KQ2M9XB4TD", "杭州", "shop.example", "PhoneNumber"} {
		if strings.Contains(s, secret) {
			t.Errorf("%q holds %q", s, secret)
		}
	}
}
