package sdk_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestAmount(t *testing.T) {
	for raw, good := range map[string]bool{
		"0": true, "12.30": true, "-5": true, "007": true, "999999999999.99999999": true,
		"": false, "-": false, ".5": false, "5.": false, "+5": false, "1e5": false, "1E-7": false, "0x1": false, " 1": false,
		"1,000": false, "1_000": false, "NaN": false, "Infinity": false, "１２": false, "--1": false, "1.2.3": false,
		"1234567890123": false, "0.123456789": false, strings.Repeat("0", 33): false, "1e1000000000": false,
	} {
		got, err := sdk.Amount("line.paid", raw)
		if good && (err != nil || got != raw) {
			t.Errorf("%q: got %q, %v", raw, got, err)
		}
		var f *sdk.Fault
		if !good && (!errors.As(err, &f) || f.Reason != sdk.BadNumber || f.Path != "line.paid") {
			t.Errorf("%q: got %q, %v", raw, got, err)
		}
		if err != nil && raw != "" && strings.Contains(err.Error(), raw) && len(raw) > 2 {
			t.Errorf("the error for %q shows the value: %v", raw, err)
		}
	}
}

func TestAmountIsTheGrammar(t *testing.T) {
	grammar := regexp.MustCompile(`^-?\d{1,12}(\.\d{1,8})?$`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9.e+]{0,24}`).Draw(t, "number")
		if _, err := sdk.Amount("", s); (err == nil) != grammar.MatchString(s) {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

func TestSumsOfFen(t *testing.T) {
	for raw, want := range map[string]string{"1234": "12.34", "5": "0.05", "-100": "-1.00", "0": "0.00", "1.5": "", "x": ""} {
		got, err := sdk.Fen("paid", raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q fen: got %q, %v, want %q", raw, got, err, want)
		}
	}
	if got := sdk.Sum("0.1", "0.2", "", "-0.05"); got != "0.25" {
		t.Errorf("sum: %s", got)
	}
	if got := sdk.Sum("1", "1e5"); got != "" {
		t.Errorf("a sum with something else than a number: %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(-1e11, 1e11).Draw(t, "a"), rapid.Int64Range(-1e11, 1e11).Draw(t, "b")
		x, _ := sdk.Fen("", decimal(a))
		y, _ := sdk.Fen("", decimal(b))
		z, _ := sdk.Fen("", decimal(a+b))
		if sum, err := sdk.Number("", sdk.Sum(x, y)); err != nil || sdk.Yuan(sum) != z {
			t.Fatalf("%s + %s = %s (%v), want %s", x, y, sum, err, z)
		}
	})
}

func TestTimes(t *testing.T) {
	at, err := sdk.Time("paid_at", time.DateTime, "2026-11-22 16:00:00")
	if err != nil || at.Format(time.RFC3339) != "2026-11-22T08:00:00Z" {
		t.Errorf("Beijing time: %s, %v", at, err)
	}
	for raw, want := range map[string]string{"1795334400": "2026-11-22T08:00:00Z", "1795334400123": "2026-11-22T08:00:00.123Z", "17953344001234": "", "-1": "", "": ""} {
		at, err := sdk.UnixTime("ts", raw)
		if (err == nil) != (want != "") || err == nil && at.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: got %s, %v, want %q", raw, at, err, want)
		}
	}
}

func TestCheckKeepsTheFirstFault(t *testing.T) {
	var c sdk.Check
	if c.Amount("a", "1.50") != "1.50" || c.OptionalAmount("b", "") != "" || !c.Time("t", time.DateTime, "").IsZero() || !c.UnixTime("u", "0").IsZero() || c.Err() != nil {
		t.Errorf("good fields: %v", c.Err())
	}
	c.Required("order", "")
	c.Amount("a", "x")
	c.Number("n", "x")
	c.Fen("f", "x")
	c.Fail(sdk.BadField, "z", "")
	var f *sdk.Fault
	if !errors.As(c.Err(), &f) || f.Reason != sdk.MissingField || f.Path != "order" {
		t.Errorf("got %v", c.Err())
	}
}
