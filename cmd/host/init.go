package main

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/config"
	"github.com/kaipiao/kaipiao/internal/vault"
	"github.com/kaipiao/kaipiao/taxapi/gm"
)

//go:embed kaipiao.yaml.tmpl
var configTemplate string

// setup is what a first configuration is made of.
type setup struct {
	Dir                                       string
	Data, KEK, Secrets, PluginDir             string
	Public, Buyer, BuyerURL, Admin            string
	TimeScale                                 string
	ChannelID, ChannelURL, AppID, Key, Secret string
	Sandbox                                   bool
	Connections                               int
	SellerID, SellerName, TaxNo, TaxpayerType string
	Drawer                                    string
	StoreCode, StoreName, Issue               string
	MoreStores                                []moreStore
	SMTPHost, SMTPPort, SMTPTLS, MailFrom     string
	SMSFile                                   string
}

type moreStore struct{ Code, Name string }

func (a *app) initCommand() *cobra.Command {
	s := setup{Data: "data", KEK: "keys/kek", Secrets: "keys", PluginDir: "bin/plugins", Public: "127.0.0.1:8080", Buyer: "127.0.0.1:8081",
		Admin: "127.0.0.1:8082", TimeScale: "1", ChannelID: "bureau", Connections: 8, SellerID: "main", TaxpayerType: "general", Drawer: "开票员",
		StoreCode: "S01", Issue: "when_named", SMSFile: "sms.jsonl", SMTPPort: "465", SMTPTLS: "implicit"}
	var noProbe bool
	cmd := &cobra.Command{Use: "init", Short: a.text("建立首份配置: 销售方、通道、门店", "make a first configuration: seller, channel, store"), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.initialise(cmd.Context(), &s, !noProbe) }}
	f := cmd.Flags()
	f.StringVar(&s.Dir, "dir", ".", a.text("配置所在文件夹", "folder of the configuration"))
	f.StringVar(&s.SellerName, "seller-name", "", a.text("销售方名称", "registered name of the seller"))
	f.StringVar(&s.TaxNo, "tax-no", "", a.text("销售方税号", "tax number of the seller"))
	f.StringVar(&s.TaxpayerType, "taxpayer", s.TaxpayerType, a.text("general (一般纳税人) 或 small (小规模)", "general or small"))
	f.StringVar(&s.Drawer, "drawer", s.Drawer, a.text("开票人", "name printed as drawer"))
	f.StringVar(&s.ChannelURL, "channel-url", "", a.text("税局网关地址", "address of the bureau's gateway"))
	f.StringVar(&s.AppID, "app-id", "", a.text("应用编号 AppID", "application id at the gateway"))
	f.StringVar(&s.Key, "app-key", "", a.text("应用密钥, 32 位十六进制 (最好不写在这里: 按提示输入, 或用环境变量 KAIPIAO_APP_KEY)", "application key, 32 hex digits (better: asked for, or env KAIPIAO_APP_KEY)"))
	f.StringVar(&s.Secret, "app-secret", "", a.text("应用签名密钥 (最好不写在这里: 按提示输入, 或用环境变量 KAIPIAO_APP_SECRET)", "application secret (better: asked for, or env KAIPIAO_APP_SECRET)"))
	f.BoolVar(&s.Sandbox, "sandbox", false, a.text("网关是沙箱", "the gateway is the sandbox"))
	f.StringVar(&s.StoreCode, "store", s.StoreCode, a.text("首个门店代码", "code of the first store"))
	f.StringVar(&s.StoreName, "store-name", "", a.text("首个门店名称", "name of the first store"))
	f.StringVar(&s.Issue, "issue", s.Issue, a.text("开票时机: when_named, on_paid, on_completed, after_sale 或 on_request", "when_named, on_paid, on_completed, after_sale or on_request"))
	f.StringVar(&s.SMTPHost, "smtp-host", "", a.text("发送邮件的服务器", "mail server for delivery"))
	f.StringVar(&s.SMTPPort, "smtp-port", s.SMTPPort, a.text("服务器端口", "its port"))
	f.StringVar(&s.SMTPTLS, "smtp-tls", s.SMTPTLS, a.text("mandatory, implicit, opportunistic 或 none", "mandatory, implicit, opportunistic or none"))
	f.StringVar(&s.MailFrom, "mail-from", "", a.text("发件人地址", "sender address of mails"))
	f.BoolVar(&noProbe, "no-probe", false, a.text("不到网关验证密钥", "do not try the keys at the gateway"))
	return cmd
}

