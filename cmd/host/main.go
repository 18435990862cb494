// Command kaipiao is the host: it takes orders from stores and receipts from tills through plugins, issues and
// reverses their invoices, and hands them to buyers.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // slim images have no zone files

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "dev"

// Exit codes, documented in docs/cli.md.
const (
	exitFailed   = 1 // the command failed
	exitUsage    = 2 // the command line is wrong
	exitNotFound = 3 // what was named does not exist
	exitFindings = 4 // the command worked and found something wrong (check, doctor, reconcile, demo)
)

// exitError carries an exit code with an error.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return e.err.Error() }
func (e exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once; nothing stored is lost by that
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command line; tests call it too.
func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	armBattery()
	app := &app{out: stdout, err: stderr, lang: languageOf(args)}
	root := app.root()
	app.dress(root)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var exit exitError
	if errors.As(err, &exit) {
		if exit.err != nil && exit.err.Error() != "" {
			fmt.Fprintln(stderr, "kaipiao: "+exit.err.Error())
		}
		return exit.code
	}
	fmt.Fprintln(stderr, "kaipiao: "+err.Error())
	return exitFailed
}

// app is what the commands share: flags and outputs.
type app struct {
	out, err *os.File
	config   string
	named    bool // the command line names the configuration
	json     bool
	dry      bool
	lang     string
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "kaipiao", Short: a.text("电商与门店电子发票插件主机", "E-invoices for online stores and tills"),
		SilenceUsage: true, SilenceErrors: true,
	}
	root.PersistentFlags().StringVarP(&a.config, "config", "c", envOr("KAIPIAO_CONFIG", "kaipiao.yaml"), a.text("配置文件", "configuration file"))
	root.PersistentFlags().BoolVar(&a.json, "json", false, a.text("以 JSON 输出数据", "print data as JSON"))
	root.PersistentFlags().BoolVar(&a.dry, "dry-run", false, a.text("试运行: 只说明将做什么, 不执行", "say what would be done and do nothing"))
	root.PersistentFlags().StringVar(&a.lang, "lang", a.lang, a.text("文字语言: zh 或 en (默认随系统语言)", "language of texts: zh or en (default: the locale's)"))
	root.PersistentFlags().Lookup("lang").DefValue = ""
	root.AddCommand(a.serveCommand(), a.initCommand(), a.checkCommand(), a.doctorCommand(), a.ordersCommand(), a.invoicesCommand(),
		a.problemsCommand(), a.mapCommand(), a.redCommand(), a.deliverCommand(), a.reconcileCommand(), a.replayCommand(),
		a.pluginCommand(), a.terminalsCommand(), a.keysCommand(), a.sandboxCommand(), a.demoCommand(), a.versionCommand())
	return root
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: a.text("版本", "print the version"), Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		return a.print(map[string]string{"version": version}, func(p *printer) { p.line("kaipiao %s", version) })
	}}
}

func envOr(name, def string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return def
}
