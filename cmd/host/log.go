package main

import (
	"io"
	"log/slog"

	"github.com/kaipiao/kaipiao/core"
)

// logOptions configure the log.
type logOptions struct {
	out    io.Writer
	level  string
	format string
}

// newLog makes the one logger of the program. It masks people in errors, which may repeat what others said.
func newLog(o logOptions) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.level)); err != nil {
		level = slog.LevelInfo
	}
	ho := &slog.HandlerOptions{Level: level, ReplaceAttr: maskError}
	if o.format == "json" {
		return slog.New(slog.NewJSONHandler(o.out, ho))
	}
	return slog.New(slog.NewTextHandler(o.out, ho))
}

func maskError(_ []string, a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok {
		return slog.String(a.Key, core.MaskText(err.Error()))
	}
	return a
}
