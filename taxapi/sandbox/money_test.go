package sandbox

import (
	"encoding/json"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// T64 and the examples of real invoices.
func TestAmountInWords(t *testing.T) {
	for amount, want := range map[string]string{
		"0.00": "零圆整", "0.05": "伍分", "0.50": "伍角整", "0.56": "伍角陆分", "1.00": "壹圆整", "10.00": "壹拾圆整",
		"139.23": "壹佰叁拾玖圆贰角叁分", "1002.05": "壹仟零贰圆零伍分", "10000.30": "壹万圆叁角整", "16000.00": "壹万陆仟圆整",
		"100000.00": "壹拾万圆整", "100001.00": "壹拾万零壹圆整", "1010010.00": "壹佰零壹万零壹拾圆整",
		"100000000.00": "壹亿圆整", "100000001.10": "壹亿零壹圆壹角整", "120003400.00": "壹亿贰仟万零叁仟肆佰圆整",
		"999999999999.99": "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖圆玖角玖分", "-169.50": "（负数）壹佰陆拾玖圆伍角整",
	} {
		y, ok := parseYuan(amount)
		if !ok {
			t.Fatal(amount)
		}
		got := amountInWords(y)
		if got != want {
			t.Errorf("%s: %s, want %s", amount, got, want)
		}
	}
}

func TestShapes(t *testing.T) {
	for s, want := range map[string]bool{"1.00": true, "-1.00": true, "0.00": true, "-0.00": false, "1.0": false, "1": false,
		"1.000": false, "+1.00": false, " 1.00": false, "1e2": false, "1234567890123.00": false, "999999999999.99": true,
		"١.00": false, "": false} {
		if _, ok := parseYuan(s); ok != want {
			t.Errorf("amount %q: %v", s, ok)
		}
	}
	for s, want := range map[string]bool{"": true, "1": true, "-1.5": true, "0.00000001": true, "0.000000001": false, "1e9": false, ".5": false} {
		if _, ok := parseMeasure(s); ok != want {
			t.Errorf("measure %q: %v", s, ok)
		}
	}
	for s, want := range map[string]string{"0.13": "0.13", "0": "0.00", "0.00": "0.00", "0.015": "0.015", "0.1": "0.10"} {
		if r, ok := parseRate(s); !ok || r.String() != want {
			t.Errorf("rate %q: %s %v", s, r, ok)
		}
	}
	for _, s := range []string{"13", "1.00", "-0.13", "13%", "0.00001"} {
		if _, ok := parseRate(s); ok {
			t.Errorf("rate %q was taken", s)
		}
	}
}

func TestMoneyJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := line{Net: yuan{decimal.New(rapid.Int64Range(-99999999999999, 99999999999999).Draw(t, "net"), -2)},
			Rate:     rate{decimal.New(rapid.Int64Range(0, 9999).Draw(t, "rate"), -4)},
			Quantity: measure{decimal.New(rapid.Int64Range(-1e15, 1e15).Draw(t, "quantity"), -8), rapid.Bool().Draw(t, "given")}}
		if !in.Quantity.given {
			in.Quantity = measure{}
		}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var out line
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if !out.Net.Equal(in.Net.Decimal) || !out.Rate.Equal(in.Rate.Decimal) || out.Quantity.String() != in.Quantity.String() {
			t.Fatalf("%s came back as %+v", text, out)
		}
	})
	for _, bad := range []string{`{"net":1}`, `{"net":"1.0"}`, `{"rate":"13%"}`, `{"quantity":"1e9"}`} {
		if json.Unmarshal([]byte(bad), &line{}) == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// Net and tax derived from gross by tax = round(gross/(1+r)·r) are never more than a cent away from round(net·r), so a
// shop that sells gross prices passes every line check.
func TestGrossDerivedTaxPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rate{decimal.New(rapid.SampledFrom([]int64{13, 9, 6, 5, 3, 1}).Draw(t, "rate"), -2)}
		gross := decimal.New(rapid.Int64Range(1, 100_000_000).Draw(t, "gross"), -2)
		tax := gross.Mul(r.Decimal).DivRound(r.Add(decimal.New(1, 0)), 2)
		net := yuan{gross.Sub(tax)}
		if off := taxError(net, r, yuan{tax}); off.GreaterThan(oneCent) {
			t.Fatalf("%s at %s is off by %s", gross, r, off)
		}
	})
}

func TestCheckDigits(t *testing.T) {
	// The examples of GB 32100-2015 and GB 11643-1999.
	for s, want := range map[string]bool{"91350100M000100Y43": true, "91350100M000100Y44": false, "11010519491231002X": true,
		"110105194912310021": false, "91350100I000100Y43": false, "440301123456789": true, "11010519491231002X01": true} {
		if got := checkDigitsRight(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}
