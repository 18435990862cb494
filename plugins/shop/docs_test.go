package main

import (
	"os"
	"regexp"
	"testing"

	pb "github.com/kaipiao/kaipiao/plugins/pluginv1"
)

// The example that the manual has shops copy is accepted.
func TestManualsExampleIsAccepted(t *testing.T) {
	manual, err := os.ReadFile("../../docs/shop-generic.md")
	if err != nil {
		t.Fatal(err)
	}
	body := regexp.MustCompile(`(?m)^body='(.*)'$`).FindSubmatch(manual)
	if body == nil {
		t.Fatal("the manual has no body='…'")
	}
	r := parseOne(t, services(), genericShop, fromGeneric("msg_1", arrival, string(body[1])))
	if r.GetVerdict() != pb.Verdict_VERDICT_ACCEPTED {
		t.Error(r)
	}
}
