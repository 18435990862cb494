// Package scaffold writes a new plugin: a program that compiles, and tests that pass, to begin from.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed all:templates
var templates embed.FS

// Kind is what sort of plugin to begin with.
type Kind string

const (
	Webhook  Kind = "webhook"  // a shop that pushes
	Pull     Kind = "pull"     // a feed that is read page by page
	Delivery Kind = "delivery" // a way to hand invoices to buyers
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Webhook, Pull, Delivery} }

const sdkModule = "github.com/kaipiao/kaipiao"

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}$`)

// Options say what to write.
type Options struct {
	Kind Kind
	Name string
	// Dir is made if need be, and must be empty.
	Dir string
	// Module is the new module's path; "" takes the name.
	Module string
	// SDK is a checkout of Kaipiao to build against. "" leaves the version to "go get".
	SDK string
}

// Write writes the plugin.
func Write(o Options) error {
	if !namePattern.MatchString(o.Name) {
		return fmt.Errorf("new plugin: name %q must match %s", o.Name, namePattern)
	}
	if _, err := fs.Stat(templates, "templates/"+string(o.Kind)); err != nil || o.Kind == "" {
		return fmt.Errorf("new plugin %s: kind %q is none of %v", o.Name, o.Kind, Kinds())
	}
	if o.Module == "" {
		o.Module = o.Name
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("new plugin %s: %w", o.Name, err)
	}
	if there, err := os.ReadDir(o.Dir); err != nil || len(there) > 0 {
		return errors.Join(fmt.Errorf("new plugin %s: %s is not empty", o.Name, o.Dir), err)
	}
	if err := writeModule(o); err != nil {
		return fmt.Errorf("new plugin %s: %w", o.Name, err)
	}
	for _, set := range []string{"common", string(o.Kind)} {
		if err := writeSet(o, "templates/"+set); err != nil {
			return fmt.Errorf("new plugin %s: %w", o.Name, err)
		}
	}
	return nil
}

// writeSet copies a folder. Files named .tmpl are filled in, the others are copied as they are: fixtures are signed.
func writeSet(o Options, root string) error {
	return fs.WalkDir(templates, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(templates, path)
		if err != nil {
			return err
		}
		target := filepath.Join(o.Dir, strings.TrimSuffix(strings.TrimPrefix(path, root+"/"), ".tmpl"))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".tmpl") {
			return os.WriteFile(target, content, 0o644)
		}
		t, err := template.New(path).Parse(string(content))
		if err != nil {
			return err
		}
		var out strings.Builder
		if err := t.Execute(&out, o); err != nil {
			return err
		}
		return os.WriteFile(target, []byte(out.String()), 0o644)
	})
}

// writeModule writes go.mod. With a checkout it takes over that one's requirements and sums, so that the plugin builds
// without a network.
func writeModule(o Options) error {
	if o.SDK == "" {
		mod := fmt.Sprintf("module %s\n\ngo 1.26.0\n", o.Module)
		return os.WriteFile(filepath.Join(o.Dir, "go.mod"), []byte(mod), 0o644)
	}
	sdk, err := filepath.Abs(o.SDK)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(sdk, "go.mod"))
	if err != nil {
		return fmt.Errorf("%s is not a checkout of Kaipiao: %w", o.SDK, err)
	}
	rest, ok := strings.CutPrefix(string(raw), "module "+sdkModule+"\n")
	if !ok {
		return fmt.Errorf("%s holds another module than %s", o.SDK, sdkModule)
	}
	mod := fmt.Sprintf("module %s\n%s\nrequire %s v0.0.0\n\nreplace %s => %s\n", o.Module, rest, sdkModule, sdkModule, sdk)
	if err := os.WriteFile(filepath.Join(o.Dir, "go.mod"), []byte(mod), 0o644); err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(sdk, "go.sum"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.Dir, "go.sum"), sums, 0o644)
}
