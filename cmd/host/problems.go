package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/core/flow"
	"github.com/kaipiao/kaipiao/internal/admin"
)

func (a *app) problemsCommand() *cobra.Command {
	var store, code string
	var closed bool
	var limit int
	list := func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"limit": {strconv.Itoa(limit)}, "closed": {strconv.FormatBool(closed)}}
		if store != "" {
			q.Set("store", store)
		}
		if code != "" {
			q.Set("code", code)
		}
		return a.with(cmd.Context(), func(c *client) error {
			var rows []admin.ProblemRow
			if err := c.get(cmd.Context(), "/v1/problems?"+q.Encode(), &rows); err != nil {
				return err
			}
			a.none(len(rows), "没有问题", "no problems")
			return a.print(rows, func(p *printer) {
				for _, r := range rows {
					p.words("%s  %s  %s", r.ID, a.text(r.TitleZH, r.TitleEN), r.Order)
					p.line("  %s", r.Detail)
					p.line("  %s: %s", a.text(r.RemedyZH, r.RemedyEN), a.command(r.Command))
				}
			})
		})
	}
	cmd := &cobra.Command{Use: "problems", Short: a.text("问题清单, 附解决命令", "problems, each with the command that solves it"), Args: cobra.NoArgs, RunE: list}
	cmd.Flags().StringVar(&store, "store", "", a.text("门店代码", "store code"))
	cmd.Flags().StringVar(&code, "code", "", a.text("问题代码, 见 docs/problems.md", "problem code, see docs/problems.md"))
	cmd.PersistentFlags().BoolVar(&closed, "closed", false, a.text("列出已关闭的问题", "closed ones instead of open ones"))
	cmd.Flags().IntVar(&limit, "limit", 100, a.text("最多行数", "rows at most"))
	cmd.AddCommand(&cobra.Command{Use: "list", Short: a.text("列出问题", "list problems"), Args: cobra.NoArgs, RunE: list},
		&cobra.Command{Use: "close ID", Short: a.text("关闭已在线下解决的问题", "close a problem that was settled outside"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(c *client) error {
				return a.done(c.post(cmd.Context(), "/v1/problems/"+url.PathEscape(args[0])+"/close", struct{}{}, nil))
			})
		}})
	return cmd
}

func (a *app) mapCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "map", Short: a.text("商品编码: 待办与答复", "classification codes: review list and answers")}
	review := &cobra.Command{Use: "review", Short: a.text("没有编码的商品及候选", "products without a code, with candidates"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var rows []admin.ReviewRow
			if err := c.get(cmd.Context(), "/v1/reviews", &rows); err != nil {
				return err
			}
			a.none(len(rows), "没有待选编码的商品", "no product waits for a code")
			return a.print(rows, func(p *printer) {
				for _, r := range rows {
					p.words("%s  %s %s  %s  %s", r.ID, r.SKU, r.Name, fmt.Sprintf(a.text("%d 单等待", "%d waiting"), r.Waiting), r.Why)
					for _, x := range r.Candidates {
						p.line("    %s  *%s*%s  %s  %s", x.Code, x.ShortName, x.Name, x.Rate, x.Reason)
					}
				}
			})
		})
	}}
	var code, preference string
	answer := &cobra.Command{Use: "answer REVIEW", Short: a.text("为商品选定编码", "give a product its code"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var out admin.Released
			body := map[string]string{"code": code, "preference": preference}
			if err := c.post(cmd.Context(), "/v1/reviews/"+url.PathEscape(args[0])+"/answer", body, &out); err != nil || a.dry {
				return err
			}
			return a.print(out, func(p *printer) {
				p.line(a.text("已记住, %d 个订单继续", "remembered; %d orders go on"), out.Sales)
			})
		})
	}}
	answer.Flags().StringVar(&code, "code", "", a.text("19 位商品编码", "19-digit classification code"))
	answer.Flags().StringVar(&preference, "preference", "", a.text("优惠政策代码, 如 03", "code of a preferential policy, such as 03"))
	find := &cobra.Command{Use: "find TEXT", Short: a.text("按文字查编码", "look a code up by words"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var rows []map[string]any
			if err := c.get(cmd.Context(), "/v1/codes?limit=20&q="+url.QueryEscape(args[0]), &rows); err != nil {
				return err
			}
			a.none(len(rows), "没有找到编码", "no code fits")
			return a.print(rows, func(p *printer) {
				for _, r := range rows {
					p.line("%v  *%v*%v  %v", r["code"], r["short_name"], r["name"], r["rate"])
				}
			})
		})
	}}
	cmd.AddCommand(review, answer, find)
	return cmd
}

func (a *app) reconcileCommand() *cobra.Command {
	var days int
	cmd := &cobra.Command{Use: "reconcile", Short: a.text("对账: 订单、退款、发票与税局台账", "compare orders, refunds, invoices and the bureau's ledger"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var r flow.Report
			if err := c.do(cmd.Context(), "POST", "/v1/reconcile", map[string]any{"days": days, "dry": a.dry}, &r); err != nil {
				return err
			}
			if err := a.print(r, func(p *printer) { a.showReport(p, r) }); err != nil {
				return err
			}
			if len(r.Differences) > 0 {
				return exitError{exitFindings, errors.New(a.text("存在差异", "the books differ"))}
			}
			return nil
		})
	}}
	cmd.Flags().IntVar(&days, "days", 35, a.text("比对税局台账的天数", "days of the bureau's ledger to compare"))
	return cmd
}

func (a *app) showReport(p *printer, r flow.Report) {
	var rows [][]string
	for _, c := range r.Classes {
		rows = append(rows, []string{classWords.of(a, c.Class), strconv.Itoa(c.Sales), c.Paid.String(), c.Refunded.String(), c.Invoiced.String(), c.Reversed.String()})
	}
	p.table([]string{a.text("状态", "class"), a.text("订单", "orders"), a.text("实付", "paid"), a.text("退款", "refunded"), a.text("已开", "invoiced"), a.text("红冲", "reversed")}, rows)
	p.line(a.text("比对税局台账 %d 行, 差异 %d 处", "%d rows of the bureau's ledger compared, %d differences"), r.Ledger, len(r.Differences))
	for _, d := range r.Differences {
		p.line("  %s  %s: %s", d.Order, d.Row, d.Detail)
	}
}

func (a *app) replayCommand() *cobra.Command {
	var event, order string
	cmd := &cobra.Command{Use: "replay", Short: a.text("重放一个请求或重新处理一个订单", "give a parked request to its plugin again, or look at an order again"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if (event == "") == (order == "") {
			return exitError{exitUsage, errors.New("give either --event or --order")}
		}
		return a.with(cmd.Context(), func(c *client) error {
			return a.done(c.post(cmd.Context(), "/v1/replay", map[string]string{"request": event, "order": order}, nil))
		})
	}}
	cmd.Flags().StringVar(&event, "event", "", a.text("已存请求的编号", "id of the stored request"))
	cmd.Flags().StringVar(&order, "order", "", a.text("订单号或编号", "order number or id"))
	return cmd
}
