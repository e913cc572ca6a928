package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"duizhang/cmd/duizhang/job"
	"duizhang/cmd/duizhang/lang"
)

// run is the whole command: arguments in, exit status out.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	a := &app{stdout: out, stderr: stderr, args: args, lang: languageOf(args), now: time.Now}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	status := statusOf(ctx, err)
	a.report(err, status)
	if out.err != nil && status != exitInterrupted {
		a.complain(a.say("标准输出写不出去：%s", "standard output cannot be written: %s", a.lang.System(out.err)), "")
		// What a run has published says by its status what was found: that
		// nobody could read the closing summary changes nothing in it.
		if !a.published {
			status = worst(status, exitUsage)
		}
	}
	return status
}

// An app is one run of the command: where it writes, and its global flags.
type app struct {
	stdout, stderr io.Writer
	args           []string
	now            func() time.Time

	lang      lang.Lang
	langGiven bool // --lang was given: it wins over the job file's
	langWord  string
	json      bool
	quiet     bool
	noColor   bool
	logFormat string
	version   bool
	published bool   // a run has been published, or written to out.failed
	runsTo    string // the last day that this command runs; "" for one alone
	list      bool   // several runs: with --json their summaries are a list
	listed    int
}

func (a *app) say(zh, en string, args ...any) string { return a.lang.Say(zh, en, args...) }

// languageOf finds --lang before anything is parsed, for the help texts are
// written in it.
func languageOf(args []string) lang.Lang {
	for i, arg := range args {
		word, found := strings.CutPrefix(arg, "--lang=")
		if arg == "--lang" && i+1 < len(args) {
			word, found = args[i+1], true
		}
		if l, ok := lang.Parse(word); found && ok {
			return l
		}
	}
	return lang.Chinese
}

// root is the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "duizhang",
		Short: a.say("支付宝对账：交易、退款、商品分摊、返佣", "reconciles Alipay bills with POS orders: trades, refunds, goods, rebates"),
		Example: a.say(`  duizhang demo                      # 写一份演示数据并对账
  duizhang init 2026-11-20/          # 看看文件夹里有什么，写一份作业文件
  duizhang run duizhang.yaml         # 每晚的对账`,
			`  duizhang demo                      # write a small data set and reconcile it
  duizhang init 2026-11-20/          # look at a folder and write a job file for it
  duizhang run duizhang.yaml         # the nightly job`),
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.settle(cmd)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.version {
				return a.printVersion()
			}
			if len(args) > 0 {
				return a.unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	a.globalFlags(root)
	root.Flags().BoolVar(&a.version, "version", false, a.say("显示版本", "print the version"))
	root.AddCommand(
		a.runCommand(), a.demoCommand(), a.initCommand(), a.inspectCommand(), a.validateCommand(),
		a.explainCommand(), a.runsCommand(), a.diffCommand(), a.replayCommand(), a.stateCommand(), a.verdictsCommand(), a.claimCommand(), a.shiftCommand(), a.prorateCommand(), a.refundCommand(), a.pidCommand(),
		a.hashMemberCommand(), a.generateCommand(),
		a.completionCommand(), a.versionCommand(),
	)
	a.dress(root)
	return root
}

func (a *app) globalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.BoolVar(&a.json, "json", false, a.say("在标准输出给出机器可读的结果", "machine-readable result on standard output"))
	flags.BoolVar(&a.quiet, "quiet", false, a.say("不显示进度和小结", "no progress and no closing summary"))
	flags.BoolVar(&a.noColor, "no-color", false, a.say("不用颜色（也可设 NO_COLOR）", "no colours (NO_COLOR works too)"))
	flags.StringVar(&a.langWord, "lang", "zh", a.say("语言：zh 或 en", "language: zh or en"))
	completeWith(root, "lang", languages)
	flags.StringVar(&a.logFormat, "log-format", "text", a.say("标准错误的格式：text 或 json", "form of standard error: text or json"))
	completeWith(root, "log-format", logFormats)
}

var (
	languages  = []string{"zh", "en"}
	logFormats = []string{"text", "json"}
)

