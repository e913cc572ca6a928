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
				benchTables(b, func(enc *encoder, t *table) {
					if e.lookup != enc.parquet.lookup {
						e = parquetEncoder{lookup: enc.parquet.lookup, codec: codec, zone: enc.parquet.zone}
						p = plainParquet{parquetEncoder: e}
					}
					write := e.write
					if plain {
						write = p.write
					}
					if err := write(io.Discard, t); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

var _ engine.ResultSink = (*Writer)(nil)
