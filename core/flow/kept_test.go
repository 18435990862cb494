package flow

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

func TestKeptAnswersOnlyForTheSameSealedBytes(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	doc := func(id, sealed string) core.DocumentRecord {
		return core.DocumentRecord{Document: core.Document{ID: core.ID(id)}, Body: core.Sealed(sealed)}
	}
	body := func(line string) documentBody { return documentBody{Basis: []core.BasisLine{{Line: line}}} }
	var k kept
	k.put(doc("A", "one"), body("1"), now)
	for name, c := range map[string]struct {
		doc  core.DocumentRecord
		at   time.Time
		want bool
	}{
		"same bytes":       {doc("A", "one"), now.Add(keptTime), true},
		"rewritten":        {doc("A", "two"), now, false},
		"erased":           {doc("A", ""), now, false},
		"another document": {doc("B", "one"), now, false},
		"too old":          {doc("A", "one"), now.Add(keptTime + 1), false},
	} {
		if got, ok := k.get(c.doc, c.at); ok != c.want || (ok && got.Basis[0].Line != "1") {
			t.Errorf("%s: found %v, want %v", name, ok, c.want)
		}
	}
	k.put(doc("A", "two"), body("2"), now)
	if got, ok := k.get(doc("A", "two"), now); !ok || got.Basis[0].Line != "2" {
		t.Error("a rewritten document is not kept anew")
	}
}

func TestKeptForgetsTheOldest(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	doc := func(i int) core.DocumentRecord {
		return core.DocumentRecord{Document: core.Document{ID: core.ID(fmt.Sprint(i))}, Body: core.Sealed("x")}
	}
	var k kept
	for i := range keptDocuments + 10 {
		k.put(doc(i), documentBody{}, now)
	}
	if len(k.byID) != keptDocuments {
		t.Errorf("%d documents are kept, want %d", len(k.byID), keptDocuments)
	}
	for i, want := range map[int]bool{0: false, 9: false, 10: true, keptDocuments + 9: true} {
		if _, ok := k.get(doc(i), now); ok != want {
			t.Errorf("document %d: kept %v, want %v", i, ok, want)
		}
	}
}
