// Chart draws what compare measured: benchmarks/results/*.json to two SVG files
// beside the results' folder, one against the peers and one against size.
//
//	go -C benchmarks/chart run .
//
// It is a module of its own, so that the product does not depend on a library
// that draws.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A result is what compare wrote, as far as it is drawn.
type result struct {
	Trades   int
	Zips     int
	Memory   string
	Programs []program
}

type program struct {
	Name   string
	Median struct {
		Wall float64 `json:"wall_seconds"`
		CPU  float64 `json:"cpu_seconds"`
		RSS  float64 `json:"peak_rss_bytes"`
	}
}

func main() {
	results := flag.String("results", "../results", "folder of the results")
	out := flag.String("out", "..", "folder of the charts")
	flag.Parse()
	if err := run(*results, *out); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	all, err := read(dir)
	if err != nil {
		return err
	}
	if err := save(filepath.Join(out, "peers.svg"), peers(all)); err != nil {
		return err
	}
	return save(filepath.Join(out, "size.svg"), sizes(all))
}

// read gives the results in the order of their size.
func read(dir string) ([]result, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []result
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var r result
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no results; compare -json writes them", dir)
	}
	slices.SortFunc(all, func(a, b result) int { return cmp.Compare(a.Trades, b.Trades) })
	return all, nil
}

// The programs that are drawn, in this order, and their colours.
var drawn = []struct {
	name, title string
	color       color.RGBA
}{
	{"duizhang", "duizhang", color.RGBA{22, 119, 255, 255}},
	{"duckdb", "DuckDB", color.RGBA{250, 173, 20, 255}},
	{"polars", "Polars", color.RGBA{19, 168, 168, 255}},
	{"plain", "plain Go", color.RGBA{140, 140, 140, 255}},
}

// peers are bars a trade: wall and processor time in microseconds, peak memory in
// bytes, a group for each size that was measured against a peer.
func peers(all []result) []*plot.Plot {
	var groups []result
	for _, r := range all {
		if r.Zips == 0 && r.Memory == "" && slices.ContainsFunc(r.Programs, isPeer) {
			groups = append(groups, r)
		}
	}
	titles := []string{"wall, µs a trade", "CPU, µs a trade", "peak memory, bytes a trade"}
	plots := make([]*plot.Plot, len(titles))
	for k, title := range titles {
		p := plot.New()
		p.Title.Text, p.Y.Min = title, 0
		width := vg.Points(12)
		for i, d := range drawn {
			values := make(plotter.Values, len(groups))
			for g, r := range groups {
				values[g] = r.value(d.name, k)
			}
			bars, err := plotter.NewBarChart(values, width)
			if err != nil {
				continue // nothing to draw
			}
			bars.Color, bars.LineStyle.Width = d.color, 0
			bars.Offset = width * vg.Length(float64(i)-float64(len(drawn)-1)/2)
			p.Add(bars)
			if k == 0 {
				p.Legend.Add(d.title, bars)
			}
		}
		p.Legend.Top, p.Legend.Left = true, true
		names := make([]string, len(groups))
		for g, r := range groups {
			names[g] = short(r.Trades) + " trades"
		}
		p.NominalX(names...)
		p.X.Min, p.X.Max = -0.6, float64(len(groups))-0.4
		finish(p, false)
		plots[k] = p
	}
	return plots
}

// finish gives a plot room for its legend, horizontal lines, and round ticks.
func finish(p *plot.Plot, vertical bool) {
	const room = 1.3
	p.Y.Max *= room
	grid := plotter.NewGrid()
	if !vertical {
		grid.Vertical.Width = 0
	}
	p.Add(grid)
	p.Y.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
		ticks := plot.DefaultTicks{}.Ticks(low, high)
		for i := range ticks {
			if ticks[i].Label != "" {
				ticks[i].Label = strconv.FormatFloat(ticks[i].Value, 'f', -1, 64)
			}
		}
		return ticks
	})
}

func isPeer(p program) bool { return p.Name == "duckdb" || p.Name == "polars" || p.Name == "plain" }

// value is a figure of a program a trade; 0 where it was not measured.
func (r *result) value(name string, figure int) float64 {
	for _, p := range r.Programs {
		if p.Name == name {
			total := [...]float64{p.Median.Wall * 1e6, p.Median.CPU * 1e6, p.Median.RSS}[figure]
			return total / float64(r.Trades)
		}
	}
	return 0
}

// sizes are duizhang's own lines: processor time a trade, and peak memory,
// against the number of trades.
func sizes(all []result) []*plot.Plot {
	titles := []string{"duizhang: CPU, µs a trade", "duizhang: peak memory, MB"}
	plots := make([]*plot.Plot, len(titles))
	for k, title := range titles {
		p := plot.New()
		p.Title.Text, p.X.Label.Text, p.Y.Min = title, "trades", 0
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(func(_, _ float64) []plot.Tick {
			var ticks []plot.Tick
			for _, r := range all {
				ticks = append(ticks, plot.Tick{Value: float64(r.Trades), Label: short(r.Trades)})
			}
			return ticks
		})
		for i, budget := range budgets(all) {
			var line plotter.XYs
			for _, r := range all {
				if r.Zips == 0 && r.Memory == budget {
					y := r.value("duizhang", 1+k)
					if k == 1 {
						y *= float64(r.Trades) / 1e6
					}
					line = append(line, plotter.XY{X: float64(r.Trades), Y: y})
				}
			}
			l, points, err := plotter.NewLinePoints(line)
			if err != nil {
				continue
			}
			l.Color, points.Color, points.Shape = drawn[i].color, drawn[i].color, draw.CircleGlyph{}
			l.Width = vg.Points(1.5)
			p.Add(l, points)
			name := "no budget given"
			if budget != "" {
				name = "--memory " + budget
			}
			if k == 1 {
				p.Legend.Add(name, l, points)
			}
		}
		p.Legend.Top, p.Legend.Left = true, true
		finish(p, true)
		plots[k] = p
	}
	return plots
}

// budgets are the memory budgets that were measured, none first.
func budgets(all []result) []string {
	var found []string
	for _, r := range all {
		if r.Zips == 0 && !slices.Contains(found, r.Memory) {
			found = append(found, r.Memory)
		}
	}
	slices.Sort(found)
	return found
}

func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return strconv.Itoa(n/1_000_000) + " M"
	case n%1000 == 0:
		return strconv.Itoa(n/1000) + " k"
	}
	return strconv.Itoa(n)
}

// save draws the plots side by side.
func save(path string, plots []*plot.Plot) error {
	const height = 3 * vg.Inch
	canvas := vgsvg.New(vg.Length(len(plots))*3.9*vg.Inch, height)
	white := draw.New(canvas)
	white.SetColor(color.White)
	white.Fill(white.Rectangle.Path())
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadX: vg.Points(16), PadTop: vg.Points(6), PadBottom: vg.Points(6), PadLeft: vg.Points(6), PadRight: vg.Points(6)}
	for i, c := range plot.Align([][]*plot.Plot{plots}, tiles, draw.New(canvas))[0] {
		plots[i].Draw(c)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