// completeWith has shells complete the words of a flag.
func completeWith(cmd *cobra.Command, flag string, words []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// settle checks the global flags, once cobra has parsed them.
func (a *app) settle(cmd *cobra.Command) error {
	a.langGiven = cmd.Flags().Changed("lang")
	if _, ok := lang.Parse(a.langWord); !ok {
		return a.badFlag("lang", a.langWord, languages)
	}
	if slices.Contains(logFormats, a.logFormat) {
		return nil
	}
	format := a.logFormat
	a.logFormat = "text"
	return a.badFlag("log-format", format, logFormats)
}

// badFlag is the error of a flag that takes one of a few words.
func (a *app) badFlag(name, value string, choices []string) error {
	hint := ""
	if near := job.Nearest(value, choices); near != "" {
		hint = a.say("是不是想写 --%s %s？", "did you mean --%s %s?", name, near)
	}
	return usage(a.say("--%s: %q: 应为以下之一：%s", "--%s: %q: must be one of %s", name, value, strings.Join(choices, ", ")), hint)
}

func (a *app) unknownCommand(root *cobra.Command, word string) error {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	hint := a.say("运行 %s --help 查看所有命令", "run %s --help for all commands", root.CommandPath())
	if near := job.Nearest(word, names); near != "" {
		hint = a.say("是不是想运行 %s %s？", "did you mean %s %s?", root.CommandPath(), near)
	} else if info, err := os.Stat(word); !root.HasParent() && err == nil && !info.IsDir() {
		hint = a.say("是不是想运行 duizhang run %s？", "did you mean duizhang run %s?", word)
	}
	return usage(a.say("没有命令 %q", "unknown command %q", word), hint)
}

// report writes the error that ended the command, once.
func (a *app) report(err error, status int) {
	if status == exitInterrupted {
		a.complain(a.say("已中断，什么也没有发布", "interrupted; nothing was published"), "")
		return
	}
	f, ok := errors.AsType[*failure](err)
	switch {
	case err == nil:
	case status == exitInvariant:
		a.complain(err.Error(), a.say("这是程序的错误，什么也没有发布", "this is a fault of the program; nothing was published"))
	case !ok:
		a.complain(a.errorText(err), "")
	case f.err != nil:
		a.complain(a.errorText(f.err), f.hint)
	}
}

// errorText is an error in words; what the system says of a file is said in the
// language, after the file's name.
func (a *app) errorText(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return strings.Replace(text, e.Error(), lang.Plain(e.Path)+": "+a.lang.System(e.Err), 1)
	}
	return text
}

// complain writes a message to standard error, each line with the product's
// name before it, and its hint. Names in it have no lines of their own: say and
// lang.Plain see to that.
func (a *app) complain(text, hint string) {
	if a.logFormat == "json" {
		log := slog.New(slog.NewJSONHandler(a.stderr, nil))
		if hint != "" {
			log = log.With("hint", hint)
		}
		log.Error(text)
		return
	}
	for i, line := range strings.Split(lang.Lines(strings.TrimRight(text, "\n")), "\n") {
		if i > 0 && strings.HasPrefix(line, " ") {
			fmt.Fprintln(a.stderr, line) // goes on from the line before
			continue
		}
		fmt.Fprintf(a.stderr, "duizhang: %s\n", line)
	}
	if hint != "" {
		fmt.Fprintf(a.stderr, "duizhang: %s%s\n", a.say("提示：", "hint: "), lang.Plain(hint))
	}
}

// note tells what is going on, on standard error; --quiet silences it.
func (a *app) note(text string) {
	switch {
	case a.quiet:
	case a.logFormat == "json":
		slog.New(slog.NewJSONHandler(a.stderr, nil)).Info(text)
	default:
		fmt.Fprintf(a.stderr, "duizhang: %s\n", lang.Plain(text))
	}
}

// printJSON writes the machine-readable result.
func (a *app) printJSON(value any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

// terminal is the width of w in columns, if it is a terminal; 0 is one that does
// not tell.
func terminal(w io.Writer) (width int, ok bool) {
	if out, ok := w.(*output); ok {
		w = out.w
	}
	file, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 0
	}
	return width, true
}

// colored tells whether w takes colours.
func (a *app) colored(w io.Writer) bool {
	_, isTerminal := terminal(w)
	return isTerminal && !a.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
