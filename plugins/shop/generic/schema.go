package generic

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// schemaID names the contract. Fields may be added under it; what exists keeps its meaning.
const schemaID = "urn:kaipiao:generic-events:v1"

// Schema is the JSON Schema (draft 2020-12) of all events, for shops to check what they send. It says the form; that
// amounts add up is checked when a sale is looked at.
func Schema() []byte {
	s := schema{defs: map[string]any{}}
	bodies := map[string][]string{}
	for name := range eventTypes {
		family, _, _ := strings.Cut(name, ".")
		bodies[family] = append(bodies[family], name)
	}
	data := map[string]reflect.Type{
		"order": reflect.TypeFor[order](), "refund": reflect.TypeFor[refund](), "invoice": reflect.TypeFor[request](),
	}
	var choices []any
	for _, family := range slices.Sorted(maps.Keys(bodies)) {
		choices = append(choices, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"type": map[string]any{"enum": sorted(bodies[family])}}},
			"then": map[string]any{"properties": map[string]any{"data": s.of(data[family])}},
		})
	}
	root := s.object(reflect.TypeFor[envelope]())
	root["properties"].(map[string]any)["type"].(map[string]any)["enum"] = slices.Sorted(maps.Keys(eventTypes))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = schemaID
	root["title"] = "Events of the generic shop contract"
	root["allOf"] = choices
	root["$defs"] = s.defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("generic: schema of the events: %v", err))
	}
	return append(out, '\n')
}

func sorted(s []string) []string { slices.Sort(s); return s }

// schema describes Go types; structures land in defs once.
type schema struct{ defs map[string]any }

// The grammar of figures is that of [sdk.Amount], with the two decimals of money.
const (
	amountPattern = `^-?[0-9]{1,12}(\.[0-9]{1,2})?$`
	numberPattern = `^-?[0-9]{1,12}(\.[0-9]{1,8})?$`
)

func (s schema) of(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[amount]():
		return map[string]any{"type": "string", "pattern": amountPattern}
	case reflect.TypeFor[number]():
		return map[string]any{"type": "string", "pattern": numberPattern}
	case reflect.TypeFor[moment]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[id]():
		return map[string]any{"type": []string{"string", "integer"}}
	case reflect.TypeFor[json.RawMessage]():
		return map[string]any{"type": "object"}
	}
	if values, ok := words[t]; ok {
		return map[string]any{"type": "string", "enum": values}
	}
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Struct:
		if _, ok := s.defs[t.Name()]; !ok {
			s.defs[t.Name()] = nil
			s.defs[t.Name()] = s.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	}
	panic(fmt.Sprintf("generic: the contract cannot hold %s", t))
}

func (s schema) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := s.of(f.Type)
		p["description"] = f.Tag.Get("doc")
		properties[name] = p
		if options != "omitempty" {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}
