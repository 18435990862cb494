//go:build battery

package flow

import (
	"context"

	"github.com/kaipiao/kaipiao/core"
)

// SeededResend breaks promise 5 on purpose, so that the battery can show that its gates notice. It exists only with
// the build tag "battery" and is set once before anything runs.
var SeededResend bool

func seededResend() bool { return SeededResend }

// resendBlindly repeats a send whose outcome is unknown without asking first.
func (f *Flow) resendBlindly(ctx context.Context, a *attempt, d core.DocumentRecord) error {
	return f.notTaken(ctx, a, core.Answer{Outcome: core.OutcomeNotTaken})
}
