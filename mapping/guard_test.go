package mapping

import (
	"errors"
	"testing"

	"github.com/kaipiao/kaipiao/core"
)

const (
	phone     core.ClassificationCode = "1090505010000000000"
	rice      core.ClassificationCode = "1030102010100000000"
	cabbage   core.ClassificationCode = "1010112040000000000"
	milk      core.ClassificationCode = "1030204010000000000"
	meals     core.ClassificationCode = "3070401000000000000"
	condoms   core.ClassificationCode = "1070302150000000000"
	messages  core.ClassificationCode = "3030201000000000000" // until 2025-12-31
	messages2 core.ClassificationCode = "3030104000000000000" // from 2026-01-01
	software  core.ClassificationCode = "3040201990000000000" // its short name changed on 2025-07-14
	install   core.ClassificationCode = "3050200000000000000"
)

func TestRateForTaxpayerAndDay(t *testing.T) {
	c := shipped(t)
	general, small := core.GeneralTaxpayer, core.SmallScale
	for _, x := range []struct {
		code core.ClassificationCode
		who  core.TaxpayerType
		day  string
		rate string // as printed; or the reason of the refusal
		law  string // a part of the citation
	}{
		{phone, general, "2019-03-31", "rate", ""},
		{phone, general, "2019-04-01", "13%", "2019年第39号"},
		{phone, general, "2025-12-31", "13%", "2019年第39号"},
		{phone, general, "2026-01-01", "13%", "增值税法 第十条"},
		{rice, general, "2026-01-01", "9%", "第十条第二项"},
		{meals, general, "2026-01-01", "6%", "第十条第三项"},
		{phone, small, "2022-12-31", "rate", ""},
		{phone, small, "2023-01-01", "1%", "2023年第1号"},
		{phone, small, "2025-12-31", "1%", "2023年第1号"},
		{meals, small, "2026-01-01", "1%", "2026年第10号"},
		{meals, small, "2027-12-31", "1%", "2026年第10号"},
		{meals, small, "2028-01-01", "3%", "第十一条"},
		{condoms, small, "2025-12-31", "免税", "第十五条"},
		{condoms, general, "2026-01-01", "免税", "第二十四条"},
		{prepaidCard, general, "2026-01-01", "不征税", "2016年第53号"},
		{prepaidCard, small, "2026-01-01", "不征税", "2016年第53号"},
		{messages, general, "2025-12-31", "6%", ""},
		{messages, general, "2026-01-01", "date", ""},
		{messages2, general, "2025-12-31", "date", ""},
		{messages2, general, "2026-01-01", "9%", "第十条第二项"},
		{install, general, "2026-01-01", "element", ""},
		{"3070000000000000000", general, "2026-01-01", "summary", ""},
		{"1000000000000000000", general, "2026-01-01", "summary", ""},
		{"9999999999999999999", general, "2026-01-01", "unknown", ""},
		{"107", general, "2026-01-01", "malformed", ""},
		{phone, "", "2026-01-01", "rate", ""},
	} {
		_, o, err := c.Resolve(x.code, x.who, on(x.day), Want{})
		got := o.Percent()
		var r *Refusal
		if errors.As(err, &r) {
			got = string(r.Reason)
		}
		if got != x.rate {
			t.Errorf("%s %s on %s: %s, want %s", x.code, x.who, x.day, got, x.rate)
		}
		if err == nil && !contains(o.Law, x.law) {
			t.Errorf("%s %s on %s rests on %q, want %q", x.code, x.who, x.day, o.Law, x.law)
		}
	}
}

func TestDaysAreChinese(t *testing.T) {
	c := shipped(t)
	newYear := on("2026-01-01").UTC() // still 2025 in UTC
	if _, _, err := c.Resolve(messages2, core.GeneralTaxpayer, newYear, Want{}); err != nil {
		t.Error("midnight in China is 2026 already:", err)
	}
	if _, _, err := c.Resolve(messages, core.GeneralTaxpayer, newYear.Add(-1), Want{}); err != nil {
		t.Error("a nanosecond earlier is still 2025:", err)
	}
}

