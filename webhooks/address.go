package webhooks

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"
)

// networks is a list of trusted proxies.
type networks []netip.Prefix

// parseNetworks reads addresses and networks such as 10.0.0.0/8.
func parseNetworks(list []string) (networks, error) {
	var out networks
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, fmt.Errorf("trusted proxy %q: write an address or a network such as 10.0.0.0/8", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}

func (n networks) contain(a netip.Addr) bool {
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// client is the address a request came from. X-Forwarded-For is read from its end, because everything before the
// entries of trusted proxies is the client's own text.
func (n networks) client(ctx *fasthttp.RequestCtx) netip.Addr {
	a, _ := netip.AddrFromSlice(ctx.RemoteIP())
	a = a.Unmap()
	if !n.contain(a) {
		return a
	}
	var hops []string
	for _, h := range ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor) {
		hops = append(hops, strings.Split(string(h), ",")...)
	}
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return a
		}
		if a = hop.Unmap().WithZone(""); !n.contain(a) {
			return a
		}
	}
	return a
}

// neighbourhood is what limits are kept for: the /24 of an IPv4 address, the /64 of an IPv6 address.
func neighbourhood(a netip.Addr) string {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
