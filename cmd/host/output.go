package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// text chooses by the language that the user reads.
func (a *app) text(zh, en string) string {
	if a.chinese() {
		return zh
	}
	return en
}

func (a *app) chinese() bool {
	switch a.lang {
	case "zh":
		return true
	case "en":
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return strings.HasPrefix(v, "zh")
		}
	}
	return false
}

// print writes data to stdout: as JSON with --json, else by the given function.
func (a *app) print(v any, human func(*printer)) error {
	if a.json {
		enc := json.NewEncoder(a.out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	p := &printer{}
	human(p)
	_, err := a.out.WriteString(p.b.String())
	return err
}

// say writes a message to stderr; data never goes there.
func (a *app) say(zh, en string, args ...any) {
	fmt.Fprintf(a.err, a.text(zh, en)+"\n", args...)
}

// done says that an act was recorded, unless it failed or only would have been one.
func (a *app) done(err error) error {
	if err == nil && !a.dry {
		a.say("已记录; 主机运行时自动继续", "recorded; the host goes on by itself")
	}
	return err
}

// none says that a list is empty, beside the empty data.
func (a *app) none(rows int, zh, en string) {
	if rows == 0 && !a.json {
		a.say(zh, en)
	}
}

// command is a command as it can be typed here: with the configuration, if one was named.
func (a *app) command(text string) string {
	if rest, ok := strings.CutPrefix(text, "kaipiao "); ok && a.named {
		return "kaipiao -c " + a.config + " " + rest
	}
	return text
}

// printer builds plain text.
type printer struct{ b strings.Builder }

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// words writes a line whose last parts may be empty.
func (p *printer) words(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

var numberCell = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// table writes columns aligned by display width, numbers to the right; Chinese characters take two cells. Without rows
// it writes nothing.
func (p *printer) table(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	widths, numbers := make([]int, len(head)), make([]bool, len(head))
	for i := range head {
		numbers[i] = !slices.ContainsFunc(rows, func(row []string) bool { return !numberCell.MatchString(row[i]) })
	}
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], cells(cell))
		}
	}
	for _, row := range append([][]string{head}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-cells(cell))
			if numbers[i] {
				line.WriteString(gap + cell + "  ")
			} else {
				line.WriteString(cell + gap + "  ")
			}
		}
		p.words("%s", line.String())
	}
}

// cells is the width of a text on a terminal.
func cells(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r >= 0x1100 && (r <= 0x115F || (r >= 0x2E80 && r <= 0xA4CF) || (r >= 0xAC00 && r <= 0xD7A3) || (r >= 0xF900 && r <= 0xFAFF) || (r >= 0xFE30 && r <= 0xFE6F) || (r >= 0xFF00 && r <= 0xFF60) || (r >= 0xFFE0 && r <= 0xFFE6)):
			n += 2
		default:
			n++
		}
	}
	return n
}
