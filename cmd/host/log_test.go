package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// An error may repeat what a plugin, a bureau or a platform said: people are masked in it, whoever logs it.
func TestLogMasksPeopleInErrors(t *testing.T) {
	const mobile, email, taxNo = "13800138000", "zhang.san@example.com", "91440300MA5ABCDE1X"
	cause := fmt.Errorf("send to %s: %w", mobile, errors.New(email+" of "+taxNo+" is unknown"))
	for _, format := range []string{"text", "json"} {
		var out strings.Builder
		log := newLog(logOptions{out: &out, level: "info", format: format})
		log.Error("failed", "error", cause, "order", "428719041234567890")
		log.WithGroup("group").With("err", cause).Warn("again")
		for _, told := range []string{mobile, "zhang.san", taxNo} {
			if strings.Contains(out.String(), told) {
				t.Errorf("%s log tells %s:\n%s", format, told, &out)
			}
		}
		for _, text := range []string{"138****8000", "z***@example.com", "9144**********DE1X"} {
			if strings.Count(out.String(), text) != 2 {
				t.Errorf("%s log lacks %s:\n%s", format, text, &out)
			}
		}
		if !strings.Contains(out.String(), "428719041234567890") {
			t.Errorf("%s log lacks the order number:\n%s", format, &out)
		}
	}
}
