package sandbox

import (
	"errors"
	"time"
)

// settings are the bureau's moods; POST /sandbox/settings changes the named ones.
type settings struct {
	DuplicateDetection bool     `json:"duplicate_detection"` // off: a second send makes a second invoice
	Asynchronous       bool     `json:"asynchronous"`        // issue answers "accepted" and issues after Latency
	Latency            duration `json:"latency"`             // bureau time if asynchronous, else real time the answer is held
	Grace              duration `json:"grace"`               // how long query and list do not see what was taken
	FilesDelay         duration `json:"files_delay"`         // how long files stay pending after issuing
	LoginNeeded        bool     `json:"login_needed"`        // every seller needs a person to log in
	Skew               duration `json:"skew"`                // error of the clock that judges timestamps
	StrictTaxNo        bool     `json:"strict_tax_no"`       // verify check digits of 18-character numbers
	StrictCodes        bool     `json:"strict_codes"`        // refuse classification codes that were not registered
	LineTolerance      yuan     `json:"line_tolerance"`      // |round(net·rate) − tax| of a line
	DiscountTolerance  yuan     `json:"discount_tolerance"`  // the same of a discount line
	InvoiceTolerance   yuan     `json:"invoice_tolerance"`   // |Σ net·rate − total tax|
	Offset             duration `json:"offset"`              // bureau time − real time; moved by POST /sandbox/clock
}

// defaultSettings has the tolerances seen in the field: 0.06 and 0.01 (nuonuo E9131, Kingdee), 1.27 (Aisino).
func defaultSettings() settings {
	tolerance := func(s string) yuan { y, _ := parseYuan(s); return y }
	return settings{
		DuplicateDetection: true,
		LineTolerance:      tolerance("0.06"),
		DiscountTolerance:  tolerance("0.01"),
		InvoiceTolerance:   tolerance("1.27"),
	}
}

func (s settings) check() error {
	if s.Latency < 0 || s.Grace < 0 || s.FilesDelay < 0 || s.Offset < 0 {
		return errors.New("latency, grace, files_delay and offset can't be negative")
	}
	if s.LineTolerance.IsNegative() || s.DiscountTolerance.IsNegative() || s.InvoiceTolerance.IsNegative() {
		return errors.New("tolerances can't be negative")
	}
	return nil
}

func (s settings) latency() time.Duration { return time.Duration(s.Latency) }
