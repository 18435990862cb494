package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	mailHost = "mail.shop.example"
	mailUser = "invoice@shop.example"
	mailPass = "correct horse"
)

// received is a message as the server took it.
type received struct {
	from string
	to   []string
	data []byte
}

// mailbox is a real SMTP server whose answers a test can bend.
type mailbox struct {
	address string
	onMail  func(from string) error
	onRcpt  func(to string) error
	onData  func(io.Reader) error
	after   func(*smtp.Conn) // once the message has been answered

	mu       sync.Mutex
	messages []received
	logins   []string
}

// mailboxOptions is what a server offers.
type mailboxOptions struct {
	starttls, implicit *tls.Config
	maxBytes           int64
	auth, insecureAuth bool
}

func startMailbox(t *testing.T, o mailboxOptions) *mailbox {
	t.Helper()
	b := &mailbox{}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s := &mailSession{box: b, conn: c}
		if o.auth {
			return &loginSession{s}, nil
		}
		return s, nil
	}))
	server.Domain, server.TLSConfig, server.MaxMessageBytes = mailHost, o.starttls, o.maxBytes
	server.AllowInsecureAuth = o.insecureAuth
	server.ErrorLog = quiet{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = listener.Addr().String()
	if o.implicit != nil {
		listener = tls.NewListener(listener, o.implicit)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = listener.Close() // the server may not have begun to serve it
		_ = server.Close()
		<-done
	})
	return b
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (b *mailbox) all() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

type mailSession struct {
	box  *mailbox
	conn *smtp.Conn
	msg  received
	took bool
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.msg = received{from: from}
	if s.box.onMail != nil {
		return s.box.onMail(from)
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.msg.to = append(s.msg.to, to)
	if s.box.onRcpt != nil {
		return s.box.onRcpt(to)
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	if s.box.onData != nil {
		if err := s.box.onData(r); err != nil {
			return err
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.msg.data, s.took = data, true
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.messages = append(s.box.messages, s.msg)
	return nil
}

// Reset comes after the answer to DATA as well.
func (s *mailSession) Reset() {
	if s.took && s.box.after != nil {
		s.box.after(s.conn)
	}
}

func (s *mailSession) Logout() error { return nil }

type loginSession struct{ *mailSession }

func (s *loginSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *loginSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != mailUser || password != mailPass {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no such user " + user}
		}
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		s.box.logins = append(s.box.logins, user)
		return nil
	}), nil
}

// authority is a CA of the test's own.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
	a := authority{cert: must(x509.ParseCertificate(der))(t), key: key, file: filepath.Join(t.TempDir(), "ca.pem")}
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a authority) certify(t *testing.T, host string) *tls.Config {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key))(t)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// dialTo makes every host name lead to one address.
func dialTo(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		if address == "" {
			return nil, errors.New("there is no server")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}
