package webhooks

import (
	"bytes"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/fault"
)

// publicBodyLimit is how large the body of a request may be, by its target.
func publicBodyLimit(target []byte) int {
	switch {
	case bytes.HasPrefix(target, []byte(receiptsPath)):
		return receiptBodyLimit
	case bytes.HasPrefix(target, []byte("/hooks/")):
		return hookBodyLimit
	}
	return smallBodyLimit
}

// plainBody refuses bodies that are packed: signatures cover the bytes as sent, and 194 KB can unpack to 200 MB.
func plainBody(c *fiber.Ctx) error {
	if fault.Bug(fault.BugCBody) {
		return nil
	}
	for _, e := range c.Request().Header.PeekAll(fiber.HeaderContentEncoding) {
		if len(e) > 0 && !bytes.EqualFold(e, []byte("identity")) {
			return refusal{status: fiber.StatusUnsupportedMediaType, code: CodeEncoding, detail: "send the body without Content-Encoding"}
		}
	}
	return nil
}

// copyBody takes the body's bytes out of the server's buffer, which serves the next request as soon as this one is
// answered.
func copyBody(c *fiber.Ctx) []byte {
	if fault.Bug(fault.BugCBody) {
		return bytes.Clone(c.Body())
	}
	return bytes.Clone(c.Request().Body())
}

// copyRequest takes everything a source may look at out of the server's buffers: headers in their order and with their
// repeats, in one block of memory.
func copyRequest(c *fiber.Ctx, at time.Time) core.RawRequest {
	h := &c.Request().Header
	uri := c.Request().URI()
	size := len(h.RawHeaders())
	var block strings.Builder
	block.Grow(size)
	headers := make([]core.Header, 0, bytes.Count(h.RawHeaders(), []byte{'\n'})+1)
	for key, value := range h.AllInOrder() {
		i := block.Len()
		block.Write(key)
		j := block.Len()
		block.Write(value)
		all := block.String()
		headers = append(headers, core.Header{Name: all[i:j], Value: all[j:]})
	}
	return core.RawRequest{Method: c.Method(), Path: string(uri.PathOriginal()), Query: string(uri.QueryString()), Headers: headers,
		Body: copyBody(c), ReceivedAt: at}
}