func (a *app) initialise(ctx context.Context, s *setup, probe bool) error {
	if s.Key == "" {
		s.Key = os.Getenv("KAIPIAO_APP_KEY")
	}
	if s.Secret == "" {
		s.Secret = os.Getenv("KAIPIAO_APP_SECRET")
	}
	path := filepath.Join(s.Dir, "kaipiao.yaml")
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already; it is not overwritten", path)
	}
	if err := a.ask(s); err != nil {
		return err
	}
	if a.dry {
		a.say("试运行: 将写入 %s", "dry run: %s would be written", path)
		return nil
	}
	if err := s.write(path); err != nil {
		return err
	}
	a.say("已写入 %s", "wrote %s", path)
	a.config = path
	if probe {
		for _, f := range a.check(ctx, true) {
			if !f.OK {
				return exitError{exitFindings, fmt.Errorf("%s: %s", f.Name, f.Detail)}
			}
		}
		a.say("密钥验证通过", "the keys work")
	}
	a.say("下一步:", "next:")
	for _, p := range s.plugins() {
		a.say("  kaipiao -c %s plugin trust %s", "  kaipiao -c %s plugin trust %s", path, p)
	}
	a.say("  kaipiao -c %s serve", "  kaipiao -c %s serve", path)
	return nil
}

// plugins are those that the first configuration uses.
func (s *setup) plugins() []string {
	if s.SMTPHost == "" {
		return []string{"shop", "pos", "delivery-sms"}
	}
	return []string{"shop", "pos", "delivery-email", "delivery-sms"}
}

// ask asks for what the flags left open, if somebody sits at a terminal.
func (a *app) ask(s *setup) error {
	in := bufio.NewReader(os.Stdin)
	interactive := term.IsTerminal(int(os.Stdin.Fd()))
	for _, q := range []struct {
		dst    *string
		flag   string
		zh, en string
		hidden bool
	}{
		{&s.SellerName, "seller-name", "销售方名称", "registered name of the seller", false},
		{&s.TaxNo, "tax-no", "销售方税号", "tax number of the seller", false},
		{&s.ChannelURL, "channel-url", "税局网关地址", "address of the gateway", false},
		{&s.AppID, "app-id", "应用编号 AppID", "application id", false},
		{&s.Key, "app-key", "应用密钥 (32 位十六进制, 输入不显示)", "application key (32 hex digits, not shown)", true},
		{&s.Secret, "app-secret", "应用签名密钥 (输入不显示)", "application secret (not shown)", true},
		{&s.StoreName, "store-name", "首个门店名称", "name of the first store", false},
	} {
		if *q.dst != "" {
			continue
		}
		if !interactive {
			return exitError{exitUsage, fmt.Errorf("--%s is needed", q.flag)}
		}
		fmt.Fprintf(a.err, "%s: ", a.text(q.zh, q.en))
		var line []byte
		var err error
		if q.hidden {
			line, err = term.ReadPassword(int(os.Stdin.Fd()))
			fmt.Fprintln(a.err)
		} else {
			line, err = in.ReadBytes('\n')
		}
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		*q.dst = strings.TrimSpace(string(line))
	}
	if _, err := gm.ParseKey(s.Key); err != nil {
		return exitError{exitUsage, fmt.Errorf("the application key: %w", err)}
	}
	if v := core.CheckTaxNo(core.NormalTaxNo(s.TaxNo), false); v != core.TaxNoValid {
		return exitError{exitUsage, fmt.Errorf("the seller's tax number fails the rule %q: 15, 17, 18 or 20 digits and capital letters", v)}
	}
	s.TaxNo = core.NormalTaxNo(s.TaxNo).Clear()
	return nil
}

// write makes the folders, keys, secrets and the configuration.
func (s *setup) write(path string) error {
	in := func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(s.Dir, p)
	}
	sms, err := filepath.Abs(in(s.SMSFile)) // a plugin runs in a folder of its own
	if err != nil {
		return err
	}
	s.SMSFile = sms
	text, err := s.render()
	if err != nil {
		return err
	}
	if _, err := config.Parse(text, path); err != nil { // before anything is written
		return err
	}
	for _, dir := range []string{s.Dir, in(s.Data), in(s.Secrets)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	if _, err := os.Stat(in(s.KEK)); errors.Is(err, os.ErrNotExist) {
		if _, err := vault.CreateKEK(in(s.KEK), in(s.Data)); err != nil {
			return fmt.Errorf("make key file: %w", err)
		}
	}
	token, signing := make([]byte, 16), make([]byte, 32)
	_, _ = rand.Read(token)
	_, _ = rand.Read(signing)
	for name, value := range map[string]string{"channel.key": s.Key, "channel.secret": s.Secret, "web.token": hex.EncodeToString(token),
		"web.secret": "whsec_" + base64.StdEncoding.EncodeToString(signing)} {
		file := filepath.Join(in(s.Secrets), name)
		if _, err := os.Stat(file); err == nil && strings.HasPrefix(name, "web.") {
			continue // a shop that knows the old ones goes on
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return fmt.Errorf("write secret: %w", err)
		}
	}
	return os.WriteFile(path, text, 0o600)
}

func (s *setup) render() ([]byte, error) {
	t, err := template.New("kaipiao.yaml").Parse(configTemplate)
	if err != nil {
		return nil, fmt.Errorf("configuration template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, s); err != nil {
		return nil, fmt.Errorf("configuration template: %w", err)
	}
	return []byte(b.String()), nil
}
