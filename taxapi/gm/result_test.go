package gm

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kaipiao/kaipiao/core"
)

type object = map[string]any

// with copies an object and changes some fields; a nil value removes one.
func with(o object, changes object) object {
	o = maps.Clone(o)
	for k, v := range changes {
		if o[k] = v; v == nil {
			delete(o, k)
		}
	}
	return o
}

var (
	takenIssued = object{"serial": testSerial, "state": "issued", "number": testNumber, "issued_at": "2026-11-25T09:00:01.500+08:00"}
	shownIssued = object{"serial": testSerial, "state": "issued", "color": "blue", "number": testNumber,
		"issued_at": "2026-11-25T09:00:01.500+08:00", "kind": "02", "seller_tax_no": "91310000MA1TEST01X", "buyer_name": "买方有限公司",
		"buyer_tax_no": "91310000MA1TEST02Y", "net": "127.34", "tax": "12.66", "gross": "140.00", "fail_code": "", "fail_message": ""}
	issuedAt = time.Date(2026, 11, 25, 9, 0, 1, 500e6, beijing)
)

func TestIssueResults(t *testing.T) {
	accepted := with(takenIssued, object{"state": "accepted", "number": nil, "issued_at": nil})
	tests := []struct {
		name    string
		code    string
		result  any
		want    core.Outcome
		message string // a part of it
	}{
		{"issued", "0000", takenIssued, core.OutcomeIssued, "消息"},
		{"accepted", "0000", accepted, core.OutcomeAccepted, "消息"},
		{"another serial", "0000", with(takenIssued, object{"serial": "01KAV3XTM00000000009"}), core.OutcomeUnsure, "something else"},
		{"no serial", "0000", with(takenIssued, object{"serial": nil}), core.OutcomeUnsure, "something else"},
		{"issued without a number", "0000", with(takenIssued, object{"number": nil}), core.OutcomeUnsure, "number"},
		{"number of 19 digits", "0000", with(takenIssued, object{"number": testNumber[1:]}), core.OutcomeUnsure, "number"},
		{"number as a number", "0000", with(takenIssued, object{"number": 7}), core.OutcomeUnsure, "wrong type"},
		{"issued without a time", "0000", with(takenIssued, object{"issued_at": ""}), core.OutcomeUnsure, "issued_at"},
		{"state unknown", "0000", with(takenIssued, object{"state": "done"}), core.OutcomeUnsure, "state"},
		{"failed at once is no answer of issue", "0000", with(takenIssued, object{"state": "failed"}), core.OutcomeUnsure, "state"},
		{"no result", "0000", nil, core.OutcomeUnsure, "no result"},
		{"result is a list", "0000", []any{}, core.OutcomeUnsure, "wrong type"},
		{"duplicate", "4001", shownIssued, core.OutcomeIssued, "消息"},
		{"duplicate, being issued", "4001", with(shownIssued, object{"state": "accepted", "number": ""}), core.OutcomeAccepted, "消息"},
		{"duplicate, failed", "4001", with(shownIssued, object{"state": "failed", "fail_code": "5001", "fail_message": "额度"}), core.OutcomeRefused, "额度"},
		{"duplicate of another serial", "4001", with(shownIssued, object{"serial": "01KAV3XTM00000000009"}), core.OutcomeUnsure, "something else"},
		{"duplicate without a result", "4001", nil, core.OutcomeUnsure, "no result"},
	}
	g := newGateway(t)
	c := g.client()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g.says(script{code: test.code, message: "消息", result: test.result})
			for name, send := range map[string]func() (core.Answer, error){
				"issue":     func() (core.Answer, error) { return c.Issue(t.Context(), blueOrder(t), new(hook).before) },
				"red_issue": func() (core.Answer, error) { return c.IssueRed(t.Context(), redIssueOrder(t), new(hook).before) },
			} {
				a, err := send()
				if err != nil || a.Outcome != test.want || !strings.Contains(a.Message, test.message) {
					t.Errorf("%s: %s %q (%v), want %s %q", name, a.Outcome, a.Message, err, test.want, test.message)
				}
				if issued := a.Outcome == core.OutcomeIssued; issued != (a.Number == testNumber) || issued != a.IssuedAt.Equal(issuedAt) {
					t.Errorf("%s: %s with number %q at %s", name, a.Outcome, a.Number, a.IssuedAt)
				}
				if a.Outcome == core.OutcomeRefused && (a.Refusal != core.RefusedParameter || a.Code != "5001") {
					t.Errorf("%s: refused as %q, code %q", name, a.Refusal, a.Code)
				}
				if known := test.code == "4001" && a.Outcome != core.OutcomeUnsure; known != (a.Found != nil) {
					t.Errorf("%s: found is %+v", name, a.Found)
				}
			}
		})
	}
}

