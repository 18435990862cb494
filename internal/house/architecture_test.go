package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository, seen from this package.
const root = "../.."

var (
	backticked = regexp.MustCompile("`([^`\n]+)`")
	symbolText = regexp.MustCompile(`^[a-z][a-z0-9]*(\.[A-Za-z_][A-Za-z0-9_]*){1,2}$`)
	pathText   = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_./-]*$`)
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// TestArchitectureNamesWhatExists holds every path and symbol in docs/architecture.md against the tree. Symbols are
// written package.Name, package.Type.Method or package.Type.Field; fenced blocks are pictures and are passed over.
func TestArchitectureNamesWhatExists(t *testing.T) {
	known := symbols(t)
	paths, names := 0, 0
	for _, m := range backticked.FindAllStringSubmatch(prose(read(t, "docs/architecture.md")), -1) {
		text := m[1]
		switch {
		case isPath(text):
			paths++
			if _, err := os.Stat(filepath.Join(root, text)); err != nil {
				t.Errorf("docs/architecture.md names the path %s: %v", text, err)
			}
		case symbolText.MatchString(text):
			names++
			pkg, name, _ := strings.Cut(text, ".")
			if !known[pkg][name] {
				t.Errorf("docs/architecture.md names %s, which no package %s has", text, pkg)
			}
		}
	}
	if paths < 30 || names < 60 {
		t.Errorf("found only %d paths and %d symbols: the document or its patterns changed", paths, names)
	}
}

// isPath says whether a text names a file or folder. An address begins with a slash and a command has blanks.
func isPath(text string) bool {
	return pathText.MatchString(text) && (strings.Contains(text, "/") || strings.HasSuffix(text, ".go"))
}

// prose drops fenced blocks.
func prose(markdown string) string {
	var out []string
	fenced := false
	for _, l := range strings.Split(markdown, "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			fenced = !fenced
		} else if !fenced {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// symbols lists the names that each package declares, methods and fields as Type.Name. Packages of one name are taken
// together.
func symbols(t *testing.T) map[string]map[string]bool {
	t.Helper()
	known := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || name == "templates" || strings.HasPrefix(name, ".") && name != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		names := known[f.Name.Name]
		if names == nil {
			names = map[string]bool{}
			known[f.Name.Name] = names
		}
		declared(f, names)
		return nil
	})
	if err != nil {
		t.Fatalf("walk the packages: %v", err)
	}
	return known
}

func declared(f *ast.File, names map[string]bool) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[receiver(d)+d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				case *ast.TypeSpec:
					names[s.Name.Name] = true
					members(s, names)
				}
			}
		}
	}
}

// receiver is "Type." for a method, empty for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	if generic, ok := x.(*ast.IndexExpr); ok {
		x = generic.X
	}
	if id, ok := x.(*ast.Ident); ok {
		return id.Name + "."
	}
	return ""
}

func members(s *ast.TypeSpec, names map[string]bool) {
	var list *ast.FieldList
	switch x := s.Type.(type) {
	case *ast.StructType:
		list = x.Fields
	case *ast.InterfaceType:
		list = x.Methods
	default:
		return
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			names[s.Name.Name+"."+n.Name] = true
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents lists the repository's Markdown files, relative to it.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, filepath.ToSlash(rel))
		}
	}
	if len(out) < 15 {
		t.Fatalf("found only %d documents", len(out))
	}
	return out
}

// TestLinksLeadSomewhere follows the relative links of every document.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, doc := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(prose(read(t, doc)), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(doc), target)); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}
