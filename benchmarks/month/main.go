package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"duizhang/benchmarks/gen"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "month:", err)
		}
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	cfg     gen.DaysConfig
	dir     string
	json    string
	memory  string
	command string
	formats string
	noState bool
	keep    bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("month", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.cfg.Trades, "n", 1_000_000, "trades a day")
	flags.IntVar(&o.cfg.Days, "days", 30, "days")
	flags.Uint64Var(&o.cfg.Seed, "seed", 1, "seed of the data")
	flags.IntVar(&o.cfg.Merchants, "merchants", 1, "merchants, each with a bill a day")
	flags.IntVar(&o.cfg.Stores, "stores", 200, "stores of a merchant")
	flags.IntVar(&o.cfg.Refunded, "refunded", 100, "orders with refunds, per mille, over the 60 days that follow")
	flags.IntVar(&o.cfg.Crossing, "crossing", 10, "orders that are not ordinary, per mille: across midnight, late, one-sided, …")
	flags.IntVar(&o.cfg.Statement, "statement", -1, "of how many trades one is in the statement that comes on the fifth; none if negative")
	flags.StringVar(&o.cfg.From, "from", "2026-10-20", "first business `date`")
	flags.StringVar(&o.dir, "data", "", "`folder` to work in, which must not be there yet (default: a temporary one)")
	flags.StringVar(&o.json, "json", "", "write the figures to this `file`")
	flags.StringVar(&o.memory, "memory", "", "memory `size` that duizhang is given, such as 1GiB (default: its own choice)")
	flags.StringVar(&o.command, "command", "", "`program` to run in place of one that is built from this module")
	flags.StringVar(&o.formats, "formats", "csv,parquet,json", "formats of the results")
	flags.BoolVar(&o.noState, "no-state", false, "without a state, to see what it costs")
	flags.BoolVar(&o.keep, "keep", false, "keep the folder")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q: month takes no arguments", flags.Arg(0))
	}
	o.cfg.Formats = strings.Split(o.formats, ",")
	o.cfg.NoState = o.noState
	return o, nil
}

// A night is what one day's run took and found.
type night struct {
	Date    string           `json:"date"`
	Wall    float64          `json:"wall_seconds"`
	CPU     float64          `json:"cpu_seconds"`
	System  float64          `json:"system_cpu_seconds"` // of them the system's
	RSS     int64            `json:"peak_rss_bytes"`
	Inputs  int64            `json:"input_bytes"`
	State   int64            `json:"state_bytes"` // after the run
	Files   int              `json:"state_files"`
	Refunds int64            `json:"refunds_of_earlier_days"` // each looks its trade up
	Trades  map[string]int64 `json:"trades"`                  // rows by status
	// Right: as many of each status as were planted; the rows that wait depend on a
	// state.
	Right bool `json:"right"`
}

