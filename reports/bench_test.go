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
