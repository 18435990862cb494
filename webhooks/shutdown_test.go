package webhooks_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/webhooks"
)

// TestShutdownWaitsForRunningRequests: who was let in gets its answer; who comes later finds nobody.
func TestShutdownWaitsForRunningRequests(t *testing.T) {
	w := newWorld(t)
	inside, leave := make(chan struct{}), make(chan struct{})
	w.source.meet = func(core.RawRequest) { inside <- struct{}{}; <-leave }
	first := make(chan reply)
	go func() { first <- w.hook(note{ID: "e1", Order: "SO-1"}) }()
	<-inside
	down := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		down <- w.public.Shutdown(ctx)
	}()
	for { // the listener is closed first
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			break
		}
		conn.Close()
	}
	close(leave)
	if r := <-first; r.status != 200 || !r.closed {
		t.Errorf("%d %s, closed %v", r.status, r.body, r.closed)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestServeAfterShutdown(t *testing.T) {
	p, err := webhooks.NewPublic(webhooks.PublicOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Serve(ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("served: %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
}
