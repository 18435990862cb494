package gm

import (
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// Error is the end of a question that was not answered.
type Error struct {
	Operation core.Operation
	// Refusal is set when a signed answer said no.
	Refusal core.Refusal
	Code    string
	Message string
}

// Error names the operation, the code and what was said.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("gm %s: %s", e.Operation, e.Message)
	}
	return fmt.Sprintf("gm %s: code %s: %s", e.Operation, e.Code, e.Message)
}

// failure is the error of a reply that is no plain success, or nil.
func (r reply) failure() error {
	if r.doubt == whole && r.meaning.Class == ClassOK {
		return nil
	}
	e := &Error{Operation: r.exchange.Operation, Code: r.exchange.Code, Message: r.why()}
	if r.doubt == whole {
		e.Refusal, e.Message = r.meaning.refusal(), r.message
	}
	return e
}

// malformed is the error of a result that can't be used.
func (r reply) malformed(err error) error {
	return &Error{Operation: r.exchange.Operation, Message: err.Error()}
}
