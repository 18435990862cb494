package webhooks

import (
	"net"
	"net/netip"
	"sync"
)

// clientListener bounds the open connections of one client: an IPv4 address or the /64 of an IPv6 address. fasthttp has
// such a bound too, but it takes all of IPv6 for one client, and a shutdown that closes a connection while a request
// comes in on it ends the whole process.
type clientListener struct {
	net.Listener
	most int

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func newClientListener(ln net.Listener, most int) *clientListener {
	return &clientListener{Listener: ln, most: most, open: map[netip.Prefix]int{}}
}

// Accept closes what is too much and waits for the next.
func (l *clientListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		who := clientOf(c.RemoteAddr())
		if l.enter(who) {
			return &clientConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(who) })}, nil
		}
		_ = c.Close()
	}
}

func (l *clientListener) enter(who netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[who] >= l.most {
		return false
	}
	l.open[who]++
	return true
}

func (l *clientListener) leave(who netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[who]--; l.open[who] == 0 {
		delete(l.open, who)
	}
}

func clientOf(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap()
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// clientConn makes room for the next connection when it is closed.
type clientConn struct {
	net.Conn
	leave func()
}

func (c *clientConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
