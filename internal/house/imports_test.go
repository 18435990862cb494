package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"sort"
	"strings"
	"testing"
)

const module = "github.com/kaipiao/kaipiao"

// allowed is the whole import table: for each package what it may import of this module. A trailing /... covers the
// packages below. "any" lets the program and the tools that drive it import everything.
var allowed = map[string][]string{
	"cmd/host":                   {"any"},
	"core":                       {},
	"core/flow":                  {"core"},
	"core/coretest":              {"core"},
	"mapping":                    {"core"},
	"taxapi":                     {"core"},
	"taxapi/gm":                  {"core", "taxapi", "internal/gmcrypto", "internal/fault"},
	"taxapi/sandbox":             {"core"},
	"webhooks":                   {"core", "core/flow", "internal/gmcrypto", "internal/fault"},
	"plugins/pluginv1":           {},
	"plugins/sdk":                {"plugins/pluginv1", "plugins/sdk/..."},
	"plugins/sdk/...":            {"plugins/pluginv1", "plugins/sdk", "plugins/sdk/..."},
	"plugins/host":               {"core", "plugins/pluginv1", "internal/fault"},
	"plugins/shop":               {"plugins/sdk", "plugins/shop/..."},
	"plugins/shop/...":           {"plugins/sdk", "plugins/shop/..."},
	"plugins/pos":                {"plugins/sdk", "plugins/pos/..."},
	"plugins/pos/...":            {"plugins/sdk", "plugins/pos/..."},
	"plugins/delivery-sms":       {"plugins/sdk", "plugins/delivery-sms/..."},
	"plugins/delivery-sms/...":   {"plugins/sdk", "plugins/delivery-sms/..."},
	"plugins/delivery-email":     {"plugins/sdk", "plugins/delivery-email/..."},
	"plugins/delivery-email/...": {"plugins/sdk", "plugins/delivery-email/..."},
	"plugins/testdata/...":       {"plugins/sdk", "plugins/pluginv1"},
	"internal/storage":           {"core", "internal/fault", "internal/storage/migrations"},
	"internal/storage/...":       {"core", "internal/fault", "internal/storage", "internal/storage/..."},
	"internal/worker":            {"core", "core/flow"},
	"internal/admin":             {"core", "core/flow"},
	"internal/audit":             {"core"},
	"internal/config":            {},
	"internal/fault":             {},
	"internal/gmcrypto":          {"internal/fault"},
	"internal/vault":             {"core", "internal/gmcrypto"},
	"internal/battery":           {"any"},
	"internal/battery/...":       {"any"},
	"internal/bench":             {"any"},
	"internal/bench/...":         {"any"},
	"internal/demo":              {"internal/gmcrypto"},
	"internal/demo/...":          {"internal/gmcrypto", "internal/demo"},
	"internal/house":             {},
}

// alone says which packages may import a module that the rest must not touch.
var alone = map[string][]string{
	"github.com/tjfoc/gmsm":          {"internal/gmcrypto"},
	"github.com/emmansun/gmsm":       {"taxapi/sandbox"},
	"github.com/wneessen/go-mail":    {"plugins/delivery-email"},
	"modernc.org/sqlite":             {"internal/storage/sqlite", "taxapi/sandbox"},
	"github.com/gofiber/fiber/v2":    {"webhooks"},
	"github.com/valyala/fasthttp":    {"webhooks"},
	"github.com/emersion/go-smtp":    {"internal/demo"},
	"github.com/spf13/cobra":         {"cmd/host"},
	"github.com/robfig/cron/v3":      {"cmd/host"},
	"github.com/goccy/go-yaml":       {"internal/config"},
	"github.com/pressly/goose/v3":    {"internal/storage/sqlite"},
	"pgregory.net/rapid":             {"core/coretest"},
	"github.com/hashicorp/go-plugin": {"plugins/host", "plugins/sdk"},
}

// pure lists the standard packages that core and its use cases may import: none that reads a file, a socket or a clock.
var impure = []string{"os", "net", "net/http", "database/sql", "io/fs", "os/exec", "syscall", "math/rand", "math/rand/v2", "crypto/rand"}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T, tags ...string) []pkg {
	t.Helper()
	args := append([]string{"list", "-deps=false", "-json=ImportPath,Imports,Standard"}, tags...)
	out, err := exec.Command("go", append(args, module+"/...")...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

func TestImportTable(t *testing.T) {
	for _, tags := range [][]string{nil, {"-tags", "battery"}} {
		for _, p := range packages(t, tags...) {
			name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
			may, ok := rule(name)
			if !ok {
				t.Errorf("%s is not in the import table: say what it may import", name)
				continue
			}
			for _, imp := range p.Imports {
				checkImport(t, name, may, imp)
			}
		}
	}
}

func checkImport(t *testing.T, name string, may []string, imp string) {
	t.Helper()
	if inner, ok := strings.CutPrefix(imp, module+"/"); ok {
		if !matches(may, inner) {
			t.Errorf("%s imports %s; it may import %v", name, inner, may)
		}
		return
	}
	for mod, users := range alone {
		if (imp == mod || strings.HasPrefix(imp, mod+"/")) && !matches(users, name) && !under(users, name) {
			t.Errorf("%s imports %s; only %v may", name, imp, users)
		}
	}
	if name == "core" || name == "core/flow" {
		for _, bad := range impure {
			if imp == bad {
				t.Errorf("%s imports %s: it must know no file, socket, clock or chance", name, imp)
			}
		}
		if strings.Contains(imp, ".") && imp != "github.com/shopspring/decimal" {
			t.Errorf("%s imports %s", name, imp)
		}
	}
}

// rule finds the table's row: the exact one, else the longest that covers the package.
func rule(name string) ([]string, bool) {
	if may, ok := allowed[name]; ok {
		return may, true
	}
	for p := path.Dir(name); p != "." && p != "/"; p = path.Dir(p) {
		if may, ok := allowed[p+"/..."]; ok {
			return may, true
		}
	}
	return nil, false
}

func matches(may []string, inner string) bool {
	for _, m := range may {
		if m == "any" || m == inner || (strings.HasSuffix(m, "/...") && strings.HasPrefix(inner, strings.TrimSuffix(m, "..."))) {
			return true
		}
	}
	return false
}

func under(users []string, name string) bool {
	for _, u := range users {
		if strings.HasPrefix(name, u+"/") {
			return true
		}
	}
	return false
}

// The table itself is sorted knowledge: no row may name a package that is gone.
func TestTableNamesOnlyWhatExists(t *testing.T) {
	have := map[string]bool{}
	for _, p := range packages(t) {
		have[strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")] = true
	}
	var gone []string
	for row := range allowed {
		if !strings.HasSuffix(row, "/...") && !have[row] && row != "internal/audit" {
			gone = append(gone, row)
		}
	}
	sort.Strings(gone)
	if len(gone) > 0 {
		t.Errorf("rows of packages that do not exist: %v", gone)
	}
}
