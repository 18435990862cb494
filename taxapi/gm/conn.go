package gm

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// newTransport makes a transport that sends each request at most once: HTTP/1.1, whose only silent retry is of
// requests of which nothing was written.
func newTransport(o Options, timeout time.Duration) *http.Transport {
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = []string{"http/1.1"}
	dialer := &net.Dialer{Timeout: timeout}
	conns := either(o.MaxConns, DefaultMaxConns)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &meteredConn{Conn: conn}, nil
		},
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &meteredConn{Conn: conn}, nil
		},
		TLSClientConfig:        config, // only behind a proxy
		TLSHandshakeTimeout:    timeout,
		MaxConnsPerHost:        conns,
		MaxIdleConnsPerHost:    conns,
		IdleConnTimeout:        30 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(true)
	if o.Proxy != nil {
		transport.Proxy = http.ProxyURL(o.Proxy)
	}
	return transport
}

// meteredConn counts what is written above TLS and can be barred from writing.
type meteredConn struct {
	net.Conn
	mu      sync.Mutex
	written int64
	barred  bool
}

// Write counts bytes before they leave: what may have left counts as left.
func (c *meteredConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.barred {
		c.mu.Unlock()
		return 0, net.ErrClosed
	}
	c.written += int64(len(p))
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// meter knows whether a request's first byte may have left.
type meter struct {
	mu   sync.Mutex
	used []use
}

type use struct {
	conn   *meteredConn // nil if it can't be watched
	before int64
}

// watch tells the meter which connections a request gets.
func (m *meter) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		u := use{}
		if conn, ok := info.Conn.(*meteredConn); ok {
			conn.mu.Lock()
			u = use{conn, conn.written}
			conn.mu.Unlock()
		}
		m.mu.Lock()
		m.used = append(m.used, u)
		m.mu.Unlock()
	}})
}

// left says, after the round trip failed, whether a byte may have left, and sees to it that none leaves afterwards:
// the transport's writer may still be at work when a deadline ends the round trip.
func (m *meter) left() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	left := false
	for _, u := range m.used {
		if u.conn == nil {
			left = true
			continue
		}
		u.conn.mu.Lock()
		u.conn.barred = true
		left = left || u.conn.written > u.before
		u.conn.mu.Unlock()
	}
	return left
}
