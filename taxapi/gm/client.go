package gm

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// Defaults of Options.
const (
	DefaultWindow   = 300 * time.Second
	DefaultTimeout  = 15 * time.Second
	DefaultMaxConns = 8
)

// Secret signs. It prints as a placeholder under every verb.
type Secret []byte

// Format hides the secret from fmt, and so from most logs.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// Options configure a client.
type Options struct {
	// BaseURL is where the gateway lives, such as https://gateway.example/tax. A path in it is part of what is signed.
	BaseURL string
	// AppID names the application at the gateway: 1 to 64 of [0-9A-Za-z_-].
	AppID string
	// Key encrypts; ParseKey reads the usual spellings. Secret signs.
	Key    gmcrypto.Key
	Secret Secret
	// Mode, Encoding and Signature default to CBC, Base64 and HMACSM3.
	Mode      Mode
	Encoding  Encoding
	Signature Signature
	// Window is how far the gateway lets clocks differ; 0 means DefaultWindow.
	Window time.Duration
	// Timeout bounds each exchange, waiting for a connection included; 0 means DefaultTimeout. It must be shorter than
	// the lease of the task that sends.
	Timeout time.Duration
	// CodesFile replaces the built-in code table.
	CodesFile string
	// Clock defaults to the system's, Rand to crypto/rand.
	Clock core.Clock
	Rand  io.Reader
	// TLS adds roots or a client certificate; TLS 1.2 is the least.
	TLS *tls.Config
	// Proxy is used if set; the environment's proxy variables never are.
	Proxy *url.URL
	// MaxConns bounds the connections, and should be the cap of the lane; 0 means DefaultMaxConns.
	MaxConns int
	// AllowPlain permits http to another host than this one, for trials in a closed network.
	AllowPlain bool
}

// Client speaks to one gateway as one application. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	appID     string
	envelope  *envelope
	codes     codeTable
	clock     core.Clock
	random    io.Reader
	window    time.Duration
	timeout   time.Duration
	transport *http.Transport
}

var appIDShape = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// New makes a client. It sends nothing; Probe does.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL, o.AllowPlain)
	if err != nil {
		return nil, fmt.Errorf("gm channel: base URL: %w", err)
	}
	if !appIDShape.MatchString(o.AppID) {
		return nil, errors.New("gm channel: application id must be 1 to 64 of [0-9A-Za-z_-]")
	}
	if o.Window < 0 || o.Timeout < 0 || o.MaxConns < 0 {
		return nil, errors.New("gm channel: window, timeout and connections can't be negative")
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	env, err := newEnvelope(o)
	if err != nil {
		return nil, fmt.Errorf("gm channel: %w", err)
	}
	codes, err := loadCodes(o.CodesFile)
	if err != nil {
		return nil, fmt.Errorf("gm channel: %w", err)
	}
	c := &Client{base: base, appID: o.AppID, envelope: env, codes: codes, clock: o.Clock, random: o.Rand,
		window: either(o.Window, DefaultWindow), timeout: either(o.Timeout, DefaultTimeout)}
	c.transport = newTransport(o, c.timeout)
	return c, nil
}

// Channel offers everything that the client can as a channel of that id.
func (c *Client) Channel(id core.ChannelID) core.Channel {
	return core.Channel{ID: id, Issuer: c, Reverser: c, Files: c, Quotas: c, Ledger: c, Voider: c}
}

// Close closes connections that are not in use. Exchanges under way are not harmed.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

func parseBase(text string, allowPlain bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("it is not a URL") // the text may hold a password
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Opaque != "":
		return nil, errors.New("it must be https://host[:port][/path]")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("it can't have a user, a query or a fragment")
	case u.Scheme == "http" && !allowPlain && !loopback(u.Hostname()):
		return nil, fmt.Errorf("plain http to %s; use https", u.Host)
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func either[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }
