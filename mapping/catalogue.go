package mapping

import (
	"bufio"
	_ "embed" // the shipped catalogue
	"fmt"
	"io"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// Entry is a leaf of the classification table as it stands for a range of days.
type Entry struct {
	Code core.ClassificationCode
	Name string
	// ShortName is printed between asterisks before the item's name; the bureau refuses any other.
	ShortName string
	Class     RateClass
	// Element is the special element (特定要素) that an invoice with this code needs, "" for none.
	Element string
	// Unverified says what of the entry was not checked against a published table: "short", "rate" or "".
	Unverified string
	// Aliases are words by which shops and buyers call the goods.
	Aliases []string

	valid span
}

// Service says whether the code is of a service (processing and repair included): refunds of it stop a service.
func (e Entry) Service() bool { return e.Code[0] == '2' || e.Code[0] == '3' }

// Catalogue is the leaves that can be printed, with their rates. It never changes after loading.
type Catalogue struct {
	entries   []Entry
	byCode    map[core.ClassificationCode][]int
	summaries map[core.ClassificationCode]bool
	rates     rateBook
}

//go:embed catalogue/codes.tsv
var shippedCodes string

//go:embed catalogue/rates.json
var shippedRates string

// Shipped loads the catalogue that is part of the program, and the operator's own code files (the same columns) after
// it. A row of a later file replaces the rows of its code whose days it overlaps, so a new official table needs no
// new program. Errors name file number and line.
func Shipped(more ...io.Reader) (*Catalogue, error) {
	return Load(strings.NewReader(shippedRates), append([]io.Reader{strings.NewReader(shippedCodes)}, more...)...)
}

// Load reads a catalogue from a rates file (JSON) and code files (tab-separated, one header line).
func Load(rates io.Reader, codes ...io.Reader) (*Catalogue, error) {
	book, err := readRates(rates)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{rates: book}
	for i, r := range codes {
		if err := c.read(r); err != nil {
			return nil, fmt.Errorf("read catalogue file %d: %w", i+1, err)
		}
	}
	c.index()
	return c, nil
}

const columns = "code\tname\tshort_name\trate_class\tfrom\tto\telement\tunverified\taliases"

func (c *Catalogue) read(r io.Reader) error {
	sc := bufio.NewScanner(r)
	if !sc.Scan() || sc.Text() != columns {
		return fmt.Errorf("line 1: want the header %q", columns)
	}
	known := len(c.entries)
	for n := 2; sc.Scan(); n++ {
		if sc.Text() == "" {
			continue
		}
		e, err := c.parse(sc.Text())
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		for i := 0; i < len(c.entries); i++ {
			if old := c.entries[i]; old.Code != e.Code || !old.valid.overlaps(e.valid) {
				continue
			}
			if i >= known {
				return fmt.Errorf("line %d: code %s is given twice for the same days", n, e.Code)
			}
			c.entries = append(c.entries[:i], c.entries[i+1:]...)
			known, i = known-1, i-1
		}
		c.entries = append(c.entries, e)
	}
	return sc.Err()
}

func (c *Catalogue) parse(line string) (Entry, error) {
	f := strings.Split(line, "\t")
	if len(f) != strings.Count(columns, "\t")+1 {
		return Entry{}, fmt.Errorf("%d columns, want %d", len(f), strings.Count(columns, "\t")+1)
	}
	e := Entry{Code: core.ClassificationCode(f[0]), Name: f[1], ShortName: f[2], Class: RateClass(f[3]), Element: f[6], Unverified: f[7]}
	if !e.Code.Valid() {
		return e, fmt.Errorf("code %q has not 19 digits", f[0])
	}
	if e.Name == "" || e.ShortName == "" {
		return e, fmt.Errorf("code %s has no name or short name", e.Code)
	}
	if len(c.rates[e.Class]) == 0 {
		return e, fmt.Errorf("code %s: rate class %q is not known", e.Code, e.Class)
	}
	var err error
	if e.valid.from, err = parseDay(f[4]); err != nil {
		return e, err
	}
	if e.valid.to, err = parseDay(f[5]); err != nil {
		return e, err
	}
	if f[8] != "" {
		e.Aliases = strings.Split(f[8], "|")
	}
	return e, nil
}

// index also derives the summaries: a code whose digits, without its trailing zeros, begin a longer code.
func (c *Catalogue) index() {
	c.byCode = make(map[core.ClassificationCode][]int, len(c.entries))
	c.summaries = map[core.ClassificationCode]bool{}
	for i, e := range c.entries {
		c.byCode[e.Code] = append(c.byCode[e.Code], i)
		digits := string(e.Code)
		for n := len(digits) - 1; n > 0; n-- {
			parent := core.ClassificationCode(digits[:n] + strings.Repeat("0", len(digits)-n))
			if parent != e.Code {
				c.summaries[parent] = true
			}
		}
	}
	for code := range c.byCode {
		delete(c.summaries, code)
	}
}

// Entries lists the leaves, in file order.
func (c *Catalogue) Entries() []Entry { return c.entries }
