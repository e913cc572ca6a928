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
	ctx, stop := interruptible(context.Background())
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// interruptible is a context that ends with the first signal to stop. A signal
// that whoever started the process had ignored, as nohup does, stays ignored.
func interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	var signals []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	if len(signals) == 0 { // none would be all of them
		return context.WithCancel(parent)
	}
	ctx, stop := signal.NotifyContext(parent, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
