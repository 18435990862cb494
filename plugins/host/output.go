package host

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"
)

// tailBytes is how much of a plugin's last output is kept to explain its death.
const tailBytes = 64 << 10

// tail keeps the last bytes written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

// Write implements io.Writer; it never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p[max(0, len(p)-tailBytes):]...)
	if over := len(t.data) - tailBytes; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.data), "\uFFFD")
}

// printed takes what a plugin prints past its logger: kept with the tail, and logged for debugging.
type printed struct {
	tail   *tail
	bridge *logBridge
}

// Write implements io.Writer; it never fails.
func (p printed) Write(text []byte) (int, error) {
	p.bridge.Accept(p.bridge.plugin+".print", hclog.Debug, strings.TrimRight(string(text), "\n"))
	return p.tail.Write(text)
}

// logBridge carries a plugin's log lines into the host's logger: masked, and no faster than the rate allows, so that a
// flood costs the plugin and not the host.
type logBridge struct {
	plugin  string
	log     *slog.Logger
	mask    func(string) string
	limit   *rate.Limiter
	dropped *atomic.Int64
}

const (
	logLinesPerSecond = 50
	logBurst          = 500
)

// logger gives go-plugin the logger that it wants, with the bridge behind it.
func (b *logBridge) logger() hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: b.plugin, Output: io.Discard, Level: hclog.Debug})
	l.RegisterSink(b)
	return l
}

// Accept implements hclog.SinkAdapter. What go-plugin says for itself bears the plain name; it repeats what the supervisor
// reports better, and is for debugging.
func (b *logBridge) Accept(name string, level hclog.Level, message string, args ...any) {
	to := slogLevel(level)
	if name == b.plugin {
		to = slog.LevelDebug
	}
	if !b.log.Enabled(context.Background(), to) {
		return
	}
	if !b.limit.Allow() {
		b.dropped.Add(1)
		return
	}
	attrs := []any{"plugin", b.plugin}
	for i := 0; i+1 < len(args); i += 2 {
		key := fmt.Sprint(args[i])
		if key == "timestamp" {
			continue
		}
		attrs = append(attrs, b.mask(key), b.mask(fmt.Sprint(args[i+1])))
	}
	b.log.Log(context.Background(), to, b.mask(message), attrs...)
}

func slogLevel(l hclog.Level) slog.Level {
	switch l {
	case hclog.Error:
		return slog.LevelError
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Info:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
