package sdk

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Duration is a length of time that a configuration writes as text, such as "10s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// configField is a field of a configuration type as its tags describe it:
//
//	json:"name,omitempty"  name; omitempty makes it optional
//	secret:"true"          kept apart from the configuration, masked everywhere
//	doc:"…"                description
//	default:"…"            value when absent: text as it stands, other types as JSON
//	enum:"a,b"             allowed values
type configField struct {
	name       string
	of         reflect.Type
	doc        string
	secret     bool
	required   bool
	hasDefault bool
	fallback   any
	enum       []string
}

// fieldsOf lists a struct's fields, those of embedded structs among them.
func fieldsOf(t reflect.Type) []configField {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var out []configField
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			out = append(out, fieldsOf(f.Type)...)
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			panic(fmt.Sprintf("sdk: field %s.%s needs a json name", t, f.Name))
		}
		field := configField{name: name, of: f.Type, doc: f.Tag.Get("doc"), secret: f.Tag.Get("secret") == "true"}
		if e := f.Tag.Get("enum"); e != "" {
			field.enum = strings.Split(e, ",")
		}
		if text, ok := f.Tag.Lookup("default"); ok {
			field.hasDefault, field.fallback = true, parseDefault(t, f, text)
		}
		field.required = !field.hasDefault && !strings.Contains(options, "omitempty")
		out = append(out, field)
	}
	return out
}

func parseDefault(t reflect.Type, f reflect.StructField, text string) any {
	if f.Type.Kind() == reflect.String || isText(f.Type) {
		return text
	}
	var v any
	if err := DecodeJSON([]byte(text), &v); err != nil {
		panic(fmt.Sprintf("sdk: default of %s.%s is not JSON: %v", t, f.Name, err))
	}
	return v
}

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// mustSchema describes a configuration as an operator writes it, secrets in their places as references.
func mustSchema(t reflect.Type) []byte {
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("sdk: a configuration type must be a struct, not %s", t))
	}
	schema := schemaOf(t)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("sdk: schema of %s: %v", t, err))
	}
	return out
}

func schemaOf(t reflect.Type) map[string]any {
	switch {
	case isText(t), t.Kind() == reflect.String:
		return map[string]any{"type": "string"}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return map[string]any{"type": "integer"}
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem())
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case t.Kind() == reflect.Struct:
		return structSchema(t)
	}
	panic(fmt.Sprintf("sdk: a configuration cannot hold %s; numbers that are money are text", t))
}

func structSchema(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range fieldsOf(t) {
		p := schemaOf(f.of)
		if f.doc != "" {
			p["description"] = f.doc
		}
		if f.secret {
			p["x-secret"] = true
		}
		if f.hasDefault {
			p["default"] = f.fallback
		}
		if len(f.enum) > 0 {
			p["enum"] = f.enum
		}
		properties[f.name] = p
		if f.required {
			required = append(required, f.name)
		}
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}
