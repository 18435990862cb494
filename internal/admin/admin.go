// Package admin is the operators' API (net/http): on a Unix socket for the command line and on loopback TCP. It shows
// people masked and changes nothing but through the use cases of flow.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
)

// Codes looks classification codes up for a person.
type Codes interface {
	// Find lists codes whose name, short name or alias fits a text.
	Find(text string, limit int) []core.Candidate
	// Known says whether a code is a leaf that may be invoiced.
	Known(code core.ClassificationCode) bool
}

// Terminals manages tills.
type Terminals interface {
	NewActivation(ctx context.Context, who string, instance core.InstanceID, store core.StoreCode, label string) (code string, expires time.Time, err error)
	List(ctx context.Context) ([]core.TerminalRecord, error)
	Revoke(ctx context.Context, who, id string) error
}

// PluginStatus is what is known of a running plugin.
type PluginStatus struct {
	Name      string    `json:"name"`
	Version   string    `json:"version,omitempty"`
	State     string    `json:"state"`
	Since     time.Time `json:"since,omitzero"`
	Restarts  int       `json:"restarts"`
	LastWords string    `json:"last_words,omitempty"`
}

// Check is one finding of the diagnosis.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	// Remedy is a command or an advice when it is not OK.
	Remedy string `json:"remedy,omitempty"`
}

// Options are what the API works on. Nil functions answer 404.
type Options struct {
	Flow      *flow.Flow
	Store     core.Store
	Vault     core.Vault
	Book      core.Book
	Codes     Codes
	Terminals Terminals
	Plugins   func() []PluginStatus
	// Starting lists the plugins that are not up for the first time.
	Starting func() []string
	Doctor   func(ctx context.Context) []Check
	Log      *slog.Logger
	Version  string
	// Metrics writes the metrics in the text format of Prometheus.
	Metrics http.Handler
}

// API serves the operators' API.
type API struct {
	Options
	mux *http.ServeMux
}

// New makes the API.
func New(o Options) *API {
	a := &API{Options: o, mux: http.NewServeMux()}
	a.orders()
	a.invoices()
	a.work()
	a.host()
	return a
}

// ServeHTTP serves one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// handler answers with a value to be written as JSON, or an error.
type handler func(r *http.Request) (any, error)

func (a *API) on(pattern string, h handler) {
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		v, err := h(r)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			a.Log.Debug("answer cut off", "path", r.URL.Path, "error", err)
		}
	})
}

// Problem is an answer that is no success (RFC 9457).
type Problem struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// errBad marks faults of the caller.
var errBad = errors.New("bad request")

func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, code := http.StatusInternalServerError, "internal"
	switch {
	case errors.Is(err, core.ErrNotFound):
		status, code = http.StatusNotFound, "not_found"
	case errors.Is(err, errBad):
		status, code = http.StatusBadRequest, "bad_request"
	case errors.Is(err, core.ErrConflict):
		status, code = http.StatusConflict, "conflict"
	case errors.Is(err, core.ErrNotStored):
		status, code = http.StatusServiceUnavailable, "not_stored"
	case errors.Is(err, core.ErrUnavailable):
		status, code = http.StatusServiceUnavailable, "unavailable"
	}
	if status == http.StatusInternalServerError {
		a.Log.Error("admin request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{code, http.StatusText(status), err.Error()})
}

// decode reads a small JSON body; unknown fields are faults, so that a mistyped one is noticed.
func decode(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errBad, err)
	}
	return nil
}

// who names the acting person: the user of the command line, or "api".
func who(r *http.Request) string {
	if u := r.Header.Get("X-Kaipiao-User"); u != "" {
		return u
	}
	return "api"
}

func limit(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || n < 1 || n > 1000 {
		return 100
	}
	return n
}

// done is the answer of an act without more to say.
type done struct {
	Done bool `json:"done"`
}
