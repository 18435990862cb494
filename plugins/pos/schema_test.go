package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const published = "../../docs/pos-receipt.schema.json"

type object struct {
	Properties map[string]struct {
		Enum []string `json:"enum"`
	} `json:"properties"`
	Defs map[string]object `json:"$defs"`
}

func publishedSchema(t *testing.T) ([]byte, object) {
	t.Helper()
	raw, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	var root object
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	return raw, root
}

// The published schema names the fields that the decoder reads, and the words that it takes; no more and no less.
func TestSchemaHasTheDecodersFields(t *testing.T) {
	_, root := publishedSchema(t)
	for name, of := range map[string]reflect.Type{
		"": reflect.TypeFor[document](), "link": reflect.TypeFor[link](), "line": reflect.TypeFor[line](), "tender": reflect.TypeFor[tender](),
		"adjustment": reflect.TypeFor[adjustment](), "invoice": reflect.TypeFor[invoice](), "platformNo": reflect.TypeFor[platformNo](),
		"dayClose": reflect.TypeFor[dayClose](),
	} {
		described := root
		if name != "" {
			described = root.Defs[name]
		}
		var fields []string
		for i := range of.NumField() {
			fields = append(fields, of.Field(i).Tag.Get("json"))
		}
		slices.Sort(fields)
		if got := slices.Sorted(maps.Keys(described.Properties)); !slices.Equal(got, fields) {
			t.Errorf("%q: the schema has %v, the decoder %v", name, got, fields)
		}
	}
	if len(root.Defs) != 7 {
		t.Errorf("%d definitions are not all checked", len(root.Defs))
	}
	words := func(name, where string, got []string, want []string) {
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s of %s: the schema has %v, the decoder %v", name, where, got, want)
		}
	}
	words("kind", "a receipt", root.Properties["kind"].Enum, append(slices.Collect(maps.Keys(kinds)), "CONTROL", "NON_SALE"))
	words("kind", "a tender", root.Defs["tender"].Properties["kind"].Enum, slices.Collect(maps.Keys(tenderKinds)))
	words("kind", "an adjustment", root.Defs["adjustment"].Properties["kind"].Enum, slices.Collect(maps.Keys(adjustmentKinds)))
	words("type", "a link", root.Defs["link"].Properties["type"].Enum, slices.Collect(maps.Keys(linkTypes)))
}

// semantic are faults that a form can't say.
var semantic = []string{"sums_differ", "sign_differs", "not_ours", "duplicate_key", "case_shadowed_key", "bad_utf8", "control_character", "missing_signature"}

func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	raw, _ := publishedSchema(t)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:kaipiao:pos-receipt:v1", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("urn:kaipiao:pos-receipt:v1")
	if err != nil {
		t.Fatal(err)
	}
	requests, err := filepath.Glob("testdata/*/request.http")
	if err != nil || len(requests) < 40 {
		t.Fatalf("%d fixtures, %v", len(requests), err)
	}
	for _, path := range requests {
		name := filepath.Base(filepath.Dir(path))
		request, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wanted, err := os.ReadFile(filepath.Join(filepath.Dir(path), "want.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want struct{ Verdict, Reason string }
		if err := json.Unmarshal(wanted, &want); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(semantic, want.Reason) || strings.HasPrefix(name, "return-of-two") {
			continue
		}
		_, body, _ := bytes.Cut(request, []byte("\n\n"))
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(v)
		}
		if allowed := want.Verdict != "MALFORMED"; allowed != (err == nil) {
			t.Errorf("%s is %s, the schema says %v", name, want.Verdict, err)
		}
	}
}

// The receipt in the manual is accepted.
func TestManualsExampleIsAccepted(t *testing.T) {
	manual, err := os.ReadFile("../../docs/pos-receipts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(manual), "```json\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the manual has no example")
	}
	if events, err := read([]byte(example)); err != nil || len(events) != 1 {
		t.Errorf("%v, %v", events, err)
	}
}
