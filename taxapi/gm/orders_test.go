package gm

import (
	"context"
	"testing"

	"github.com/kaipiao/kaipiao/core"
)

const (
	testSerial      = "01KAV3XTM00000000001"
	testApplication = "01KAV3XTM00000000002"
	testNumber      = "26002000000000000007"
	testUUID        = "00112233445566778899aabbccddeeff"
	testConfNumber  = "00000026110000000003"
)

var testSeller = core.Seller{ID: "acme", Name: "沙箱贸易有限公司", TaxNo: "91310000MA1TEST01X", Type: core.GeneralTaxpayer,
	Address: "上海市测试路1号", Phone: "021-00000000", Bank: "测试银行", Account: "0000000000", Drawer: "张三", Payee: "李四",
	Reviewer: "王五", Channel: "bureau"}

func yuan(t testing.TB, s string) core.Yuan {
	t.Helper()
	y, err := core.ParseYuan(s)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// blueInvoice has a discounted line and an exempt one.
func blueInvoice(t testing.TB) core.Invoice {
	price, err := core.ParsePrice("53.0973451")
	if err != nil {
		t.Fatal(err)
	}
	grain := core.InvoiceLine{No: 1, SaleLine: "1", Nature: core.Discounted, Name: "燕麦 <A&B>", ShortName: "谷物", Code: "1030101010000000000",
		Spec: "1kg", Unit: "袋", Quantity: core.Pieces(2), Price: price, Net: yuan(t, "106.19"), Rate: core.Percent(13),
		Tax: yuan(t, "13.81"), Gross: yuan(t, "120.00")}
	off := grain
	off.No, off.Nature, off.Spec, off.Unit, off.Quantity, off.Price = 2, core.Discount, "", "", core.Quantity{}, core.Price{}
	off.Net, off.Tax, off.Gross = yuan(t, "-8.85"), yuan(t, "-1.15"), yuan(t, "-10.00")
	book := core.InvoiceLine{No: 3, SaleLine: "2", Nature: core.Normal, Name: "图书", ShortName: "纸制品", Code: "1060105020000000000",
		Net: yuan(t, "30.00"), Gross: yuan(t, "30.00"), Preference: core.Exempt}
	return core.Invoice{Color: core.Blue, Kind: core.GeneralInvoice, Seller: testSeller,
		Buyer: core.Buyer{Kind: core.Company, Title: "买方有限公司", TaxNo: "91310000MA1TEST02Y", Address: "北京市", Phone: "010-00000000",
			Bank: "某银行", Account: "11111111"},
		Lines: []core.InvoiceLine{grain, off, book}, Net: yuan(t, "127.34"), Tax: yuan(t, "12.66"), Gross: yuan(t, "140.00"),
		Remark: "订单 E20261125"}
}

func redInvoice(t testing.TB) core.Invoice {
	inv := blueInvoice(t)
	l := inv.Lines[0]
	l.BlueNo, l.Nature = 1, core.Normal
	l.Quantity, l.Net, l.Tax, l.Gross = core.Pieces(-1), yuan(t, "-48.67"), yuan(t, "-6.33"), yuan(t, "-55.00")
	inv.Color, inv.Lines, inv.Remark = core.Red, []core.InvoiceLine{l}, "退货"
	inv.Net, inv.Tax, inv.Gross = l.Net, l.Tax, l.Gross
	inv.Original, inv.Reason = testNumber, core.GoodsReturned
	return inv
}

func blueOrder(t testing.TB) core.IssueOrder {
	return core.IssueOrder{Serial: testSerial, Invoice: blueInvoice(t), At: testNow}
}

func redOrder(t testing.TB) core.RedOrder {
	return core.RedOrder{Application: testApplication, Invoice: redInvoice(t)}
}

func redIssueOrder(t testing.TB) core.RedIssueOrder {
	return core.RedIssueOrder{Serial: testSerial, Invoice: redInvoice(t), At: testNow,
		Confirmation: core.Confirmation{Application: testApplication, State: core.ConfNotNeeded, UUID: testUUID, Number: testConfNumber}}
}

// hook is a before hook that counts its calls and keeps what it was shown.
type hook struct {
	shown []core.Exchange
	err   error
	also  func()
}

func (h *hook) before(_ context.Context, x core.Exchange) error {
	h.shown = append(h.shown, x)
	if h.also != nil {
		h.also()
	}
	return h.err
}

// sends are all operations that change something, by the outcome of an answer.
func sends(t testing.TB) map[core.Operation]func(context.Context, *Client, core.Before) (core.Outcome, core.Refusal, core.Exchange, error) {
	type end = func(context.Context, *Client, core.Before) (core.Outcome, core.Refusal, core.Exchange, error)
	return map[core.Operation]end{
		core.OpIssue: func(ctx context.Context, c *Client, b core.Before) (core.Outcome, core.Refusal, core.Exchange, error) {
			a, err := c.Issue(ctx, blueOrder(t), b)
			return a.Outcome, a.Refusal, a.Exchange, err
		},
		core.OpApply: func(ctx context.Context, c *Client, b core.Before) (core.Outcome, core.Refusal, core.Exchange, error) {
			a, err := c.Apply(ctx, redOrder(t), b)
			return a.Outcome, a.Refusal, a.Exchange, err
		},
		core.OpIssueRed: func(ctx context.Context, c *Client, b core.Before) (core.Outcome, core.Refusal, core.Exchange, error) {
			a, err := c.IssueRed(ctx, redIssueOrder(t), b)
			return a.Outcome, a.Refusal, a.Exchange, err
		},
		core.OpWithdraw: func(ctx context.Context, c *Client, b core.Before) (core.Outcome, core.Refusal, core.Exchange, error) {
			a, err := c.Withdraw(ctx, testSeller, testUUID, b)
			return a.Outcome, a.Refusal, a.Exchange, err
		},
		core.OpVoid: func(ctx context.Context, c *Client, b core.Before) (core.Outcome, core.Refusal, core.Exchange, error) {
			a, err := c.Void(ctx, testSeller, testNumber, b)
			return a.Outcome, a.Refusal, a.Exchange, err
		},
	}
}

// questions are the two whose answers settle what is unsure.
func questions() map[core.Operation]func(context.Context, *Client) (core.Outcome, core.Refusal, error) {
	return map[core.Operation]func(context.Context, *Client) (core.Outcome, core.Refusal, error){
		core.OpQuery: func(ctx context.Context, c *Client) (core.Outcome, core.Refusal, error) {
			a, err := c.Query(ctx, testSeller, testSerial)
			return a.Outcome, a.Refusal, err
		},
		core.OpConfirm: func(ctx context.Context, c *Client) (core.Outcome, core.Refusal, error) {
			a, err := c.QueryConfirmation(ctx, testSeller, testApplication)
			return a.Outcome, a.Refusal, err
		},
	}
}
