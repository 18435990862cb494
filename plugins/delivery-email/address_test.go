package main

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestIsAddress(t *testing.T) {
	for _, good := range []string{
		"a@b.cn", "12345678@qq.com", "li.ming+fp@mail.buyer.example", "o'neil_x@xn--fiqs8s.cn", strings.Repeat("a", 64) + "@b.cn",
	} {
		if !isAddress(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range badAddresses {
		if isAddress(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

var badAddresses = []string{
	"", "a", "@b.cn", "a@", "a@b", "a@@b.cn", "a@b@c.cn", ".a@b.cn", "a.@b.cn", "a..b@c.cn", `"a b"@c.cn`, "a b@c.cn", "<a@b.cn>",
	"a@b.cn>", "a@b.cn\r\nRCPT TO:<c@d.cn>", "a@b.cn\n", "a\x00@b.cn", "a%b.cn@c.cn", "a!b@c.cn", "a@[127.0.0.1]", "a@b..cn",
	"a@-b.cn", "a@b-.cn", "李@b.cn", "a@中国.cn", "a,b@c.cn", "a@b.cn,c@d.cn", "a(comment)@b.cn", "-oQ/tmp@b.cn/x",
	strings.Repeat("a", 65) + "@b.cn", "a@" + strings.Repeat("b.", 130) + "cn",
}

func TestBadAddressesAreRejectedBeforeDialling(t *testing.T) {
	for _, bad := range badAddresses {
		p := parcel(t, func(p *sdk.Parcel) { p.Recipient.Email = bad })
		got, err := newMailer(&mailbox{}).deliver(t.Context(), configure(t, nil), p)
		if err != nil {
			t.Fatal(err)
		}
		wantReceipt(t, got, sdk.OutcomeRejected, sdk.RecipientProblem)
		if len(bad) > 3 && strings.Contains(got.Reason, bad) {
			t.Errorf("the reason quotes the address: %q", got.Reason)
		}
	}
}

// FuzzIsAddress holds the grammar against the standard library's: what it accepts is one address, unchanged.
func FuzzIsAddress(f *testing.F) {
	f.Add("li.ming+fp@mail.buyer.example")
	for _, bad := range badAddresses {
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !isAddress(s) {
			return
		}
		parsed, err := mail.ParseAddress(s)
		if err != nil || parsed.Address != s || parsed.Name != "" {
			t.Errorf("%q is accepted, but reads as %v, %v", s, parsed, err)
		}
		if strings.ContainsAny(s, "\r\n <>,;:\"\\()[]%!/|") {
			t.Errorf("%q is accepted", s)
		}
	})
}
