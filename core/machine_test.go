package core_test

import (
	"errors"
	"testing"

	"github.com/kaipiao/kaipiao/core"
)

// The whole document machine, one line a state: what may happen and where it leads. Everything else is refused.
func TestDocumentMachine(t *testing.T) {
	want := map[core.DocumentState]map[core.Happening]core.DocumentState{
		core.DocDraft:    {"confirmed": core.DocReady, "refused": core.DocRefused, "drop": core.DocDropped},
		core.DocReady:    {"send": core.DocSending, "drop": core.DocDropped},
		core.DocSending:  {"issued": core.DocIssued, "accepted": core.DocAccepted, "refused": core.DocRefused, "not_taken": core.DocReady, "unsure": core.DocUnsure},
		core.DocUnsure:   {"issued": core.DocIssued, "accepted": core.DocAccepted, "refused": core.DocRefused, "not_found": core.DocReady, "unsure": core.DocUnsure},
		core.DocAccepted: {"issued": core.DocIssued, "refused": core.DocRefused, "still_going": core.DocAccepted, "unsure": core.DocAccepted},
	}
	happenings := []core.Happening{core.HapConfirmed, core.HapDrop, core.HapSend, core.HapIssued, core.HapAccepted, core.HapRefused,
		core.HapNotTaken, core.HapUnsure, core.HapNotFound, core.HapStillGoing}
	for _, from := range core.DocumentStates() {
		for _, h := range happenings {
			to, err := from.Next(h)
			if wanted, ok := want[from][h]; ok {
				if err != nil || to != wanted {
					t.Errorf("%s on %s: got %s, %v, want %s", from, h, to, err, wanted)
				}
			} else if !errors.Is(err, core.ErrTransition) || to != from {
				t.Errorf("%s on %s: got %s, %v, want it refused", from, h, to, err)
			}
		}
	}
}

// A document that may have been sent never becomes Ready but by a certain "not taken" or a proven "not found".
func TestNothingUnsureIsSentAgain(t *testing.T) {
	for _, s := range []core.DocumentState{core.DocUnsure, core.DocAccepted} {
		for _, h := range []core.Happening{core.HapSend, core.HapNotTaken, core.HapDrop, core.HapConfirmed} {
			if to, err := s.Next(h); err == nil {
				t.Errorf("%s may become %s by %s", s, to, h)
			}
		}
	}
}

func TestConfirmationMachine(t *testing.T) {
	usable := map[core.ConfirmationState]bool{"01": true, "04": true}
	waiting := map[core.ConfirmationState]bool{"02": true, "03": true}
	onItsWay := map[core.ConfirmationState]bool{core.ConfApplying: true, core.ConfUnsure: true}
	for _, s := range core.ConfirmationStates() {
		if s.Usable() != usable[s] || s.Waiting() != waiting[s] || s.OnItsWay() != onItsWay[s] {
			t.Errorf("%s: usable %v, waiting %v, on its way %v", s, s.Usable(), s.Waiting(), s.OnItsWay())
		}
		dead := !usable[s] && !waiting[s] && !onItsWay[s] && s != core.ConfNew
		if s.Dead() != dead {
			t.Errorf("%s: dead %v, want %v", s, s.Dead(), dead)
		}
		for _, seen := range core.ConfirmationStates() {
			_, err := s.See(seen)
			if s.Dead() && seen != s && err == nil {
				t.Errorf("a dead confirmation %s came to life as %s", s, seen)
			}
		}
	}
	for _, c := range []struct {
		from, seen core.ConfirmationState
		ok         bool
	}{
		{"02", "04", true}, {"02", "05", true}, {"02", "07", true}, {"02", "06", false}, {"02", "01", false},
		{"03", "06", true}, {"03", "05", false}, {"01", "08", true}, {"01", "02", false}, {"04", "09", true}, {"04", "02", false},
		{core.ConfApplying, "01", true}, {core.ConfApplying, core.ConfNew, true}, {core.ConfNew, "01", false},
	} {
		if _, err := c.from.See(c.seen); (err == nil) != c.ok {
			t.Errorf("%s after %s: %v, want allowed %v", c.seen, c.from, err, c.ok)
		}
	}
}
