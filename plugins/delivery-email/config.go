package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// encryption says how a connection is protected.
type encryption string

const (
	// mandatory demands STARTTLS: without it nothing is sent.
	mandatory encryption = "mandatory"
	// opportunistic uses STARTTLS where the server offers it. A password is not sent without it.
	opportunistic encryption = "opportunistic"
	// implicit speaks TLS from the first byte (port 465).
	implicit encryption = "implicit"
	// none sends in the clear, for a server on the same machine.
	none encryption = "none"
)

type config struct {
	Host     string       `json:"host" doc:"SMTP server"`
	Port     int          `json:"port,omitempty" doc:"port; 465 with implicit TLS, 25 with none, else 587, when left out"`
	TLS      encryption   `json:"tls" default:"mandatory" enum:"mandatory,opportunistic,none,implicit" doc:"how the connection is protected"`
	CAFile   string       `json:"ca_file,omitempty" doc:"PEM file of the authorities that may certify the server, instead of the system's"`
	Auth     mechanism    `json:"auth" default:"auto" enum:"auto,plain,login,cram-md5,scram-sha-256" doc:"how to log in; auto takes the best that the server offers"`
	Username string       `json:"username,omitempty" doc:"user to log in as; without one, nobody logs in"`
	Password string       `json:"password,omitempty" secret:"true" doc:"the user's password or authorisation code (授权码)"`
	From     string       `json:"from" doc:"address of the sender"`
	FromName string       `json:"from_name,omitempty" doc:"name of the sender; the store's name when left out"`
	ReplyTo  string       `json:"reply_to,omitempty" doc:"address for the buyer's answers"`
	HELO     string       `json:"helo,omitempty" doc:"name under which this host greets; the domain of from when left out"`
	Language string       `json:"language" default:"zh" enum:"zh,en" doc:"language of the letter where the parcel names none"`
	Timeout  sdk.Duration `json:"timeout" default:"30s" doc:"most time for one message"`
	DKIM     *dkim        `json:"dkim,omitempty" doc:"sign the messages here, when the server does not"`

	tls      *tls.Config
	dkimKey  crypto.Signer
	problems []sdk.Problem
}

type dkim struct {
	Domain     string `json:"domain" doc:"signing domain (d=)"`
	Selector   string `json:"selector" doc:"selector (s=)"`
	PrivateKey string `json:"private_key" secret:"true" doc:"RSA or Ed25519 key in PEM"`
}

// Prepare completes the configuration. What is wrong with it is kept, so that each fault has its place in Validate and
// Deliver can say "not sent" rather than fail.
func (c *config) Prepare() error {
	c.problems = nil
	if c.Port == 0 {
		c.Port = map[encryption]int{implicit: 465, none: 25}[c.TLS]
	}
	if c.Port == 0 {
		c.Port = 587
	}
	c.check(isHost(c.Host), "/host", "is neither a host name nor an IP address")
	c.check(c.Port > 0 && c.Port < 1<<16, "/port", "is not a port")
	c.check(isAddress(c.From), "/from", "is not a plain e-mail address")
	c.check(c.ReplyTo == "" || isAddress(c.ReplyTo), "/reply_to", "is not a plain e-mail address")
	c.check(isLine(c.FromName), "/from_name", "holds a line break or control character")
	c.check(time.Duration(c.Timeout) > 0, "/timeout", "must be longer than nothing")
	if c.HELO == "" {
		c.HELO = domainOf(c.From)
	}
	c.check(isHost(c.HELO) || !isAddress(c.From), "/helo", "is not a host name")
	c.check((c.Username == "") == (c.Password == ""), "/password", "user and password are given together or not at all")
	c.check(isLine(c.Username), "/username", "holds a line break or control character")
	c.prepareTLS()
	c.prepareDKIM()
	return nil
}

func (c *config) prepareTLS() {
	c.tls = &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	local := isLoopback(c.Host)
	switch {
	case c.TLS == none && c.Username != "" && !local:
		c.check(false, "/tls", "a password is never sent without TLS")
	case c.TLS == none && !local:
		c.warn("/tls", "invoices and pick-up codes travel readable for everyone on the way")
	case c.TLS == opportunistic && !local:
		c.warn("/tls", "whoever sits on the way can switch the encryption off; mandatory is safer")
	}
	if c.CAFile == "" {
		return
	}
	data, err := os.ReadFile(c.CAFile)
	pool := x509.NewCertPool()
	c.check(err == nil && pool.AppendCertsFromPEM(data), "/ca_file", "is not a readable PEM file with certificates")
	c.tls.RootCAs = pool
}

func (c *config) prepareDKIM() {
	if c.DKIM == nil {
		return
	}
	key, err := mail.PrivKeyFromPEM([]byte(c.DKIM.PrivateKey))
	c.check(err == nil, "/dkim/private_key", "is not an RSA or Ed25519 key in PEM")
	c.dkimKey = key
	c.check(isHost(c.DKIM.Domain), "/dkim/domain", "is not a domain")
	c.check(isHost(c.DKIM.Selector), "/dkim/selector", "is not a selector")
	if from := domainOf(c.From); from != c.DKIM.Domain && !strings.HasSuffix(from, "."+c.DKIM.Domain) {
		c.warn("/dkim/domain", "does not cover the domain of from: DMARC will not count the signature")
	}
}

func (c *config) check(ok bool, pointer, message string) {
	if !ok {
		c.problems = append(c.problems, sdk.Problem{Pointer: pointer, Message: message})
	}
}

func (c *config) warn(pointer, message string) {
	c.problems = append(c.problems, sdk.Problem{Pointer: pointer, Message: message, Warning: true})
}

// fault is the first thing that makes the configuration unusable, or "".
func (c *config) fault() string {
	for _, p := range c.problems {
		if !p.Warning {
			return p.Pointer + " " + p.Message
		}
	}
	return ""
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