func TestQueryResults(t *testing.T) {
	tests := []struct {
		name    string
		change  object
		want    core.Outcome
		message string
	}{
		{"issued", nil, core.OutcomeIssued, ""},
		{"accepted", object{"state": "accepted", "number": "", "issued_at": ""}, core.OutcomeAccepted, ""},
		{"failed", object{"state": "failed", "number": "", "fail_code": "1102", "fail_message": "税率\x07错误"}, core.OutcomeRefused, "税率 错误"},
		{"red", object{"color": "red", "net": "-127.34", "tax": "-12.66", "gross": "-140.00"}, core.OutcomeIssued, ""},
		{"another serial", object{"serial": "x"}, core.OutcomeUnsure, "something else"},
		{"another seller", object{"seller_tax_no": "91310000MA1TEST99Z"}, core.OutcomeUnsure, "another seller"},
		{"amount with an exponent", object{"gross": "1e1000000000"}, core.OutcomeUnsure, "gross"},
		{"amount with three decimals", object{"net": "127.341"}, core.OutcomeUnsure, "net"},
		{"amount as a number", object{"tax": 12.66}, core.OutcomeUnsure, "wrong type"},
		{"amount missing", object{"tax": nil}, core.OutcomeUnsure, "tax"},
		{"color unknown", object{"color": "green"}, core.OutcomeUnsure, "color"},
		{"kind unknown", object{"kind": "03"}, core.OutcomeUnsure, "kind"},
	}
	g := newGateway(t)
	c := g.client()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g.says(script{code: "0000", result: with(shownIssued, test.change)})
			a, err := c.Query(t.Context(), testSeller, testSerial)
			if err != nil || a.Outcome != test.want || !strings.Contains(a.Message, test.message) {
				t.Fatalf("%s %q (%v), want %s %q", a.Outcome, a.Message, err, test.want, test.message)
			}
			if (a.Found != nil) != (a.Outcome != core.OutcomeUnsure) {
				t.Errorf("%s with found %+v", a.Outcome, a.Found)
			}
			if strings.Contains(a.Message, "91310000MA1TEST99Z") {
				t.Error("the message shows a tax number")
			}
		})
	}
	g.says(script{code: "0000", result: shownIssued})
	a, err := c.Query(t.Context(), testSeller, testSerial)
	if err != nil {
		t.Fatal(err)
	}
	want := core.Found{Color: core.Blue, Kind: core.GeneralInvoice, BuyerName: "买方有限公司", BuyerTaxNo: "91310000MA1TEST02Y",
		Net: core.Fen(12734), Tax: core.Fen(1266), Gross: core.Fen(14000)}
	if diff := cmp.Diff(want, *a.Found, cmp.Comparer(core.Yuan.Equal)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestConfirmationResults(t *testing.T) {
	waiting := object{"application": testApplication, "uuid": testUUID, "confirmation_no": testConfNumber, "state": "02",
		"expires_at": "2026-11-28T09:00:00+08:00", "issued": "N", "red_number": "", "red_serial": ""}
	tests := []struct {
		name    string
		change  object
		want    core.Outcome
		message string
	}{
		{"waiting for the buyer", nil, core.OutcomeAccepted, ""},
		{"nobody has to answer", object{"state": "01", "expires_at": ""}, core.OutcomeAccepted, ""},
		{"red issued by the bureau", object{"state": "04", "issued": "Y", "red_number": testNumber}, core.OutcomeAccepted, ""},
		{"issued without a number", object{"issued": "Y"}, core.OutcomeUnsure, "red_number"},
		{"state 14", object{"state": "14"}, core.OutcomeUnsure, "state"},
		{"one of our own states", object{"state": "new"}, core.OutcomeUnsure, "state"},
		{"uuid too short", object{"uuid": testUUID[1:]}, core.OutcomeUnsure, ""},
		{"no number", object{"confirmation_no": nil}, core.OutcomeUnsure, "confirmation_no"},
		{"time in another form", object{"expires_at": "2026-11-28 09:00:00"}, core.OutcomeUnsure, "expires_at"},
	}
	g := newGateway(t)
	c := g.client()
	acts := map[core.Operation]func() (core.ConfirmationAnswer, error){
		core.OpApply: func() (core.ConfirmationAnswer, error) { return c.Apply(t.Context(), redOrder(t), new(hook).before) },
		core.OpConfirm: func() (core.ConfirmationAnswer, error) {
			return c.QueryConfirmation(t.Context(), testSeller, testApplication)
		},
		core.OpWithdraw: func() (core.ConfirmationAnswer, error) {
			return c.Withdraw(t.Context(), testSeller, testUUID, new(hook).before)
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			result := with(waiting, test.change)
			g.says(script{code: "0000", result: result})
			for op, act := range acts {
				a, err := act()
				if err != nil || a.Outcome != test.want || !strings.Contains(a.Message, test.message) {
					t.Fatalf("%s: %s %q (%v), want %s %q", op, a.Outcome, a.Message, err, test.want, test.message)
				}
				if a.Outcome == core.OutcomeUnsure {
					if a.State != "" || a.UUID != "" {
						t.Errorf("%s: unsure, but in state %q", op, a.State)
					}
					continue
				}
				if string(a.State) != result["state"] || a.UUID != testUUID || a.Number != testConfNumber ||
					a.ExpiresAt.IsZero() != (result["expires_at"] == "") || (a.RedNumber != "") != (result["issued"] == "Y") {
					t.Errorf("%s: %+v", op, a)
				}
			}
		})
	}
	g.says(script{code: "0000", result: with(waiting, object{"application": "other", "uuid": strings.Repeat("f", 32)})})
	for op, act := range acts {
		if a, err := act(); err != nil || a.Outcome != core.OutcomeUnsure || !strings.Contains(a.Message, "something else") {
			t.Errorf("%s about another confirmation: %s %q (%v)", op, a.Outcome, a.Message, err)
		}
	}
}

func TestVoidWhereItIsPossible(t *testing.T) {
	g := newGateway(t)
	c := g.client()
	for number, want := range map[string]core.Outcome{testNumber: core.OutcomeAccepted, "26002000000000000008": core.OutcomeUnsure} {
		g.says(script{code: "0000", result: object{"number": number}})
		if a, err := c.Void(t.Context(), testSeller, testNumber, new(hook).before); err != nil || a.Outcome != want {
			t.Errorf("answer about %s: %s (%v), want %s", number, a.Outcome, err, want)
		}
	}
}
