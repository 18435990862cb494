package webhooks

import (
	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
)

// standard are the answers for sources that supply none.
var standard = map[flow.Result][]byte{
	"":             []byte(`{"status":"ignored"}`),
	flow.Stored:    []byte(`{"status":"stored"}`),
	flow.Duplicate: []byte(`{"status":"duplicate"}`),
	flow.Conflict:  []byte(`{"status":"conflict","code":"idempotency_mismatch"}`),
}

// answer sends the source's own answer for a result that is on disk. What the source ignores is answered like what is
// stored, since to its platform it is taken. A conflict without an answer of the source's own is a success to a platform, which
// would only repeat it, and none to a till (strict).
func answer(c *fiber.Ctx, p core.Parsed, result flow.Result, strict bool) error {
	reply := p.Stored
	switch result {
	case flow.Duplicate:
		reply = p.Duplicate
	case flow.Conflict:
		reply = p.Conflict
	}
	response := c.Response()
	if reply.Status == 0 {
		if result == flow.Conflict && strict {
			return refusal{status: fiber.StatusUnprocessableEntity, code: CodeConflict, detail: "the id is known with other content; the first is kept"}
		}
		reply.Status, reply.Body = fiber.StatusOK, standard[result]
		response.Header.SetContentType(fiber.MIMEApplicationJSON)
	}
	response.SetStatusCode(reply.Status)
	for _, h := range reply.Headers {
		response.Header.Set(h.Name, h.Value)
	}
	if result == flow.Duplicate {
		response.Header.Set("Idempotency-Hit", "true")
	}
	response.SetBodyRaw(reply.Body)
	return nil
}
