package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/admin"
)

func (a *app) ordersCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "orders", Aliases: []string{"order"}, Short: a.text("订单: 查看与处理", "orders: look and act")}
	cmd.AddCommand(a.ordersList(), a.ordersShow(), a.ordersBuyer(), a.ordersTender(), a.ordersDropRefund(), a.ordersElsewhere(),
		a.ordersAccept(), a.ordersFetch(),
		a.orderAct("issue", "issue", a.text("现在开具", "issue it now")),
		a.orderAct("retry", "retry", a.text("再次发送被拒的发票", "send a refused invoice once more")))
	return cmd
}

func (a *app) ordersList() *cobra.Command {
	q := url.Values{}
	var store, class, source, order, person, after string
	var limit int
	cmd := &cobra.Command{Use: "list", Short: a.text("列出订单", "list orders"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		for k, v := range map[string]string{"store": store, "class": class, "source": source, "order": order, "person": person, "after": after} {
			if v != "" {
				q.Set(k, v)
			}
		}
		q.Set("limit", strconv.Itoa(limit))
		return a.with(cmd.Context(), func(c *client) error {
			var rows []admin.OrderRow
			if err := c.get(cmd.Context(), "/v1/orders?"+q.Encode(), &rows); err != nil {
				return err
			}
			a.none(len(rows), "没有订单", "no orders")
			return a.print(rows, func(p *printer) {
				var out [][]string
				for _, r := range rows {
					out = append(out, []string{string(r.ID), r.Order, string(r.Store), r.Total.String(), r.Invoiced.String(), classWords.of(a, r.Class), a.firstProblem(r)})
				}
				p.table([]string{"ID", a.text("订单", "order"), a.text("门店", "store"), a.text("实付", "paid"), a.text("已开净额", "invoiced"), a.text("状态", "state"), a.text("问题", "problem")}, out)
			})
		})
	}}
	cmd.Flags().StringVar(&store, "store", "", a.text("门店代码", "store code"))
	cmd.Flags().StringVar(&class, "class", "", a.text("状态: settled, held, issuing, …", "settled, held, issuing, …"))
	cmd.Flags().StringVar(&source, "source", "", a.text("来源", "source instance"))
	cmd.Flags().StringVar(&order, "order", "", a.text("订单号或小票号", "order or receipt number"))
	cmd.Flags().StringVar(&person, "person", "", a.text("购买方的税号、手机号或邮箱", "buyer's tax number, mobile or e-mail address"))
	cmd.Flags().StringVar(&after, "after", "", a.text("从此编号之后继续", "continue behind this id"))
	cmd.Flags().IntVar(&limit, "limit", 100, a.text("最多行数", "rows at most"))
	return cmd
}

func (a *app) firstProblem(r admin.OrderRow) string {
	if len(r.Problems) == 0 {
		return ""
	}
	return a.text(r.Problems[0].TitleZH, r.Problems[0].TitleEN)
}

func (a *app) ordersShow() *cobra.Command {
	return &cobra.Command{Use: "show ORDER", Short: a.text("查看一个订单", "show one order"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var o admin.Order
			if err := c.get(cmd.Context(), "/v1/orders/"+url.PathEscape(args[0]), &o); err != nil {
				return err
			}
			return a.print(o, func(p *printer) { a.showOrder(p, o) })
		})
	}}
}

func (a *app) showOrder(p *printer, o admin.Order) {
	p.line("%s %s  %s  %s  %s", a.text("订单", "order"), o.Order, o.ID, o.Store, classWords.of(a, o.Class))
	p.line("%s %s   %s %s", a.text("实付", "paid"), o.Total, a.text("购买方", "buyer"), o.Buyer)
	for _, l := range o.Lines {
		p.line("  %s  %s × %s  %s", l.No, l.Name, l.Quantity, l.Paid)
	}
	for _, r := range o.Refunds {
		p.line("%s %s  %s  %s", a.text("退款", "refund"), r.No, refundWords.of(a, r.State), r.Amount)
	}
	for _, i := range o.Invoices {
		a.showInvoice(p, i)
	}
	for _, x := range o.Problems {
		p.line("%s: %s", a.text(x.TitleZH, x.TitleEN), x.Detail)
		p.line("  %s: %s", a.text("处理", "remedy"), a.command(x.Command))
	}
	for _, x := range o.Acts {
		p.words("%s  %s  %s  %s", clock(x.At), x.Who, x.Verb, x.Detail)
	}
}

