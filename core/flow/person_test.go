package flow

import (
	"testing"

	"github.com/kaipiao/kaipiao/core"
)

// plainIndex shows what it indexes.
type plainIndex struct{ core.Vault }

func (plainIndex) Index(kind, value string) string { return kind + ":" + value }

// However a buyer wrote an address and however a person asks for it, both find the same sale.
func TestPersonIndex(t *testing.T) {
	f := New(Options{Vault: plainIndex{}})
	for _, c := range []struct {
		wrote core.Buyer
		asked string
		index func(core.SaleRecord) string
	}{
		{core.Buyer{Email: "Zhang.San@Example.com"}, " zhang.san@example.COM", func(r core.SaleRecord) string { return r.BuyerEmail }},
		{core.Buyer{Mobile: "+86 138-0013-8000"}, "13800138000", func(r core.SaleRecord) string { return r.BuyerMobile }},
		{core.Buyer{Mobile: "13800138000"}, "138 0013 8000", func(r core.SaleRecord) string { return r.BuyerMobile }},
		{core.Buyer{TaxNo: "91440300MA5ABCDE1X"}, "91440300ma5abcde1x ", func(r core.SaleRecord) string { return r.BuyerTax }},
		{core.Buyer{Mobile: "138****8000"}, "", func(r core.SaleRecord) string { return r.BuyerEmail }},
	} {
		s := saleState{body: core.SaleBody{Sale: &core.Sale{Buyer: c.wrote}}}
		f.indexBuyer(&s)
		want := ""
		if c.asked != "" {
			want = PersonIndex(f.Vault, c.asked)
		}
		if got := c.index(s.rec); got != want {
			t.Errorf("%+v is kept as %q, asked for as %q", c.wrote, got, want)
		}
	}
}
