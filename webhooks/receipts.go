package webhooks

import (
	"context"
	"mime"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
)

// LineStatus says what became of one receipt of a batch.
type LineStatus string

// What may become of a receipt.
const (
	LineStored    LineStatus = "stored"
	LineDuplicate LineStatus = "duplicate"
	// LineConflict: the receipt's id is known with other content. Nothing is merged; a problem shows both.
	LineConflict LineStatus = "conflict"
	// LineMalformed: it can't be read. With an id it is kept as a problem for a person, and need not be sent again.
	LineMalformed LineStatus = "malformed"
	LineIgnored   LineStatus = "ignored"
)

// LineResult is the answer about one line, counted from 1.
type LineResult struct {
	Line   int        `json:"line"`
	Status LineStatus `json:"status"`
	Code   Code       `json:"code,omitempty"`
	ID     core.ID    `json:"id,omitempty"`
}

// receipts takes one receipt, or a batch of them, from a till.
func (p *Public) receipts(c *fiber.Ctx) error {
	if err := plainBody(c); err != nil {
		return err
	}
	batch, err := isBatch(string(c.Request().Header.ContentType()))
	if err != nil {
		return err
	}
	s, ok := signatureOf(&c.Request().Header)
	if !ok {
		return unproven(CodeBadSignature)
	}
	if !p.posts.enter() {
		return busy
	}
	defer p.posts.leave()
	body := copyBody(c)
	ctx, cancel := context.WithTimeout(p.edge.ctx, ingestTime)
	defer cancel()
	till, err := p.Terminals.prove(ctx, s, fiber.MethodPost, receiptsPath, body)
	if err != nil {
		return err
	}
	lines, err := p.linesOf(body, batch)
	if err != nil {
		return err
	}
	if wait := p.tills.wait(s.terminal, len(lines), p.Clock.Now()); wait > 0 {
		p.counts.add(till.record.Instance, string(CodeTooManyRequests))
		return refusal{status: fiber.StatusTooManyRequests, code: CodeTooManyRequests, detail: "more receipts per minute than a terminal may send", retryAfter: wait}
	}
	if err := p.Terminals.admit(ctx, s, nil); err != nil {
		return err
	}
	in := p.inbound(till.record, s, lines)
	if !batch {
		return p.single(c, till.record.Instance, in[0])
	}
	results, err := p.batch(till.record.Instance, in)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		Results []LineResult `json:"results"`
	}{results})
}

// isBatch reads the media type: one receipt or many.
func isBatch(contentType string) (bool, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil && media == "application/x-ndjson" {
		return true, nil
	}
	if err == nil && media == fiber.MIMEApplicationJSON {
		return false, nil
	}
	return false, refusal{status: fiber.StatusUnsupportedMediaType, code: CodeMediaType, detail: "send application/json or application/x-ndjson"}
}

func (p *Public) linesOf(body []byte, batch bool) ([][]byte, error) {
	lines := [][]byte{body}
	if batch {
		var ok bool
		if lines, ok = cutLines(body); !ok {
			return nil, refusal{status: fiber.StatusRequestEntityTooLarge, code: CodeTooManyLines, detail: "send at most 500 receipts at a time"}
		}
		return lines, nil
	}
	if code := lineFault(body); code == CodeLineTooLong {
		return nil, refusal{status: fiber.StatusRequestEntityTooLarge, code: CodeTooLarge, detail: "a receipt has at most 1 MiB"}
	} else if code != "" {
		return nil, refusal{status: fiber.StatusBadRequest, code: CodeMalformed, detail: "the body is empty"}
	}
	return lines, nil
}

// inbound makes a request of its own of each line: what the source sees, and what is stored and can be replayed.
func (p *Public) inbound(r core.TerminalRecord, s signature, lines [][]byte) []flow.Inbound {
	now := p.Clock.Now()
	headers := []core.Header{{Name: "Content-Type", Value: fiber.MIMEApplicationJSON}, {Name: headerTerminal, Value: s.terminal},
		{Name: headerTimestamp, Value: strconv.FormatInt(s.at.Unix(), 10)}, {Name: headerSequence, Value: strconv.FormatUint(s.sequence, 10)}}
	in := make([]flow.Inbound, len(lines))
	for i, line := range lines {
		in[i].Raw = core.RawRequest{Method: fiber.MethodPost, Path: receiptsPath, Headers: headers, Body: line, ReceivedAt: now,
			Caller: core.Caller{Terminal: r.ID, Store: r.Store}}
	}
	return in
}

func (p *Public) single(c *fiber.Ctx, instance core.InstanceID, in flow.Inbound) error {
	var err error
	if in.Parsed, err = p.parse(instance, in.Raw, parseTime); err != nil {
		return err
	}
	result, err := p.take(instance, in)
	if err != nil {
		return err
	}
	return answer(c, in.Parsed, result, true)
}

// batch stores all receipts of a batch in one transaction and says of each line what it came to.
func (p *Public) batch(instance core.InstanceID, in []flow.Inbound) ([]LineResult, error) {
	results := make([]LineResult, len(in))
	if err := p.parseAll(instance, in, results); err != nil {
		return nil, err
	}
	var kept []flow.Inbound
	var lines []int
	for i := range in {
		if storable(in[i].Parsed) && results[i].Code == "" {
			kept, lines = append(kept, in[i]), append(lines, i)
		} else {
			results[i] = p.turnedAway(instance, i, in[i].Parsed, results[i].Code)
		}
	}
	if len(kept) == 0 {
		return results, nil
	}
	receipts, err := p.ingest(instance, kept)
	if err != nil {
		return nil, err
	}
	for j, r := range receipts {
		results[lines[j]] = taken(lines[j], kept[j].Parsed, r)
	}
	return results, nil
}

// parseAll asks for all verdicts at once; the plugin host puts them into few calls. Without one of them the whole batch
// waits, so that its answer is complete.
func (p *Public) parseAll(instance core.InstanceID, in []flow.Inbound, results []LineResult) error {
	deadline := time.Now().Add(batchTime)
	errs := make([]error, len(in))
	var all sync.WaitGroup
	for i := range in {
		if results[i].Code = lineFault(in[i].Raw.Body); results[i].Code != "" {
			continue
		}
		all.Go(func() { in[i].Parsed, errs[i] = p.parse(instance, in[i].Raw, time.Until(deadline)) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// turnedAway is the result of a line that is not stored.
func (p *Public) turnedAway(instance core.InstanceID, i int, parsed core.Parsed, code Code) LineResult {
	r := LineResult{Line: i + 1, Status: LineMalformed, Code: code}
	switch {
	case code != "":
	case parsed.Verdict == core.Ignored:
		r.Status, r.Code = LineIgnored, Code(parsed.Code)
	default:
		if r.Code = Code(parsed.Code); r.Code == "" {
			r.Code = CodeMalformed
		}
	}
	p.counts.add(instance, string(r.Status))
	return r
}

// taken is the result of a line that is on disk.
func taken(i int, parsed core.Parsed, receipt flow.Receipt) LineResult {
	r := LineResult{Line: i + 1, ID: receipt.Request}
	switch receipt.Result {
	case flow.Duplicate:
		r.Status = LineDuplicate
	case flow.Conflict:
		r.Status, r.Code = LineConflict, CodeConflict
	default:
		r.Status = LineStored
		if parsed.Verdict == core.Malformed {
			r.Status, r.Code = LineMalformed, Code(parsed.Code)
		}
	}
	return r
}
