package mapping

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/shopspring/decimal"

	"github.com/kaipiao/kaipiao/core"
)

// RateClass groups codes that are taxed alike, such as "13" or "9-farm". Which rate it means is dated data.
type RateClass string

// Use says what it takes to apply a rate option.
type Use string

// Uses of rate options.
const (
	// UseDefault applies when nothing else is said; a class has at most one for a taxpayer and a day.
	UseDefault Use = "default"
	// UseHinted applies when the shop names exactly this rate, as for milk at 9 % or 13 %.
	UseHinted Use = "hinted"
	// UseNamed applies when a person's rule names it: an exemption by its preference, a waived reduction by its rate.
	UseNamed Use = "named"
)

// RateOption is one way to tax a class on a day, with the article it rests on.
type RateOption struct {
	Rate       core.Rate
	Preference core.Preference
	Use        Use
	// Law names the source, in Chinese as it is cited.
	Law string
	// Unverified marks citations that were not read in the original.
	Unverified bool

	taxpayer core.TaxpayerType // "" is any
	valid    span
}

// Percent writes the rate as an invoice prints it: 13%, 免税 or 不征税.
func (o RateOption) Percent() string {
	switch o.Preference {
	case core.Exempt:
		return "免税"
	case core.NotTaxed:
		return "不征税"
	}
	return percent(o.Rate)
}

// percent writes 0.13 as 13%. A core.Rate is always a decimal number when written.
func percent(r core.Rate) string {
	return decimal.RequireFromString(r.String()).Shift(2).String() + "%"
}

// rateOfPercent reads "13" as 0.13. The number's form is checked before it is parsed.
func rateOfPercent(s string) (core.Rate, error) {
	if _, err := core.ParseQuantity(s); err != nil || s == "" {
		return core.Rate{}, fmt.Errorf("rate %.16q is no percentage", s)
	}
	return core.ParseRate(decimal.RequireFromString(s).Shift(-2).String())
}

// rateBook holds the options of all classes.
type rateBook map[RateClass][]RateOption

type rateFile struct {
	Levy    []rateWindow `json:"levy"`
	Classes []struct {
		Class   RateClass    `json:"class"`
		About   string       `json:"about"`
		Levy    bool         `json:"levy"`
		Windows []rateWindow `json:"windows"`
	} `json:"classes"`
}

type rateWindow struct {
	Taxpayer   core.TaxpayerType `json:"taxpayer"`
	From       string            `json:"from"`
	To         string            `json:"to"`
	Rate       core.Rate         `json:"rate"`
	Preference core.Preference   `json:"preference"`
	Use        Use               `json:"use"`
	Law        string            `json:"law"`
	Unverified bool              `json:"unverified"`
	Note       string            `json:"note"`
}

// readRates reads rates.json. The levy windows of small-scale taxpayers are shared by every class that says so.
func readRates(r io.Reader) (rateBook, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var f rateFile
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("read rates: %w", err)
	}
	book := rateBook{}
	for _, c := range f.Classes {
		if _, twice := book[c.Class]; twice || c.Class == "" {
			return nil, fmt.Errorf("read rates: class %q is empty or given twice", c.Class)
		}
		windows := c.Windows
		if c.Levy {
			windows = append(windows[:len(windows):len(windows)], f.Levy...)
		}
		for i, w := range windows {
			o, err := w.option()
			if err != nil {
				return nil, fmt.Errorf("read rates: class %s, window %d: %w", c.Class, i+1, err)
			}
			if err := book.add(c.Class, o); err != nil {
				return nil, fmt.Errorf("read rates: class %s, window %d: %w", c.Class, i+1, err)
			}
		}
	}
	return book, nil
}

func (w rateWindow) option() (RateOption, error) {
	o := RateOption{Rate: w.Rate, Preference: w.Preference, Use: w.Use, Law: w.Law, Unverified: w.Unverified, taxpayer: w.Taxpayer}
	switch o.Use {
	case "":
		o.Use = UseDefault
	case UseDefault, UseHinted, UseNamed:
	default:
		return o, fmt.Errorf("use %q is not known", w.Use)
	}
	if w.Law == "" {
		return o, fmt.Errorf("no law is cited")
	}
	var err error
	if o.valid.from, err = parseDay(w.From); err != nil {
		return o, err
	}
	o.valid.to, err = parseDay(w.To)
	return o, err
}

func (b rateBook) add(c RateClass, o RateOption) error {
	for _, have := range b[c] {
		if o.Use == UseDefault && have.Use == UseDefault && o.sharesTaxpayer(have) && o.valid.overlaps(have.valid) {
			return fmt.Errorf("a second default from %s", o.valid.from)
		}
	}
	b[c] = append(b[c], o)
	return nil
}

func (o RateOption) sharesTaxpayer(p RateOption) bool {
	return o.taxpayer == "" || p.taxpayer == "" || o.taxpayer == p.taxpayer
}

// on yields the options that a taxpayer has on a day.
func (b rateBook) on(c RateClass, t core.TaxpayerType, d day) []RateOption {
	var out []RateOption
	for _, o := range b[c] {
		if (o.taxpayer == "" || o.taxpayer == t) && o.valid.holds(d) {
			out = append(out, o)
		}
	}
	return out
}
