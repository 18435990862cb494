package admin

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// Status is the state of the host in a few numbers.
type Status struct {
	Version string           `json:"version"`
	Lanes   []core.LaneState `json:"lanes"`
	Next    time.Time        `json:"next_task,omitzero"`
}

// TerminalRow is a till.
type TerminalRow struct {
	ID       string         `json:"id"`
	Store    core.StoreCode `json:"store"`
	Label    string         `json:"label"`
	Sequence uint64         `json:"sequence"`
	LastSeen time.Time      `json:"last_seen,omitzero"`
	Revoked  bool           `json:"revoked"`
}

// Activation is a one-time code for a new till; it is shown once.
type Activation struct {
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) host() {
	a.on("GET /v1/status", a.status)
	a.on("GET /v1/plugins", func(*http.Request) (any, error) { return a.Plugins(), nil })
	a.on("GET /v1/doctor", func(r *http.Request) (any, error) { return a.Doctor(r.Context()), nil })
	a.on("POST /v1/lanes/resume", a.resume)
	a.on("GET /v1/terminals", a.terminals)
	a.on("POST /v1/terminals", a.activate)
	a.on("POST /v1/terminals/{id}/revoke", func(r *http.Request) (any, error) {
		return done{true}, a.Terminals.Revoke(r.Context(), who(r), r.PathValue("id"))
	})
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	a.mux.HandleFunc("GET /readyz", a.ready)
	if a.Metrics != nil {
		a.mux.Handle("GET /metrics", a.Metrics)
	}
}

// ready says whether the database answers and every plugin has come up once. One that dies later harms only its own
// sources, which are told to come back.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	err := a.Store.View(r.Context(), func(v core.View) error { _, err := v.NextTask(); return err })
	if err != nil {
		a.fail(w, r, fmt.Errorf("%w: %w", core.ErrNotStored, err))
		return
	}
	if a.Starting != nil {
		if names := a.Starting(); len(names) > 0 {
			a.fail(w, r, fmt.Errorf("%w: plugins are starting: %s", core.ErrUnavailable, strings.Join(names, ", ")))
			return
		}
	}
	_, _ = w.Write([]byte("ready\n"))
}

func (a *API) status(r *http.Request) (any, error) {
	s := Status{Version: a.Version}
	err := a.Store.View(r.Context(), func(v core.View) (err error) {
		if s.Lanes, err = v.Lanes(); err != nil {
			return err
		}
		s.Next, err = v.NextTask()
		return err
	})
	return s, err
}

func (a *API) resume(r *http.Request) (any, error) {
	var in struct {
		Channel core.ChannelID `json:"channel"`
		Seller  core.SellerID  `json:"seller"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	return done{true}, a.Flow.ResumeLane(r.Context(), who(r), in.Channel, in.Seller)
}

func (a *API) terminals(r *http.Request) (any, error) {
	list, err := a.Terminals.List(r.Context())
	rows := []TerminalRow{}
	for _, t := range list {
		rows = append(rows, TerminalRow{t.ID, t.Store, t.Label, t.Sequence, t.LastSeen, t.Revoked})
	}
	return rows, err
}

func (a *API) activate(r *http.Request) (any, error) {
	var in struct {
		Source core.InstanceID `json:"source"`
		Store  core.StoreCode  `json:"store"`
		Label  string          `json:"label"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if _, ok := a.Book.Instance(in.Source); !ok {
		return nil, fmt.Errorf("%w: no source is called %q", errBad, in.Source)
	}
	if _, ok := a.Book.Store(in.Store); !ok {
		return nil, fmt.Errorf("%w: no store has the code %q", errBad, in.Store)
	}
	code, expires, err := a.Terminals.NewActivation(r.Context(), who(r), in.Source, in.Store, in.Label)
	return Activation{code, expires}, err
}
