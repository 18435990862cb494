package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// flags are what rows may carry; those without a word of the SDK are used up here.
var flags = map[string]sdk.LineFlag{
	"GIFT": sdk.Gift, "WEIGHED": sdk.Weighed, "SERVICE_CHARGE": sdk.Service, "TIP": sdk.Tip, "DEPOSIT": sdk.Deposit,
	"GIFT_CARD": sdk.GiftCard, "SET_PARENT": sdk.SetParent, "SET_CHILD": sdk.SetChild, "VOID": "", "NEGATIVE_ITEM": "",
}

// namesWithoutRows stand on papers that tills write without rows.
var namesWithoutRows = map[sdk.SaleKind]string{sdk.TopUp: "储值充值", sdk.AccountSettlement: "挂账结算"}

func (d *document) saleEvents(r *reader, id identity, kind sdk.SaleKind) []sdk.Event {
	if name, ok := namesWithoutRows[kind]; ok && len(d.Lines) == 0 {
		d.Lines = []line{{LineNo: "1", Name: name, Qty: "1", Gross: d.Payable}}
	}
	b := newBill(r, d, sells, false)
	return []sdk.Event{d.saleEvent(r, id, kind, b.rows, d.readTenders(r, "tenders", d.Tenders))}
}

func (d *document) saleEvent(r *reader, id identity, kind sdk.SaleKind, rows []row, tenders []sdk.Tender) sdk.Event {
	sold, changed := d.changed(r)
	s := sdk.SaleSnapshot{
		OrderNo: id.key, StoreCode: id.store, Kind: kind, Revision: strconv.FormatUint(id.revision, 10), RevisionTime: changed,
		Status: sdk.Completed, PaidAt: sold, CompletedAt: sold, Tenders: tenders, Links: d.readLinks(r, id),
		Receipt: &sdk.ReceiptRef{
			Terminal: id.terminal, BusinessDay: id.day, Number: id.number, Seq: r.count("seq", d.Seq, 0), Epoch: uint32(id.epoch),
		},
	}
	if d.Status == "REVERSED" {
		s.Status = sdk.Reversed
	}
	var total fen
	for _, x := range rows {
		s.Lines = append(s.Lines, x.sold())
		total += x.paid
	}
	s.Total = total.String()
	for i, p := range d.Platforms {
		path := fmt.Sprintf("platform_orders.%d.", i)
		s.Aliases = append(s.Aliases, sdk.Alias{Platform: r.Required(path+"platform", p.Platform), Number: r.Required(path+"number", string(p.Number))})
	}
	if v := d.Invoice; v != nil {
		if v.AlreadyInvoiced {
			s.AlreadyInvoiced = &sdk.ExternalInvoice{Number: string(v.Number)}
		}
		s.Buyer = sdk.Buyer{Title: v.Title, TaxNo: string(v.TaxNo)}
		if v.TaxNo != "" {
			s.Buyer.TitleType = sdk.Company
		}
	}
	return sdk.Event{ID: "sale/" + id.key + "/r" + s.Revision, OccurredAt: changed, Body: s}
}

// sold is the row as a line of a sale. Its list amount is what it paid and all its discounts.
func (x row) sold() sdk.Line {
	list := x.paid
	for _, d := range x.discounts {
		n, err := sdk.Number("discount", d.Amount)
		if err == nil {
			list += round(n)
		}
	}
	l := sdk.Line{
		LineNo: string(x.LineNo), Parent: string(x.ParentLineNo), Kind: sdk.Goods, SKU: string(x.SKU), Barcode: string(x.Barcode),
		Name: x.Name, Spec: x.Spec, Unit: x.Unit, Category: x.Category, Quantity: x.qty.String(),
		ListAmount: list.String(), Discounts: x.discounts, PaidAmount: x.paid.String(),
		TaxRateHint: string(x.TaxRate), TaxCodeHint: string(x.TaxCode),
	}
	if x.has("SERVICE_CHARGE") || x.has("TIP") {
		l.Kind = sdk.Fee
	}
	for _, f := range x.Flags {
		if word := flags[f]; word != "" {
			l.Flags = append(l.Flags, word)
		}
	}
	return l
}

var tenderKinds = map[string]sdk.TenderKind{
	"CASH": sdk.Cash, "CARD": sdk.Card, "WECHAT": sdk.WeChat, "ALIPAY": sdk.Alipay, "UNIONPAY": sdk.UnionPay,
	"STORED_VALUE": sdk.PrepaidCard, "GIFT_CARD": sdk.PrepaidCard, "PREPAID": sdk.PrepaidCard, "STORE_CREDIT": sdk.StoreCredit,
	"POINTS": sdk.Points, "VOUCHER": sdk.Voucher, "PLATFORM_SUBSIDY": sdk.PlatformSubsidy, "GOV_SUBSIDY": sdk.GovSubsidy,
	"ON_ACCOUNT": sdk.OnAccount, "OTHER": sdk.OtherTender,
}

// readTenders sums tenders by kind, change taken off. They are never the invoice's amount: a card may pay 55.58 for goods
// of 5.58 and 50.00 in cash.
func (d *document) readTenders(r *reader, list string, in []tender) []sdk.Tender {
	var out []sdk.Tender
	sums := map[sdk.TenderKind]fen{}
	for i, t := range in {
		path := fmt.Sprintf("%s.%d.", list, i)
		kind := oneOf(r, path+"kind", t.Kind, tenderKinds)
		amount := r.money(path+"amount", t.Amount)
		if t.Change { // tills differ in the sign of change
			amount = -amount.abs()
		}
		if _, known := sums[kind]; !known {
			out = append(out, sdk.Tender{Kind: kind, TransactionNo: string(t.TransactionNo)})
		}
		sums[kind] += amount
	}
	for i := range out {
		out[i].Amount = sums[out[i].Kind].String()
	}
	return slices.DeleteFunc(out, func(t sdk.Tender) bool { return sums[t.Kind] == 0 })
}
