// Package parquet writes Parquet files of flat tables: optional columns of text,
// words, decimals, times, integers and booleans, one row group a file.
//
// It knows only what result tables need, and takes their columns as they come.
// That is what makes it cheap: no arrays are laid out on the way, an id or a
// place is written as what differs from the one before it, and a number as its
// distance from the one before, in as few bits as that takes, so that little is
// left for the compression to read. A Writer keeps its memory from file to file.
//
//	w := parquet.NewWriter(parquet.Zstd)
//	w.Begin(out, schema, rows)
//	w.Ints(amounts)      // a call for each field of the schema, in its order
//	w.Text(offsets, ids)
//	err := w.End()
//
// Start at [Writer], in writer.go; column.go has a method for each form in which
// a column comes. Below them: page.go (levels, pages, chunks), delta.go, hybrid.go
// and distinct.go (encodings), compact.go (Thrift, for the headers), codec.go.
//
// Same columns, same bytes. A Writer is for one goroutine.
package parquet
