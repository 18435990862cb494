package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// faultKind is a way to misbehave.
type faultKind string

const (
	faultTimeoutBefore faultKind = "timeout_before" // do nothing, never answer
	faultTimeoutAfter  faultKind = "timeout_after"  // do the work, never answer
	faultResetBefore   faultKind = "reset_before"   // do nothing, cut the connection
	faultResetAfter    faultKind = "reset_after"    // do the work, cut the connection
	faultHTTPStatus    faultKind = "http_status"    // answer Status without a signed body
	faultBusy          faultKind = "busy"           // 3001, nothing taken
	faultSystemTimeout faultKind = "system_timeout" // 3002, taken or not by Done
	faultCode          faultKind = "code"           // answer Code, not taken unless Done
	faultFail          faultKind = "fail"           // issue: accept, then end as failed with Code
	faultTruncated     faultKind = "truncated"      // half of the body, then the end of the connection
	faultInvalidJSON   faultKind = "invalid_json"   // a signed body that is not JSON
	faultHTML          faultKind = "html"           // a login page with status 200
	faultBadSignature  faultKind = "bad_signature"
	faultWrongNonce    faultKind = "wrong_nonce" // a valid signature over another nonce
	faultSlow          faultKind = "slow"        // the right answer, dripping during Hold
	faultEmpty         faultKind = "empty"       // status 200 and no body
	faultDelay         faultKind = "delay"       // the right answer after Hold
)

// doneByDefault says for each kind whether the bureau does the work when a rule does not say.
var doneByDefault = map[faultKind]bool{
	faultTimeoutBefore: false, faultTimeoutAfter: true, faultResetBefore: false, faultResetAfter: true,
	faultHTTPStatus: false, faultBusy: false, faultSystemTimeout: false, faultCode: false, faultFail: true,
	faultTruncated: true, faultInvalidJSON: true, faultHTML: true, faultBadSignature: true, faultWrongNonce: true,
	faultSlow: true, faultEmpty: true, faultDelay: true,
}

// faultRule says when to misbehave and how. Empty conditions match everything; the first rule that acts wins.
type faultRule struct {
	ID             string `json:"id"`
	Op             string `json:"op,omitempty"`
	App            string `json:"app,omitempty"`
	Seller         string `json:"seller,omitempty"`
	Serial         string `json:"serial,omitempty"` // serial or red application id
	BuyerContains  string `json:"buyer_contains,omitempty"`
	RemarkContains string `json:"remark_contains,omitempty"`
	Gross          string `json:"gross,omitempty"`
	Nth            int    `json:"nth,omitempty"`     // first match that acts, from 1
	Times          int    `json:"times,omitempty"`   // how often it acts; 0 is for ever
	Percent        int    `json:"percent,omitempty"` // of the remaining matches, drawn by Seed; 0 is all
	Seed           uint64 `json:"seed,omitempty"`

	Kind    faultKind `json:"kind"`
	Hold    duration  `json:"hold,omitempty"`    // for timeouts, slow and delay; default 60s (slow and delay 1s)
	Status  int       `json:"status,omitempty"`  // for http_status
	Done    *bool     `json:"done,omitempty"`    // whether the work is done
	Code    code      `json:"code,omitempty"`    // for code and fail
	Message string    `json:"message,omitempty"` // for code and fail

	Position int `json:"position"`
	Matched  int `json:"matched"`
	Acted    int `json:"acted"`
}

// traits are what rules look at in a request.
type traits struct{ op, app, seller, serial, buyer, remark, gross string }

func (f *faultRule) check() error {
	byDefault, known := doneByDefault[f.Kind]
	switch {
	case !known:
		return fmt.Errorf("fault kind %q is unknown", f.Kind)
	case f.Kind == faultHTTPStatus && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("http_status needs a status from 200 to 599, not %d", f.Status)
	case f.Kind == faultCode && f.Code == "", f.Kind == faultFail && f.Code == "":
		return fmt.Errorf("%s needs a code", f.Kind)
	case f.Nth < 0 || f.Times < 0 || f.Percent < 0 || f.Percent > 100 || f.Hold < 0:
		return errors.New("nth, times, hold and percent can't be negative, percent not above 100")
	}
	switch f.Kind {
	case faultTimeoutBefore, faultTimeoutAfter, faultResetBefore, faultResetAfter, faultBusy, faultFail:
		f.Done = nil // these kinds leave no choice
	}
	if f.Done == nil {
		f.Done = &byDefault
	}
	if f.Hold == 0 {
		f.Hold = duration(time.Minute)
		if f.Kind == faultSlow || f.Kind == faultDelay {
			f.Hold = duration(time.Second)
		}
	}
	f.Nth = max(f.Nth, 1)
	return nil
}

func (f *faultRule) matches(t traits) bool {
	return (f.Op == "" || f.Op == t.op) && (f.App == "" || f.App == t.app) &&
		(f.Seller == "" || f.Seller == t.seller) && (f.Serial == "" || f.Serial == t.serial) &&
		(f.Gross == "" || f.Gross == t.gross) &&
		strings.Contains(t.buyer, f.BuyerContains) && strings.Contains(t.remark, f.RemarkContains)
}

// acts counts a match and decides; the draw depends on nothing but seed and count.
func (f *faultRule) acts() bool {
	f.Matched++
	if f.Matched < f.Nth || (f.Times > 0 && f.Acted >= f.Times) {
		return false
	}
	if f.Percent > 0 {
		var draw [16]byte
		binary.BigEndian.PutUint64(draw[:8], f.Seed)
		binary.BigEndian.PutUint64(draw[8:], uint64(f.Matched))
		sum := sm3.Sum(draw[:])
		if int(binary.BigEndian.Uint32(sum[:4])%100) >= f.Percent {
			return false
		}
	}
	f.Acted++
	return true
}
