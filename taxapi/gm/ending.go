package gm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kaipiao/kaipiao/core"
)

var codeShape = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,32}$`)

// ending is what an exchange comes to when no result says more.
type ending struct {
	outcome core.Outcome
	refusal core.Refusal
	message string
}

// ofSend is the end of an exchange that wanted to change something.
func (r reply) ofSend() ending {
	switch {
	case r.doubt == doubtUnreached:
		return ending{core.OutcomeNotTaken, core.RefusedBusy, r.why()}
	case r.doubt != whole:
		return ending{core.OutcomeUnsure, "", r.why()}
	case r.meaning.Class == ClassNotFound:
		// What a red invoice or a withdrawal names is not there: certain, and final. Elsewhere it makes no sense.
		switch r.exchange.Operation {
		case core.OpIssueRed, core.OpWithdraw, core.OpVoid:
			return ending{core.OutcomeRefused, core.RefusedRedState, r.message}
		}
		return ending{core.OutcomeUnsure, "", r.message}
	case r.meaning.Outcome == "":
		return ending{core.OutcomeUnsure, "", r.message} // a duplicate of something that knows none
	}
	return ending{r.meaning.Outcome, r.meaning.refusal(), r.message}
}

// ofQuestion is the end of a question that got no result. Only "not found" says something about what was asked for:
// a bureau that is busy or wants a login has not said that an invoice was not taken.
func (r reply) ofQuestion() ending {
	switch {
	case r.doubt != whole:
		return ending{core.OutcomeUnsure, "", r.why()}
	case r.meaning.Class == ClassNotFound:
		return ending{core.OutcomeNotFound, "", r.message}
	}
	return ending{core.OutcomeUnsure, r.meaning.refusal(), r.message}
}

// why explains a doubt.
func (r reply) why() string {
	if r.cause == nil {
		return string(r.doubt)
	}
	return fmt.Sprintf("%s: %v", r.doubt, r.cause)
}

// doubted is the end of an exchange whose result is not what was asked for or can't be read.
func doubted(d doubt, why string, args ...any) ending {
	return ending{core.OutcomeUnsure, "", string(d) + ": " + fmt.Sprintf(why, args...)}
}

// answer makes an Answer of an ending.
func (r reply) answer(e ending) core.Answer {
	return core.Answer{Outcome: e.outcome, Refusal: e.refusal, Code: r.exchange.Code, Message: e.message, Exchange: r.exchange}
}

// confirmation makes a ConfirmationAnswer of an ending.
func (r reply) confirmation(e ending) core.ConfirmationAnswer {
	return core.ConfirmationAnswer{Outcome: e.outcome, Refusal: e.refusal, Code: r.exchange.Code, Message: e.message, Exchange: r.exchange}
}

// decode reads a result strictly: a wrong type or a missing result is an error.
func (r reply) decode(v any) error {
	if len(r.result) == 0 || string(r.result) == "null" {
		return fmt.Errorf("%s: no result", doubtShape)
	}
	if err := json.Unmarshal(r.result, v); err != nil {
		return fmt.Errorf("%s: a field has the wrong type", doubtShape)
	}
	return nil
}

// fields reads the values of a result and keeps the first error. Errors name the field, never its value.
type fields struct{ err error }

func (f *fields) fail(name, why string) {
	if f.err == nil {
		f.err = fmt.Errorf("%s: %s %s", doubtShape, name, why)
	}
}

func (f *fields) yuan(name, s string) core.Yuan {
	y, err := core.ParseYuan(s)
	if err != nil {
		f.fail(name, "is not an amount")
	}
	return y
}

func (f *fields) shape(name, s string, shape *regexp.Regexp) string {
	if !shape.MatchString(s) {
		f.fail(name, "has a wrong shape")
	}
	return s
}

func (f *fields) moment(name, s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		f.fail(name, "is not a time")
	}
	return t
}

// optionalMoment reads a time that may be empty.
func (f *fields) optionalMoment(name, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	return f.moment(name, s)
}

// messageLimit bounds a bureau's text, in bytes.
const messageLimit = 1000

// tidy makes a text from outside fit for a line: no control characters, bounded.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	if len(s) > messageLimit {
		s = strings.ToValidUTF8(s[:messageLimit], "") + "…"
	}
	return strings.TrimSpace(s)
}
