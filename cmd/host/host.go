package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/admin"
	"github.com/kaipiao/kaipiao/internal/config"
	"github.com/kaipiao/kaipiao/internal/storage/sqlite"
	"github.com/kaipiao/kaipiao/internal/vault"
	"github.com/kaipiao/kaipiao/internal/worker"
	"github.com/kaipiao/kaipiao/mapping"
	pluginhost "github.com/kaipiao/kaipiao/plugins/host"
	"github.com/kaipiao/kaipiao/taxapi"
	"github.com/kaipiao/kaipiao/webhooks"
)

// hostOptions say how much of a host is wanted.
type hostOptions struct {
	// offline opens the database for one command: no plugins, no workers, no listeners.
	offline bool
	log     logOptions
}

// host is the program as a value: everything wired, nothing listening yet.
type host struct {
	cfg       *config.Config
	log       *slog.Logger
	db        *sqlite.DB
	store     core.Store
	abandon   func(context.Context) error
	keys      *vault.Keyring
	sealer    sealer
	schedule  core.Schedule
	book      *book
	mapper    *mapping.Mapper
	catalogue *mapping.Catalogue
	channels  *taxapi.Registry
	plugins   *pluginhost.Host
	adapter   *pluginhost.Adapter
	instances *instances
	flow      *flow.Flow
	worker    *worker.Worker
	api       *admin.API
	tills     *webhooks.Terminals
	edge      *webhooks.Public
	clock     systemClock
	ids       randomIDs
	closers   []func(context.Context) error
}

// systemClock is the wall clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// randomIDs draws ids from the system's randomness.
type randomIDs struct{}

func (randomIDs) New() core.ID {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return core.MakeID(time.Now(), binary.BigEndian.Uint64(b[:]))
}

// sealer makes core's vault of a keyring.
type sealer struct{ *vault.Keyring }

func (s sealer) Seal(seller core.SellerID, at time.Time, p core.Place, plain []byte) (core.Sealed, error) {
	return s.Keyring.Seal(string(seller), at, vault.Place(p), plain)
}

func (s sealer) Open(p core.Place, sealed core.Sealed) ([]byte, error) {
	return s.Keyring.Open(vault.Place(p), sealed)
}

// openHost wires a host in the order in which its parts need each other. On an error everything opened is closed.
func openHost(ctx context.Context, cfg *config.Config, o hostOptions) (_ *host, err error) {
	h := &host{cfg: cfg, log: newLog(o.log)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close(context.WithoutCancel(ctx)))
		}
	}()
	if h.schedule, err = core.DefaultSchedule().Scale(cfg.Bureau.TimeScale); err != nil {
		return nil, fmt.Errorf("bureau.time_scale: %w", err)
	}
	for _, step := range []func(context.Context) error{h.openStore, h.openVault, h.openCatalogue, h.openChannels} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := h.openPlugins(o.offline); err != nil {
		return nil, err
	}
	if h.book, err = newBook(cfg, h.canFetch); err != nil {
		return nil, err
	}
	h.flow = flow.New(flow.Options{Store: h.store, Vault: h.sealer, Mapper: h.mapper, Channels: h.channels, Source: h.adapter,
		Courier: h.adapter, Book: h.book, Clock: h.clock, IDs: h.ids, Schedule: h.schedule, Log: h.log})
	h.newWorker()
	h.newTerminals()
	apiLog := h.log
	if o.offline { // the command itself says what failed
		apiLog = slog.New(slog.DiscardHandler)
	}
	h.newAPI(apiLog)
	return h, nil
}

func (h *host) openStore(ctx context.Context) error {
	if err := os.MkdirAll(h.cfg.DataPath(), 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	db, err := sqlite.Open(ctx, sqlite.Options{Path: h.cfg.DataPath("kaipiao.db"), Logger: h.log, OnWALAlarm: func(n int64) {
		h.log.Error("the write-ahead log is large; a reader does not end or the disk can't keep up", "bytes", n)
	}})
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	h.db = db
	h.closers = append(h.closers, func(context.Context) error { return db.Close() })
	store, err := sqlite.OpenStore(ctx, db)
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	h.abandon = store.Abandon
	h.store = worker.Waking(store, func() {
		if h.worker != nil {
			h.worker.Wake()
		}
	})
	return nil
}

func (h *host) openVault(ctx context.Context) error {
	kek, err := vault.LoadKEK(h.cfg.Path(h.cfg.Keys.KEK), h.cfg.DataPath())
	if err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	h.keys, err = vault.New(ctx, keyStore{h.db}, kek)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	h.sealer = sealer{h.keys}
	return nil
}

func (h *host) openCatalogue(context.Context) error {
	c, err := mapping.Shipped()
	if err != nil {
		return fmt.Errorf("catalogue of classification codes: %w", err)
	}
	h.catalogue, h.mapper = c, mapping.New(c, mapping.StoredRules{Store: h.store}, h.log)
	return nil
}

func (h *host) newWorker() {
	handlers := map[core.TaskKind]worker.Handler{}
	for kind, f := range h.flow.Handlers() {
		handlers[kind] = f
	}
	h.worker = worker.New(worker.Options{Store: h.store, Clock: h.clock, Log: h.log, Owner: string(h.ids.New()), Lease: h.schedule.Lease,
		Slots: slotsFor(laneCaps(h.cfg, h.book.Sellers())), Handlers: handlers, Batches: map[core.TaskKind]worker.BatchHandler{core.TaskDeliver: h.flow.Deliver},
		Failed: h.flow.Failed})
}

// close ends what openHost opened, last first.
func (h *host) close(ctx context.Context) error {
	var errs []error
	for i := len(h.closers) - 1; i >= 0; i-- {
		errs = append(errs, h.closers[i](ctx))
	}
	h.closers = nil
	return errors.Join(errs...)
}

// pluginDir is where plugin binaries lie: as configured, relative to the configuration or to this program.
func pluginDir(cfg *config.Config) string {
	dir := cfg.Path(cfg.Plugins.Dir)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if exe, err := os.Executable(); err == nil {
		if beside := filepath.Join(filepath.Dir(exe), "plugins"); isDir(beside) {
			return beside
		}
	}
	return dir
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
