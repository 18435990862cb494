package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/admin"
	"github.com/kaipiao/kaipiao/internal/config"
	"github.com/kaipiao/kaipiao/internal/vault"
)

func (a *app) checkCommand() *cobra.Command {
	var probe bool
	cmd := &cobra.Command{Use: "check", Short: a.text("检查配置", "check the configuration"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		findings := a.check(cmd.Context(), probe)
		if err := a.print(findings, func(p *printer) {
			for _, f := range findings {
				mark := "ok  "
				if !f.OK {
					mark = "FAIL"
				}
				p.line("%s  %s: %s", mark, f.Name, f.Detail)
			}
		}); err != nil {
			return err
		}
		for _, f := range findings {
			if !f.OK {
				return exitError{exitFindings, errors.New(a.text("配置有误", "the configuration has faults"))}
			}
		}
		return nil
	}}
	cmd.Flags().BoolVar(&probe, "probe", false, a.text("到税局验证每个通道的密钥", "try the keys of every channel at its bureau"))
	return cmd
}

// check looks at the file, the policies, the secrets and, with probe, at every channel. It opens no database.
func (a *app) check(ctx context.Context, probe bool) []admin.Check {
	var out []admin.Check
	add := func(name string, err error) {
		c := admin.Check{Name: name, OK: err == nil, Detail: a.text("正常", "good")}
		if err != nil {
			c.Detail = err.Error()
		}
		out = append(out, c)
	}
	cfg, err := config.Load(a.config)
	add(a.config, err)
	if err != nil {
		return out
	}
	_, err = newBook(cfg, func(core.InstanceID) bool { return false })
	add("policies", err)
	_, err = core.DefaultSchedule().Scale(cfg.Bureau.TimeScale)
	add("bureau.time_scale", err)
	add("reconcile.cron", checkSpec(cfg.Reconcile.Cron))
	_, err = vault.LoadKEK(cfg.Path(cfg.Keys.KEK), cfg.DataPath())
	add("key file", err)
	_, err = newInstances(cfg)
	add("secrets of plugins", err)
	for _, c := range cfg.Channels {
		_, err := newChannel(cfg, c, 10*time.Second)
		add("channel "+c.ID, err)
	}
	if probe {
		h := &host{cfg: cfg}
		for _, s := range cfg.Sellers {
			add("bureau for seller "+s.ID, h.probe(ctx, core.Seller{ID: core.SellerID(s.ID), Name: s.Name, TaxNo: core.NormalTaxNo(s.TaxNo), Channel: core.ChannelID(s.Channel)}))
		}
	}
	return out
}

func (a *app) doctorCommand() *cobra.Command {
	var resume string
	cmd := &cobra.Command{Use: "doctor", Short: a.text("诊断运行状况", "diagnose the running host"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			if resume != "" {
				return a.resume(cmd, c, resume)
			}
			var rows []admin.Check
			if err := c.get(cmd.Context(), "/v1/doctor", &rows); err != nil {
				return err
			}
			bad := false
			err := a.print(rows, func(p *printer) {
				for _, r := range rows {
					mark := "ok  "
					if !r.OK {
						mark = "FAIL"
					}
					p.line("%s  %s: %s", mark, r.Name, r.Detail)
					if r.Remedy != "" {
						p.line("      %s: %s", a.text("处理", "remedy"), a.command(r.Remedy))
					}
				}
			})
			for _, r := range rows {
				bad = bad || !r.OK
			}
			if err == nil && bad {
				err = exitError{exitFindings, errors.New(a.text("发现问题", "something needs attention"))}
			}
			return err
		})
	}}
	cmd.Flags().StringVar(&resume, "resume", "", a.text("恢复已暂停的队列, 如 send/CHANNEL/SELLER", "resume a paused lane, such as send/CHANNEL/SELLER"))
	return cmd
}

func (a *app) resume(cmd *cobra.Command, c *client, lane string) error {
	parts := strings.Split(lane, "/")
	if len(parts) != 3 || parts[0] != "send" {
		return exitError{exitUsage, fmt.Errorf("%q is no lane: one is named send/CHANNEL/SELLER", lane)}
	}
	return a.done(c.post(cmd.Context(), "/v1/lanes/resume", map[string]string{"channel": parts[1], "seller": parts[2]}, nil))
}
