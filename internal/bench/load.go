//go:build linux

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// loader sends events to a host's public door on connections that stay open. It shares the machine with what it measures,
// so it spends little: a request is one write, an answer is read and thrown away.
type loader struct {
	host, path string
	key        []byte
	*events
}

// send drives the senders until stop; every answer must be 200.
func (l *loader) send(ctx context.Context, stop func(int64) bool) (drove, error) {
	conns := make([]net.Conn, producers)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	return drive(producers, func(i int64) bool { return ctx.Err() != nil || stop(i) }, func(worker int) (func(int64) error, error) {
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", l.host)
		if err != nil {
			return nil, fmt.Errorf("open a connection to the host: %w", err)
		}
		conns[worker] = conn
		s := sender{loader: l, conn: conn, answers: bufio.NewReader(conn)}
		return s.send, nil
	})
}

// sender is one connection.
type sender struct {
	*loader
	conn    net.Conn
	answers *bufio.Reader
	buf     []byte
}

func (s *sender) send(piece int64) error {
	s.buf = s.request(s.buf[:0], s.host, s.path, s.key, s.first+piece)
	if err := s.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := s.conn.Write(s.buf); err != nil {
		return fmt.Errorf("send event %d: %w", s.first+piece, err)
	}
	res, err := http.ReadResponse(s.answers, nil)
	if err != nil {
		return fmt.Errorf("answer to event %d: %w", s.first+piece, err)
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("answer to event %d: %w", s.first+piece, err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("event %d was answered %s: %s", s.first+piece, res.Status, body)
	}
	return nil
}
