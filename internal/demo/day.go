package demo

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// row is one order of the day: what is sent, and how it must end.
type row struct {
	order  string
	zh, en string // what is special about it
	want   want
	// now is what the host says of it; solved after its command was run.
	now    orderRow
	solved bool
	// fix is the command that solves its problem, with sample values filled in.
	fix []string
}

// want is how a row must end.
type want struct {
	class     string
	blues     int
	reds      int
	invoiced  string
	delivered bool
	problem   string
}

// orderRow is what kaipiao orders list --json prints of an order.
type orderRow struct {
	ID        string `json:"id"`
	Order     string `json:"order"`
	Class     string `json:"class"`
	Total     string `json:"total"`
	Invoiced  string `json:"invoiced"`
	Blues     int    `json:"blues"`
	Reds      int    `json:"reds"`
	Delivered bool   `json:"delivered"`
	Problems  []struct {
		ID, Code, Subject, Detail, Command string
		TitleZH                            string `json:"title_zh"`
		TitleEN                            string `json:"title_en"`
	} `json:"problems"`
}

// Codes that the demo's shop keeps with its products.
const (
	codeHome  = "1060512990000000000"
	codeDrink = "1030307060000000000"
	codeBread = "1030201020000000000"
)

// day sends everything. Order numbers carry the time, so that a day can be played again on the same data.
func (d *demo) day(ctx context.Context) ([]*row, error) {
	prefix := "D" + time.Now().Format("0102150405")
	name := func(s string) string { return prefix + "-" + s }
	d.say("发送一天的业务…", "sending a small day…")
	var rows []*row
	for _, part := range []func(context.Context, func(string) string) ([]*row, error){d.sales, d.troubles, d.refunds} {
		r, err := part(ctx, name)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r...)
	}
	r, err := d.receipts(ctx, prefix)
	return append(rows, r...), err
}

func person(name string) map[string]any {
	return map[string]any{"title_type": "personal", "title": name, "email": "buyer-" + fmt.Sprint(len(name)) + "@mailbox.demo"}
}

// orderOf is a paid order of one product.
func orderOf(no, sku, product, code string, pieces int, list, paid, shipping string, buyer map[string]any) map[string]any {
	now := time.Now().UTC().Format(time.RFC3339)
	line := map[string]any{"line_no": "1", "sku": sku, "name": product, "unit": "个", "quantity": fmt.Sprint(pieces), "list_amount": list, "paid_amount": paid}
	if code != "" {
		line["tax_code_hint"] = code
	}
	lines := []any{line}
	total := paid
	if shipping != "" {
		lines = append(lines, map[string]any{"line_no": "ship", "kind": "shipping", "name": "运费", "quantity": "1", "paid_amount": shipping})
		total = addYuan(paid, shipping)
	}
	return map[string]any{"order_no": no, "updated_at": now, "status": "paid", "paid_at": now, "lines": lines, "total": total, "buyer": buyer}
}

func (d *demo) sales(_ context.Context, name func(string) string) ([]*row, error) {
	a, b, c, s := name("PERSON"), name("COMPANY"), name("TWICE"), name("SMS")
	company := map[string]any{"title_type": "company", "title": "沙箱采购有限公司", "tax_no": buyerTaxNo, "email": "finance@mailbox.demo"}
	mobile := map[string]any{"title_type": "personal", "title": "王五", "mobile": "13800138000"}
	if err := d.shop.send("m-"+a, "order.paid", orderOf(a, "CUP-1", "不锈钢保温杯", codeHome, 2, "118.00", "118.00", "", person("张三")), 200); err != nil {
		return nil, err
	}
	if err := d.shop.send("m-"+b, "order.paid", orderOf(b, "CUP-1", "不锈钢保温杯", codeHome, 20, "1180.00", "1062.00", "15.00", company), 200); err != nil {
		return nil, err
	}
	twice := orderOf(c, "TEA-1", "即饮咖啡", codeDrink, 6, "45.00", "45.00", "", person("李四"))
	for range 3 {
		if err := d.shop.send("m-"+c, "order.paid", twice, 200); err != nil && !strings.Contains(err.Error(), "422") {
			return nil, err
		}
	}
	if err := d.shop.send("m-"+s, "order.paid", orderOf(s, "CUP-1", "不锈钢保温杯", codeHome, 1, "59.00", "59.00", "", mobile), 200); err != nil {
		return nil, err
	}
	return []*row{
		{order: a, zh: "付款订单, 邮件交付", en: "paid order, by e-mail", want: want{class: "settled", blues: 1, invoiced: "118.00", delivered: true}},
		{order: b, zh: "企业抬头, 折扣与运费", en: "company, discount and shipping", want: want{class: "settled", blues: 1, invoiced: "1077.00", delivered: true}},
		{order: c, zh: "同一推送三次", en: "the same push three times", want: want{class: "settled", blues: 1, invoiced: "45.00", delivered: true}},
		{order: s, zh: "短信取票码", en: "pick-up code by SMS", want: want{class: "settled", blues: 1, invoiced: "59.00", delivered: true}},
	}, nil
}

