package webhooks

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCutLines(t *testing.T) {
	for _, test := range []struct {
		body string
		want []string
	}{
		{"", []string{""}},
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"a\nb", []string{"a", "b"}},
		{"a\r\nb\r\n", []string{"a", "b"}},
		{"a\n\nb\n", []string{"a", "", "b"}},
		{"a\n\n", []string{"a", ""}},
		{"\n\n\n", []string{"", "", ""}},
		{`{"a":"\n"}` + "\n", []string{`{"a":"\n"}`}},
		{strings.Repeat("x\n", maxLines), strings.Split(strings.Repeat("x ", maxLines-1)+"x", " ")},
	} {
		lines, ok := cutLines([]byte(test.body))
		var got []string
		for _, l := range lines {
			got = append(got, string(l))
		}
		if diff := cmp.Diff(test.want, got); diff != "" || !ok {
			t.Errorf("%.20q: %v %s", test.body, ok, diff)
		}
	}
	for _, body := range []string{strings.Repeat("x\n", maxLines+1), strings.Repeat("\n", maxLines+1), strings.Repeat("x\n", maxLines) + "x"} {
		if _, ok := cutLines([]byte(body)); ok {
			t.Errorf("more than %d lines were taken", maxLines)
		}
	}
}

func TestLineFaults(t *testing.T) {
	for line, want := range map[string]Code{"{}": "", "": CodeEmptyLine, " \t": CodeEmptyLine,
		strings.Repeat("x", maxLineBytes): "", strings.Repeat("x", maxLineBytes+1): CodeLineTooLong} {
		if got := lineFault([]byte(line)); got != want {
			t.Errorf("%.20q: %q, want %q", line, got, want)
		}
	}
}

func FuzzCutLines(f *testing.F) {
	for _, seed := range []string{"", "a\nb\n", "a\r\n\r\nb", "\n\n", "\r", strings.Repeat("x\n", maxLines)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		kept := bytes.Clone(body)
		lines, ok := cutLines(body)
		if !bytes.Equal(kept, body) {
			t.Fatal("the body was changed")
		}
		if !ok {
			if bytes.Count(body, []byte{'\n'}) < maxLines {
				t.Fatal("a batch that is small enough was refused")
			}
			return
		}
		if len(lines) == 0 || len(lines) > maxLines {
			t.Fatalf("%d lines", len(lines))
		}
		// Nothing is lost, added or moved: without line ends the lines are the body.
		ends := strings.NewReplacer("\n", "", "\r", "")
		if got, want := ends.Replace(string(bytes.Join(lines, nil))), ends.Replace(string(body)); got != want {
			t.Fatalf("lines hold %q, want %q", got, want)
		}
		for _, l := range lines {
			if bytes.IndexByte(l, '\n') >= 0 {
				t.Fatalf("a line holds a line end: %q", l)
			}
		}
	})
}
