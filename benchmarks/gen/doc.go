// Package gen writes synthetic business days whose truth is known: bills,
// POS exports, refunds, rebate statements and registries, with a job file, and
// beside them in expected/ what a run must find.
//
// Every record is a pure function of (seed, index). Nothing is held: the POS
// is written in index order, the bill in a second order and the statement in a
// third, each a permutation of the index, so that twenty million trades need no
// more memory than twenty. The truth comes from the record that was planted,
// with arithmetic of this package's own, and never from the engine: that is
// what makes a difference between the two worth reading.
//
//	truth, err := gen.Write(ctx, "day", gen.Demo(1))
//
// A day is described by a Config. Demo, Performance, SmallZips, Random and Sources
// are ready-made ones; DefaultMix tells how often each Kind of trouble is planted.
// The forms in which its sources are written (POSForm, AccountForm, TaobaoForm,
// RebateForm) change no trade.
package gen
