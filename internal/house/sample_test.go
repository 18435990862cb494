package house

import (
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/internal/config"
)

const sampleFile = "docs/kaipiao.sample.yaml"

// TestSampleIsAConfiguration loads the sample as the host would.
func TestSampleIsAConfiguration(t *testing.T) {
	c, err := config.Load(filepath.Join(root, sampleFile))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Channels) == 0 || len(c.Sellers) < 2 || len(c.Stores) < 2 || len(c.Sources) < 2 || len(c.Deliveries) < 2 {
		t.Errorf("the sample shows %d channels, %d sellers, %d stores, %d sources, %d deliveries: too few to learn from",
			len(c.Channels), len(c.Sellers), len(c.Stores), len(c.Sources), len(c.Deliveries))
	}
}

// TestSampleShowsEverySetting looks for each key of the configuration, set or commented out.
func TestSampleShowsEverySetting(t *testing.T) {
	text := read(t, sampleFile)
	for _, key := range keys(reflect.TypeFor[config.Config](), map[reflect.Type]bool{}) {
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(key) + `:`).MatchString(text) {
			t.Errorf("%s does not show %s", sampleFile, key)
		}
	}
}

// keys lists the YAML keys of a type and of the types below it.
func keys(t reflect.Type, done map[reflect.Type]bool) (out []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || done[t] {
		return nil
	}
	done[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "" {
			continue
		}
		out = append(out, name)
		out = append(out, keys(f.Type, done)...)
	}
	return out
}