// run runs the nights, in order.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	days, err := gen.NewDays(o.cfg)
	if err != nil {
		return err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "duizhang-month-"); err != nil {
			return err
		}
	} else if err := os.Mkdir(o.dir, 0o755); err != nil {
		return err
	}
	if !o.keep {
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	if o.command == "" {
		if o.command, err = build(ctx, o.dir, stderr); err != nil {
			return err
		}
	}
	if err := days.Begin(o.dir); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%-10s %9s %9s %9s %9s %10s %8s %9s %s\n", "date", "wall s", "CPU s", "system s", "RSS MB", "state MB", "files", "look-ups", "found")
	var nights []night
	for k := range days.Len() {
		n, err := o.night(ctx, days, k, stderr)
		if err != nil {
			return fmt.Errorf("%s: %w", days.Date(k), err)
		}
		nights = append(nights, n)
		fmt.Fprintf(stdout, "%-10s %9.2f %9.2f %9.2f %9.0f %10.1f %8d %9d %s\n",
			n.Date, n.Wall, n.CPU, n.System, float64(n.RSS)/1e6, float64(n.State)/1e6, n.Files, n.Refunds, n.found())
	}
	sum(nights, int64(o.cfg.Trades), stdout)
	if o.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(nights, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

func (n *night) found() string {
	if n.Right {
		return "as planted"
	}
	return fmt.Sprint("otherwise than planted: ", n.Trades)
}

// build builds the command from the module that this is run in.
func build(ctx context.Context, dir string, stderr io.Writer) (string, error) {
	path := filepath.Join(dir, "duizhang")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "duizhang/cmd/duizhang")
	cmd.Stderr = stderr
	return path, cmd.Run()
}

// night writes a day's files, runs it and removes them.
func (o *options) night(ctx context.Context, days *gen.Days, k int, stderr io.Writer) (night, error) {
	n := night{Date: days.Date(k)}
	if err := days.WriteDay(o.dir, k); err != nil {
		return n, err
	}
	for _, f := range days.Files(k) {
		if info, err := os.Stat(filepath.Join(o.dir, filepath.FromSlash(days.Path(f)))); err == nil {
			n.Inputs += info.Size()
		}
	}
	out := filepath.Join(o.dir, "out")
	args := []string{"run", filepath.Join(o.dir, "job.yaml"), "--date", n.Date, "--out", out, "--quiet"}
	if o.memory != "" {
		args = append(args, "--memory", o.memory)
	}
	cmd := exec.CommandContext(ctx, o.command, args...)
	cmd.Stderr = stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return n, err
	}
	n.Wall, n.RSS = time.Since(start).Seconds(), peakRSS(cmd.ProcessState)
	n.System = cmd.ProcessState.SystemTime().Seconds()
	n.CPU = cmd.ProcessState.UserTime().Seconds() + n.System
	if err := n.look(out, days, k); err != nil {
		return n, err
	}
	var err error
	if n.State, n.Files, err = sizeOf(filepath.Join(o.dir, "state")); err != nil {
		return n, err
	}
	return n, days.RemoveDay(o.dir, k)
}

// look compares what the night found with what was planted.
func (n *night) look(out string, days *gen.Days, k int) error {
	text, err := os.ReadFile(filepath.Join(out, "summary.json"))
	if err != nil {
		return err
	}
	var summary struct {
		Trades map[string]struct {
			POS  int64 `json:"pos_count"`
			Bill int64 `json:"bill_count"`
		} `json:"trades"`
	}
	if err := json.Unmarshal(text, &summary); err != nil {
		return err
	}
	n.Trades = map[string]int64{}
	for status, sides := range summary.Trades {
		rows := sides.POS + sides.Bill
		if status == "matched" || status == "amount_mismatch" {
			rows = sides.POS // both sides are in one row
		}
		if rows > 0 {
			n.Trades[status] = rows
		}
	}
	n.Right = maps.Equal(n.Trades, days.Statuses(k))
	n.Refunds = days.RefundsOfEarlier(k)
	return nil
}

func sizeOf(dir string) (bytes int64, files int, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		bytes += info.Size()
		files++
		return nil
	})
	return bytes, files, err
}

// sum says whether the nights stayed as they were: the first third beside the last.
func sum(nights []night, trades int64, stdout io.Writer) {
	third := max(len(nights)/3, 1)
	median := func(part []night, of func(night) float64) float64 {
		var v []float64
		for _, n := range part {
			v = append(v, of(n))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	fmt.Fprintf(stdout, "\nmedians        first %d  last %d\n", third, third)
	for _, row := range []struct {
		name string
		of   func(night) float64
	}{
		{"wall s", func(n night) float64 { return n.Wall }},
		{"CPU s", func(n night) float64 { return n.CPU }},
		{"peak RSS MB", func(n night) float64 { return float64(n.RSS) / 1e6 }},
	} {
		first, last := median(nights[:third], row.of), median(nights[len(nights)-third:], row.of)
		fmt.Fprintf(stdout, "%-12s %9.2f %9.2f   × %.2f\n", row.name, first, last, last/first)
	}
	end := nights[len(nights)-1]
	fmt.Fprintf(stdout, "state: %.1f bytes a trade\n", float64(end.State)/float64(trades*int64(len(nights))))
}
