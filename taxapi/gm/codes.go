package gm

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kaipiao/kaipiao/core"
)

//go:embed codes.json
var defaultCodes []byte

// Class is what a gateway's code is about (docs/gm-channel.md section 4).
type Class string

// Classes of codes.
const (
	ClassOK        Class = "ok"
	ClassDuplicate Class = "duplicate" // known, same content: the result is that of a query
	ClassConflict  Class = "conflict"  // known, other content
	ClassNotFound  Class = "not_found"
	ClassUnknown   Class = "unknown" // the gateway itself does not know
	ClassBusy      Class = "busy"
	ClassParameter Class = "parameter"
	ClassAuthority Class = "authority"
	ClassSignature Class = "signature"
	ClassLogin     Class = "login"
	ClassQuota     Class = "quota"
	ClassRedState  Class = "red_state"
	ClassSupport   Class = "not_supported"
)

// outcomesOf lists the outcomes that a table may give a class. Where the result decides, there is none to give. What
// a person must put right without changing the invoice (authority, login, quota …) is not taken: the same serial goes
// again later. Refused ends a serial.
var outcomesOf = map[Class][]core.Outcome{
	ClassOK:        {""},
	ClassDuplicate: {""},
	ClassConflict:  {core.OutcomeUnsure},
	ClassNotFound:  {core.OutcomeNotFound},
	ClassUnknown:   {core.OutcomeUnsure},
	ClassBusy:      {core.OutcomeNotTaken, core.OutcomeUnsure},
	ClassParameter: {core.OutcomeRefused, core.OutcomeUnsure},
	ClassAuthority: {core.OutcomeRefused, core.OutcomeNotTaken, core.OutcomeUnsure},
	ClassSignature: {core.OutcomeRefused, core.OutcomeNotTaken, core.OutcomeUnsure},
	ClassLogin:     {core.OutcomeRefused, core.OutcomeNotTaken, core.OutcomeUnsure},
	ClassQuota:     {core.OutcomeRefused, core.OutcomeNotTaken, core.OutcomeUnsure},
	ClassRedState:  {core.OutcomeRefused, core.OutcomeUnsure},
	ClassSupport:   {core.OutcomeRefused, core.OutcomeUnsure},
}

var refusalOf = map[Class]core.Refusal{
	ClassBusy:      core.RefusedBusy,
	ClassParameter: core.RefusedParameter,
	ClassAuthority: core.RefusedAuthority,
	ClassSignature: core.RefusedSignature,
	ClassLogin:     core.RefusedLogin,
	ClassQuota:     core.RefusedQuota,
	ClassRedState:  core.RefusedRedState,
	ClassSupport:   core.RefusedSupport,
}

// meaning is a row of the code table.
type meaning struct {
	Class   Class        `json:"class"`
	Outcome core.Outcome `json:"outcome"`
}

func (m meaning) refusal() core.Refusal { return refusalOf[m.Class] }

// codeTable gives each code its meaning. A code that it does not list proves nothing.
type codeTable map[string]meaning

func (t codeTable) find(code string) meaning {
	if m, ok := t[code]; ok {
		return m
	}
	return meaning{ClassUnknown, core.OutcomeUnsure}
}

// loadCodes reads a table file, or the built-in one if the path is empty.
func loadCodes(path string) (codeTable, error) {
	if path == "" {
		return parseCodes(defaultCodes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the code table: %w", err)
	}
	table, err := parseCodes(text)
	if err != nil {
		return nil, fmt.Errorf("code table %s: %w", path, err)
	}
	return table, nil
}

func parseCodes(text []byte) (codeTable, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var table codeTable
	if err := decoder.Decode(&table); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the table")
	}
	if table["0000"].Class != ClassOK {
		return nil, errors.New(`code "0000" must be of class ok`)
	}
	for code, m := range table {
		allowed, known := outcomesOf[m.Class]
		if !known {
			return nil, fmt.Errorf("code %q: class %q is unknown", code, m.Class)
		}
		fits := false
		for _, o := range allowed {
			fits = fits || o == m.Outcome
		}
		if !fits {
			return nil, fmt.Errorf("code %q: class %s can't have the outcome %q, only one of %q", code, m.Class, m.Outcome, allowed)
		}
	}
	return table, nil
}