func (d *demo) refunds(ctx context.Context, name func(string) string) ([]*row, error) {
	p, f := name("PARTIAL"), name("FULL")
	if err := d.shop.send("m-"+p, "order.paid", orderOf(p, "CUP-1", "不锈钢保温杯", codeHome, 3, "177.00", "159.99", "10.00", person("赵六")), 200); err != nil {
		return nil, err
	}
	if err := d.shop.send("m-"+f, "order.paid", orderOf(f, "BREAD-1", "全麦吐司", codeBread, 2, "39.80", "39.80", "", person("钱七")), 200); err != nil {
		return nil, err
	}
	// Each refund comes when the step before it is through, as on days that are longer than this one.
	refund := func(order, no, amount, left string, portions ...any) error {
		if err := d.until(ctx, order, left); err != nil {
			return err
		}
		now := time.Now().UTC().Format(time.RFC3339)
		return d.shop.send("m-"+no, "refund.succeeded", map[string]any{"refund_id": no, "order_no": order, "kind": "return", "amount": amount,
			"updated_at": now, "succeeded_at": now, "portions": portions}, 200)
	}
	piece := func(amount string) any {
		return map[string]any{"kind": "goods_quantity", "line_no": "1", "quantity": "1", "amount": amount}
	}
	if err := refund(p, p+"-R1", "53.33", "169.99", piece("53.33")); err != nil {
		return nil, err
	}
	if err := refund(p, p+"-R2", "53.33", "116.66", piece("53.33")); err != nil {
		return nil, err
	}
	if err := refund(p, p+"-R3", "63.33", "63.33", piece("53.33"), map[string]any{"kind": "shipping", "amount": "10.00"}); err != nil {
		return nil, err
	}
	if err := refund(f, f+"-R1", "39.80", "39.80", map[string]any{"kind": "goods_quantity", "line_no": "1", "quantity": "2", "amount": "39.80"}); err != nil {
		return nil, err
	}
	return []*row{
		{order: p, zh: "三件折扣商品分三次退, 含运费", en: "three pieces refunded in three steps, with shipping", want: want{class: "nothing_to_invoice", blues: 1, reds: 4, invoiced: "0.00", delivered: true}},
		{order: f, zh: "全额退款", en: "full refund", want: want{class: "nothing_to_invoice", blues: 1, reds: 1, invoiced: "0.00", delivered: true}},
	}, nil
}

func (d *demo) troubles(_ context.Context, name func(string) string) ([]*row, error) {
	u, w, t := name("UNMAPPED"), name("TAXNO"), name("TIMEOUT")
	wrong := map[string]any{"title_type": "company", "title": "沙箱采购有限公司", "tax_no": wrongTaxNo, "email": "finance@mailbox.demo"}
	if err := d.shop.send("m-"+u, "order.paid", orderOf(u, "GIFT-"+u, "手作香薰礼盒", "", 1, "199.00", "199.00", "", person("孙八")), 200); err != nil {
		return nil, err
	}
	if err := d.shop.send("m-"+w, "order.paid", orderOf(w, "CUP-1", "不锈钢保温杯", codeHome, 5, "295.00", "295.00", "", wrong), 200); err != nil {
		return nil, err
	}
	if err := d.shop.send("m-"+t, "order.paid", orderOf(t, "CUP-1", "不锈钢保温杯", codeHome, 1, "59.00", "59.00", "", person("周九")), 200); err != nil {
		return nil, err
	}
	return []*row{
		{order: u, zh: "商品没有编码", en: "product without a code", want: want{class: "held", invoiced: "0.00", problem: "unmapped_product", delivered: true}, fix: []string{"--code", codeHome}},
		{order: w, zh: "税号有误", en: "wrong tax number", want: want{class: "held", invoiced: "0.00", problem: "bad_tax_no", delivered: true}, fix: []string{"--tax-no", buyerTaxNo}},
		{order: t, zh: "税局开票后超时", en: "bureau timeout after issue", want: want{class: "settled", blues: 1, invoiced: "59.00", delivered: true}},
	}, nil
}

