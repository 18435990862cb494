package mapping

import (
	"fmt"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// RefusalReason says why a code can't be printed.
type RefusalReason string

// Reasons of refusals (rules R06, R07, R08 and R19 of an invoice).
const (
	// RefusedMalformed: the code has not 19 digits.
	RefusedMalformed RefusalReason = "malformed"
	// RefusedSummary: the code groups others; only leaves are printed.
	RefusedSummary RefusalReason = "summary"
	// RefusedUnknown: the catalogue does not hold the code.
	RefusedUnknown RefusalReason = "unknown"
	// RefusedDate: the code is not valid on the day.
	RefusedDate RefusalReason = "date"
	// RefusedElement: the code demands data of a special business that a sale does not carry.
	RefusedElement RefusalReason = "element"
	// RefusedRate: no rate is known, or the rate or preference does not fit code, day and taxpayer.
	RefusedRate RefusalReason = "rate"
	// RefusedShortName: the short name is not the table's.
	RefusedShortName RefusalReason = "short_name"
)

// Refusal is the guard's error.
type Refusal struct {
	Reason RefusalReason
	Code   core.ClassificationCode
	// Text tells a person, in Chinese.
	Text string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("classification code %.24q refused (%s): %s", string(r.Code), r.Reason, r.Text)
}

func refuse(reason RefusalReason, code core.ClassificationCode, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Code: code, Text: fmt.Sprintf(format, args...)}
}

// Want narrows the choice among the rates that a code allows. The zero value takes the default.
type Want struct {
	Preference core.Preference
	// Rate is the shop's or a person's rate, nil when none was said.
	Rate *core.Rate
	// Named says that a person chose: only then options of UseNamed are open.
	Named bool
}

// Resolve finds how a code is printed on a day, or returns a *Refusal.
func (c *Catalogue) Resolve(code core.ClassificationCode, t core.TaxpayerType, on time.Time, w Want) (Entry, RateOption, error) {
	e, refusal := c.leaf(code, dayOf(on))
	if refusal != nil {
		return Entry{}, RateOption{}, refusal
	}
	o, refusal := c.rate(e, t, dayOf(on), w)
	if refusal != nil {
		return Entry{}, RateOption{}, refusal
	}
	return e, o, nil
}

func (c *Catalogue) leaf(code core.ClassificationCode, d day) (Entry, *Refusal) {
	if !code.Valid() {
		return Entry{}, refuse(RefusedMalformed, code, "编码应为19位数字")
	}
	rows := c.byCode[code]
	if len(rows) == 0 {
		if c.summaries[code] {
			return Entry{}, refuse(RefusedSummary, code, "%s 是汇总编码, 请选用其下的明细编码", code)
		}
		return Entry{}, refuse(RefusedUnknown, code, "编码 %s 不在目录中, 请核对或补充目录文件", code)
	}
	for _, i := range rows {
		e := c.entries[i]
		if !e.valid.holds(d) {
			continue
		}
		if e.Element != "" {
			return Entry{}, refuse(RefusedElement, code, "%s 须填写特定业务要素(%s), 不能由销售单自动开具", e.Name, e.Element)
		}
		return e, nil
	}
	return Entry{}, refuse(RefusedDate, code, "编码 %s(%s)在 %s 不可用", code, c.entries[rows[0]].Name, d)
}

func (c *Catalogue) rate(e Entry, t core.TaxpayerType, d day, w Want) (RateOption, *Refusal) {
	options := c.rates.on(e.Class, t, d)
	for _, o := range options {
		if w.takes(o) {
			return o, nil
		}
	}
	var can []string
	for _, o := range options {
		can = append(can, o.Percent())
	}
	switch {
	case len(can) == 0:
		return RateOption{}, refuse(RefusedRate, e.Code, "%s 在 %s 没有已知税率", e.Name, d)
	case w.Rate != nil:
		return RateOption{}, refuse(RefusedRate, e.Code, "%s 在 %s 不适用税率 %s, 可用: %s", e.Name, d, percent(*w.Rate), strings.Join(can, "、"))
	}
	return RateOption{}, refuse(RefusedRate, e.Code, "%s 在 %s 不适用所选优惠政策 %q, 可用: %s", e.Name, d, w.Preference, strings.Join(can, "、"))
}

func (w Want) takes(o RateOption) bool {
	if w.Rate != nil && !w.Rate.Equal(o.Rate) {
		return false
	}
	if o.Use == UseDefault {
		return w.Preference == core.NoPreference || w.Preference == o.Preference
	}
	if w.Preference != o.Preference || (w.Preference == core.NoPreference && w.Rate == nil) {
		return false
	}
	return w.Named || o.Use == UseHinted
}

// Check is the guard over a finished answer: a leaf valid on the day, the table's short name, and a rate and
// preference that the taxpayer may use. It returns a *Refusal.
func (c *Catalogue) Check(m core.Mapped, t core.TaxpayerType, on time.Time) error {
	e, o, err := c.Resolve(m.Code, t, on, Want{Preference: m.Preference, Rate: &m.Rate, Named: true})
	switch {
	case err != nil:
		return err
	case e.ShortName != m.ShortName:
		return refuse(RefusedShortName, m.Code, "简称应为 %s", e.ShortName)
	case o.Preference != m.Preference:
		return refuse(RefusedRate, m.Code, "%s 应按 %s 开具", e.Name, o.Percent())
	}
	return nil
}
