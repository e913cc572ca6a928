package reports

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// word is the String of the choices of this package: the word at i, or the
// choice's name and number for a value that has none, so that a forgotten one shows.
func word(words []string, i uint8, kind string) string {
	if int(i) < len(words) {
		return words[i]
	}
	return fmt.Sprintf("%s(%d)", kind, i)
}

// parseWord is the inverse of word.
func parseWord[T ~uint8](words []string, s string) (T, bool) {
	if i := slices.Index(words, s); i > 0 {
		return T(i), true
	}
	return 0, false
}

// Lang is the language of titles, details and sheets. Column names, codes and
// status words are the same in both.
type Lang uint8

// The languages.
const (
	Chinese Lang = iota + 1
	English
)

var langWords = []string{"", "zh", "en"}

// String is the language's word in a job file.
func (l Lang) String() string { return word(langWords, uint8(l), "Lang") }

// ParseLang is the inverse of String.
func ParseLang(s string) (Lang, bool) { return parseWord[Lang](langWords, s) }

// Privacy says whether mobiles and payment codes are masked (rules 10). With [Mask],
// in every output:
//
//   - a mainland mobile that stands alone in free text becomes 138****0000, also
//     where its digits stand in groups (138-1234-5678, 138 1234 5678); a country
//     code before it stays;
//   - a payment code that stands alone in free text, 16 to 24 digits beginning 25
//     to 30 or a long word beginning fp, becomes **** and its last four
//     characters; a cell in a column of payment codes does so whatever it holds;
//   - ids stay as they are in every table, whatever they look like: the numbers of
//     orders, trades and refunds, PIDs and goods_id, because a person looks a trade
//     up by them. store_id, terminal_id and operator_id are what somebody typed
//     into a till: a mobile in them is masked, and nothing else;
//   - the raw text of a reject is masked cell by cell, as its columns are, where
//     its cells are those of a header that is known whole, and as free text
//     otherwise. Then an id that looks like a mobile or a payment code is masked
//     too: rather a number too many than a customer's.
//
// Files keep their names, so that places can be found.
type Privacy uint8

// The choices of output.privacy.
const (
	Mask Privacy = iota + 1
	Keep
)

var privacyWords = []string{"", "mask", "keep"}

// String is the choice's word in a job file.
func (p Privacy) String() string { return word(privacyWords, uint8(p), "Privacy") }

// ParsePrivacy is the inverse of String.
func ParsePrivacy(s string) (Privacy, bool) { return parseWord[Privacy](privacyWords, s) }

// Codec is the compression of Parquet pages.
type Codec uint8

// The choices of output.parquet.
const (
	Zstd Codec = iota + 1
	Snappy
)

var codecWords = []string{"", "zstd", "snappy"}

// String is the choice's word in a job file.
func (c Codec) String() string { return word(codecWords, uint8(c), "Codec") }

// ParseCodec is the inverse of String.
func ParseCodec(s string) (Codec, bool) { return parseWord[Codec](codecWords, s) }

// Formats are the forms that a run's results take. summary.json is always
// written: it makes the folder one of ours.
type Formats struct{ CSV, Parquet, JSON, XLSX, HTML bool }

// FormatNames are the choices of output.formats.
var FormatNames = []string{"xlsx", "html", "csv", "parquet", "json"}

// ParseFormats reads a list of format names; it names the first that is none.
func ParseFormats(names []string) (Formats, error) {
	var f Formats
	for _, name := range names {
		switch name {
		case "csv":
			f.CSV = true
		case "parquet":
			f.Parquet = true
		case "json":
			f.JSON = true
		case "xlsx":
			f.XLSX = true
		case "html":
			f.HTML = true
		default:
			return Formats{}, fmt.Errorf("%q: not an output format (%s)", name, join(FormatNames))
		}
	}
	return f, nil
}

// Results says which of the partitions' tables a run has. A table whose part of
// the work was left out is not written.
type Results struct{ Trades, Refunds, Goods, Rebates, Devices, Shifts, Accounts bool }

// ResultsOf derives the tables from the parts of the work that run.
func ResultsOf(parts []engine.PartState) Results {
	var r Results
	for _, p := range parts {
		switch {
		case !p.Ran:
		case p.Name == "trades":
			r.Trades = true
		case p.Name == "refunds":
			r.Refunds = true
		case p.Name == "goods":
			r.Goods = true
		case p.Name == "rebates":
			r.Rebates = true
		case p.Name == "devices":
			r.Devices = true
		case p.Name == "shifts":
			r.Shifts = true
		case p.Name == "accounts":
			r.Accounts = true
		}
	}
	return r
}

