package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxControlBody bounds a control request.
const maxControlBody = 16 << 20

// badRequest is an error whose text is for the caller of the control API.
type badRequest struct{ error }

// routeControl registers the control API of docs/sandbox.md.
func (b *Bureau) routeControl() {
	route := func(pattern string, serve func(*http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		b.mux.HandleFunc(method+" "+b.opts.Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
			b.reply(w, r, serve)
		})
	}
	route("GET /sandbox/health", b.health)
	route("GET /sandbox/settings", func(*http.Request) (any, error) { return b.registry.current(), nil })
	route("POST /sandbox/settings", b.changeSettings)
	route("GET /sandbox/clock", func(*http.Request) (any, error) { return b.clock(), nil })
	route("POST /sandbox/clock", b.advanceClock)
	route("POST /sandbox/apps", b.registerApps)
	route("POST /sandbox/sellers", func(r *http.Request) (any, error) { return register[seller](b, r) })
	route("POST /sandbox/buyers", func(r *http.Request) (any, error) { return register[buyer](b, r) })
	route("POST /sandbox/codes", func(r *http.Request) (any, error) { return register[classification](b, r) })
	route("GET /sandbox/faults", func(*http.Request) (any, error) { return b.faults.list(), nil })
	route("POST /sandbox/faults", b.addFaults)
	route("DELETE /sandbox/faults", b.dropFaults)
	route("DELETE /sandbox/faults/{id}", b.dropFaults)
	route("POST /sandbox/confirmations", b.enterAsBuyer)
	route("POST /sandbox/confirmations/{uuid}", b.actOnConfirmation)
	route("POST /sandbox/invoices", b.issueByHand)
	b.mux.HandleFunc("GET "+b.opts.Prefix+"/sandbox/ledger", b.serveLedger)
	b.mux.HandleFunc("GET "+b.opts.Prefix+"/sandbox/wire", b.serveWire)
}

func (b *Bureau) reply(w http.ResponseWriter, r *http.Request, serve func(*http.Request) (any, error)) {
	result, err := serve(r)
	var bad badRequest
	var no *refusal
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, result)
	case errors.As(err, &no):
		writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"code": string(no.code), "error": no.message})
	case errors.As(err, &bad):
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": bad.Error()})
	default:
		b.log.Error("sandbox: a control request failed", "path", r.URL.Path, "error", err)
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "internal error of the sandbox"})
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// readJSON is strict: a misspelt field in a test would otherwise silently test nothing.
func readJSON(r *http.Request, v any) error {
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = strictUnmarshal(text, v)
	}
	if err != nil {
		return badRequest{fmt.Errorf("reading the JSON body: %w", err)}
	}
	return nil
}

func strictUnmarshal(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// readOneOrMany takes a JSON object or an array of them.
func readOneOrMany[T any](r *http.Request) ([]T, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, badRequest{fmt.Errorf("reading the body: %w", err)}
	}
	var many []json.RawMessage
	if json.Unmarshal(text, &many) != nil {
		many = []json.RawMessage{text}
	}
	all := make([]T, len(many))
	for i, one := range many {
		if err := strictUnmarshal(one, &all[i]); err != nil {
			return nil, badRequest{fmt.Errorf("reading entry %d: %w", i+1, err)}
		}
	}
	return all, nil
}

// register stores records; doing it again changes nothing.
func register[T any, P interface {
	*T
	record
}](b *Bureau, r *http.Request) (any, error) {
	all, err := readOneOrMany[T](r)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := P(&all[i]).check(); err != nil {
			return nil, badRequest{fmt.Errorf("entry %d: %w", i+1, err)}
		}
	}
	for i := range all {
		if err := b.registry.put(b.store, P(&all[i])); err != nil {
			return nil, err
		}
	}
	return map[string]int{"registered": len(all)}, nil
}

func (b *Bureau) registerApps(r *http.Request) (any, error) {
	result, err := register[app](b, r)
	b.registry.mu.RLock()
	defer b.registry.mu.RUnlock()
	for _, a := range b.registry.apps {
		b.nonces.lengthen(2 * time.Duration(a.Window))
	}
	return result, err
}

func (b *Bureau) changeSettings(r *http.Request) (any, error) {
	return b.registry.change(b.store, func(s *settings) error {
		offset := s.Offset
		if err := readJSON(r, s); err != nil {
			return err
		}
		if s.Offset != offset {
			return badRequest{errors.New("offset is moved by POST /sandbox/clock")}
		}
		if err := s.check(); err != nil {
			return badRequest{err}
		}
		return nil
	})
}

// clockResult shows both times.
type clockResult struct {
	BureauTime string   `json:"bureau_time"`
	RealTime   string   `json:"real_time"`
	Offset     duration `json:"offset"`
}

func (b *Bureau) clock() clockResult {
	return clockResult{wireTime(b.now()), wireTime(b.opts.Now()), b.registry.current().Offset}
}

// advanceClock moves bureau time forward, by a duration or to a moment. It never goes back: what has expired stays so.
func (b *Bureau) advanceClock(r *http.Request) (any, error) {
	var move struct {
		Advance duration  `json:"advance"`
		To      time.Time `json:"to"`
	}
	if err := readJSON(r, &move); err != nil {
		return nil, err
	}
	_, err := b.registry.change(b.store, func(s *settings) error {
		by := time.Duration(move.Advance)
		if !move.To.IsZero() {
			by = move.To.Sub(b.opts.Now().Add(time.Duration(s.Offset)))
		}
		if by < 0 {
			return badRequest{errors.New("the bureau's clock only moves forward")}
		}
		s.Offset += duration(by)
		return nil
	})
	return b.clock(), err
}

func (b *Bureau) addFaults(r *http.Request) (any, error) {
	rules, err := readOneOrMany[faultRule](r)
	if err != nil {
		return nil, err
	}
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return nil, badRequest{fmt.Errorf("rule %d: %w", i+1, err)}
		}
	}
	if err := b.faults.add(b.store, rules); err != nil {
		return nil, err
	}
	return rules, nil
}

func (b *Bureau) dropFaults(r *http.Request) (any, error) {
	if err := b.faults.drop(b.store, r.PathValue("id")); err != nil {
		return nil, err
	}
	return b.faults.list(), nil
}

func (b *Bureau) health(*http.Request) (any, error) {
	var invoices int64
	err := b.store.do(func(*tx) error { invoices = b.lastInvoice; return nil })
	return map[string]any{"status": "ok", "bureau_time": wireTime(b.now()), "invoices": invoices}, err
}
