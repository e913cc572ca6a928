package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "compare:", err)
		}
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	trades int
	seed   uint64
	zips   int
	runs   int
	memory string
	peers  []string
	data   string
	json   string
	keep   bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.trades, "n", 1_000_000, "trades")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the data")
	flags.IntVar(&o.zips, "zips", 0, "`merchants` with a small ZIP each, in place of one large one")
	flags.IntVar(&o.runs, "runs", 3, "runs of each program")
	flags.StringVar(&o.memory, "memory", "", "memory `size` that duizhang is given, such as 1GiB (default: its own choice)")
	peers := flags.String("peers", "duckdb,plain", "peers, separated by commas: "+strings.Join(peerNames(), ", ")+"; - for none")
	flags.StringVar(&o.data, "data", "", "`folder` of the data, generated where it is not there yet (default: in the user's cache folder)")
	flags.StringVar(&o.json, "json", "", "write the results to this `file` (default: compare.json in the data folder)")
	flags.BoolVar(&o.keep, "keep", false, "keep what the programs wrote")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q: compare takes no arguments", flags.Arg(0))
	}
	if o.trades < 1 || o.runs < 1 || o.zips < 0 {
		return o, errors.New("-n and -runs must be at least 1, -zips not negative")
	}
	if *peers == "-" {
		return o, nil
	}
	for name := range strings.SplitSeq(*peers, ",") {
		if !slices.Contains(peerNames(), name) {
			return o, fmt.Errorf("-peers: %q: must be among %s", name, strings.Join(peerNames(), ", "))
		}
		o.peers = append(o.peers, name)
	}
	return o, nil
}

// run is the comparison, in order.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	day, err := prepare(ctx, o, stderr)
	if err != nil {
		return err
	}
	programs, remove, err := build(ctx, o, day, stderr)
	if err != nil {
		return err
	}
	defer remove()
	report := report{
		Date: time.Now().Format(time.DateOnly), Trades: o.trades, Seed: o.seed, Zips: o.zips, Memory: o.memory,
		Machine: thisMachine(), Files: day.sizes(),
	}
	report.LoadBefore = loadAverage()
	for k := range o.runs {
		for i := range programs {
			p := &programs[i]
			sample, err := p.measure(ctx, stderr)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			p.samples = append(p.samples, sample)
			fmt.Fprintf(stderr, "run %d of %d: %-9s %s\n", k+1, o.runs, p.name, sample)
		}
	}
	report.LoadAfter = loadAverage()
	// Checked when all have run: the memory that checking takes would count as a child's.
	checks, err := check(programs)
	if err != nil {
		return err
	}
	report.Checked = checks
	report.add(programs)
	report.table(stdout)
	return report.write(day.jsonPath(o))
}
