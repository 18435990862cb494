package webhooks

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/fault"
	"github.com/kaipiao/kaipiao/internal/gmcrypto"
)

// nobody is the secret that requests of unknown tills are compared with, so that they take as long as the others.
var nobody = []byte(newSecret())

func unproven(code Code) refusal {
	return refusal{status: fiber.StatusUnauthorized, code: code, detail: forgedDetail}
}

// prove finds the till that signed a request. It stores nothing; admit does.
func (t *Terminals) prove(ctx context.Context, s signature, method, path string, body []byte) (terminal, error) {
	k, err := t.find(ctx, s.terminal, s.keyID)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return k, refusal{status: fiber.StatusServiceUnavailable, code: CodeUnavailable, detail: "the registry of terminals does not answer", cause: err}
	}
	secret := nobody
	if err == nil {
		secret = k.secretOf(s.keyID)
	}
	mac := s.macOf(secret, method, path, body)
	if !gmcrypto.Equal(mac[:], s.mac[:]) || err != nil {
		return k, unproven(CodeBadSignature)
	}
	return k, t.current(k.record, s)
}

// current checks what changes with time: whether the till is revoked, its key outlived and its clock right.
func (t *Terminals) current(r core.TerminalRecord, s signature) error {
	now := t.Clock.Now()
	switch {
	case s.keyID != r.KeyID && (s.keyID != r.OldKeyID || !now.Before(r.OldUntil)):
		return unproven(CodeBadSignature)
	case r.Revoked:
		return refusal{status: fiber.StatusUnauthorized, code: CodeRevoked, detail: "this terminal was revoked"}
	case now.Sub(s.at).Abs() > window:
		return refusal{status: fiber.StatusUnauthorized, code: CodeStaleTimestamp, detail: "the terminal's clock is off by more than 300 s"}
	}
	return nil
}

// admit takes a proven request in: its sequence number and nonce are used up for good, in the same transaction that
// looks once more whether the till is revoked. If the process dies right after, the till sends the same receipts under
// the next number. change, if not nil, alters the till's row along the way.
func (t *Terminals) admit(ctx context.Context, s signature, change func(tx core.Tx, r *core.TerminalRecord) error) error {
	now := t.Clock.Now()
	err := t.Store.Do(ctx, "terminal.admit", func(tx core.Tx) error {
		r, err := tx.Terminal(s.terminal)
		if err != nil {
			return err
		}
		if err := t.current(r, s); err != nil {
			return err
		}
		if s.sequence <= r.Sequence {
			return refusal{status: fiber.StatusUnauthorized, code: CodeReplayedSequence, detail: "the sequence number is not above the last one"}
		}
		// A timestamp is good for two windows; the nonce is kept for three.
		fresh, err := tx.RememberNonce(s.terminal, s.nonce, now, now.Add(-3*window))
		if err != nil {
			return err
		}
		if !fresh {
			return refusal{status: fiber.StatusUnauthorized, code: CodeReplayedNonce, detail: "the nonce was used before"}
		}
		r.Sequence, r.LastSeen = s.sequence, now
		if s.keyID == r.KeyID { // the till has its new key: the old one has served
			r.OldKeyID, r.OldSecret = "", nil
		}
		if change != nil {
			if err := change(tx, &r); err != nil {
				return err
			}
		}
		return tx.PutTerminal(r)
	})
	var r refusal
	if err == nil || errors.As(err, &r) {
		fault.Point("terminal.admitted")
		return err
	}
	return refusal{status: fiber.StatusServiceUnavailable, code: CodeNotStored, detail: "nothing was stored; send it again", cause: err}
}
