//go:build battery

package main

import (
	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/fault"
)

// armBattery switches the seeded bugs of the pure packages on, which know no environment.
func armBattery() {
	core.SeededBugs.FloatMoney = fault.Bug(fault.BugFloatMoney)
	core.SeededBugs.LastRedRemainder = fault.Bug(fault.BugLastRedRemainder)
	flow.SeededResend = fault.Bug(fault.BugResendWithoutQuery)
}
