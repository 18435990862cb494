package gm

import (
	"encoding/json"
	"testing"

	"github.com/kaipiao/kaipiao/core"
)

// FuzzAnswer reads any decrypted text as the answer of every operation. Whatever it is, "issued" needs our serial and
// a number, and nothing but the table makes a refusal.
func FuzzAnswer(f *testing.F) {
	for _, v := range []any{takenIssued, shownIssued, object{}, nil, []any{1}} {
		for _, code := range []string{"0000", "4001", "4004", "3001", "1001", "", "9999"} {
			text, err := json.Marshal(object{"code": code, "message": "消息\u202e", "result": v})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, text := range []string{"", "null", "{", `{"code":0}`, `{"code":"0000","result":"x"}`, `{"code":"0000","code":"3001"}`,
		`{"CODE":"0000","result":{"serial":null}}`, "{\"code\":\"0000\",\"message\":\"\xff\x00\"}"} {
		f.Add([]byte(text))
	}
	c, err := New(Options{BaseURL: "https://gateway.example", AppID: "shop-1", Key: testKey, Secret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		for _, op := range []core.Operation{core.OpIssue, core.OpIssueRed} {
			r := reply{exchange: core.Exchange{Operation: op}}
			c.understand(&r, plain)
			checkTaken(t, r, r.taken(testSerial, testSeller))
		}
		r := reply{exchange: core.Exchange{Operation: core.OpQuery}}
		c.understand(&r, plain)
		if a := r.shown(testSerial, testSeller); r.doubt == whole {
			checkTaken(t, r, a)
		}
		if e := r.ofQuestion(); e.outcome != core.OutcomeUnsure && e.outcome != core.OutcomeNotFound {
			t.Errorf("a question ends as %s", e.outcome)
		}
		a := r.confirmed(confirmationResult.ofApplication, testApplication)
		if a.Outcome == core.OutcomeAccepted && (a.UUID == "" || a.State == "" || a.Number == "") {
			t.Errorf("a confirmation without a name: %+v", a)
		}
		if _, err := r.quota(testSeller); err == nil && r.failure() != nil {
			return // a result beside an error code; callers look at the code first
		}
	})
}

func checkTaken(t *testing.T, r reply, a core.Answer) {
	t.Helper()
	switch a.Outcome {
	case core.OutcomeIssued:
		if !numberShape.MatchString(a.Number) || a.IssuedAt.IsZero() && a.Found == nil {
			t.Errorf("issued without number or time: %+v", a)
		}
	case core.OutcomeAccepted, core.OutcomeUnsure:
	case core.OutcomeRefused, core.OutcomeNotTaken:
		if r.doubt != whole || a.Refusal == "" {
			t.Errorf("%s without a class: %+v", a.Outcome, a)
		}
	default:
		t.Errorf("outcome %q", a.Outcome)
	}
}

// FuzzOpen opens any text as a body: never a panic, never an empty success.
func FuzzOpen(f *testing.F) {
	for _, text := range []string{"", "{}", `{"data":""}`, `{"data":"AAAA"}`, `{"data":"00112233445566778899aabbccddeeff"}`,
		`{"data":"YSByYXRoZXIgZml4ZWQgaQ=="}`, `{"data":"YSByYXRoZXIgZml4ZWQgaWEgcmF0aGVyIGZpeGVkIGk="}`, `{"data":1}`} {
		f.Add([]byte(text))
	}
	var all []*envelope
	for _, mode := range []Mode{CBC, ECB} {
		for _, encoding := range []Encoding{Base64, Hex} {
			e, err := newEnvelope(Options{Key: testKey, Secret: testSecret, Mode: mode, Encoding: encoding})
			if err != nil {
				f.Fatal(err)
			}
			sealed, err := e.seal([]byte(`{"code":"0000"}`))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(sealed)
			all = append(all, e)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, e := range all {
			plain, err := e.open(body)
			if err != nil && len(plain) > 0 {
				t.Errorf("%d bytes beside the error %v", len(plain), err)
			}
		}
	})
}
