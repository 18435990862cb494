package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// Preparer is implemented by a configuration type (on its pointer) that derives something costly once, such as a parsed
// key or an HTTP client, and keeps it in unexported fields. It runs once for each revision of an instance.
type Preparer interface {
	Prepare() error
}

// configs decodes instances and keeps the newest revision of each.
type configs struct {
	of     reflect.Type
	schema []byte

	mu     sync.Mutex
	cached map[string]cachedConfig
}

type cachedConfig struct {
	revision string
	value    any
}

// maxCachedConfigs bounds the cache; a host with more instances than this decodes some of them anew.
const maxCachedConfigs = 10_000

// configError is a configuration that can't be used, with every fault that was found.
type configError struct{ problems []Problem }

func (e *configError) Error() string {
	parts := make([]string, len(e.problems))
	for i, p := range e.problems {
		parts[i] = strings.TrimPrefix(p.Pointer+": "+p.Message, ": ")
	}
	return "configuration cannot be used: " + strings.Join(parts, "; ")
}

func (c *configs) get(in *pb.Instance) (any, error) {
	c.mu.Lock()
	hit, ok := c.cached[in.GetId()]
	c.mu.Unlock()
	if ok && in.GetRevision() != "" && hit.revision == in.GetRevision() {
		return hit.value, nil
	}
	value, err := c.decode(in)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cached == nil || len(c.cached) >= maxCachedConfigs {
		c.cached = map[string]cachedConfig{}
	}
	c.cached[in.GetId()] = cachedConfig{in.GetRevision(), value}
	return value, nil
}

func (c *configs) decode(in *pb.Instance) (any, error) {
	raw := in.GetConfigJson()
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	var tree map[string]any
	if err := DecodeJSON(raw, &tree); err != nil {
		return nil, &configError{[]Problem{{Message: err.Error()}}}
	}
	if tree == nil {
		tree = map[string]any{}
	}
	f := filler{secrets: in.GetSecrets()}
	f.object(c.of, tree, "", "")
	if len(f.problems) > 0 {
		return nil, &configError{f.problems}
	}
	whole, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("configuration of instance %s: %w", in.GetId(), err)
	}
	value := reflect.New(c.of)
	dec := json.NewDecoder(bytes.NewReader(whole))
	dec.DisallowUnknownFields()
	if err := dec.Decode(value.Interface()); err != nil {
		return nil, &configError{[]Problem{decodeProblem(err)}}
	}
	if p, ok := value.Interface().(Preparer); ok {
		if err := p.Prepare(); err != nil {
			return nil, &configError{[]Problem{{Message: err.Error()}}}
		}
	}
	return value.Elem().Interface(), nil
}

// decodeProblem keeps the value, which may be a secret, out of the text.
func decodeProblem(err error) Problem {
	if wrong, ok := err.(*json.UnmarshalTypeError); ok {
		return Problem{Pointer: "/" + strings.ReplaceAll(wrong.Field, ".", "/"), Message: "a " + wrong.Value + " where " + wrong.Type.String() + " is wanted"}
	}
	return Problem{Message: err.Error()}
}

// filler completes a configuration as written by secrets and defaults, and finds what is missing or not allowed.
type filler struct {
	secrets  map[string]string
	problems []Problem
}

func (f *filler) object(t reflect.Type, tree map[string]any, dotted, pointer string) {
	known := map[string]bool{}
	for _, field := range fieldsOf(t) {
		known[field.name] = true
		path, at := join(dotted, field.name), pointer+"/"+field.name
		if secret, ok := f.secrets[path]; ok && field.secret {
			tree[field.name] = secret
		}
		value, present := tree[field.name]
		switch {
		case !present && field.hasDefault:
			tree[field.name] = field.fallback
		case !present && field.required:
			f.problems = append(f.problems, Problem{Pointer: at, Message: "is required"})
		case present && len(field.enum) > 0 && !slices.Contains(field.enum, fmt.Sprint(value)):
			f.problems = append(f.problems, Problem{Pointer: at, Message: "must be one of " + strings.Join(field.enum, ", ")})
		case present:
			f.inside(field.of, value, path, at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if !known[name] {
			f.problems = append(f.problems, Problem{Pointer: pointer + "/" + name, Message: "is not a field of this plugin's configuration"})
		}
	}
}

func (f *filler) inside(t reflect.Type, value any, dotted, pointer string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := value.(type) {
	case map[string]any:
		switch {
		case t.Kind() == reflect.Map:
			for name, inner := range v {
				f.inside(t.Elem(), inner, join(dotted, name), pointer+"/"+name)
			}
		case t.Kind() == reflect.Struct && !isText(t):
			f.object(t, v, dotted, pointer)
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for i, inner := range v {
				n := strconv.Itoa(i)
				f.inside(t.Elem(), inner, join(dotted, n), pointer+"/"+n)
			}
		}
	}
}

func join(dotted, name string) string {
	if dotted == "" {
		return name
	}
	return dotted + "." + name
}
