package coretest

import (
	"testing"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

func TestBuildersMakeSoundValues(t *testing.T) {
	for _, n := range []core.TaxNo{Seller().TaxNo, Company().TaxNo} {
		if v := core.CheckTaxNo(n, true); v != core.TaxNoValid {
			t.Errorf("tax number %s is %s", n, v)
		}
	}
	sale := Sale("SO-1").Goods("茶杯", "2", "113.00").Shipping("6.50").Buyer(Company()).Build()
	if got := sale.Total.String(); got != "119.50" || sale.Lines[1].No != "2" {
		t.Errorf("total %s, second line %q", got, sale.Lines[1].No)
	}
	refund := Refund("R-1", "SO-1").Goods("1", "1", "56.50").Shipping("6.50").Build()
	if got := refund.Amount.String(); got != "63.00" {
		t.Errorf("refund of %s, want 63.00", got)
	}
	if s := Sale("SO-1").Status(core.Unpaid).Build(); !s.PaidAt.IsZero() {
		t.Errorf("an unpaid sale was paid at %s", s.PaidAt)
	}
}

func TestIDsAreTheSameInEveryRunAndSortByTheirMaking(t *testing.T) {
	a, b, other := NewIDs(1), NewIDs(1), NewIDs(2)
	var last core.ID
	for range 100 {
		id := a.New()
		if !id.Valid() || id <= last {
			t.Fatalf("id %s after %s", id, last)
		}
		if id != b.New() || id == other.New() {
			t.Fatalf("id %s depends on something else than the seed", id)
		}
		last = id
	}
}

func TestClockMovesOnlyWhenTold(t *testing.T) {
	c := NewClock(T0)
	if c.Now() != T0 || c.Advance(time.Minute) != T0.Add(time.Minute) || c.Now() != T0.Add(time.Minute) {
		t.Error("the clock shows something else than it was told")
	}
	c.Set(T0)
	if c.Now() != T0 {
		t.Error("the clock was not set")
	}
}
