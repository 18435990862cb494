package gm

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kaipiao/kaipiao/core"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGoldenRequests compares what the gateway decrypts with testdata, for every operation.
func TestGoldenRequests(t *testing.T) {
	g := newGateway(t)
	c := g.client()
	person := blueOrder(t)
	person.Invoice.Buyer = core.Buyer{Kind: core.Personal, Title: core.DefaultTitle}
	person.Invoice.Kind = core.GeneralInvoice
	before := new(hook).before
	calls := []struct {
		name string
		call func() error
	}{
		{"issue", func() error { _, err := c.Issue(t.Context(), blueOrder(t), before); return err }},
		{"issue_person", func() error { _, err := c.Issue(t.Context(), person, before); return err }},
		{"query", func() error { _, err := c.Query(t.Context(), testSeller, testSerial); return err }},
		{"red_apply", func() error { _, err := c.Apply(t.Context(), redOrder(t), before); return err }},
		{"red_query", func() error { _, err := c.QueryConfirmation(t.Context(), testSeller, testApplication); return err }},
		{"red_issue", func() error { _, err := c.IssueRed(t.Context(), redIssueOrder(t), before); return err }},
		{"red_withdraw", func() error { _, err := c.Withdraw(t.Context(), testSeller, testUUID, before); return err }},
		{"void", func() error { _, err := c.Void(t.Context(), testSeller, testNumber, before); return err }},
		{"files", func() error { _, _, err := c.File(t.Context(), testSeller, testNumber, core.OFD); return ignore(err) }},
		{"quota", func() error { _, err := c.Quota(t.Context(), testSeller); return ignore(err) }},
		{"list", func() error {
			_, _, _, err := c.List(t.Context(), testSeller, testNow.Add(-24*time.Hour), testNow.Add(time.Millisecond), "page-2")
			return ignore(err)
		}},
	}
	for i, call := range calls {
		t.Run(call.name, func(t *testing.T) {
			if err := call.call(); err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, []byte(g.seen()[i].plain), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			path := filepath.Join("testdata", call.name+".json")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// ignore drops the complaint that the empty answer of this test is malformed.
func ignore(err error) error {
	if _, ok := err.(*Error); ok {
		return nil
	}
	return err
}

func TestWhatCantBeBuiltIsNotSent(t *testing.T) {
	g := newGateway(t)
	c := g.client()
	var h hook
	issue := func(edit func(*core.IssueOrder)) func() error {
		return func() error {
			o := blueOrder(t)
			edit(&o)
			_, err := c.Issue(t.Context(), o, h.before)
			return err
		}
	}
	apply := func(edit func(*core.RedOrder)) func() error {
		return func() error {
			o := redOrder(t)
			edit(&o)
			_, err := c.Apply(t.Context(), o, h.before)
			return err
		}
	}
	redIssue := func(edit func(*core.RedIssueOrder)) func() error {
		return func() error {
			o := redIssueOrder(t)
			edit(&o)
			_, err := c.IssueRed(t.Context(), o, h.before)
			return err
		}
	}
	for name, call := range map[string]func() error{
		"short serial":       issue(func(o *core.IssueOrder) { o.Serial = "1" }),
		"red as blue":        issue(func(o *core.IssueOrder) { o.Invoice.Color = core.Red }),
		"kind":               issue(func(o *core.IssueOrder) { o.Invoice.Kind = "paper" }),
		"nature":             issue(func(o *core.IssueOrder) { o.Invoice.Lines[0].Nature = "gift" }),
		"application":        apply(func(o *core.RedOrder) { o.Application = "a/b" }),
		"blue as red":        apply(func(o *core.RedOrder) { o.Invoice.Color = core.Blue }),
		"reason":             apply(func(o *core.RedOrder) { o.Invoice.Reason = "" }),
		"red kind":           apply(func(o *core.RedOrder) { o.Invoice.Kind = "" }),
		"red serial":         redIssue(func(o *core.RedIssueOrder) { o.Serial = "" }),
		"no uuid":            redIssue(func(o *core.RedIssueOrder) { o.Confirmation.UUID = "" }),
		"no number":          redIssue(func(o *core.RedIssueOrder) { o.Confirmation.Number = "" }),
		"withdraw":           func() error { _, err := c.Withdraw(t.Context(), testSeller, "../x", h.before); return err },
		"void":               func() error { _, err := c.Void(t.Context(), testSeller, "1", h.before); return err },
		"query":              func() error { _, err := c.Query(t.Context(), testSeller, "1"); return err },
		"query confirmation": func() error { _, err := c.QueryConfirmation(t.Context(), testSeller, ""); return err },
		"file":               func() error { _, _, err := c.File(t.Context(), testSeller, "", core.PDF); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if len(h.shown) != 0 || len(g.seen()) != 0 {
		t.Errorf("the hook was called %d times, %d requests arrived", len(h.shown), len(g.seen()))
	}
}