// receipts posts what the tills sold: a batch with a return, and the same batch once more, as an offline till would.
func (d *demo) receipts(ctx context.Context, prefix string) ([]*row, error) {
	day, now := time.Now().Format("2006-01-02"), time.Now().Format(time.RFC3339)
	number := func(n int) string { return fmt.Sprintf("%s%02d", strings.TrimPrefix(prefix, "D"), n) }
	receipt := func(t *till, n int, kind, qty, amount string) map[string]any {
		return map[string]any{"kind": kind, "store": t.store, "terminal": t.id, "business_day": day, "number": number(n), "sold_at": now,
			"lines":   []any{map[string]any{"line_no": "1", "sku": "BREAD-1", "name": "全麦吐司", "unit": "袋", "qty": qty, "gross": amount, "paid_amount": amount, "tax_code": codeBread}},
			"tenders": []any{map[string]any{"kind": "WECHAT", "amount": amount}}, "payable": amount}
	}
	a, b := d.tills[0], d.tills[1]
	back := receipt(a, 3, "RETURN", "-1", "-19.90")
	back["links"] = []any{map[string]any{"type": "RETURN_OF", "number": number(2), "line": "1"}}
	batch := []map[string]any{receipt(a, 1, "SALE", "1", "19.90"), receipt(a, 2, "SALE", "2", "39.80")}
	key := func(t *till, n int) string { return strings.Join([]string{t.store, t.id, day, number(n)}, "/") }
	for _, want := range []string{"stored", "duplicate"} {
		if err := postAll(a, want, batch...); err != nil {
			return nil, err
		}
	}
	if err := d.until(ctx, key(a, 2), "39.80"); err != nil {
		return nil, err
	}
	if err := postAll(a, "stored", back); err != nil {
		return nil, err
	}
	if err := postAll(b, "stored", receipt(b, 1, "SALE", "3", "59.70")); err != nil {
		return nil, err
	}
	return []*row{
		{order: key(a, 1), zh: "收银小票 (重复上传)", en: "receipt, uploaded twice", want: want{class: "settled", blues: 1, invoiced: "19.90"}},
		{order: key(a, 2), zh: "收银小票, 退一件", en: "receipt, one piece returned", want: want{class: "settled", blues: 1, reds: 1, invoiced: "19.90"}},
		{order: key(b, 1), zh: "二号店小票", en: "receipt of the second store", want: want{class: "settled", blues: 1, invoiced: "59.70"}},
	}, nil
}

// postAll posts receipts and wants one status for all.
func postAll(t *till, want string, receipts ...map[string]any) error {
	got, err := t.post(receipts...)
	if err != nil {
		return err
	}
	if len(got) != len(receipts) {
		return fmt.Errorf("%d receipts got %d results", len(receipts), len(got))
	}
	for i, s := range got {
		if s != want {
			return fmt.Errorf("receipt %d: %s, want %s", i+1, s, want)
		}
	}
	return nil
}

// addYuan adds two amounts of the demo's own making.
func addYuan(a, b string) string {
	var x, y, p, q int
	_, _ = fmt.Sscanf(a, "%d.%d", &x, &p)
	_, _ = fmt.Sscanf(b, "%d.%d", &y, &q)
	fen := (x+y)*100 + p + q
	return fmt.Sprintf("%d.%02d", fen/100, fen%100)
}
