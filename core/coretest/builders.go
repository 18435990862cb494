package coretest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// What the builders use where a test doesn't care.
const (
	Instance = core.InstanceID("shop-a")
	Store    = core.StoreCode("S001")
)

// Seller is a general taxpayer whose tax number has good check digits.
func Seller() core.Seller {
	return core.Seller{ID: "seller-a", Name: "杭州样例商贸有限公司", TaxNo: "91330100MA2B000005", Type: core.GeneralTaxpayer,
		Drawer: "王开", Channel: "bureau"}
}

// Company is a buyer that is an organisation with a good tax number.
func Company() core.Buyer {
	return core.Buyer{Kind: core.Company, Title: "上海样例科技有限公司", TaxNo: "91310000MA1K00007U", Email: "finance@buyer.example"}
}

// Person is a buyer without a tax number.
func Person() core.Buyer {
	return core.Buyer{Kind: core.Personal, Title: "李雷", Mobile: "13800138000"}
}

// SaleBuilder builds a snapshot of a sale; the total is the sum of its lines.
type SaleBuilder struct{ sale core.Sale }

// Sale begins a paid order without lines: store S001, revision 1, paid at T0.
func Sale(number string) *SaleBuilder {
	return &SaleBuilder{core.Sale{Number: number, Store: Store, Kind: core.Order, Status: core.Paid, Currency: "CNY", PaidAt: T0,
		Revision: core.Revision{Number: "1", At: T0}}}
}

// Goods adds a line of goods, numbered from 1, whose SKU is made of its name.
func (b *SaleBuilder) Goods(name, quantity, paid string) *SaleBuilder {
	return b.Line(core.SaleLine{Kind: core.Goods, SKU: "sku-" + name, Name: name, Unit: "件", Quantity: quantityOf(quantity), Paid: Yuan(paid)})
}

// Discounted adds a line of goods that cost less than its list amount.
func (b *SaleBuilder) Discounted(name, quantity, list, paid string) *SaleBuilder {
	return b.Line(core.SaleLine{Kind: core.Goods, SKU: "sku-" + name, Name: name, Unit: "件", Quantity: quantityOf(quantity),
		List: Yuan(list), Paid: Yuan(paid)})
}

// Shipping adds a line for shipping.
func (b *SaleBuilder) Shipping(paid string) *SaleBuilder {
	return b.Line(core.SaleLine{Kind: core.Shipping, Name: "运费", Quantity: core.Pieces(1), Paid: Yuan(paid)})
}

// Line adds any line. Without a number it gets the next one, without a list amount the paid one.
func (b *SaleBuilder) Line(l core.SaleLine) *SaleBuilder {
	if l.No == "" {
		l.No = strconv.Itoa(len(b.sale.Lines) + 1)
	}
	if l.List.IsZero() {
		l.List = l.Paid
	}
	b.sale.Lines = append(b.sale.Lines, l)
	return b
}

// Revision sets the revision; each one is a minute later than the one before.
func (b *SaleBuilder) Revision(n int) *SaleBuilder {
	b.sale.Revision = core.Revision{Number: strconv.Itoa(n), At: T0.Add(time.Duration(n-1) * time.Minute)}
	return b
}

// Status sets the status; the times that belong to it are set to that of the revision.
func (b *SaleBuilder) Status(s core.SaleStatus) *SaleBuilder {
	b.sale.Status = s
	switch s {
	case core.Unpaid:
		b.sale.PaidAt = time.Time{}
	case core.Completed:
		b.sale.DoneAt = b.sale.Revision.At
	case core.Closed:
		b.sale.ClosedAt = b.sale.Revision.At
	}
	return b
}

// Buyer sets the buyer.
func (b *SaleBuilder) Buyer(buyer core.Buyer) *SaleBuilder {
	b.sale.Buyer = buyer
	return b
}

// Tender adds a payment.
func (b *SaleBuilder) Tender(kind core.TenderKind, amount string) *SaleBuilder {
	b.sale.Tenders = append(b.sale.Tenders, core.Tender{Kind: kind, Amount: Yuan(amount)})
	return b
}

