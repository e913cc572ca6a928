// Command duizhang reconciles a day's POS orders with Alipay's bills: it matches
// trades and refunds, allocates orders over their goods, checks how refunds were
// split and what the rebate statements paid, and writes what does not agree.
//
// Start at job for the job file, at run.go for the nightly run; every other
// command is the file of its name.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(status()) }

// status runs the process. The first signal ends the work in order, with status
// 130; a second one ends the process at once.
func status() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}
