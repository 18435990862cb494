//go:build !battery

package flow

import (
	"context"

	"github.com/kaipiao/kaipiao/core"
)

// A repeat without a query exists only in the battery's builds (see seeded_on.go).

func seededResend() bool { return false }

func (f *Flow) resendBlindly(context.Context, *attempt, core.DocumentRecord) error { return nil }