// Alias adds a platform's name of the sale.
func (b *SaleBuilder) Alias(platform, number string) *SaleBuilder {
	b.sale.Aliases = append(b.sale.Aliases, core.Alias{Platform: platform, Number: number})
	return b
}

// In moves the sale to another store.
func (b *SaleBuilder) In(store core.StoreCode) *SaleBuilder {
	b.sale.Store = store
	return b
}

// Build returns the snapshot.
func (b *SaleBuilder) Build() core.Sale {
	s := b.sale
	s.Lines = append([]core.SaleLine(nil), b.sale.Lines...)
	s.Total = core.Yuan{}
	for _, l := range s.Lines {
		s.Total = s.Total.Add(l.Paid)
	}
	return s
}

// Event wraps the snapshot into an event whose key holds the revision.
func (b *SaleBuilder) Event() core.Event {
	s := b.Build()
	return core.Event{Key: fmt.Sprintf("sale:%s:%s", s.Number, s.Revision.Number), Kind: core.EventSale, OccurredAt: s.Revision.At, Sale: &s}
}

// RefundBuilder builds a refund; its amount is the sum of its portions.
type RefundBuilder struct{ refund core.Refund }

// Refund begins a succeeded refund, an hour after T0.
func Refund(no, sale string) *RefundBuilder {
	at := T0.Add(time.Hour)
	return &RefundBuilder{core.Refund{No: no, Sale: sale, State: core.RefundSucceeded, At: at, Revision: core.Revision{Number: "1", At: at}}}
}

// Goods takes goods of a line back.
func (b *RefundBuilder) Goods(line, quantity, amount string) *RefundBuilder {
	return b.Portion(core.Portion{Line: line, Kind: core.GoodsQuantity, Quantity: quantityOf(quantity), Amount: Yuan(amount)})
}

// Price lowers the price of a line.
func (b *RefundBuilder) Price(line, amount string) *RefundBuilder {
	return b.Portion(core.Portion{Line: line, Kind: core.GoodsAmount, Amount: Yuan(amount)})
}

// Shipping gives shipping back.
func (b *RefundBuilder) Shipping(amount string) *RefundBuilder {
	return b.Portion(core.Portion{Kind: core.ShippingAmount, Amount: Yuan(amount)})
}

// Money gives money back without naming a line.
func (b *RefundBuilder) Money(amount string) *RefundBuilder {
	return b.Portion(core.Portion{Kind: core.MoneyOnly, Amount: Yuan(amount)})
}

// Portion adds any portion.
func (b *RefundBuilder) Portion(p core.Portion) *RefundBuilder {
	b.refund.Portions = append(b.refund.Portions, p)
	return b
}

// At sets when the money moved.
func (b *RefundBuilder) At(t time.Time) *RefundBuilder {
	b.refund.At = t
	return b
}

// State sets the money state, under the next revision.
func (b *RefundBuilder) State(s core.RefundState, revision int) *RefundBuilder {
	b.refund.State = s
	b.refund.Revision = core.Revision{Number: strconv.Itoa(revision), At: b.refund.At.Add(time.Duration(revision-1) * time.Minute)}
	return b
}

// Build returns the refund.
func (b *RefundBuilder) Build() core.Refund {
	r := b.refund
	r.Portions = append([]core.Portion(nil), b.refund.Portions...)
	r.Amount = core.Yuan{}
	for _, p := range r.Portions {
		r.Amount = r.Amount.Add(p.Amount)
	}
	return r
}

// Event wraps the refund into an event whose key holds its state.
func (b *RefundBuilder) Event() core.Event {
	r := b.Build()
	return core.Event{Key: fmt.Sprintf("refund:%s:%s:%s", r.No, r.State, r.Revision.Number), Kind: core.EventRefund, OccurredAt: r.At, Refund: &r}
}

// Yuan reads an amount; a bad one is a mistake in the test.
func Yuan(s string) core.Yuan {
	y, err := core.ParseYuan(s)
	if err != nil {
		panic(err)
	}
	return y
}

func quantityOf(s string) core.Quantity {
	q, err := core.ParseQuantity(s)
	if err != nil {
		panic(err)
	}
	return q
}
