package core

import (
	"fmt"
	"time"
)

// ConfirmationState is the state of a red confirmation (红字发票信息确认单). The two-digit ones are the bureau's own and the
// same in all channels; the others are ours, before the bureau has one.
type ConfirmationState string

// States of a red confirmation.
const (
	// ConfNew: to be applied for.
	ConfNew ConfirmationState = "new"
	// ConfApplying: the intent of the application is committed.
	ConfApplying ConfirmationState = "applying"
	// ConfUnsure: an application whose outcome nobody knows.
	ConfUnsure ConfirmationState = "unsure"
	// ConfRejected: the application itself was refused (state 16 of some channels).
	ConfRejected ConfirmationState = "rejected"

	ConfNotNeeded       ConfirmationState = "01" // no confirmation needed
	ConfWaitsForBuyer   ConfirmationState = "02" // seller entered, waiting for the buyer
	ConfWaitsForSeller  ConfirmationState = "03" // buyer entered, waiting for the seller
	ConfConfirmed       ConfirmationState = "04" // both confirmed
	ConfBuyerRefused    ConfirmationState = "05"
	ConfSellerRefused   ConfirmationState = "06"
	ConfExpired         ConfirmationState = "07" // 72 hours passed
	ConfWithdrawn       ConfirmationState = "08" // by the side that started
	ConfWithdrawnLater  ConfirmationState = "09" // after it was confirmed
	ConfAbnormalVoucher ConfirmationState = "10"
	ConfAbnormalPayer   ConfirmationState = "11"
	ConfPersonRefused   ConfirmationState = "12"
	ConfRefundExists    ConfirmationState = "13" // a tax refund application exists
)

// confirmationMachine lists the states that may be seen after each one. A state may always be seen again.
var confirmationMachine = map[ConfirmationState][]ConfirmationState{
	ConfNew:       {ConfApplying},
	ConfApplying:  append([]ConfirmationState{ConfNew, ConfUnsure, ConfRejected}, bureauStates...),
	ConfUnsure:    append([]ConfirmationState{ConfNew, ConfRejected}, bureauStates...),
	ConfNotNeeded: {ConfWithdrawn, ConfWithdrawnLater, ConfAbnormalVoucher, ConfAbnormalPayer, ConfRefundExists},
	// Between two looks a confirmation may be confirmed and withdrawn: 09 follows 02 and 03 too.
	ConfWaitsForBuyer: {ConfConfirmed, ConfBuyerRefused, ConfExpired, ConfWithdrawn, ConfWithdrawnLater,
		ConfAbnormalVoucher, ConfAbnormalPayer, ConfPersonRefused, ConfRefundExists},
	ConfWaitsForSeller: {ConfConfirmed, ConfSellerRefused, ConfExpired, ConfWithdrawn, ConfWithdrawnLater,
		ConfAbnormalVoucher, ConfAbnormalPayer, ConfRefundExists},
	ConfConfirmed: {ConfWithdrawn, ConfWithdrawnLater, ConfAbnormalVoucher, ConfAbnormalPayer, ConfRefundExists},
}

var bureauStates = []ConfirmationState{ConfNotNeeded, ConfWaitsForBuyer, ConfWaitsForSeller, ConfConfirmed,
	ConfBuyerRefused, ConfSellerRefused, ConfExpired, ConfWithdrawn, ConfWithdrawnLater, ConfAbnormalVoucher,
	ConfAbnormalPayer, ConfPersonRefused, ConfRefundExists}

// ConfirmationStates lists all states, for tests and storage constraints.
func ConfirmationStates() []ConfirmationState {
	return append([]ConfirmationState{ConfNew, ConfApplying, ConfUnsure, ConfRejected}, bureauStates...)
}

// See returns the state after another one was seen, or ErrTransition.
func (s ConfirmationState) See(seen ConfirmationState) (ConfirmationState, error) {
	if s == seen {
		return s, nil
	}
	for _, to := range confirmationMachine[s] {
		if to == seen {
			return to, nil
		}
	}
	return s, fmt.Errorf("%w: confirmation %s seen after %s", ErrTransition, seen, s)
}

// Usable says whether a red invoice may be issued under it.
func (s ConfirmationState) Usable() bool { return s == ConfNotNeeded || s == ConfConfirmed }

// Waiting says whether somebody's answer is awaited.
func (s ConfirmationState) Waiting() bool { return s == ConfWaitsForBuyer || s == ConfWaitsForSeller }

// Dead says whether it can never be used: the blue is untouched and its amount free again.
func (s ConfirmationState) Dead() bool {
	switch s {
	case ConfNew, ConfApplying, ConfUnsure:
		return false
	}
	return !s.Usable() && !s.Waiting()
}

// OnItsWay says whether an application may have left and its end is not known.
func (s ConfirmationState) OnItsWay() bool { return s == ConfApplying || s == ConfUnsure }

// Confirmation is the red confirmation of one red document.
type Confirmation struct {
	// Application is our own id of the application, never used twice.
	Application string
	State       ConfirmationState
	UUID        string
	Number      string
	ExpiresAt   time.Time
	// RedNumber is set when the channel issued the red by itself.
	RedNumber string
}
