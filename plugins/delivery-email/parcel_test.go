package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const buyer = "li.ming+fp@mail.buyer.example"

// noon is the moment of every send in these tests.
var noon = time.Date(2026, 3, 5, 4, 0, 0, 0, time.UTC)

func newMailer(b *mailbox) mailer {
	return mailer{now: func() time.Time { return noon }, dial: dialTo(b.address)}
}

// configure completes a configuration as the SDK would.
func configure(t *testing.T, change func(*config)) config {
	t.Helper()
	c := config{
		Host: mailHost, TLS: none, Auth: auto, From: "invoice@shop.example", Language: "zh", Timeout: sdk.Duration(time.Minute),
	}
	if change != nil {
		change(&c)
	}
	if err := c.Prepare(); err != nil {
		t.Fatal(err)
	}
	return c
}

func parcel(t *testing.T, change func(*sdk.Parcel)) sdk.Parcel {
	t.Helper()
	p := sdk.Parcel{
		ID: "01JPARCEL0000000000000001", Attempt: 1, Recipient: sdk.Recipient{Email: buyer}, Language: "zh-CN",
		Invoice: sdk.Invoice{
			OrderNo: "20260305-7788", Number: "26312000000012345678", Kind: sdk.General, Color: sdk.Blue,
			IssuedAt: time.Date(2026, 3, 4, 17, 30, 0, 0, time.UTC), SellerName: "青禾茶业（杭州）有限公司",
			BuyerTitle: "杭州示例科技有限公司", Gross: "128.5", Net: "113.72", Tax: "14.78", StoreName: "青禾茶铺西湖店",
			PickUpCode: "7KQ2M9XB4TD", PageURL: "https://fp.shop.example/p",
			Files: []sdk.File{
				file(t, sdk.PDF, []byte("%PDF-1.7\nconstructed\n%%EOF\n")),
				file(t, sdk.OFD, []byte("PK\x03\x04 constructed ofd")),
				file(t, sdk.XML, []byte("<?xml version=\"1.0\"?><EInvoice/>\n")),
			},
		},
	}
	if change != nil {
		change(&p)
	}
	return p
}

func redden(p *sdk.Parcel) {
	p.Invoice.Color, p.Invoice.OriginalNumber, p.Invoice.Number = sdk.Red, p.Invoice.Number, "26312000000087654321"
	p.Invoice.Gross, p.Invoice.Net, p.Invoice.Tax = "-128.50", "-113.72", "-14.78"
}

func file(t *testing.T, format sdk.FileFormat, content []byte) sdk.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "发票."+strings.ToLower(string(format)))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return sdk.File{Format: format, Name: filepath.Base(path), Path: path, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

// wantReceipt compares outcome and class, and checks that nothing personal stands in the reason.
func wantReceipt(t *testing.T, got sdk.Receipt, outcome sdk.Outcome, class sdk.ReasonClass) {
	t.Helper()
	if got.Outcome != outcome || got.Class != class {
		t.Errorf("receipt is %s %s (%s), want %s %s", got.Outcome, got.Class, got.Reason, outcome, class)
	}
	for _, secret := range []string{buyer, "li.ming", "buyer.example", mailPass, mailUser, "杭州", "7KQ2M9XB4TD", "/p"} {
		if strings.Contains(got.Reason, secret) {
			t.Errorf("reason %q holds %q", got.Reason, secret)
		}
	}
	if outcome == sdk.OutcomeRetry && got.RetryAfter <= 0 {
		t.Errorf("a retry without a wait: %+v", got)
	}
}
