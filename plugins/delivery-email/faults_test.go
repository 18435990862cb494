package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Steps of a scripted server; every other step is the command's first word.
const (
	greeting = "greeting"
	body     = "body" // asked before the message is read: its answer is ignored unless it is drop
	dot      = "."    // the message is complete
)

// Things a scripted server can do instead of answering.
const (
	drop    = "\x00drop"
	silence = "\x00silence"
)

// scripted is a server that does what no SMTP library lets a backend do: fall silent, hang up, or talk nonsense at any
// step.
type scripted struct {
	address string
	act     map[string]string
	reached chan string // steps that were answered with silence
	stop    func()      // waits until every connection has been read to its end

	mu       sync.Mutex
	steps    []string
	complete int // messages whose end was seen
}

var usual = map[string]string{
	greeting: "220 ready", "EHLO": "250-mail\r\n250 ENHANCEDSTATUSCODES", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok",
	"DATA": "354 go on", dot: "250 2.0.0 queued", "RSET": "250 ok", "QUIT": "221 bye", "NOOP": "250 ok",
}

func startScripted(t *testing.T, act map[string]string) *scripted {
	t.Helper()
	s := &scripted{act: act, reached: make(chan string, 1)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				s.serve(conn)
			})
		}
	})
	s.stop = func() {
		_ = listener.Close()
		running.Wait()
	}
	t.Cleanup(s.stop)
	return s
}

func (s *scripted) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for step := greeting; s.answer(conn, step); {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if step = strings.ToUpper(word); step != "DATA" {
			continue
		}
		if !s.answer(conn, step) || s.act[body] == drop || !readMessage(in) {
			return
		}
		s.mu.Lock()
		s.complete++
		s.mu.Unlock()
		step = dot
	}
}

func readMessage(in *bufio.Reader) bool {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			return true
		}
	}
}

func (s *scripted) answer(conn net.Conn, step string) bool {
	s.mu.Lock()
	s.steps = append(s.steps, step)
	s.mu.Unlock()
	text, ok := s.act[step]
	if !ok {
		text = usual[step]
	}
	switch text {
	case drop:
		return false
	case silence:
		s.reached <- step
		_, _ = io.Copy(io.Discard, conn) // until the client hangs up
		return false
	case "":
		text = "500 what?"
	}
	_, err := io.WriteString(conn, text+"\r\n")
	return err == nil
}

func (s *scripted) completed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.complete
}

