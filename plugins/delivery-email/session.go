package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// stage is how far a session came.
type stage string

const (
	stageConnect  stage = "connect"
	stageGreeting stage = "greeting"
	stageTLS      stage = "TLS"
	stageLogin    stage = "login"
	stageNoop     stage = "NOOP"
)

// stageError is why a session never came to send anything.
type stageError struct {
	at  stage
	err error
}

func (e *stageError) Error() string { return string(e.at) + ": " + e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

var (
	errNoSTARTTLS  = errors.New("the server offers no STARTTLS")
	errNoMechanism = errors.New("the server offers no way to log in that may be used")
)

// mechanism is a way to log in.
type mechanism string

const (
	auto        mechanism = "auto"
	plain       mechanism = "plain"
	login       mechanism = "login"
	cramMD5     mechanism = "cram-md5"
	scramSHA256 mechanism = "scram-sha-256"
)

// session is one connection, logged in, for one message. The connection is ours, not go-mail's: go-mail leaves it open
// when a step before the login fails, moves its deadlines beyond the caller's, and by saying QUIT it would complete a message
// that was broken off half-way.
type session struct {
	client *mail.Client
	smtp   *smtp.Client
	conn   net.Conn
	stop   func() bool
}

func (m mailer) open(ctx context.Context, c config) (*session, error) {
	s := &session{}
	connect := func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := m.dial(dialing, network, address)
		if err != nil {
			return nil, &stageError{stageConnect, err}
		}
		s.conn, s.stop = conn, context.AfterFunc(ctx, func() { _ = conn.Close() })
		if c.TLS != implicit {
			return s.conn, nil
		}
		secured := tls.Client(s.conn, c.tls)
		if err := secured.HandshakeContext(dialing); err != nil {
			return nil, &stageError{stageTLS, err}
		}
		return secured, nil
	}
	client, err := mail.NewClient(c.Host, mail.WithPort(c.Port), mail.WithTLSPolicy(mail.NoTLS), mail.WithTLSConfig(c.tls),
		mail.WithHELO(c.HELO), mail.WithTimeout(time.Duration(c.Timeout)), mail.WithDialContextFunc(connect),
		mail.WithoutNoop(), mail.WithoutRset(), mail.WithoutSMTPUTF8())
	if err != nil {
		return nil, &stageError{stageConnect, err}
	}
	s.client = client
	fail := func(at stage, err error) (*session, error) {
		s.hangUp()
		if ctx.Err() != nil {
			err = ctx.Err() // the connection was closed for this reason
		}
		return nil, &stageError{at, err}
	}
	if s.smtp, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		var at *stageError
		if errors.As(err, &at) {
			return fail(at.at, at.err)
		}
		return fail(stageGreeting, err)
	}
	if err := s.secure(c); err != nil {
		return fail(stageTLS, err)
	}
	if err := s.logIn(c); err != nil {
		return fail(stageLogin, err)
	}
	return s, nil
}

func (s *session) secure(c config) error {
	if c.TLS != mandatory && c.TLS != opportunistic {
		return nil
	}
	if offered, _ := s.smtp.Extension("STARTTLS"); !offered {
		if c.TLS == mandatory {
			return errNoSTARTTLS
		}
		return nil
	}
	return s.smtp.StartTLS(c.tls)
}

func (s *session) logIn(c config) error {
	if c.Username == "" {
		return nil
	}
	_, list := s.smtp.Extension("AUTH")
	offered := strings.Fields(strings.ToLower(list))
	wanted := []mechanism{c.Auth}
	if c.Auth == auto {
		wanted = []mechanism{scramSHA256, plain, login, cramMD5}
	}
	for _, w := range wanted {
		if slices.Contains(offered, string(w)) {
			return s.smtp.Auth(w.auth(c))
		}
	}
	return errNoMechanism
}

// auth gives the mechanism. Plain and login refuse to run in the clear, save on this machine.
func (w mechanism) auth(c config) smtp.Auth {
	switch w {
	case login:
		return smtp.LoginAuth(c.Username, c.Password, c.Host, false)
	case cramMD5:
		return smtp.CRAMMD5Auth(c.Username, c.Password)
	case scramSHA256:
		return smtp.ScramSHA256Auth(c.Username, c.Password)
	}
	return smtp.PlainAuth("", c.Username, c.Password, c.Host, false)
}

// maxSize is the biggest message that the server says it takes, or most.
func (s *session) maxSize(most int64) int64 {
	_, size := s.smtp.Extension("SIZE")
	if n, err := strconv.ParseInt(size, 10, 64); err == nil && n > 0 && n < most {
		return n
	}
	return most
}

// farewell is how long a polite end may take.
const farewell = 2 * time.Second

// quit ends a session that has no message under way. The server's answer changes nothing any more.
func (s *session) quit() {
	_ = s.conn.SetDeadline(time.Now().Add(farewell))
	_ = s.smtp.Quit()
	s.hangUp()
}

// hangUp drops the connection. It is safe after quit and in the middle of a message, which the server then discards.
func (s *session) hangUp() {
	if s.conn != nil {
		s.stop()
		_ = s.conn.Close()
	}
}
