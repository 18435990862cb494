package webhooks

import (
	"errors"
	"net"
	"testing"
	"time"
)

// pipeListener hands out the connections that a test makes.
type pipeListener struct {
	net.Listener
	conns chan net.Conn
}

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// from is one end of a connection from an address; closed tells when it is closed.
type from struct {
	net.Conn
	addr   net.Addr
	closed chan struct{}
}

func (f from) RemoteAddr() net.Addr { return f.addr }
func (f from) Close() error         { close(f.closed); return nil }

func TestConnectionsOfOneClientAreBounded(t *testing.T) {
	ln := pipeListener{conns: make(chan net.Conn, 16)}
	l := newClientListener(ln, 2)
	dial := func(ip string) from {
		f := from{addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 4000}, closed: make(chan struct{})}
		ln.conns <- f
		return f
	}
	accept := func() net.Conn {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	dial("192.0.2.1")
	dial("2001:db8::1")
	first, six := accept(), accept()
	dial("192.0.2.1")
	dial("2001:db8::2") // the same client as the other of its /64
	accept()
	accept()

	tooMuch, tooMuch6 := dial("192.0.2.1"), dial("2001:db8::3")
	dial("192.0.2.2")
	dial("2001:db8:0:1::1")
	if got := accept().RemoteAddr().String(); got != "192.0.2.2:4000" {
		t.Errorf("accepted %s", got)
	}
	if got := accept().RemoteAddr().String(); got != "[2001:db8:0:1::1]:4000" {
		t.Errorf("accepted %s", got)
	}
	for _, f := range []from{tooMuch, tooMuch6} {
		select {
		case <-f.closed:
		case <-time.After(time.Minute):
			t.Errorf("%s was not closed", f.addr)
		}
	}

	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := six.Close(); err != nil {
		t.Error(err)
	}
	dial("192.0.2.1")
	dial("2001:db8::9")
	for _, c := range []net.Conn{accept(), accept()} {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	close(ln.conns)
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener's error: %v", err)
	}
	if len(l.open) != 4 {
		t.Errorf("%d clients are known, 4 have connections: %v", len(l.open), l.open)
	}
}
