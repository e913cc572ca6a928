package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

// report is what is printed and written.
type report struct {
	Date       string           `json:"date"`
	Trades     int              `json:"trades"`
	Seed       uint64           `json:"seed"`
	Zips       int              `json:"zips,omitempty"`   // merchants with a small ZIP each; 0 is one large one
	Memory     string           `json:"memory,omitempty"` // that duizhang was given
	Machine    machine          `json:"machine"`
	LoadBefore string           `json:"load_before,omitempty"`
	LoadAfter  string           `json:"load_after,omitempty"`
	Files      map[string]int64 `json:"files"`
	Checked    checked          `json:"checked"`
	Programs   []measured       `json:"programs"`
}

// measured is one program's part of the report.
type measured struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Median  sample   `json:"median"`
	Runs    []sample `json:"runs"`
	Ratio   *ratio   `json:"ours_to_it,omitempty"`
}

// ratio is our median over a peer's.
type ratio struct {
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
	RSS  float64 `json:"peak_rss,omitempty"`
}

func (r *report) add(programs []program) {
	for _, p := range programs {
		m := measured{Name: p.name, Version: p.version, Runs: p.samples, Median: medians(p.samples)}
		if len(r.Programs) > 0 {
			us := r.Programs[0].Median
			m.Ratio = &ratio{Wall: us.Wall / m.Median.Wall, CPU: us.CPU / m.Median.CPU}
			if m.Median.RSS > 0 {
				m.Ratio.RSS = float64(us.RSS) / float64(m.Median.RSS)
			}
		}
		r.Programs = append(r.Programs, m)
	}
}

// medians are taken of each figure apart.
func medians(samples []sample) sample {
	return sample{
		Wall:   median(samples, func(s sample) float64 { return s.Wall }),
		CPU:    median(samples, func(s sample) float64 { return s.CPU }),
		System: median(samples, func(s sample) float64 { return s.System }),
		RSS:    int64(median(samples, func(s sample) float64 { return float64(s.RSS) })),
	}
}

func median(samples []sample, of func(sample) float64) float64 {
	var v []float64
	for _, s := range samples {
		v = append(v, of(s))
	}
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// table prints the medians and our ratios to each peer.
func (r *report) table(w io.Writer) {
	fmt.Fprintf(w, "%s, %d trades, %s, %d processors, %.1f GB; medians of %d\n",
		r.Date, r.Trades, r.Machine.System, r.Machine.Processors, float64(r.Machine.Memory)/1e9, len(r.Programs[0].Runs))
	fmt.Fprintf(w, "all agree: %d checksums, %d of them stated by the generator; %d sums over Parquet columns\n\n",
		r.Checked.Checksums, r.Checked.OfTruth, r.Checked.Columns)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "program\tversion\twall s\tCPU s\tsystem\tpeak MB\tours: wall\tCPU\tpeak\t")
	for _, m := range r.Programs {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f\t%.2f\t%.0f\t", m.Name, m.Version, m.Median.Wall, m.Median.CPU, m.Median.System, float64(m.Median.RSS)/1e6)
		if m.Ratio == nil {
			fmt.Fprint(t, "\t\t\t\n")
			continue
		}
		fmt.Fprintf(t, "%.2f\t%.2f\t%.2f\t\n", m.Ratio.Wall, m.Ratio.CPU, m.Ratio.RSS)
	}
	_ = t.Flush() // to the terminal
}

func (r *report) write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