// orderID resolves an order number or id to the id.
func (c *client) orderID(cmd *cobra.Command, order string) (string, error) {
	var o admin.Order
	if err := c.get(cmd.Context(), "/v1/orders/"+url.PathEscape(order), &o); err != nil {
		return "", err
	}
	return string(o.ID), nil
}

// actOn resolves the order, acts on it and says so.
func (a *app) actOn(cmd *cobra.Command, order, act string, body any) error {
	return a.with(cmd.Context(), func(c *client) error {
		id, err := c.orderID(cmd, order)
		if err != nil {
			return err
		}
		return a.done(c.post(cmd.Context(), "/v1/orders/"+id+"/"+act, body, nil))
	})
}

func (a *app) orderAct(use, act, short string) *cobra.Command {
	return &cobra.Command{Use: use + " ORDER", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.actOn(cmd, args[0], act, struct{}{})
	}}
}

func (a *app) ordersBuyer() *cobra.Command {
	var change flow.BuyerChange
	var kind, titleKind string
	cmd := &cobra.Command{Use: "buyer ORDER", Short: a.text("更正购买方", "correct the buyer"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		change.Kind, change.TitleKind = core.InvoiceKind(kind), core.TitleKind(titleKind)
		return a.actOn(cmd, args[0], "buyer", change)
	}}
	cmd.Flags().StringVar(&change.Title, "title", "", a.text("发票抬头", "title on the invoice"))
	cmd.Flags().StringVar(&change.TaxNo, "tax-no", "", a.text("税号", "tax number"))
	cmd.Flags().StringVar(&change.Email, "email", "", a.text("邮箱", "e-mail address"))
	cmd.Flags().StringVar(&change.Mobile, "mobile", "", a.text("手机号", "mobile number"))
	cmd.Flags().StringVar(&kind, "kind", "", a.text("general (普票) 或 special (专票)", "general or special"))
	cmd.Flags().StringVar(&titleKind, "title-kind", "", a.text("personal (个人) 或 company (企业)", "personal or company"))
	return cmd
}

func (a *app) ordersTender() *cobra.Command {
	var kind, rule string
	cmd := &cobra.Command{Use: "tender ORDER", Short: a.text("决定某种支付是否计入", "say whether a tender is invoiced"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.actOn(cmd, args[0], "tender", map[string]string{"kind": kind, "rule": rule})
	}}
	cmd.Flags().StringVar(&kind, "kind", "", "points, store_credit, platform_subsidy, gov_subsidy, …")
	cmd.Flags().StringVar(&rule, "rule", "", a.text("counts (计入) 或 excluded (不计入)", "counts or excluded"))
	return cmd
}

func (a *app) ordersDropRefund() *cobra.Command {
	var refund string
	cmd := &cobra.Command{Use: "drop-refund ORDER", Short: a.text("作废重复的退款", "declare a refund void that was recorded twice"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.actOn(cmd, args[0], "drop-refund", map[string]string{"refund": refund})
	}}
	cmd.Flags().StringVar(&refund, "refund", "", a.text("退款编号", "refund number"))
	return cmd
}

func (a *app) ordersElsewhere() *cobra.Command {
	return &cobra.Command{Use: "elsewhere ORDER", Short: a.text("标记为已在别处开具", "say that it was invoiced elsewhere"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.actOn(cmd, args[0], "elsewhere", struct{}{})
	}}
}

func (a *app) ordersAccept() *cobra.Command {
	var event string
	cmd := &cobra.Command{Use: "accept ORDER", Short: a.text("采用冲突的快照", "take the conflicting snapshot"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.actOn(cmd, args[0], "accept", map[string]string{"event": event})
	}}
	cmd.Flags().StringVar(&event, "event", "", a.text("事件编号", "event id"))
	return cmd
}

func (a *app) ordersFetch() *cobra.Command {
	var source string
	cmd := &cobra.Command{Use: "fetch ORDER", Short: a.text("从平台拉取订单", "fetch an order from its platform"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			return a.done(c.post(cmd.Context(), "/v1/fetch", map[string]string{"source": source, "order": args[0]}, nil))
		})
	}}
	cmd.Flags().StringVar(&source, "source", "", a.text("来源 (默认: 可拉取的那个)", "source instance (default: the one that can fetch)"))
	return cmd
}
