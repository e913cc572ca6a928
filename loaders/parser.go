package loaders

import (
	"context"

	"duizhang/engine/schema"
)

// A format is one table layout that the package knows: how its header is told
// from others, and how its rows are read.
type format struct {
	name string           // trade_bill, pos_orders, …
	kind schema.InputKind // 0: recognised and named, but no input takes it
	// records says whether a quoted cell may span lines (canonical CSV, Taobao,
	// Kukeduo) or one line is one record (Alipay and WeChat bills).
	multiline bool
	// open reads the header. It sets the table's Dialect, Known and Unknown, and
	// refuses the table with a *FileError that lists every missing or doubled
	// column at once. newParser is then called once a worker.
	open func(t *tableReader, header []string) (newParser func() rowParser, err error)
}

// A rowParser turns the records of one table into batches. Several parsers of
// one table run at once, each on chunks of its own; lines are absolute, so that
// the order of chunks does not matter.
type rowParser interface {
	// row reads one record. The cells are as written, quotes removed, and are
	// valid during the call only; raw is the whole record.
	row(line int32, cells [][]byte, raw []byte)
	// flush hands over the batch that has gathered. It is called when a batch is
	// full and at the end of every chunk.
	flush(ctx context.Context) error
	// rows is how many rows have gathered since the last flush.
	rows() int
}

// batchRows is the size at which a batch is handed over.
const batchRows = 64 << 10
