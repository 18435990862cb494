package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/kaipiao/kaipiao/core"
)

// Addresses of tills.
const (
	receiptsPath = "/pos/v1/receipts"
	enrolPath    = "/pos/v1/enrol"
	rotatePath   = "/pos/v1/rotate"
)

// oldKeyLife is how long the old key stays valid beside an unused new one: the answer to a rotation may be lost.
const oldKeyLife = 24 * time.Hour

// credentials are shown to a till once.
type credentials struct {
	Terminal string `json:"terminal_id"`
	KeyID    string `json:"key_id"`
	Secret   string `json:"secret"`
}

// enrolment is a till's request to be known.
type enrolment struct {
	Code   string `json:"code"`
	Device string `json:"device"`
}

// enrol gives a till its identity and its first key for a one-time code.
func (p *Public) enrol(c *fiber.Ctx) error {
	if err := plainBody(c); err != nil {
		return err
	}
	if !p.enrols.allow(neighbourhood(p.edge.trusted.client(c.Context())), p.Clock.Now()) {
		return refusal{status: fiber.StatusTooManyRequests, code: CodeTooManyRequests, detail: "too many attempts from this network", retryAfter: 60}
	}
	var in enrolment
	d := json.NewDecoder(bytes.NewReader(copyBody(c)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || len(in.Device) > 64 {
		return refusal{status: fiber.StatusBadRequest, code: CodeMalformed, detail: `want {"code":"...","device":"at most 64 bytes"}`}
	}
	got, err := p.Terminals.enrol(p.edge.ctx, in)
	if errors.Is(err, errUsed) {
		return refusal{status: fiber.StatusUnauthorized, code: CodeBadActivation, detail: "the code is unknown, used or expired; ask for a new one"}
	}
	if err != nil {
		return refusal{status: fiber.StatusServiceUnavailable, code: CodeNotStored, detail: "nothing was stored; send it again", cause: err}
	}
	return reveal(c, got)
}

func reveal(c *fiber.Ctx, got credentials) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(got)
}

func (t *Terminals) enrol(ctx context.Context, in enrolment) (credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, ingestTime)
	defer cancel()
	code, ok := core.NormalPickUpCode(in.Code)
	if !ok {
		return credentials{}, errUsed
	}
	now := t.Clock.Now()
	hash := t.Vault.Index(indexActivation, code)
	var a core.ActivationRecord
	err := t.Store.View(ctx, func(v core.View) (err error) { a, err = v.Activation(hash); return err })
	if errors.Is(err, core.ErrNotFound) || (err == nil && (!a.UsedAt.IsZero() || !now.Before(a.ExpiresAt))) {
		return credentials{}, errUsed
	}
	if err != nil {
		return credentials{}, fmt.Errorf("look up activation code: %w", err)
	}
	seller, ok := t.Stores.SellerFor(a.Store, now)
	if !ok {
		return credentials{}, fmt.Errorf("enrol terminal of store %s: its seller: %w in the configuration", a.Store, core.ErrNotFound)
	}
	got := credentials{string(t.IDs.New()), string(t.IDs.New()), newSecret()}
	sealed, err := t.Vault.Seal(seller.ID, now, secretPlace(got.Terminal), []byte(got.Secret))
	if err != nil {
		return credentials{}, fmt.Errorf("seal key of terminal %s: %w", got.Terminal, err)
	}
	record := core.TerminalRecord{ID: got.Terminal, Instance: a.Instance, Seller: seller.ID, Store: a.Store, Label: a.Label,
		KeyID: got.KeyID, Secret: sealed, LastSeen: now, CreatedAt: now}
	err = t.Store.Do(ctx, "terminal.enrol", func(tx core.Tx) error {
		if err := tx.UseActivation(hash, now); err != nil {
			return err
		}
		if err := tx.PutTerminal(record); err != nil {
			return err
		}
		return tx.PutAct(t.act("terminal:"+got.Terminal, "terminal.enrol", string(a.Store), "device "+in.Device))
	})
	if errors.Is(err, core.ErrConflict) {
		return credentials{}, errUsed
	}
	if err != nil {
		return credentials{}, fmt.Errorf("enrol terminal of store %s: %w", a.Store, err)
	}
	return got, nil
}

// rotate gives a till a new key. The old one stays valid until the new one is used, or for a day.
func (p *Public) rotate(c *fiber.Ctx) error {
	if err := plainBody(c); err != nil {
		return err
	}
	s, ok := signatureOf(&c.Request().Header)
	if !ok {
		return unproven(CodeBadSignature)
	}
	ctx, cancel := context.WithTimeout(p.edge.ctx, ingestTime)
	defer cancel()
	till, err := p.Terminals.prove(ctx, s, fiber.MethodPost, rotatePath, copyBody(c))
	if err != nil {
		return err
	}
	got, err := p.Terminals.rotate(ctx, s, till)
	if err != nil {
		return err
	}
	return reveal(c, got)
}

func (t *Terminals) rotate(ctx context.Context, s signature, till terminal) (credentials, error) {
	now := t.Clock.Now()
	got := credentials{s.terminal, string(t.IDs.New()), newSecret()}
	sealed, err := t.Vault.Seal(till.record.Seller, now, secretPlace(got.Terminal), []byte(got.Secret))
	if err != nil {
		return got, refusal{status: fiber.StatusServiceUnavailable, code: CodeUnavailable, detail: "no key could be made", cause: err}
	}
	err = t.admit(ctx, s, func(tx core.Tx, r *core.TerminalRecord) error {
		if s.keyID == r.KeyID {
			r.OldKeyID, r.OldSecret, r.OldUntil = r.KeyID, r.Secret, now.Add(oldKeyLife)
		} // else the answer to the last rotation was lost: its key, never used, is replaced
		r.KeyID, r.Secret = got.KeyID, sealed
		return tx.PutAct(t.act("terminal:"+s.terminal, "terminal.rotate", s.terminal, "key "+got.KeyID))
	})
	t.forget(s.terminal)
	return got, err
}
