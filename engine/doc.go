// Package engine reconciles: it takes the batches that loaders read, puts all
// rows of one order into one partition, and computes each partition apart from
// the others.
//
// [Run] reads as a table of contents. The heart is worker.reconcile: a function
// of the plan and one partition's rows, without files, clock or globals, so that
// any driver can call it anywhere.
package engine
