package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/internal/demo"
)

func (a *app) demoCommand() *cobra.Command {
	var dir string
	var once, solve bool
	var limit time.Duration
	cmd := &cobra.Command{Use: "demo", Short: a.text("演示: 沙箱税局、示范店铺与终端", "a demonstration with the sandbox, a shop and two tills"), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			if once {
				scratch, err := os.MkdirTemp("", "kaipiao-demo-")
				if err != nil {
					return err
				}
				dir = scratch
				defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
			}
			if dir, err = filepath.Abs(dir); err != nil {
				return err
			}
			err = demo.Run(cmd.Context(), demo.Options{Binary: exe, Dir: dir, FreePorts: once, Keep: !once, Solve: solve, Out: a.out,
				Configure: func(addr demo.Addresses) error { return configureDemo(exe, addr) }, Chinese: a.chinese(), Limit: limit})
			if errors.Is(err, demo.ErrUnexpected) {
				return exitError{exitFindings, err}
			}
			return err
		}}
	cmd.Flags().StringVar(&dir, "dir", "data", a.text("演示文件夹", "folder of the demonstration"))
	cmd.Flags().BoolVar(&once, "once", false, a.text("使用空闲端口与临时文件夹, 出结果后结束", "free ports, a scratch folder, and an end after the table"))
	cmd.Flags().BoolVar(&solve, "solve", false, a.text("执行每个问题旁的命令, 并等待其订单完成", "run the command beside each problem and wait for its order"))
	cmd.Flags().DurationVar(&limit, "limit", 100*time.Second, a.text("等待结果的时限", "time until the table must be complete"))
	return cmd
}

// configureDemo writes the demo's configuration the way init does.
func configureDemo(exe string, addr demo.Addresses) error {
	host, port, _ := strings.Cut(addr.Mail, ":")
	s := setup{Dir: addr.Dir, Data: "db", KEK: "keys/kek", Secrets: "keys", PluginDir: filepath.Join(filepath.Dir(exe), "plugins"),
		Public: addr.Public, Buyer: addr.Buyer, Admin: addr.Admin, TimeScale: "0.2", ChannelID: "sandbox", ChannelURL: "http://" + addr.Bureau,
		AppID: "demo", Key: addr.AppKey, Secret: addr.AppSecret, Sandbox: true, Connections: 8, SellerID: "demo", SellerName: "沙箱示范商贸有限公司",
		TaxNo: addr.TaxNo, TaxpayerType: "general", Drawer: "开票员", StoreCode: "S01", StoreName: "一号店", Issue: "on_paid",
		MoreStores: []moreStore{{"S02", "二号店"}}, SMTPHost: host, SMTPPort: port, SMTPTLS: "none", MailFrom: "fapiao@shop.demo", SMSFile: addr.SMS}
	return s.write(addr.Config)
}
