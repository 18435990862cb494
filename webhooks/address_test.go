package webhooks

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// TestForwardedAddresses: only what trusted proxies wrote is believed, and that is the end of the list.
func TestForwardedAddresses(t *testing.T) {
	trusted, err := parseNetworks([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"198.51.100.7", nil, "198.51.100.7"},
		{"198.51.100.7", []string{"203.0.113.9"}, "198.51.100.7"},
		{"10.1.2.3", nil, "10.1.2.3"},
		{"10.1.2.3", []string{"203.0.113.9"}, "203.0.113.9"},
		{"10.1.2.3", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"10.1.2.3", []string{"1.1.1.1, 203.0.113.9, 10.9.9.9"}, "203.0.113.9"},
		{"10.1.2.3", []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		{"192.0.2.1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"192.0.2.2", []string{"203.0.113.9"}, "192.0.2.2"},
		{"2001:db8::1", []string{"2001:470::5"}, "2001:470::5"},
		{"::ffff:10.1.2.3", []string{"203.0.113.9"}, "203.0.113.9"},
		{"10.1.2.3", []string{"203.0.113.9, nonsense"}, "10.1.2.3"},
		{"10.1.2.3", []string{"203.0.113.9:443"}, "10.1.2.3"},
		{"10.1.2.3", []string{"10.4.4.4"}, "10.4.4.4"},
	} {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(test.remote)}, nil)
		for _, f := range test.forwarded {
			ctx.Request.Header.Add("X-Forwarded-For", f)
		}
		if got := trusted.client(&ctx).String(); got != test.want {
			t.Errorf("%s with %v: %s, want %s", test.remote, test.forwarded, got, test.want)
		}
	}
}

func TestNeighbourhoods(t *testing.T) {
	for a, want := range map[string]string{"203.0.113.9": "203.0.113.0/24", "2001:470:1:2:3:4:5:6": "2001:470:1:2::/64"} {
		if got := neighbourhood(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

func TestLimitsForgetOnlyWhatIsOld(t *testing.T) {
	l := newLimits(2, time.Minute)
	now := time.Unix(0, 0)
	for i, want := range []bool{true, true, false} {
		if got := l.allow("a", now); got != want {
			t.Errorf("use %d: %v", i+1, got)
		}
	}
	if !l.allow("a", now.Add(30*time.Second)) {
		t.Error("half a span later one more may come")
	}
	for i := range limitKeys {
		l.allow(time.Duration(i).String(), now)
	}
	if l.allow("a", now.Add(30*time.Second)) {
		t.Error("a key of the generation before was forgotten")
	}
	for i := range 4 * limitKeys {
		l.allow(time.Duration(i).String(), now)
	}
	if n := len(l.young) + len(l.old); n > 2*limitKeys {
		t.Errorf("%d keys are kept", n)
	}
}
