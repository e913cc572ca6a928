package main

import (
	"context"
	"errors"
	"slices"

	"duizhang/engine"
)

// The exit statuses of the contract.
const (
	exitDone        = 0
	exitBreaks      = 1
	exitUsage       = 2
	exitInput       = 3
	exitRejects     = 4
	exitInvariant   = 70
	exitInterrupted = 130
)

// precedence orders the statuses: when several apply, the first is given.
var precedence = []int{exitInterrupted, exitInvariant, exitUsage, exitInput, exitRejects, exitBreaks, exitDone}

// worst is the status that is given when all of these apply.
func worst(statuses ...int) int {
	for _, status := range precedence {
		if slices.Contains(statuses, status) {
			return status
		}
	}
	return exitDone
}

// A failure ends a command with a status. A nil err has nothing to say: the
// command has said it.
type failure struct {
	status int
	err    error
	hint   string // what to do about it
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// quietly ends a command with a status and without a message.
func quietly(status int) error {
	if status == exitDone {
		return nil
	}
	return &failure{status: status}
}

// usage is a command line that makes no sense.
func usage(text, hint string) error {
	return &failure{status: exitUsage, err: errors.New(text), hint: hint}
}

// statusOf is the exit status of a command's error.
func statusOf(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	f, failed := errors.AsType[*failure](err)
	if failed && f.err == nil { // done, and said: too late to be interrupted
		return f.status
	}
	if ctx.Err() != nil { // whatever went wrong, it went wrong because of that
		return exitInterrupted
	}
	if _, ok := errors.AsType[*engine.InvariantError](err); ok {
		return exitInvariant
	}
	if failed {
		return f.status
	}
	return exitUsage
}
