package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options say where a bureau lives and what it believes about time.
type Options struct {
	// Dir holds the bureau's files and is made if missing. One bureau at a time may use it.
	Dir string
	// Now is real time; nil means time.Now. Bureau time is Now plus what POST /sandbox/clock added.
	Now func() time.Time
	// Logger takes what goes wrong inside the bureau. Nil means slog.Default.
	Logger *slog.Logger
	// Prefix is put in front of all paths, for a bureau that sits behind a base URL with a path; it is part of what
	// clients sign.
	Prefix string
	// WireLog is how many exchanges the wire log keeps; 0 means 200 000. Exchanges younger than two clock windows are
	// kept in any case, because their nonces must be.
	WireLog int
}

// Bureau is a tax bureau in a box. Its methods are safe for concurrent use.
type Bureau struct {
	opts     Options
	log      *slog.Logger
	store    *store
	registry *registry
	faults   *faults
	nonces   *nonces
	mux      *http.ServeMux

	closeOnce sync.Once
	closing   chan struct{} // ends every held answer

	// Owned by the store's writer.
	lastInvoice, lastConfirmation, lastWire int64
}

// Open starts a bureau, with everything that an earlier one acknowledged in the same folder.
func Open(opts Options) (*Bureau, error) {
	if opts.Dir == "" {
		return nil, errors.New("sandbox: Options.Dir is empty; name a folder for the bureau's files")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.WireLog == 0 {
		opts.WireLog = 200_000
	}
	opts.Prefix = strings.TrimSuffix(opts.Prefix, "/")
	b := &Bureau{opts: opts, log: opts.Logger, registry: newRegistry(), faults: &faults{},
		nonces: newNonces(2*defaultWindow, opts.Now()), closing: make(chan struct{})}
	var err error
	if b.store, err = openStore(opts.Dir); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := b.store.do(b.load); err != nil {
		return nil, fmt.Errorf("sandbox: reading the ledger: %w", errors.Join(err, b.store.close()))
	}
	b.mux = http.NewServeMux()
	b.mux.HandleFunc("POST "+opts.Prefix+"/gm/v1/{operation}", b.serveChannel)
	b.routeControl()
	return b, nil
}

func (b *Bureau) load(t *tx) error {
	if err := b.registry.load(t); err != nil {
		return err
	}
	for _, a := range b.registry.apps {
		b.nonces.lengthen(2 * time.Duration(a.Window))
	}
	if err := b.faults.load(t); err != nil {
		return err
	}
	for table, last := range map[string]*int64{
		"invoices": &b.lastInvoice, "confirmations": &b.lastConfirmation, "wire": &b.lastWire,
	} {
		if _, err := t.row(`SELECT coalesce(max(id), 0) FROM `+table, nil, last); err != nil {
			return err
		}
	}
	return b.loadNonces(t)
}

// Handler serves the gm channel under /gm/v1/ and the control API under /sandbox/.
func (b *Bureau) Handler() http.Handler { return b.mux }

// Close ends held answers, waits for work that was begun and closes the files. Requests that come later get HTTP 500.
func (b *Bureau) Close() error {
	b.closeOnce.Do(func() { close(b.closing) })
	return b.store.close()
}

// now is bureau time, in the milliseconds that the ledger keeps.
func (b *Bureau) now() time.Time {
	offset := time.Duration(b.registry.current().Offset)
	return b.opts.Now().Add(offset).Truncate(time.Millisecond).In(beijing)
}

// wall is the time that timestamps are judged by: moving the bureau's calendar by days must not close the window.
func (b *Bureau) wall() time.Time {
	return b.opts.Now().Add(time.Duration(b.registry.current().Skew))
}

func (b *Bureau) nextInvoice() int64 {
	b.lastInvoice++
	return b.lastInvoice
}

func (b *Bureau) nextConfirmation() int64 {
	b.lastConfirmation++
	return b.lastConfirmation
}

// hold waits for d, or until the client gives up or the bureau closes.
func (b *Bureau) hold(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-b.closing:
	}
}
