package main

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kaipiao/kaipiao/internal/admin"
	"github.com/kaipiao/kaipiao/internal/config"
	pluginhost "github.com/kaipiao/kaipiao/plugins/host"
	"github.com/kaipiao/kaipiao/plugins/sdk/scaffold"
)

func (a *app) pluginCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: a.text("插件: 新建、信任、测试、运行", "plugins: new, trust, test, run")}
	cmd.AddCommand(a.pluginNew(), a.pluginTrust(), a.pluginList(), a.pluginTest(), a.pluginRun(), a.pluginSchema())
	return cmd
}

func (a *app) pluginNew() *cobra.Command {
	var kind, dir, sdk, module string
	cmd := &cobra.Command{Use: "new NAME", Short: a.text("新建插件工程", "write a new plugin to begin from"), Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		if dir == "" {
			dir = args[0]
		}
		if a.dry {
			a.say("试运行: 将在 %s 写入 %s 插件", "dry run: a %[2]s plugin would be written to %[1]s", dir, kind)
			return nil
		}
		if err := scaffold.Write(scaffold.Options{Kind: scaffold.Kind(kind), Name: args[0], Dir: dir, Module: module, SDK: sdk}); err != nil {
			return err
		}
		a.say("已写入 %s. 下一步: cd %[1]s && go mod tidy && go test ./... && go build", "wrote %s; next: cd %[1]s && go mod tidy && go test ./... && go build", dir)
		return nil
	}}
	cmd.Flags().StringVar(&kind, "kind", "webhook", a.text("webhook (推送), pull (拉取) 或 delivery (交付)", "webhook, pull or delivery"))
	cmd.Flags().StringVar(&dir, "dir", "", a.text("文件夹 (默认: 名称)", "folder (default: the name)"))
	cmd.Flags().StringVar(&sdk, "sdk", "", a.text("本地开票源码路径, 供编译引用", "path of a Kaipiao checkout to build against"))
	cmd.Flags().StringVar(&module, "module", "", a.text("Go 模块路径 (默认: 名称)", "Go module path (default: the name)"))
	return cmd
}

// lockPaths are the plugin directory and lock file of the configuration, or their defaults without one.
func (a *app) lockPaths() (dir, lock string, err error) {
	cfg, err := config.Load(a.config)
	if err != nil {
		return "", "", err
	}
	return pluginDir(cfg), cfg.Path(cfg.Plugins.Lock), nil
}

func (a *app) pluginTrust() *cobra.Command {
	var interpreter, transport string
	var args []string
	cmd := &cobra.Command{Use: "trust NAME [FILE...]", Short: a.text("按内容哈希信任插件", "trust a plugin by the hash of its files"), Args: cobra.MinimumNArgs(1), RunE: func(_ *cobra.Command, names []string) error {
		dir, lock, err := a.lockPaths()
		if err != nil {
			return err
		}
		p := pluginhost.Program{Files: names[1:], Interpreter: interpreter, Args: args, Transport: pluginhost.Transport(transport)}
		if len(p.Files) == 0 {
			p.Files = names[:1]
		}
		if p.Transport == "" {
			p.Transport = defaultTransport(interpreter)
		}
		if a.dry {
			a.say("试运行: 将信任 %s", "dry run: %s would be trusted", filepath.Join(dir, p.Files[0]))
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(lock), 0o700); err != nil {
			return err
		}
		if _, err := pluginhost.Trust(dir, lock, names[0], p); err != nil {
			return err
		}
		a.say("已信任 %s", "trusted %s", names[0])
		return nil
	}}
	cmd.Flags().StringVar(&interpreter, "interpreter", "", a.text("解释器路径, 用于脚本插件", "path of the interpreter, for plugins that are scripts"))
	cmd.Flags().StringSliceVar(&args, "arg", nil, a.text("文件之前的参数", "arguments before the file"))
	cmd.Flags().StringVar(&transport, "transport", "", a.text("mtls (程序的默认值) 或 socket", "mtls (default for binaries) or socket"))
	return cmd
}

// defaultTransport is mutual TLS for programs, a private socket for scripts, whose languages lack the library's handshake.
func defaultTransport(interpreter string) pluginhost.Transport {
	if interpreter != "" {
		return pluginhost.Socket
	}
	return pluginhost.MTLS
}

func (a *app) pluginList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: a.text("列出运行中的插件", "list the running plugins"), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), func(c *client) error {
			var rows []admin.PluginStatus
			if err := c.get(cmd.Context(), "/v1/plugins", &rows); err != nil {
				return err
			}
			a.none(len(rows), "没有运行中的插件 (主机未运行)", "no plugin runs (the host is stopped)")
			return a.print(rows, func(p *printer) {
				var out [][]string
				for _, r := range rows {
					out = append(out, []string{r.Name, r.Version, pluginWords.of(a, r.State), clock(r.Since), strconv.Itoa(r.Restarts), lastLine(r.LastWords)})
				}
				p.table([]string{a.text("插件", "plugin"), a.text("版本", "version"), a.text("状态", "state"), a.text("自", "since"), a.text("重启", "restarts"), a.text("最后输出", "last words")}, out)
			})
		})
	}}
}
