package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/internal/admin"
)

func (a *app) redCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "red", Short: a.text("红冲: 计划与执行", "red flush: plan and apply")}
	plan := &cobra.Command{Use: "plan ORDER", Short: a.text("查看将要红冲或开具的内容", "show what would be reversed or issued now"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			id, err := c.orderID(cmd, args[0])
			if err != nil {
				return err
			}
			var plan admin.Plan
			if err := c.get(cmd.Context(), "/v1/orders/"+id+"/plan", &plan); err != nil {
				return err
			}
			return a.print(plan, func(p *printer) {
				p.line(a.text("应开净额 %s, 已开净额 %s", "expected %s, invoiced %s"), plan.Expected, plan.Actual)
				for _, d := range plan.Documents {
					p.line("%s %s  %s + %s = %s", colorWords.of(a, d.Color), d.Reason, d.Net, d.Tax, d.Gross)
					for _, l := range d.Lines {
						p.line("  %s × %s  %s", l.Name, l.Quantity, l.Gross)
					}
				}
			})
		})
	}}
	apply := &cobra.Command{Use: "apply ORDER", Short: a.text("执行待确认的红冲", "apply the reds that wait for a person"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.actOn(cmd, args[0], "red", struct{}{})
	}}
	cmd.AddCommand(plan, apply)
	return cmd
}

func (a *app) terminalsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "terminals", Short: a.text("收银终端: 激活与吊销", "tills: activate and revoke")}
	list := &cobra.Command{Use: "list", Short: a.text("列出终端", "list tills"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var rows []admin.TerminalRow
			if err := c.get(cmd.Context(), "/v1/terminals", &rows); err != nil {
				return err
			}
			a.none(len(rows), "没有终端", "no tills")
			return a.print(rows, func(p *printer) {
				var out [][]string
				for _, r := range rows {
					state := a.text("有效", "active")
					if r.Revoked {
						state = a.text("已吊销", "revoked")
					}
					out = append(out, []string{r.ID, string(r.Store), r.Label, state, strconv.FormatUint(r.Sequence, 10), clock(r.LastSeen)})
				}
				p.table([]string{"ID", a.text("门店", "store"), a.text("名称", "label"), a.text("状态", "state"), a.text("序号", "sequence"), a.text("最近在线", "last seen")}, out)
			})
		})
	}}
	var source, store, label string
	activate := &cobra.Command{Use: "activate", Short: a.text("生成一次性激活码", "make a one-time activation code"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var out admin.Activation
			if err := c.post(cmd.Context(), "/v1/terminals", map[string]string{"source": source, "store": store, "label": label}, &out); err != nil || a.dry {
				return err
			}
			return a.print(out, func(p *printer) {
				p.line(a.text("%s  (%s 前有效, 只显示这一次)", "%s  (valid until %s, shown only now)"), out.Code, clock(out.ExpiresAt))
			})
		})
	}}
	activate.Flags().StringVar(&source, "source", "pos", a.text("收银终端上传的来源", "source instance that tills post to"))
	activate.Flags().StringVar(&store, "store", "", a.text("门店代码", "store code"))
	activate.Flags().StringVar(&label, "label", "", a.text("终端名称", "name of the till"))
	revoke := &cobra.Command{Use: "revoke ID", Short: a.text("吊销终端", "revoke a till"), Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			if err := c.post(cmd.Context(), "/v1/terminals/"+url.PathEscape(args[0])+"/revoke", struct{}{}, nil); err != nil || a.dry {
				return err
			}
			a.say("已吊销; 该终端已不能上传", "revoked; the till can't post any more")
			return nil
		})
	}}
	cmd.AddCommand(list, activate, revoke)
	return cmd
}
