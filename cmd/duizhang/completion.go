package main

import (
	"strings"

	"github.com/spf13/cobra"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: a.say("命令行补全脚本", "shell completion script"),
		Long: a.say("输出 bash、zsh、fish 或 powershell 的补全脚本。",
			"Prints the completion script of bash, zsh, fish or powershell."),
		Example: `  source <(duizhang completion bash)
  duizhang completion zsh > "${fpath[1]}/_duizhang"
  duizhang completion fish > ~/.config/fish/completions/duizhang.fish`,
		ValidArgs: shells,
		Args: a.exactly(1, "请给出一个 shell："+strings.Join(shells, ", "),
			"give one shell: "+strings.Join(shells, ", ")),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return usage(a.say("%q: 应为以下之一：%s", "%q: must be one of %s", args[0], strings.Join(shells, ", ")), "")
		},
	}
}
