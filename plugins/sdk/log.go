package sdk

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// logHandler writes records as the host reads them: one JSON object a line, with "@level", "@message" and "@timestamp"
// beside the attributes.
type logHandler struct {
	mu    *sync.Mutex
	out   io.Writer
	attrs []slog.Attr
	group string
}

func newLogHandler(out io.Writer) *logHandler { return &logHandler{mu: &sync.Mutex{}, out: out} }

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	line := map[string]any{
		"@level": logLevel(r.Level), "@message": r.Message, "@timestamp": r.Time.Format("2006-01-02T15:04:05.000000Z07:00"),
	}
	for _, a := range h.attrs {
		addAttr(line, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		addAttr(line, h.group, a)
		return true
	})
	data, err := json.Marshal(line)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err = h.out.Write(append(data, '\n'))
	return err
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clip(h.attrs)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		next.attrs = append(next.attrs, a)
	}
	return &next
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	next := *h
	if name != "" {
		next.group += name + "."
	}
	return &next
}

func logLevel(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warn"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

func addAttr(line map[string]any, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		for _, inner := range v.Group() {
			addAttr(line, prefix+a.Key+".", inner)
		}
		return
	}
	if a.Key == "" {
		return
	}
	switch x := v.Any().(type) {
	case error:
		line[prefix+a.Key] = x.Error()
	case time.Duration:
		line[prefix+a.Key] = x.String()
	default:
		line[prefix+a.Key] = x
	}
}
