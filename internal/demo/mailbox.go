package demo

import (
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// mailbox is an SMTP server that keeps how many messages came for whom.
type mailbox struct {
	server *smtp.Server
	done   chan struct{}

	mu  sync.Mutex
	got map[string]int
}

func newMailbox(addr string) (*mailbox, error) {
	m := &mailbox{done: make(chan struct{}), got: map[string]int{}}
	m.server = smtp.NewServer(m)
	m.server.Domain = "mailbox.demo"
	m.server.ReadTimeout, m.server.WriteTimeout = 30*time.Second, 30*time.Second
	m.server.MaxMessageBytes = 20 << 20
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	go func() {
		defer close(m.done)
		_ = m.server.Serve(l)
	}()
	return m, nil
}

func (m *mailbox) close() error {
	err := m.server.Close()
	<-m.done
	return err
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, k := range m.got {
		n += k
	}
	return n
}

// NewSession implements smtp.Backend.
func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{box: m}, nil }

type session struct {
	box *mailbox
	to  []string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	for _, to := range s.to {
		s.box.got[to]++
	}
	return nil
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }
