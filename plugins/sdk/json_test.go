package sdk_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

var documents = map[string]sdk.Reason{
	`{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}`: "",
	` [ ] `:                        "",
	`"text"`:                       "",
	`-0.5e3`:                       "",
	`{"a":"line\nbreak\tand tab"}`: "",
	`{"茶":"普洱 😀 \ud83d\ude00"}`:    "",
	`{"a":"\ufffd"}`:               sdk.BadUTF8, // can't be told from half a pair
	`{"a":1,"a":2}`:                sdk.DuplicateKey,
	`{"a":1,"\u0061":2}`:           sdk.DuplicateKey,
	`{"x":[{"y":{"k":1,"k":1}}]}`:  sdk.DuplicateKey,
	`{"amount":"1","Amount":"2"}`:  sdk.ShadowedKey,
	`{"sku":"1","s\u212Au":"2"}`:   sdk.ShadowedKey, // Kelvin sign
	`{"sum":"1","\u017fum":"2"}`:   sdk.ShadowedKey, // long s
	`{"a":"\u0000"}`:               sdk.ControlCharacter,
	`{"a\u0007":1}`:                sdk.ControlCharacter,
	"{\"a\":\"\x7f\"}":             sdk.ControlCharacter,
	`{"a":"\ud800"}`:               sdk.BadUTF8,
	"{\"a\":\"\xff\"}":             sdk.BadUTF8,
	`{"a":1}{"a":2}`:               sdk.BadJSON,
	`{"a":1} x`:                    sdk.BadJSON,
	`{"a":01}`:                     sdk.BadJSON,
	`{"a":NaN}`:                    sdk.BadJSON,
	``:                             sdk.BadJSON,
	"\ufeff{}":                     sdk.BadJSON,
	strings.Repeat(`[`, 33) + strings.Repeat(`]`, 33):           "",
	strings.Repeat(`[`, 34) + strings.Repeat(`]`, 34):           sdk.TooDeep,
	strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40): sdk.TooDeep,
	strings.Repeat(`[`, 1_000_000):                              sdk.BadJSON,
}

func TestDecodeJSON(t *testing.T) {
	for document, want := range documents {
		var v any
		err := sdk.DecodeJSON([]byte(document), &v)
		var f *sdk.Fault
		switch {
		case err == nil && want == "":
		case err == nil || !errors.As(err, &f) || f.Reason != want:
			t.Errorf("%.80q: got %v, want %q", document, err, want)
		}
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	var m struct {
		ID    sdk.Text    `json:"id"`
		Other sdk.Text    `json:"other"`
		None  sdk.Text    `json:"none"`
		Paid  json.Number `json:"paid"`
		Any   any         `json:"any"`
	}
	err := sdk.DecodeJSON([]byte(`{"id":9007199254740993,"other":"007","none":null,"paid":12.30,"any":0.10}`), &m)
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != "9007199254740993" || m.Other != "007" || m.None != "" || m.Paid != "12.30" || m.Any != json.Number("0.10") {
		t.Errorf("got %+v", m)
	}
	for document, path := range map[string]string{`{"paid":[1]}`: "paid", `{"id":{}}`: ""} {
		var f *sdk.Fault
		if err := sdk.DecodeJSON([]byte(document), &m); !errors.As(err, &f) || f.Reason != sdk.BadField || f.Path != path {
			t.Errorf("%s: %v", document, err)
		}
	}
}

// A document that passes means the same to a reader that takes the first of two keys and one that takes the last.
func FuzzDecodeJSON(f *testing.F) {
	for document := range documents {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if sdk.DecodeJSON(data, &v) != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("accepted %q cannot be written again: %v", data, err)
		}
		if err := sdk.DecodeJSON(again, &v); err != nil {
			t.Errorf("accepted %q, but not its own form %q: %v", data, again, err)
		}
	})
}
