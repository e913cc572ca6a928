package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"

	"duizhang/cmd/duizhang/job"
	"duizhang/cmd/duizhang/lang"
	"duizhang/engine/schema"
	"duizhang/loaders"
)

// maxInitFiles is how many files init looks at: a day's folder has fewer.
const maxInitFiles = 2000

// initName is the job file that init writes.
const initName = "duizhang.yaml"

func (a *app) initCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: a.say("看看文件夹里有什么，写一份带注释的作业文件", "looks at the files in DIR, writes a commented job file for them"),
		Long: a.say(`逐个读 DIR（默认当前文件夹）及其下级文件夹里的文件，按内容归类，写成 DIR/duizhang.yaml。
不认识的文件和存疑的列名写成注释，由你决定。`,
			`Reads the files in DIR (the current folder by default) and its subfolders, sorts them by what they
hold, and writes DIR/duizhang.yaml. Files that are not known and doubtful column names are left as
comments for you to decide.`),
		Example: "  duizhang init 2026-11-20/\n  duizhang init . --force",
		Args:    a.atMost(1, "至多给出一个文件夹", "give one folder at most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.init(cmd.Context(), dir, force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, a.say("替换已有的 duizhang.yaml", "replace the duizhang.yaml that is there"))
	return cmd
}

func (a *app) init(ctx context.Context, dir string, force bool) error { //nolint:revive // --force
	file := filepath.Join(dir, initName)
	if _, err := os.Lstat(file); err == nil && !force {
		return usage(a.say("%s 已存在，没有改动", "%s exists; it was not changed", file),
			a.say("用 --force 替换", "replace it with --force"))
	}
	names, err := dayFiles(dir)
	if _, gone := os.Stat(dir); errors.Is(gone, fs.ErrNotExist) {
		return usage(a.say("%s: 没有这个文件夹", "%s: no such folder", dir), "")
	}
	if err != nil {
		return &failure{status: exitUsage, err: err}
	}
	if len(names) > maxInitFiles {
		return usage(a.say("%s 里有 %d 个文件，超过 %d 个", "%s has %d files, more than %d", dir, len(names), maxInitFiles),
			a.say("请指定只含一天数据的文件夹", "give a folder that holds one day"))
	}
	d := &draft{app: a, dir: dir}
	for _, name := range names {
		if err := d.look(ctx, name); err != nil {
			return err
		}
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	text := d.text()
	if !slices.ContainsFunc(d.found, func(f foundFile) bool { return job.Supported(f.kind) }) {
		return usage(a.say("%s 里没有可以对账的文件", "%s has no files to reconcile", dir),
			a.say("用 duizhang inspect 看看每个文件是什么", "see what a file is with duizhang inspect"))
	}
	if _, err := job.Parse(file, []byte(text), job.Options{Lang: a.lang, Now: a.now()}); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return &failure{status: exitUsage, err: err}
	}
	if a.json {
		return a.printJSON(d.result(file))
	}
	a.note(a.say("已写入 %s；接着运行 duizhang validate %s", "wrote %s; next, run duizhang validate %s", file, file))
	return nil
}

