package reports

import (
	"io"
	"testing"

	"duizhang/engine"
)

func benchTables(b *testing.B, run func(enc *encoder, t *table)) {
	d := newDay(1, 1, 16<<10)
	w := NewWriter(d.options(b.TempDir()))
	enc := w.takeEncoder()
	for _, only := range []Results{{Trades: true}, {Goods: true}, {Rebates: true}} {
		tables := only.tablesOf(nil, d.parts[0])
		t := &tables[0]
		b.Run(t.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run(enc, t)
			}
			b.ReportMetric(float64(t.rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkCSV(b *testing.B) {
	var dst []byte
	benchTables(b, func(enc *encoder, t *table) {
		dst = enc.csv.rows(dst[:0], t)
	})
}

func BenchmarkParquet(b *testing.B) {
	for _, codec := range []Codec{Zstd, Snappy} {
		b.Run(codec.String(), func(b *testing.B) {
			benchTables(b, func(enc *encoder, t *table) {
				if enc.parquet.codec != codec {
					enc.parquet.codec, enc.parquet.shapes = codec, nil
				}
				if err := enc.parquet.write(io.Discard, t); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

var _ engine.ResultSink = (*Writer)(nil)
