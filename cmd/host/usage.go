package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// languageOf finds --lang before the flags are parsed: the help is written in its language.
func languageOf(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--lang="); ok {
			return v
		}
		if a == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
		if a == "--" {
			break
		}
	}
	return ""
}

// dress gives every command the same manners: faults of the command line end with exitUsage and show the line that was
// expected, a word that is no command is a fault, and the frame of the help is in the user's language.
func (a *app) dress(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return a.usage(cmd, err) })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if a.lang != "" && a.lang != "zh" && a.lang != "en" {
			return a.usage(cmd, fmt.Errorf("--lang %q is neither zh nor en", a.lang))
		}
		a.named = cmd.Flags().Changed("config")
		return nil
	}
	usage := root.UsageTemplate()
	if a.chinese() {
		usage = chineseUsage
	}
	root.SetUsageTemplate(strings.Replace(usage, "{{if .Runnable}}", `{{if and .Runnable (not (index .Annotations "group"))}}`, 1))
	a.dressOne(root)
}

func (a *app) dressOne(cmd *cobra.Command) {
	switch cmd.Name() {
	case "help":
		cmd.Short = a.text("显示某个命令的帮助", "help about a command")
	case "completion":
		cmd.Short = a.text("生成 shell 自动补全脚本", "write a completion script for a shell")
	}
	cmd.Flags().BoolP("help", "h", false, a.text("显示帮助", "show this help"))
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args, cmd.SuggestionsMinimumDistance = cobra.ArbitraryArgs, 2
		cmd.Annotations = map[string]string{"group": "runs only to refuse a word that is no command"}
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return a.usage(cmd, unknownCommand(cmd, args[0]))
		}
	} else if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return a.usage(cmd, err)
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		a.dressOne(c)
	}
}

func (a *app) usage(cmd *cobra.Command, err error) error {
	line := cmd.UseLine()
	if cmd.Annotations["group"] != "" {
		line = cmd.CommandPath() + a.text(" 命令", " COMMAND")
	}
	return exitError{exitUsage, fmt.Errorf("%w\n%s: %s", err, a.text("用法", "usage"), line)}
}

func unknownCommand(cmd *cobra.Command, word string) error {
	text := fmt.Sprintf("unknown command %q for %q", word, cmd.CommandPath())
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		text += ", did you mean " + strings.Join(near, ", ") + "?"
	}
	return errors.New(text)
}

// chineseUsage is cobra's own template with Chinese words.
const chineseUsage = `用法:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [命令]{{end}}{{if gt (len .Aliases) 0}}

别名:
  {{.NameAndAliases}}{{end}}{{if .HasAvailableSubCommands}}

命令:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

选项:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

通用选项:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} [命令] --help" 显示某个命令的帮助.{{end}}
`
