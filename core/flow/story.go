package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/kaipiao/kaipiao/core"
)

// saleState is one sale as read for a look at it.
type saleState struct {
	rec       core.SaleRecord
	body      core.SaleBody
	refunds   map[string]core.Refund
	documents []core.DocumentRecord
	covers    []core.CoverRecord
	policy    core.Policy
	// events are those not applied yet.
	events []core.EventRecord
	// rules is the version of the mapping rules at the time of reading.
	rules int64
}

// load reads a sale by the name that a source gives it; a sale that is not known yet has an empty id.
func (f *Flow) load(view core.View, instance core.InstanceID, name string) (saleState, error) {
	s := saleState{refunds: map[string]core.Refund{}}
	var err error
	if s.events, err = view.NewEvents(instance, name); err != nil {
		return s, err
	}
	if s.rules, err = view.RulesVersion(); err != nil {
		return s, err
	}
	id, err := view.FindSale(instance, name)
	if errors.Is(err, core.ErrNotFound) {
		s.rec = core.SaleRecord{Instance: instance, Name: name}
		return s, nil
	}
	if err != nil {
		return s, err
	}
	return s, f.loadSale(view, id, &s)
}

func (f *Flow) loadSale(view core.View, id core.ID, s *saleState) error {
	var err error
	if s.rec, err = view.Sale(id); err != nil {
		return err
	}
	refunds, err := view.Refunds(id)
	if err != nil {
		return err
	}
	s.refunds = make(map[string]core.Refund, len(refunds))
	for _, r := range refunds {
		s.refunds[r.No] = r
	}
	if s.documents, err = view.DocumentsOf(id); err != nil {
		return err
	}
	if s.covers, err = view.Covers(id); err != nil {
		return err
	}
	s.policy, err = f.policies.get(view, s.rec.Policy)
	return err
}

// unseal opens what load read.
func (f *Flow) unseal(s *saleState) error {
	if s.rec.ID == "" {
		return nil
	}
	if err := f.open(salePlace(s.rec.ID), s.rec.Body, &s.body); err != nil {
		return err
	}
	for i := range s.documents {
		var err error
		if s.documents[i], err = f.document(s.documents[i]); err != nil {
			return err
		}
	}
	return nil
}

// story turns the rows into what the planner looks at.
func (s saleState) story() core.Story {
	st := core.Story{
		ID: s.rec.ID, Name: s.rec.Name, Sale: s.body.Sale, Seller: s.body.Seller, Policy: s.policy, Selected: s.rec.Selected,
		Act: s.body.Act, Tenders: s.body.Tenders, BuyerOverride: s.body.BuyerOverride, KindOverride: s.body.KindOverride,
		DroppedRefunds: s.body.DroppedRefunds, Requests: s.body.Requests, Conflicts: s.body.Conflicts,
		RedApproved: s.body.RedApproved, FirstSeen: s.rec.FirstSeen, Covered: map[core.Cover]core.ID{},
	}
	for _, r := range s.refunds {
		st.Refunds = append(st.Refunds, r)
	}
	for _, d := range s.documents {
		st.Documents = append(st.Documents, d.Document)
	}
	for _, c := range s.covers {
		st.Covered[c.Cover] = c.Document
	}
	return st
}

// policyCache keeps the policy versions that sales were first looked at with; they never change.
type policyCache struct{ m sync.Map }

func (c *policyCache) get(view core.View, version string) (core.Policy, error) {
	if version == "" {
		return core.Policy{}, nil
	}
	if p, ok := c.m.Load(version); ok {
		return p.(core.Policy), nil
	}
	b, err := view.PolicyJSON(version)
	if err != nil {
		return core.Policy{}, fmt.Errorf("policy %s: %w", version, err)
	}
	var p core.Policy
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("decode policy %s: %w", version, err)
	}
	c.m.Store(version, p)
	return p, nil
}
