package flow

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// Replay gives a parked request to its source again, after the plugin was mended. What can be used now is stored under
// the same request; the problem closes by itself.
func (f *Flow) Replay(ctx context.Context, who string, request core.ID) (Receipt, error) {
	var rec core.RequestRecord
	if err := f.Store.View(ctx, func(v core.View) (err error) { rec, err = v.Request(request); return err }); err != nil {
		return Receipt{}, fmt.Errorf("replay request %s: %w", request, err)
	}
	plain, err := f.Vault.Open(requestPlace(rec.ID), rec.Raw)
	if err != nil {
		return Receipt{}, fmt.Errorf("replay request %s: %w", request, err)
	}
	raw, err := DecodeRaw(plain)
	if err != nil {
		return Receipt{}, err
	}
	p, err := f.Source.Parse(ctx, rec.Instance, raw)
	if err != nil {
		return Receipt{}, fmt.Errorf("replay request %s: %w", request, err)
	}
	if p.Verdict != core.Accepted && p.Verdict != core.Ignored && p.Verdict != core.Unverified {
		return Receipt{}, fmt.Errorf("replay request %s: the source still says %s (%s: %s)", request, p.Verdict, p.Code, p.Reason)
	}
	info, ok := f.Book.Instance(rec.Instance)
	if !ok {
		return Receipt{}, fmt.Errorf("replay request %s: instance %s: %w in the configuration", request, rec.Instance, core.ErrNotFound)
	}
	in := inbound{request: rec}
	for _, e := range p.Events {
		if p.Verdict == core.Unverified && e.Kind != core.EventRef {
			continue
		}
		if err := f.addEvent(&in, info, e, f.now()); err != nil {
			return Receipt{}, err
		}
	}
	err = f.Store.Do(ctx, "act.replay", func(tx core.Tx) error {
		for _, e := range in.events {
			if err := e.putOnce(tx); err != nil {
				return err
			}
		}
		for _, code := range []core.ProblemCode{core.ProblemMalformed, core.ProblemBadNumber} {
			if err := tx.CloseProblem(core.ScopeIngest, code, string(request), f.now()); err != nil {
				return err
			}
		}
		return tx.PutAct(f.act(who, "replay", string(request), ""))
	})
	return Receipt{Result: Stored, Request: request}, err
}