func TestWantedRates(t *testing.T) {
	c := shipped(t)
	rate := func(s string) *core.Rate {
		r, err := core.ParseRate(s)
		if err != nil {
			t.Fatal(err)
		}
		return &r
	}
	for _, x := range []struct {
		code core.ClassificationCode
		who  core.TaxpayerType
		day  string
		want Want
		got  string
	}{
		{milk, core.GeneralTaxpayer, "2026-03-01", Want{}, "13%"},
		{milk, core.GeneralTaxpayer, "2026-03-01", Want{Rate: rate("0.09")}, "9%"},
		{milk, core.GeneralTaxpayer, "2026-03-01", Want{Rate: rate("0.06")}, "rate"},
		{phone, core.GeneralTaxpayer, "2026-03-01", Want{Rate: rate("0.09")}, "rate"},
		{phone, core.SmallScale, "2026-03-01", Want{Rate: rate("0.03")}, "rate"},
		{phone, core.SmallScale, "2026-03-01", Want{Rate: rate("0.03"), Named: true}, "3%"},
		{cabbage, core.GeneralTaxpayer, "2025-12-31", Want{}, "9%"},
		{cabbage, core.GeneralTaxpayer, "2025-12-31", Want{Preference: core.Exempt, Named: true}, "免税"},
		{cabbage, core.GeneralTaxpayer, "2025-12-31", Want{Preference: core.Exempt}, "rate"},
		{cabbage, core.GeneralTaxpayer, "2026-01-01", Want{Preference: core.Exempt, Named: true}, "rate"},
		{phone, core.GeneralTaxpayer, "2025-12-31", Want{Preference: core.Exempt, Named: true}, "rate"},
		{condoms, core.GeneralTaxpayer, "2026-01-01", Want{Preference: core.NotTaxed, Named: true}, "rate"},
	} {
		_, o, err := c.Resolve(x.code, x.who, on(x.day), x.want)
		got := o.Percent()
		var r *Refusal
		if errors.As(err, &r) {
			got = string(r.Reason)
		}
		if got != x.got {
			t.Errorf("%s %s on %s wanting %+v: %s, want %s", x.code, x.who, x.day, x.want, got, x.got)
		}
	}
}

func TestCheckGuardsFinishedLines(t *testing.T) {
	c := shipped(t)
	day := on("2026-03-01")
	good := core.Mapped{Code: phone, ShortName: "移动通信设备", Rate: core.Percent(13)}
	card := core.Mapped{Code: prepaidCard, ShortName: "预付卡销售", Preference: core.NotTaxed}
	for name, x := range map[string]struct {
		m      core.Mapped
		reason RefusalReason
	}{
		"good":            {good, ""},
		"card":            {card, ""},
		"short name":      {with(good, func(m *core.Mapped) { m.ShortName = "手机" }), RefusedShortName},
		"rate":            {with(good, func(m *core.Mapped) { m.Rate = core.Percent(6) }), RefusedRate},
		"preference":      {with(good, func(m *core.Mapped) { m.Preference = core.Exempt }), RefusedRate},
		"zero for exempt": {with(card, func(m *core.Mapped) { m.Preference = "" }), RefusedRate},
		"summary":         {with(good, func(m *core.Mapped) { m.Code = "1090505000000000000" }), RefusedSummary},
	} {
		err := c.Check(x.m, core.GeneralTaxpayer, day)
		var r *Refusal
		if errors.As(err, &r); (err == nil) != (x.reason == "") || (r != nil && r.Reason != x.reason) {
			t.Errorf("%s: %v, want %q", name, err, x.reason)
		}
	}
	for day, want := range map[string]string{"2025-07-13": "信息技术服务", "2025-07-14": "其他软件服务"} {
		m := core.Mapped{Code: software, ShortName: want, Rate: core.Percent(6)}
		if err := c.Check(m, core.GeneralTaxpayer, on(day)); err != nil {
			t.Errorf("%s: %v", day, err)
		}
	}
}

func with(m core.Mapped, change func(*core.Mapped)) core.Mapped {
	change(&m)
	return m
}
