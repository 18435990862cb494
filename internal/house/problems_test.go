package house

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kaipiao/kaipiao/core"
)

var update = flag.Bool("update", false, "write the generated documents instead of comparing them")

const problemsDoc = "docs/problems.md"

// TestProblemsDocument keeps docs/problems.md equal to core.Remedies.
func TestProblemsDocument(t *testing.T) {
	want := problemsMarkdown()
	if *update {
		if err := os.WriteFile(filepath.Join(root, problemsDoc), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have := read(t, problemsDoc); have != want {
		t.Errorf("%s is not what core.Remedies says; write it with: go test ./internal/house -run Problems -update", problemsDoc)
	}
}

func problemsMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Problems and their remedies

<!-- Made from core.Remedies by: go test ./internal/house -run Problems -update -->

Whatever the host can't decide by itself becomes a problem: one line that a person can act on. ` + "`kaipiao problems`" + ` lists the
open ones, each with the command that solves it and its places filled in. A problem that rests on the state of an order
closes by itself when the order is right again; the others close by the act that settles them, or by
` + "`kaipiao problems close ID`" + `.

In the commands, {sale} is the order's id, {order} its number, {document} an invoice's id, {subject} what the problem is
about (a product on the review list, a stored request, a lane, a refund) and {problem} the problem's own id.

| code | 名称 / title | 原因 / cause | 处理 / remedy | command |
|---|---|---|---|---|
`)
	for _, r := range core.Remedies {
		fmt.Fprintf(&b, "| `%s` | %s<br>%s | %s<br>%s | %s<br>%s | `%s` |\n", r.Code, cell(r.TitleZH), cell(r.TitleEN), cell(r.CauseZH), cell(r.CauseEN),
			cell(r.RemedyZH), cell(r.RemedyEN), cell(r.Command))
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// TestEveryProblemHasARemedy compares the constants in core/problem.go with the rows, both ways.
func TestEveryProblemHasARemedy(t *testing.T) {
	codes := problemCodes(t)
	rows := map[core.ProblemCode]bool{}
	for _, r := range core.Remedies {
		if rows[r.Code] {
			t.Errorf("core.Remedies has two rows for %s", r.Code)
		}
		rows[r.Code] = true
		for what, text := range map[string]string{"title": r.TitleZH + r.TitleEN, "cause": r.CauseZH + r.CauseEN, "remedy": r.RemedyZH + r.RemedyEN, "command": r.Command} {
			if text == "" {
				t.Errorf("the row of %s has no %s", r.Code, what)
			}
		}
	}
	for name, code := range codes {
		if !rows[code] {
			t.Errorf("%s (%s) has no row in core.Remedies", name, code)
		}
		delete(rows, code)
	}
	for code := range rows {
		t.Errorf("core.Remedies has a row for %s, which is no constant", code)
	}
}

// problemCodes reads the constants of type ProblemCode from the source.
func problemCodes(t *testing.T) map[string]core.ProblemCode {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "core/problem.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]core.ProblemCode{}
	for _, d := range f.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, s := range gen.Specs {
			v := s.(*ast.ValueSpec)
			if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != "ProblemCode" {
				continue
			}
			code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatalf("constant %s: %v", v.Names[0].Name, err)
			}
			out[v.Names[0].Name] = core.ProblemCode(code)
		}
	}
	if len(out) < 20 {
		t.Fatalf("found only %d problem codes", len(out))
	}
	return out
}

// program builds the command line.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kaipiao")
	cmd := exec.Command("go", "build", "-o", path, module+"/cmd/host")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return path
}

// usage is what a command prints of itself; "" if there is no such command.
func usage(t *testing.T, program string, words []string) string {
	t.Helper()
	cmd := exec.Command(program, append(append([]string{}, words...), "--help")...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "LANG=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kaipiao %s --help: %v\n%s", strings.Join(words, " "), err, out)
	}
	// A word that is no command is taken for an argument of the one before it, whose help is printed then.
	if !strings.Contains(string(out), "\n  kaipiao "+strings.Join(words, " ")) {
		return ""
	}
	return string(out)
}

var (
	commandWord = regexp.MustCompile(`^[a-z][a-z-]*$`)
	inlineFlag  = regexp.MustCompile(`--[a-z][a-z-]*`)
)

// commandOf splits a command line into its command words and its flags.
func commandOf(line string) (words, flags []string) {
	for i, w := range strings.Fields(strings.TrimPrefix(line, "kaipiao ")) {
		if !commandWord.MatchString(w) || len(words) < i {
			break
		}
		words = append(words, w)
	}
	return words, inlineFlag.FindAllString(line, -1)
}

// TestCommandLine holds what the table and docs/cli.md tell people to type against the program: a remedy that can't be
// run is none, and a command that is listed nowhere is not found.
func TestCommandLine(t *testing.T) {
	bin := program(t)
	t.Run("remedies", func(t *testing.T) {
		for _, r := range core.Remedies {
			checkCommand(t, bin, "the remedy of "+string(r.Code), r.Command)
		}
	})
	t.Run("docs", func(t *testing.T) { checkCommandDocument(t, bin) })
}

func checkCommand(t *testing.T, bin, where, line string) {
	t.Helper()
	words, flags := commandOf(line)
	help := usage(t, bin, words)
	if help == "" {
		t.Errorf("%s is %q; there is no command %q", where, line, strings.Join(words, " "))
		return
	}
	for _, f := range flags {
		if !regexp.MustCompile(regexp.QuoteMeta(f) + `\b`).MatchString(help) {
			t.Errorf("%s is %q; kaipiao %s has no flag %s", where, line, strings.Join(words, " "), f)
		}
	}
}

var (
	listed    = regexp.MustCompile("(?m)^\\| `(kaipiao [^`]+)`")
	available = regexp.MustCompile(`(?m)^  ([a-z][a-z-]*) `)
)

// checkCommandDocument keeps docs/cli.md and the program alike: what its tables list exists with its flags, and every
// command is listed.
func checkCommandDocument(t *testing.T, bin string) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range listed.FindAllStringSubmatch(read(t, "docs/cli.md"), -1) {
		checkCommand(t, bin, "a row of docs/cli.md", m[1])
		words, _ := commandOf(m[1])
		seen[strings.Join(words, " ")] = true
	}
	for _, words := range leaves(t, bin, nil) {
		if name := strings.Join(words, " "); !seen[name] {
			t.Errorf("docs/cli.md lacks kaipiao %s", name)
		}
	}
}

// leaves walks the commands that have no commands of their own.
func leaves(t *testing.T, bin string, words []string) (out [][]string) {
	t.Helper()
	_, list, ok := strings.Cut(usage(t, bin, words), "Available Commands:\n")
	if !ok {
		return [][]string{words}
	}
	list, _, _ = strings.Cut(list, "\n\n")
	for _, m := range available.FindAllStringSubmatch(list, -1) {
		if m[1] == "help" || m[1] == "completion" {
			continue
		}
		out = append(out, leaves(t, bin, append(append([]string{}, words...), m[1]))...)
	}
	return out
}
