package job

import (
	"os"
	"path/filepath"
	"time"

	"duizhang/cmd/duizhang/lang"
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// A Job is a job file that was read and checked, with every default filled in.
type Job struct {
	File string   // the job file, as given
	Dir  string   // the folder that its paths are relative to
	Text []byte   // what the file says
	Set  []string // what the command line says in its place, KEY=VALUE

	Day  time.Time // the business date at 00:00 UTC; zero if there is none
	Zone *time.Location

	// Engine is the part of the job that the engine computes by. Registry,
	// Inputs and Partitions are filled in when the inputs are known.
	Engine     engine.Job
	PolicyName string

	Patterns     []Pattern // in the order of the kinds, then of the file
	Columns      map[schema.InputKind]map[string][]string
	StatementPID string

	Limits Limits
	Output Output
	State  State

	lang   lang.Lang
	places map[string]schema.Pos
}

// A Pattern is one entry of inputs, with its dates filled in.
type Pattern struct {
	Kind schema.InputKind
	Text string
	Pos  schema.Pos
}

// Limits decide the exit status (contract 2).
type Limits struct {
	Rejects     int
	Breaks      int
	BreakAmount rules.Fen
}

// Output says what is written, and where.
type Output struct {
	Dir     string // as written, dates filled in
	Formats []string
	Lang    lang.Lang
	Privacy string // mask or keep
	CSVBOM  bool
	Sort    bool
	Parquet string      // zstd or snappy
	Mode    os.FileMode // of the files; 0600 by default
}

// State says what is kept from run to run, and where.
type State struct {
	Dir         string // as written; "" for none
	HistoryDays int
}

// The words of output.
var (
	Formats  = []string{"xlsx", "html", "csv", "parquet", "json"}
	privacy  = []string{"mask", "keep"}
	parquets = []string{"zstd", "snappy"}
)

// Place is where the key or list entry with that path stands, or the file.
func (j *Job) Place(path string) schema.Pos {
	if pos, ok := j.places[path]; ok {
		return pos
	}
	return schema.Pos{File: j.File, Name: path}
}

// Path is a path of the job file as one that can be opened.
func (j *Job) Path(path string) string {
	switch {
	case path == "":
		return ""
	case filepath.IsAbs(path):
		return filepath.Clean(path)
	}
	return filepath.Join(j.Dir, filepath.FromSlash(path))
}

// StateDir is the state folder as one that can be opened, "" for none.
func (j *Job) StateDir() string { return j.Path(j.State.Dir) }

// Given tells whether the job has patterns of the kind.
func (j *Job) Given(kind schema.InputKind) bool { return j.Engine.Inputs[kind] }

// defaults are those of the contract's job file.
func defaults(file string) *Job {
	return &Job{
		File: file,
		Engine: engine.Job{
			Date:          engine.NoDate,
			CutoffWindow:  10 * 60,
			SuggestWindow: 10 * 60,
			CarryDays:     3,
			Remainder:     rules.LargestRemainder,
			Policy:        rules.SmartStore(),
			RefundMode:    rules.ModeProrated,
			FeeTolerance:  1,
			FeeOnRefund:   engine.FeeNone,
			Inputs:        map[schema.InputKind]bool{},
		},
		PolicyName: builtIn,
		Columns:    map[schema.InputKind]map[string][]string{},
		Output: Output{
			Dir: "out", Formats: Formats, Lang: lang.Chinese, Privacy: "mask", Parquet: "zstd", Mode: 0o600,
		},
		State:  State{HistoryDays: 400},
		places: map[string]schema.Pos{},
	}
}
