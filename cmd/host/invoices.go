package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/admin"
)

func (a *app) invoicesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "invoices", Aliases: []string{"invoice"}, Short: a.text("发票: 查看与处理", "invoices: look and act")}
	cmd.AddCommand(a.invoicesList(), a.invoicesShow(), a.invoicesFiles(), a.invoicesExternal())
	return cmd
}

func (a *app) invoicesList() *cobra.Command {
	var store, state, color, number, after string
	var limit int
	cmd := &cobra.Command{Use: "list", Short: a.text("列出发票", "list invoices"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"limit": {strconv.Itoa(limit)}}
		for k, v := range map[string]string{"store": store, "state": state, "color": color, "number": number, "after": after} {
			if v != "" {
				q.Set(k, v)
			}
		}
		return a.with(cmd.Context(), func(c *client) error {
			var rows []admin.Invoice
			if err := c.get(cmd.Context(), "/v1/invoices?"+q.Encode(), &rows); err != nil {
				return err
			}
			a.none(len(rows), "没有发票", "no invoices")
			return a.print(rows, func(p *printer) {
				var out [][]string
				for _, r := range rows {
					out = append(out, []string{string(r.ID), colorWords.of(a, r.Color), documentWords.of(a, r.State), r.Number, r.Net.String(), r.Tax.String(), r.Gross.String(), r.Note})
				}
				p.table([]string{"ID", a.text("颜色", "color"), a.text("状态", "state"), a.text("号码", "number"), a.text("金额", "net"), a.text("税额", "tax"), a.text("价税合计", "gross"), a.text("说明", "note")}, out)
			})
		})
	}}
	cmd.Flags().StringVar(&store, "store", "", a.text("门店代码", "store code"))
	cmd.Flags().StringVar(&state, "state", "", a.text("状态: ready, sending, unsure, accepted, issued, refused, …", "ready, sending, unsure, accepted, issued, refused, …"))
	cmd.Flags().StringVar(&color, "color", "", a.text("blue (蓝) 或 red (红)", "blue or red"))
	cmd.Flags().StringVar(&number, "number", "", a.text("20 位发票号码", "20-digit number"))
	cmd.Flags().StringVar(&after, "after", "", a.text("从此编号之后继续", "continue behind this id"))
	cmd.Flags().IntVar(&limit, "limit", 100, a.text("最多行数", "rows at most"))
	return cmd
}

func (a *app) invoicesShow() *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: a.text("查看一张发票及其往来", "show an invoice and its exchanges"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var i admin.Invoice
			if err := c.get(cmd.Context(), "/v1/invoices/"+url.PathEscape(args[0]), &i); err != nil {
				return err
			}
			return a.print(i, func(p *printer) {
				a.showInvoice(p, i)
				p.line("  %s %s + %s %s = %s %s", a.text("金额", "net"), i.Net, a.text("税额", "tax"), i.Tax, a.text("价税合计", "gross"), i.Gross)
				for _, x := range i.Exchanges {
					p.words("  %s  %s  %s %s", clock(x.SentAt), x.Operation, x.Outcome, x.Code)
				}
			})
		})
	}}
}

// showInvoice writes an invoice and what became of its deliveries.
func (a *app) showInvoice(p *printer, i admin.Invoice) {
	number := i.Number
	if number == "" {
		number = a.text("(尚无号码)", "(no number yet)")
	}
	note := i.Note
	if i.State == core.DocIssued { // the bureau's word for it says no more
		note = ""
	}
	p.words("%s %s  %s  %s  %s  %s", colorWords.of(a, i.Color), documentWords.of(a, i.State), number, i.Gross, i.ID, note)
	for _, x := range i.Parcels {
		p.words("  → %s  %s  %s", x.Channel, parcelWords.of(a, x.State), x.Reason)
	}
}

func (a *app) invoicesFiles() *cobra.Command {
	return &cobra.Command{Use: "files ID", Short: a.text("重新获取版式文件", "fetch an invoice's files now"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			return a.done(c.post(cmd.Context(), "/v1/invoices/"+url.PathEscape(args[0])+"/files", struct{}{}, nil))
		})
	}}
}

func (a *app) invoicesExternal() *cobra.Command {
	var number, gross string
	cmd := &cobra.Command{Use: "external ORDER", Short: a.text("登记在别处开具的发票", "register an invoice that was issued elsewhere"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		body := map[string]any{"number": number}
		if gross != "" {
			y, err := core.ParseYuan(gross)
			if err != nil {
				return exitError{exitUsage, err}
			}
			body["gross"] = y
		} else {
			body["gross"] = core.Yuan{}
		}
		return a.actOn(cmd, args[0], "external", body)
	}}
	cmd.Flags().StringVar(&number, "number", "", a.text("20 位发票号码", "20-digit number of the invoice"))
	cmd.Flags().StringVar(&gross, "gross", "", a.text("价税合计, 与订单核对", "its gross amount, checked against the order"))
	return cmd
}

func (a *app) deliverCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{Use: "deliver INVOICE", Short: a.text("重新交付发票", "deliver an invoice again"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var d admin.Delivered
			if err := c.post(cmd.Context(), "/v1/invoices/"+url.PathEscape(args[0])+"/deliver", map[string]string{"to": to}, &d); err != nil || a.dry {
				return err
			}
			return a.print(d, func(p *printer) { p.line(a.text("已发出 %d 份", "%d on their way"), d.Parcels) })
		})
	}}
	cmd.Flags().StringVar(&to, "to", "", a.text("新的邮箱或手机号", "new e-mail address or mobile number"))
	return cmd
}
