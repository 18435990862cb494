package webhooks

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/kaipiao/kaipiao/core/coretest"
)

// What a handler panics with may come from the request.
func TestPanicsAreMaskedInTheLog(t *testing.T) {
	var log strings.Builder
	e, err := newEdge(edgeOptions{ids: coretest.NewIDs(1), log: slog.New(slog.NewTextHandler(&log, nil)), bodyLimit: publicBodyLimit})
	if err != nil {
		t.Fatal(err)
	}
	defer e.cancel()
	var ctx fasthttp.RequestCtx
	e.guard(func(*fasthttp.RequestCtx) { panic("no buyer 13800138000") })(&ctx)
	if ctx.Response.StatusCode() != fasthttp.StatusInternalServerError || !strings.Contains(log.String(), "no buyer 138****8000") {
		t.Errorf("status %d, log %s", ctx.Response.StatusCode(), &log)
	}
}