// JobInfo is what the outputs say about the job.
type JobInfo struct {
	Name    string // of the job file
	Version string // of the product
	// Settings are the rules of the job, echoed in the summary. They marshal to
	// the same JSON in every run.
	Settings any
}

// Options are the choices of a Writer.
type Options struct {
	Dir     string      // the folder to write to: Staging.Dir
	Temp    string      // for temporary files, not below Dir: Staging.Temp; blank: a hidden folder in Dir, removed by Finish
	Mode    fs.FileMode // of files; 0 is 0600
	Formats Formats
	Results Results
	Lang    Lang    // 0 is Chinese
	Privacy Privacy // 0 is Mask
	CSVBOM  bool    // output.csv_bom: CSV for spreadsheets
	Sort    bool    // output.sort: the key's order throughout
	Parquet Codec   // 0 is Zstd
	Zone    *time.Location
	Words   func() []string // the run's words, as of now
	Tables  []*schema.Table // the run's input tables, by number
	Job     JobInfo

	// Verdicts are what people wrote behind breaks of earlier reports, by the
	// break's id. The workbook shows them.
	Verdicts map[string]Verdict

	// Claims are what claim packs need.
	Claims ClaimOptions

	// Keep takes what a later run of the day needs to take parts from this one
	// ([Writer.Reuse]). nil: nothing is kept; with Sort nothing can be.
	Keep Keeper

	// Memory bounds the encoded rows that wait for a part before them; what is
	// more goes to temporary files. 0 is 64 MiB.
	Memory int64
}

func (o Options) withDefaults() Options {
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	if o.Lang == 0 {
		o.Lang = Chinese
	}
	if o.Privacy == 0 {
		o.Privacy = Mask
	}
	if o.Parquet == 0 {
		o.Parquet = Zstd
	}
	if o.Zone == nil {
		o.Zone = time.FixedZone("Asia/Shanghai", 8*60*60)
	}
	if o.Words == nil {
		o.Words = func() []string { return []string{""} }
	}
	if o.Memory == 0 {
		o.Memory = 64 << 20
	}
	return o
}

// Limits are the job's limits (contract 2).
type Limits struct {
	Rejects     int64
	Breaks      int64
	BreakAmount rules.Fen
}

// A Timing is how long one stage took.
type Timing struct {
	Stage    string
	Duration time.Duration
}

// Outcome is what the command knows about the run when the tables are done.
type Outcome struct {
	ExitCode   int
	Incomplete bool // an input is missing or fails its control total, and the run is published all the same
	Limits     Limits
	// Timings are asked for when everything but the summary has been written.
	// They stand in summary.json and nowhere else. nil is none.
	Timings func() []Timing

	// Of a run with state: what became of what earlier days carried to it, and the
	// breaks of earlier runs that are gone, by id.
	Carried *Carried
	Closed  []ClosedBreak
}

// Counted is how many breaks count towards the job's limits, and what they add
// up to in millionths of a yuan. Those that a person has settled do not.
func Counted(breaks []engine.Break) (count int64, amount rules.Sum) {
	for i := range breaks {
		if breaks[i].Severity.Counts() && !breaks[i].Settled {
			count++
			amount.AddSum(stake(&breaks[i]))
		}
	}
	return count, amount
}

// Above reports whether the run's breaks are above the limits (exit 1), and its
// rejects (exit 4).
func (l Limits) Above(r *engine.Result) (breaks, rejects bool) {
	count, amount := Counted(r.Breaks)
	limit := micros(int64(l.BreakAmount))
	return count > l.Breaks || amount.Cmp(limit) > 0, int64(len(r.Rejects)) > l.Rejects
}

// stake is the amount of a break in millionths.
func stake(b *engine.Break) rules.Sum { return amountOf(b, b.Amount) }

// amountOf is one of the break's amounts in millionths.
func amountOf(b *engine.Break, v int64) rules.Sum {
	if !b.Micro {
		return micros(v)
	}
	var s rules.Sum
	s.AddInt(v)
	return s
}

// micros is an amount of fen in millionths.
func micros(v int64) rules.Sum {
	var s rules.Sum
	// A fen is 10,000 millionths; the largest amount of fen would not fit int64.
	const parts, unit = 10, 1000
	for range parts {
		s.AddInt(v * unit)
	}
	return s
}

func join(names []string) string {
	s := ""
	for i, name := range names {
		if i > 0 {
			s += ", "
		}
		s += name
	}
	return s
}
