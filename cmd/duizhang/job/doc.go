// Package job reads the job file: which inputs a run takes, by which rules it
// computes, and where its reports go.
//
// [Parse] is strict. It checks the whole file and reports everything that is
// wrong with it at once, each with its line and column, the value as written and
// what may stand there instead. What it returns is complete: every default is
// filled in, so that nothing after it asks whether a key was given.
//
// [Job.Files] then finds the files that the patterns name.
package job