// TestFaults breaks the connection at each step. Before the end of DATA nothing is sent; after it, only an answer says
// what became of the message.
func TestFaults(t *testing.T) {
	large := func(p *sdk.Parcel) {
		p.Invoice.Files = []sdk.File{file(t, sdk.PDF, bytes.Repeat([]byte("0123456789abcde\n"), 400_000))}
	}
	for name, tc := range map[string]struct {
		act     map[string]string
		parcel  func(*sdk.Parcel)
		outcome sdk.Outcome
		class   sdk.ReasonClass
	}{
		"greeting drops":       {act: map[string]string{greeting: drop}, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"greeting refuses":     {act: map[string]string{greeting: "554 not you"}, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"greeting is nonsense": {act: map[string]string{greeting: "HTTP/1.1 400"}, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"EHLO drops":           {act: map[string]string{"EHLO": drop}, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"MAIL drops":           {act: map[string]string{"MAIL": drop}, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"RCPT drops":           {act: map[string]string{"RCPT": drop}, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"DATA drops":           {act: map[string]string{"DATA": drop}, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"drops within DATA":    {act: map[string]string{body: drop}, parcel: large, outcome: sdk.OutcomeRetry, class: sdk.ProviderProblem},
		"drops after DATA":     {act: map[string]string{dot: drop}, outcome: sdk.OutcomeUnknown, class: sdk.ProviderProblem},
		"nonsense after DATA":  {act: map[string]string{dot: "what was that?"}, outcome: sdk.OutcomeUnknown, class: sdk.ProviderProblem},
		"354 after DATA":       {act: map[string]string{dot: "354 again"}, outcome: sdk.OutcomeUnknown, class: sdk.ProviderProblem},
		"closes after 250":     {act: map[string]string{"QUIT": drop, "RSET": drop}, outcome: sdk.OutcomeSent},
		"421 after 250":        {act: map[string]string{"QUIT": "421 bye", "RSET": "421 bye"}, outcome: sdk.OutcomeSent},
	} {
		t.Run(name, func(t *testing.T) {
			server := startScripted(t, tc.act)
			m := mailer{now: func() time.Time { return noon }, dial: dialTo(server.address)}
			got, err := m.deliver(t.Context(), configure(t, nil), parcel(t, tc.parcel))
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, tc.outcome, tc.class)
			want := 0
			if tc.outcome != sdk.OutcomeRetry {
				want = 1
			}
			if server.completed() != want {
				t.Errorf("%d complete messages at the server, want %d", server.completed(), want)
			}
			if want == 1 && got.ProviderRef == "" {
				t.Error("no reference to find the message by")
			}
		})
	}
}

// TestSilence ends the call from outside while the server says nothing.
func TestSilence(t *testing.T) {
	for step, outcome := range map[string]sdk.Outcome{
		greeting: sdk.OutcomeRetry, "EHLO": sdk.OutcomeRetry, "MAIL": sdk.OutcomeRetry, "RCPT": sdk.OutcomeRetry,
		"DATA": sdk.OutcomeRetry, dot: sdk.OutcomeUnknown,
	} {
		t.Run(step, func(t *testing.T) {
			server := startScripted(t, map[string]string{step: silence})
			ctx, cancel := context.WithCancel(t.Context())
			stop := make(chan struct{})
			go func() {
				defer close(stop)
				<-server.reached
				cancel()
			}()
			m := mailer{now: func() time.Time { return noon }, dial: dialTo(server.address)}
			got, err := m.deliver(ctx, configure(t, nil), parcel(t, nil))
			<-stop
			if err != nil {
				t.Fatal(err)
			}
			wantReceipt(t, got, outcome, sdk.ProviderProblem)
		})
	}
}

// TestDeadline ends by itself: the configured timeout bounds the send although go-mail moves its own deadlines on.
func TestDeadline(t *testing.T) {
	server := startScripted(t, map[string]string{dot: silence})
	m := mailer{now: func() time.Time { return noon }, dial: dialTo(server.address)}
	c := configure(t, func(c *config) { c.Timeout = sdk.Duration(300 * time.Millisecond) })
	got, err := m.deliver(t.Context(), c, parcel(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if server.completed() == 1 {
		wantReceipt(t, got, sdk.OutcomeUnknown, sdk.ProviderProblem)
	} else {
		wantReceipt(t, got, sdk.OutcomeRetry, sdk.ProviderProblem) // a slow machine came no further
	}
}

// TestDeliveredDespiteRSET drives go-mail as it is by default, with RSET after the message: its error after a 250 must
// not make a double.
func TestDeliveredDespiteRSET(t *testing.T) {
	server := startScripted(t, map[string]string{"RSET": "421 4.3.2 bye"})
	c, p := configure(t, nil), parcel(t, nil)
	l, _ := newLetter(c, p)
	msg := must(compose(c, l, nil, buyer, p.ID, noon))(t)
	client := must(mail.NewClient(mailHost, mail.WithTLSPolicy(mail.NoTLS), mail.WithDialContextFunc(dialTo(server.address))))(t)
	conn := must(client.DialToSMTPClientWithContext(t.Context()))(t)
	err := client.SendWithSMTPClient(conn, msg)
	if err == nil {
		t.Fatal("go-mail reports no error after 421 to RSET: the special case is not needed any more")
	}
	wantReceipt(t, judge(msg, err, "ref", 1), sdk.OutcomeSent, "")
	_ = client.CloseWithSMTPClient(conn)
}

// TestBrokenContentIsNotSent breaks the message itself half-way, the connection being sound. Saying QUIT would end the
// message and have the server deliver half of it.
func TestBrokenContentIsNotSent(t *testing.T) {
	server := startScripted(t, nil)
	m := mailer{now: func() time.Time { return noon }, dial: dialTo(server.address)}
	c, p := configure(t, nil), parcel(t, nil)
	l, _ := newLetter(c, p)
	msg := must(compose(c, l, nil, buyer, p.ID, noon))(t)
	msg.AttachReadSeeker("dzfp.pdf", brokenFile{})
	s := must(m.open(t.Context(), c))(t)
	err := s.client.SendWithSMTPClient(s.smtp, msg)
	wantReceipt(t, judge(msg, err, "ref", 1), sdk.OutcomeRetry, sdk.ProviderProblem)
	s.hangUp()
	server.stop()
	if server.completed() != 0 {
		t.Error("the server has a whole message")
	}
}

type brokenFile struct{}

func (brokenFile) Read([]byte) (int, error)       { return 0, io.ErrUnexpectedEOF }
func (brokenFile) Seek(int64, int) (int64, error) { return 0, nil }
