package main

import (
	"crypto/tls"
	"fmt"
	"net"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/webhooks"
)

// newTerminals makes the registry of tills.
func (h *host) newTerminals() {
	h.tills = webhooks.NewTerminals(webhooks.TerminalsOptions{Store: h.store, Vault: h.sealer, Stores: h.book, Clock: h.clock, IDs: h.ids})
}

// listen opens every door. When one can't be opened, none stays open.
func (h *host) listen() (doors []listener, err error) {
	defer func() {
		if err != nil {
			for _, d := range doors {
				_ = d.net.Close()
			}
			doors = nil
		}
	}()
	public, err := h.public()
	if err != nil {
		return doors, err
	}
	if doors, err = open(doors, "public", h.cfg.Public.Listen, public.Serve, public.Shutdown); err != nil {
		return doors, err
	}
	h.edge = public
	buyer, err := webhooks.NewBuyer(webhooks.BuyerOptions{Store: h.store, Vault: h.sealer, Clock: h.clock, IDs: h.ids, Log: h.log,
		Language: h.cfg.Language, TrustedProxies: h.cfg.Public.TrustedProxies})
	if err != nil {
		return doors, fmt.Errorf("buyer's page: %w", err)
	}
	if doors, err = open(doors, "buyer", h.cfg.Buyer.Listen, buyer.Serve, buyer.Shutdown); err != nil {
		return doors, err
	}
	admin, err := h.adminDoors()
	return append(doors, admin...), err
}

func open(doors []listener, name, addr string, serve func(net.Listener) error, stop stopFunc) ([]listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return doors, fmt.Errorf("listen at the %s address: %w; choose another %[1]s.listen", name, err)
	}
	return append(doors, listener{name, l, serve, stop}), nil
}

func (h *host) public() (*webhooks.Public, error) {
	var hooks []webhooks.Hook
	for _, s := range h.cfg.Sources {
		if s.Token == "" {
			continue
		}
		token, err := s.Token.Value(h.cfg)
		if err != nil {
			return nil, fmt.Errorf("token of source %s: %w", s.ID, err)
		}
		hooks = append(hooks, webhooks.Hook{Instance: core.InstanceID(s.ID), Token: token})
	}
	var conf *tls.Config
	if t := h.cfg.Public.TLS; t.Cert != "" {
		cert, err := tls.LoadX509KeyPair(h.cfg.Path(t.Cert), h.cfg.Path(t.Key))
		if err != nil {
			return nil, fmt.Errorf("public.tls: %w", err)
		}
		conf = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	p, err := webhooks.NewPublic(webhooks.PublicOptions{Source: h.adapter, Inbox: h.flow, Hooks: hooks, Terminals: h.tills,
		TerminalRate: h.cfg.Public.TerminalRate, TrustedProxies: h.cfg.Public.TrustedProxies, TLS: conf, Clock: h.clock, IDs: h.ids, Log: h.log})
	if err != nil {
		return nil, fmt.Errorf("public edge: %w", err)
	}
	return p, nil
}
