package sdk

import (
	"encoding/json"
	"time"
)

// Check reads many fields and keeps the first fault, so that a decoder can be written as one literal and ask for
// [Check.Err] at the end. Paths name the place in the platform's own document.
type Check struct{ err error }

// Err is the first fault, or nil.
func (c *Check) Err() error { return c.err }

// Fail records a fault of the author's own.
func (c *Check) Fail(reason Reason, path, detail string) {
	if c.err == nil {
		c.err = &Fault{Reason: reason, Path: path, Detail: detail}
	}
}

func (c *Check) keep(err error) {
	if c.err == nil && err != nil {
		c.err = err
	}
}

// Amount is [Amount]; a missing number is a fault.
func (c *Check) Amount(path string, raw json.Number) string {
	s, err := Amount(path, raw)
	c.keep(err)
	return s
}

// OptionalAmount is Amount that leaves a missing number "".
func (c *Check) OptionalAmount(path string, raw json.Number) string {
	if raw == "" {
		return ""
	}
	return c.Amount(path, raw)
}

// Number is [Number].
func (c *Check) Number(path string, raw json.Number) Decimal {
	d, err := Number(path, raw)
	c.keep(err)
	return d
}

// Fen is [Fen].
func (c *Check) Fen(path string, raw json.Number) string {
	s, err := Fen(path, raw)
	c.keep(err)
	return s
}

// Required gives the text, which must not be empty.
func (c *Check) Required(path string, s string) string {
	if s == "" {
		c.Fail(MissingField, path, "")
	}
	return s
}

// Time is [Time]; "" gives the zero time.
func (c *Check) Time(path, layout, raw string) time.Time {
	if raw == "" {
		return time.Time{}
	}
	t, err := Time(path, layout, raw)
	c.keep(err)
	return t
}

// UnixTime is [UnixTime]; "" and "0" give the zero time.
func (c *Check) UnixTime(path, raw string) time.Time {
	if raw == "" || raw == "0" {
		return time.Time{}
	}
	t, err := UnixTime(path, raw)
	c.keep(err)
	return t
}