// dayFiles are the files below a folder, with slashes, sorted. Hidden ones, job
// files and the outputs of earlier runs are not among them.
func dayFiles(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, relErr := filepath.Rel(dir, at)
		if relErr != nil {
			return relErr
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		if entry.IsDir() {
			_, err := os.Stat(filepath.Join(at, "summary.json"))
			_, truth := os.Stat(filepath.Join(at, "truth.json"))
			if hidden || name != "." && (err == nil || truth == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := os.Stat(at) // through links to files
		ext := strings.ToLower(filepath.Ext(name))
		if err == nil && info.Mode().IsRegular() && !hidden && ext != ".yaml" && ext != ".yml" && ext != ".md" {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// A foundFile is one file that init has looked at.
type foundFile struct {
	name    string
	kind    schema.InputKind // 0 for none
	rows    int64
	why     string // of one that no input takes
	unknown []string
	tables  int
	header  []string          // of its table, or of the first that lacks a column
	known   int               // how many of the header are known
	refused bool              // that table is
	missing bool              // for want of a column
	columns map[string]string // mapped: the file's name by column
}

// A draft is a job file on its way.
type draft struct {
	app   *app
	dir   string
	found []foundFile
	last  int64 // latest time of a bill, or 0
	day   string

	accounts   []string // of the bills
	merchant   string   // the only one, or ""
	provider   string   // the primary, or ""
	statements bool     // some statement has no provider PID
}

// look reads one file.
func (d *draft) look(ctx context.Context, name string) error {
	in := loaders.Input{Path: filepath.Join(d.dir, filepath.FromSlash(name)), Name: name}
	tables, _, err := loaders.Inspect(ctx, in, loaders.Options{Words: schema.NewWords(), Lang: d.app.lang.String()}, 0)
	if err != nil {
		return err
	}
	f := foundFile{name: name, tables: len(tables)}
	for _, t := range tables {
		missing := t.Refused && len(t.Problems) > 0 && t.Problems[0].Code == "column_missing"
		if !f.missing { // the sheets of a workbook have one header as a rule: what one lacks, all do
			f.header, f.known, f.refused, f.missing = slices.Concat(t.Known, t.Unknown), len(t.Known), t.Refused, missing
			if missing {
				f.why, _, _ = strings.Cut(t.Problems[0].Message, "\n")
			}
		}
		switch {
		case t.Refused && t.Kind == 0:
			if len(t.Problems) > 0 {
				first, _, _ := strings.Cut(t.Problems[0].Message, "\n")
				f.why = first
			}
			f.unknown = d.header(ctx, in.Path, t)
			f.header, f.known = f.unknown, 0
		case t.Kind == 0 && f.missing:
		case t.Kind == 0:
			f.why = d.app.say("%s，对账不用", "%s, which no input takes", t.Format)
		case f.kind != 0 && f.kind != t.Kind:
			f.kind, f.why = 0, d.app.say("一个文件里有几类数据", "several kinds of data in one file")
			d.found = append(d.found, f)
			return nil
		default:
			f.kind = t.Kind
			f.rows += t.Rows
			f.unknown = append(f.unknown, t.Unknown...)
			d.see(t)
		}
	}
	if f.kind != 0 && !f.missing {
		f.why = ""
	}
	d.found = append(d.found, f)
	return nil
}

// see remembers the day of the bills.
func (d *draft) see(t *schema.Table) {
	if t.Kind == schema.AlipayBill && t.Account != "" {
		d.accounts = append(d.accounts, t.Account)
	}
	switch {
	case t.Kind != schema.AlipayBill:
	case t.From != schema.Null && t.From > d.last:
		d.last = t.From
	case t.From == schema.Null && t.LastTime != schema.Null && t.LastTime > d.last:
		d.last = t.LastTime
	}
}

// header guesses the header cells of a table that is not known: the first of its
// lines with the most commas.
func (d *draft) header(ctx context.Context, file string, t *schema.Table) []string {
	lines, err := loaders.RawLines(ctx, file, t.Member, []int32{1, 2, 3, 4, 5, 6, 7, 8})
	if err != nil {
		return nil
	}
	best := ""
	for _, number := range sortedKeys(lines) {
		if strings.Count(lines[number], ",") > strings.Count(best, ",") {
			best = lines[number]
		}
	}
	if strings.Count(best, ",") < 2 {
		return nil
	}
	cells := strings.Split(best, ",")
	for i := range cells {
		cells[i] = strings.Trim(cells[i], " \t\"")
	}
	return cells
}

// An entry is one line of inputs.
type entry struct {
	kind     schema.InputKind
	patterns []string
	files    int
	rows     int64
}

// entries groups the files by kind, and where all files of a folder with one
// extension are of one kind, names them by a pattern.
func (d *draft) entries() []entry {
	kinds := map[string]map[schema.InputKind]bool{} // of folder/*.ext
	for _, f := range d.found {
		if kinds[family(f.name)] == nil {
			kinds[family(f.name)] = map[schema.InputKind]bool{}
		}
		kinds[family(f.name)][f.kind] = true
	}
	var entries []entry
	for _, kind := range schema.InputKinds() {
		e := entry{kind: kind}
		for _, f := range d.found {
			if f.kind != kind {
				continue
			}
			e.files++
			e.rows += f.rows
			pattern := plainPattern(f.name)
			if len(kinds[family(f.name)]) == 1 {
				pattern = family(f.name)
			}
			if !slices.Contains(e.patterns, pattern) {
				e.patterns = append(e.patterns, pattern)
			}
		}
		if e.files > 0 {
			entries = append(entries, e)
		}
	}
	return entries
}

// family is the pattern of the files beside one: its folder and extension. Files
// in the folder itself are too mixed for one.
func family(name string) string {
	dir, base := path.Split(name)
	if dir == "" {
		return plainPattern(name)
	}
	return plainPattern(dir) + "*" + plainPattern(path.Ext(base))
}

// plainPattern is a pattern that finds a name as it stands. What a job file reads
// otherwise becomes ?.
func plainPattern(name string) string {
	name = strings.NewReplacer("{", "?", "}", "?", "*", "?", "[", "?", `\`, "?").Replace(name)
	var b strings.Builder
	for len(name) > 0 {
		letter, size := utf8.DecodeRuneInString(name)
		if letter == utf8.RuneError && size == 1 {
			letter = '?' // a byte that is no text matches it too
		}
		b.WriteRune(letter)
		name = name[size:]
	}
	return b.String()
}

// quotedYAML is text as a double-quoted scalar of YAML, whose escapes are Go's
// but for those of bytes that are no text: \xff is a letter there.
func quotedYAML(text string) string { return strconv.Quote(strings.ToValidUTF8(text, "?")) }

// text is the job file.
func (d *draft) text() string {
	var b strings.Builder
	say := d.app.say
	fmt.Fprintln(&b, say("# 对账作业文件，由 duizhang init 写成。路径相对于本文件，可用通配符。", "# A job file, written by duizhang init. Paths are relative to this file; patterns may be used."))
	if d.last > 0 {
		d.day = time.Unix(d.last, 0).UTC().Format(time.DateOnly)
		fmt.Fprintf(&b, "date: %s                  # %s\n", d.day, say("业务日期；每晚运行时用 --date yesterday", "business date; nightly, use --date yesterday"))
	} else {
		fmt.Fprintf(&b, "# date: 2026-11-20                # %s\n", say("业务日期", "business date"))
	}
	fmt.Fprintln(&b, "timezone: Asia/Shanghai")
	fmt.Fprintln(&b, "inputs:")
	d.writeInputs(&b)
	d.writeSettings(&b)
	d.writeDoubts(&b)
	fmt.Fprintf(&b, `limits:   {rejects: 0, breaks: 0, break_amount: "0.00"}   # %s
output:   {dir: out, formats: [xlsx, html, csv, json], lang: %s}
# matching: {amount_tolerance: "0.00", cutoff_window: 10m, suggest_window: 10m}
# goods:    {remainder: largest_remainder}     # %s last_line
# refunds:  {mode: prorated}                   # whole | list_price | prorated | reorder
# fees:     {tolerance: "0.01", on_refund: none}   # none | pro_rata | full_refund_only
`, say("超过即退出码 4 / 1", "above them: exit status 4 / 1"), d.app.lang, say("或", "or"))
	return b.String()
}

func (d *draft) writeInputs(b *strings.Builder) {
	say := d.app.say
	have := map[schema.InputKind]bool{}
	for _, e := range d.entries() {
		have[e.kind] = true
		quoted := make([]string, len(e.patterns))
		for i, pattern := range e.patterns {
			quoted[i] = quotedYAML(pattern)
		}
		line := fmt.Sprintf("%-13s [%s]", e.kind.String()+":", strings.Join(quoted, ", "))
		note := say("%d 个文件，%d 行", "files: %d, rows: %d", e.files, e.rows)
		if !job.Supported(e.kind) {
			fmt.Fprintf(b, "  # %s   # %s；%s\n", line, note, say("尚未支持", "not supported yet"))
			continue
		}
		fmt.Fprintf(b, "  %s%s  # %s\n", line, strings.Repeat(" ", max(48-runewidth.StringWidth(line), 0)), note)
	}
	for _, kind := range schema.InputKinds() {
		if job.Supported(kind) && !have[kind] {
			fmt.Fprintf(b, "  # %-13s []   # %s\n", kind.String()+":", say("没有找到；相应部分不做", "none found; that part of the work is left out"))
		}
	}
}

// writeDoubts writes what a person must decide, as comments.
func (d *draft) writeDoubts(b *strings.Builder) {
	say := d.app.say
	first := true
	for _, f := range d.found {
		if f.kind == 0 {
			if first {
				fmt.Fprintln(b, say("# 不认识或用不上的文件：", "# Files that are not known, or that no input takes:"))
				first = false
			}
			// A comment ends with its line: a name must not.
			fmt.Fprintf(b, "#   %s: %s\n", lang.Plain(f.name), lang.Plain(strings.ReplaceAll(f.why, "\n", " ")))
		}
	}
	guesses := d.guesses()
	if len(guesses) == 0 {
		return
	}
	fmt.Fprintln(b, say("# 存疑的列名：核对后去掉注释。", "# Doubtful columns: check them and take the comment away."))
	fmt.Fprintln(b, "# columns:")
	for _, kind := range schema.InputKinds() {
		if len(guesses[kind]) > 0 {
			fmt.Fprintf(b, "#   %s: {%s}\n", kind, strings.Join(guesses[kind], ", "))
		}
	}
}

// guesses are the columns that unknown header cells may mean, by kind.
func (d *draft) guesses() map[schema.InputKind][]string {
	all := map[schema.InputKind][]string{}
	for _, f := range d.found {
		kind := f.kind
		if len(f.columns) > 0 {
			continue // mapped
		}
		if kind == 0 {
			kind = likeliest(f.unknown)
		}
		if len(headerNames[kind]) == 0 {
			continue // what it needs is known by its own names
		}
		for _, cell := range f.unknown {
			column := job.NearestColumn(kind, cell)
			if column == "" || column == cell {
				continue
			}
			guess := column + ": [" + quotedYAML(cell) + "]"
			if !slices.Contains(all[kind], guess) && !slices.ContainsFunc(all[kind], func(g string) bool { return strings.HasPrefix(g, column+":") }) {
				all[kind] = append(all[kind], guess)
			}
		}
	}
	return all
}

// likeliest is the kind whose columns most of the cells may mean, if three do.
func likeliest(cells []string) schema.InputKind {
	var best schema.InputKind
	most := 2
	for _, kind := range []schema.InputKind{schema.PosOrders, schema.PosRefundsKind, schema.Rebate} {
		n := 0
		for _, cell := range cells {
			if job.NearestColumn(kind, cell) != "" {
				n++
			}
		}
		if n > most {
			best, most = kind, n
		}
	}
	return best
}

// result is what init --json prints.
func (d *draft) result(file string) any {
	inputs := map[string][]string{}
	for _, e := range d.entries() {
		if job.Supported(e.kind) {
			inputs[e.kind.String()] = e.patterns
		}
	}
	unknown := []string{}
	for _, f := range d.found {
		if f.kind == 0 {
			unknown = append(unknown, f.name)
		}
	}
	return struct {
		Path    string              `json:"path"`
		Date    string              `json:"date"`
		Inputs  map[string][]string `json:"inputs"`
		Unknown []string            `json:"unknown"`
	}{file, d.day, inputs, unknown}
}
