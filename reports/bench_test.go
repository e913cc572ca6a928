package reports

import (
	"testing"

	"duizhang/engine"
)

func benchTables(b *testing.B, run func(b *testing.B, enc *encoder, t *table)) {
	d := newDay(1, 1, 16<<10)
	w := NewWriter(d.options(b.TempDir()))
	enc := w.takeEncoder()
	for _, only := range []Results{{Trades: true}, {Goods: true}, {Rebates: true}} {
		tables := only.tablesOf(nil, d.parts[0])
		t := &tables[0]
		b.Run(t.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run(b, enc, t)
			}
			b.ReportMetric(float64(t.rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkCSV(b *testing.B) {
	var dst []byte
	benchTables(b, func(_ *testing.B, enc *encoder, t *table) {
		dst = enc.csv.rows(dst[:0], t)
	})
}

// The encoder, and the plain one that it is compared with, in turn.
func BenchmarkParquet(b *testing.B) {
	for _, codec := range []Codec{Zstd, Snappy} {
		for _, plain := range []bool{false, true} {
			name := codec.String()
			if plain {
				name += "/plain"
			}
			b.Run(name, func(b *testing.B) {
				var e parquetEncoder
				var p plainParquet
				benchTables(b, func(b *testing.B, enc *encoder, t *table) {
					if e.lookup != enc.parquet.lookup {
						e = parquetEncoder{lookup: enc.parquet.lookup, codec: codec, zone: enc.parquet.zone}
						p = plainParquet{parquetEncoder: e}
					}
					write := e.write
					if plain {
						write = p.write
					}
					var out counter
					if err := write(&out, t); err != nil {
						b.Fatal(err)
					}
					b.SetBytes(int64(out))
					b.ReportMetric(float64(out)/float64(t.rows), "bytes/row")
				})
			})
		}
	}
}

// A counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ engine.ResultSink = (*Writer)(nil)

// A day's parts as they are written, as they are written and kept, and as they are
// taken from an earlier run.
func BenchmarkParts(b *testing.B) {
	const parts, rows = 8, 8 << 10
	d := newDay(1, parts, rows)
	kept := &shelf{dir: b.TempDir()}
	write := func(b *testing.B, k Keeper, part func(w *Writer, p *engine.Part) error) {
		o := d.options(kept.dir)
		if kept.outputs != nil {
			o.Dir = b.TempDir()
		}
		o.Temp, o.Formats, o.Keep = b.TempDir(), Formats{CSV: true, Parquet: true, XLSX: true}, k
		w := NewWriter(o)
		if kept.outputs != nil {
			if err := w.From(Earlier{kept.outputs, kept, []int32{0, 1, 2}}); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Begin(parts); err != nil {
			b.Fatal(err)
		}
		for _, p := range d.parts {
			if err := part(w, p); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.closeParts(b.Context()); err != nil {
			b.Fatal(err)
		}
		if kept.outputs == nil {
			kept.outputs = w.Kept()
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	fresh := func(w *Writer, p *engine.Part) error { return w.Part(b.Context(), p) }
	write(b, kept, fresh)
	for _, c := range []struct {
		name string
		keep Keeper
		part func(*Writer, *engine.Part) error
	}{
		{"fresh", nil, fresh},
		{"kept", &shelf{}, fresh},
		{"reused", nil, func(w *Writer, p *engine.Part) error { return w.Reuse(b.Context(), p.Number) }},
		{"reused and kept", &shelf{}, func(w *Writer, p *engine.Part) error { return w.Reuse(b.Context(), p.Number) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				write(b, c.keep, c.part)
			}
			b.ReportMetric(parts*rows*float64(b.N)/b.Elapsed().Seconds(), "trades/s")
		})
	}
}
