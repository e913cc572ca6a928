package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"duizhang/cmd/duizhang/job"
	"duizhang/cmd/duizhang/lang"
)

// dress gives all commands the texts of the language: help with its examples
// first, and the errors of flags.
func (a *app) dress(root *cobra.Command) {
	root.SetUsageTemplate(a.say(usageZH, usageEN))
	root.SetHelpTemplate(`{{.Short}}

{{.UsageString}}`)
	root.SetFlagErrorFunc(a.flagError)
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: a.say("命令的说明", "help about a command"),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, _, err := cmd.Root().Find(args)
			if err != nil || found == cmd.Root() && len(args) > 0 {
				return a.unknownCommand(cmd.Root(), args[0])
			}
			return found.Help()
		},
	})
	commands := append([]*cobra.Command{root}, root.Commands()...)
	for _, c := range root.Commands() {
		commands = append(commands, c.Commands()...)
	}
	for _, c := range commands {
		c.InitDefaultHelpFlag()
		c.Flags().Lookup("help").Usage = a.say("显示说明", "print this help")
		if a.lang == lang.Chinese {
			c.Flags().VisitAll(chineseDefault)
			c.PersistentFlags().VisitAll(chineseDefault)
		}
	}
}

// chineseDefault says a flag's default in its text, where pflag would say it in
// English; DefValue is for help alone.
func chineseDefault(f *pflag.Flag) {
	zero := map[string]string{"string": "", "int": "0", "uint64": "0"}
	if none, ok := zero[f.Value.Type()]; ok && f.DefValue != none {
		f.Usage += "（默认 " + f.DefValue + "）"
		f.DefValue = none
	}
}

const usageZH = `{{if .HasExample}}示例：
{{.Example}}

{{end}}{{if .Long}}{{.Long}}

{{end}}用法：
  {{if .Runnable}}{{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if .HasAvailableSubCommands}}

命令：{{range .Commands}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

参数：
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

通用参数：
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

退出码：0 完成；1 差异超限；2 用法或作业文件错误；3 输入缺失、无法读取或控制总额不符；
        4 拒收行超限；70 内部校验失败；130 中断。
单个命令的说明：{{.CommandPath}} [command] --help{{end}}
`

const usageEN = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}{{if .Long}}{{.Long}}

{{end}}Usage:
  {{if .Runnable}}{{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Exit status: 0 done; 1 breaks above the limits; 2 usage or job-file error; 3 an input is missing,
             unreadable or fails its control total; 4 rejects above the limit; 70 an internal
             check failed; 130 interrupted.
Help of a command: {{.CommandPath}} [command] --help{{end}}
`

// flagError says in the language what pflag says in English, with what was
// probably meant.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	hint := a.say("运行 %s --help 查看用法", "run %s --help for its flags", cmd.CommandPath())
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := e.GetSpecifiedName()
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := job.Nearest(name, names); near != "" && len(name) > 1 {
			hint = a.say("是不是想写 --%s？", "did you mean --%s?", near)
		}
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		return usage(a.say("没有参数 %s%s", "unknown flag %s%s", dashes, name), hint)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usage(a.say("--%s 需要一个值", "--%s needs a value", e.GetSpecifiedName()), hint)
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usage(a.say("--%s: %q: %s", "--%s: %q: %s", e.GetFlag().Name, e.GetValue(), a.valueError(e)), hint)
	}
	return usage(lang.Plain(err.Error()), hint)
}

// valueError is what a flag's value should have been.
func (a *app) valueError(e *pflag.InvalidValueError) string {
	switch e.GetFlag().Value.Type() {
	case "int", "int64", "uint64", "uint":
		return a.say("应为整数", "must be a whole number")
	case "bool":
		return a.say("应为 true 或 false", "must be true or false")
	}
	return strings.TrimSpace(e.Unwrap().Error())
}

// exactly is the argument check of a command that takes n arguments.
func (a *app) exactly(n int, zh, en string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return a.wrongArgs(cmd, zh, en)
	}
}

// atMost is the check of a command that takes up to n arguments.
func (a *app) atMost(n int, zh, en string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return a.wrongArgs(cmd, zh, en)
	}
}

func (a *app) wrongArgs(cmd *cobra.Command, zh, en string) error {
	return usage(a.say(zh, en), a.say("用法：%s", "usage: %s", cmd.UseLine()))
}
