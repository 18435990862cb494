package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaipiao/kaipiao/core"
)

func TestTableAlignsCellsAndNumbers(t *testing.T) {
	p := &printer{}
	p.table([]string{"订单", "paid", "状态", "note"}, [][]string{{"A-1", "1077.00", "已开具", ""}, {"门店/一", "-9.90", "held", "看一下"}})
	want := "订单        paid  状态    note\n" +
		"A-1      1077.00  已开具\n" +
		"门店/一    -9.90  held    看一下\n"
	if diff := cmp.Diff(want, p.b.String()); diff != "" {
		t.Error(diff)
	}
	empty := &printer{}
	empty.table([]string{"a"}, nil)
	if empty.b.Len() > 0 {
		t.Errorf("a table without rows: %q", empty.b.String())
	}
}

// Every name that may stand in data has a word in both languages.
func TestWords(t *testing.T) {
	zh, en := &app{lang: "zh"}, &app{lang: "en"}
	if got := classWords.of(zh, core.ClassHeld) + " " + classWords.of(en, core.ClassNothing) + " " + colorWords.of(zh, core.Red) + " " + documentWords.of(zh, "new"); got != "待处理 nothing to invoice 红票 new" {
		t.Error(got)
	}
	if got := clock(time.Date(2026, 11, 24, 16, 30, 0, 0, time.UTC)); got != "2026-11-25 00:30:00" {
		t.Errorf("a time is not Beijing time: %s", got)
	}
	if got := clock(time.Time{}); got != "-" {
		t.Errorf("no time: %s", got)
	}
}

func TestCommandsCanBeTypedAsShown(t *testing.T) {
	for _, test := range []struct {
		app        app
		text, want string
	}{
		{app{config: "kaipiao.yaml"}, "kaipiao problems", "kaipiao problems"},
		{app{config: "a/b.yaml", named: true}, "kaipiao problems", "kaipiao -c a/b.yaml problems"},
		{app{config: "a/b.yaml", named: true}, "look at the disk", "look at the disk"},
	} {
		if got := test.app.command(test.text); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
