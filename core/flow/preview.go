package flow

import (
	"context"
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// Planned is a document that the planner would make now.
type Planned struct {
	Color    core.Color     `json:"color"`
	Original core.ID        `json:"original,omitempty"`
	Reason   core.RedReason `json:"reason,omitempty"`
	Net      core.Yuan      `json:"net"`
	Tax      core.Yuan      `json:"tax"`
	Gross    core.Yuan      `json:"gross"`
	Lines    []PlannedLine  `json:"lines"`
}

// PlannedLine is a line of a planned document.
type PlannedLine struct {
	Name     string        `json:"name"`
	Quantity core.Quantity `json:"quantity"`
	Gross    core.Yuan     `json:"gross"`
	Tax      core.Yuan     `json:"tax"`
}

// Preview says what a look at a sale would do now, approved or not, and commits nothing.
func (f *Flow) Preview(ctx context.Context, id core.ID) ([]Planned, core.Balance, error) {
	var s saleState
	err := f.Store.View(ctx, func(v core.View) (err error) {
		if err := f.loadSale(v, id, &s); err != nil {
			return err
		}
		s.rules, err = v.RulesVersion()
		return err
	})
	if err != nil {
		return nil, core.Balance{}, fmt.Errorf("plan sale %s: %w", id, err)
	}
	if err := f.unseal(&s); err != nil {
		return nil, core.Balance{}, err
	}
	s.body.RedApproved = true
	story := s.story()
	if _, err := f.mapLines(ctx, &s, &story); err != nil {
		return nil, core.Balance{}, err
	}
	var out []Planned
	for _, n := range core.Decide(story, f.now()).New {
		inv := n.Draft.Invoice()
		p := Planned{Color: inv.Color, Original: n.Original, Reason: inv.Reason, Net: inv.Net, Tax: inv.Tax, Gross: inv.Gross}
		for _, l := range inv.Lines {
			p.Lines = append(p.Lines, PlannedLine{l.Name, l.Quantity, l.Gross, l.Tax})
		}
		out = append(out, p)
	}
	return out, core.BalanceOf(story), nil
}
