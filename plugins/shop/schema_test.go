package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kaipiao/kaipiao/plugins/sdk/sdktest"
	"github.com/kaipiao/kaipiao/plugins/shop/generic"
)

const published = "../../docs/generic-events.schema.json"

// The published schema is the one that the decoder's types make.
func TestPublishedSchema(t *testing.T) {
	if sdktest.Update() {
		if err := os.WriteFile(published, generic.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, generic.Schema()) {
		t.Errorf("%s is out of date: run go test ./plugins/shop -update", published)
	}
}

// semantic are faults that a form can't say.
var semantic = map[string]bool{"type-and-status-disagree": true, "N36-duplicate-key": true, "N36-shadowed-key": true,
	"N36-bad-utf8": true, "N36-control-character": true}

// What the plugin accepts the schema allows, and what it refuses for its form the schema refuses too.
func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(generic.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("urn:kaipiao:generic-events:v1", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("urn:kaipiao:generic-events:v1")
	if err != nil {
		t.Fatal(err)
	}
	requests, err := filepath.Glob("generic/testdata/*/request.http")
	if err != nil || len(requests) < 30 {
		t.Fatalf("%d fixtures, %v", len(requests), err)
	}
	for _, path := range requests {
		name := filepath.Base(filepath.Dir(path))
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := bytes.Cut(raw, []byte("\n\n"))
		var want struct{ Verdict string }
		wanted, err := os.ReadFile(filepath.Join(filepath.Dir(path), "want.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(wanted, &want); err != nil {
			t.Fatal(err)
		}
		if semantic[name] || want.Verdict == "FORGED" || strings.HasPrefix(name, "unknown-type") {
			continue
		}
		err = conforms(schema, body)
		if allowed := want.Verdict == "ACCEPTED"; allowed != (err == nil) {
			t.Errorf("%s is %s, the schema says %v", name, want.Verdict, err)
		}
	}
}

func conforms(schema *jsonschema.Schema, body []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}
