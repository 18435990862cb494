package sandbox

import (
	"encoding/json"
	"errors"
	"time"
)

// call is what an operation knows about the request it serves.
type call struct {
	bureau *Bureau
	app    *app
	now    time.Time // bureau time
	set    settings
	fault  *faultRule // nil, or the rule that acts on this request
}

// operation is one decoded request of the gm channel. examine runs before the commit and must not look at the ledger;
// run sees the ledger and is the only one that may change it. Refusals are errors of type *refusal; every other error
// undoes the work and ends as HTTP 500.
type operation interface {
	traits() traits
	examine(reg *registry, a *app, now time.Time)
	run(c *call, t *tx) (any, error)
}

// unexamined is for operations whose checks all need the ledger.
type unexamined struct{}

func (unexamined) examine(*registry, *app, time.Time) {}

// operations makes an empty request for each name under /gm/v1/.
var operations = map[string]func() operation{
	"issue":        func() operation { return &issueRequest{} },
	"query":        func() operation { return &queryRequest{} },
	"red_apply":    func() operation { return &redApplyRequest{} },
	"red_query":    func() operation { return &redQueryRequest{} },
	"red_issue":    func() operation { return &redIssueRequest{} },
	"red_withdraw": func() operation { return &redWithdrawRequest{} },
	"red_answer":   func() operation { return &redAnswerRequest{} },
	"void":         func() operation { return &voidRequest{} },
	"files":        func() operation { return &filesRequest{} },
	"quota":        func() operation { return &quotaRequest{} },
	"list":         func() operation { return &listRequest{} },
}

// decodeOperation reads the decrypted JSON.
func decodeOperation(name string, plain []byte) (operation, *refusal) {
	create, known := operations[name]
	if !known {
		return nil, refuse(codeField, "operation：没有此接口")
	}
	request := create()
	if err := json.Unmarshal(plain, request); err != nil {
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) {
			return nil, refuse(codeField, "%s：JSON类型错误", wrongType.Field)
		}
		return nil, refuse(codeField, "data：不是JSON对象")
	}
	return request, nil
}
