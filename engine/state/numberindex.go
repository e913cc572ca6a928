package state

import (
	"encoding/binary"
	"slices"

	"duizhang/engine/schema"
	"duizhang/engine/spill"
)

// A numberIndex gathers where each out_trade_no is: its hash, and the row among the
// run's trades. It is divided by the first bits of the hash, so that a part at a
// time is sorted however many there are.
type numberIndex struct {
	shelf   *shelf
	buckets [1 << bucketBits]bucket
	held    int
}

const (
	bucketBits = hashBits - 32
	mostHeld   = 4 << 20 // entries in memory
	indexRows  = 512     // of a page
)

// A bucket has the entries of some hashes: the other 32 bits, then the row.
type bucket struct {
	held    []uint64
	spilled []spill.Blocks
}

func (x *numberIndex) add(outTradeNo []byte, row uint32) error {
	hash := numberHash(outTradeNo)
	b := &x.buckets[hash>>32]
	b.held = append(b.held, hash<<32|uint64(row))
	if x.held++; x.held < mostHeld {
		return nil
	}
	x.held = 0
	for i := range x.buckets {
		b := &x.buckets[i]
		if len(b.held) == 0 {
			continue
		}
		data := make([]byte, 0, 8*len(b.held))
		for _, e := range b.held {
			data = binary.LittleEndian.AppendUint64(data, e)
		}
		file, err := x.shelf.spillFile()
		if err != nil {
			return err
		}
		blocks, err := file.Put(data, []uint32{uint32(len(data))})
		if err != nil {
			return err
		}
		b.spilled = append(b.spilled, blocks)
		b.held = b.held[:0]
	}
	return nil
}

// An indexPage is a page of the index.
type indexPage struct {
	Hash []int64
	Row  []int64
}

func (p *indexPage) fields() []schema.Field {
	return []schema.Field{{Name: "hash", Data: &p.Hash}, {Name: "row", Data: &p.Row}}
}

// write writes the index in the order of hashes.
func (x *numberIndex) write(g generation, t *tableWriter) (pages int, err error) {
	var out indexPage
	var p packer
	var value []byte
	fields := out.fields()
	var ends []int64
	key := g.key(numberPages)
	prefix := len(key)
	flush := func() error {
		if len(out.Hash) == 0 {
			return nil
		}
		ends = append(ends, out.Hash[len(out.Hash)-1])
		key = numbered(key[:prefix], pages)
		value = p.page(value[:0], fields, len(out.Hash))
		resetFields(fields)
		pages++
		return t.set(key, value)
	}
	var all []uint64
	for i := range x.buckets {
		if all, err = x.buckets[i].load(all[:0], x.shelf); err != nil {
			return pages, err
		}
		slices.Sort(all)
		for _, e := range all {
			out.Hash = append(out.Hash, int64(i)<<32|int64(e>>32))
			out.Row = append(out.Row, int64(e&(1<<32-1)))
			if len(out.Hash) == indexRows {
				if err := flush(); err != nil {
					return pages, err
				}
			}
		}
	}
	if err := flush(); err != nil {
		return pages, err
	}
	return pages, writeEnds(g, t, ends)
}

// writeEnds writes where the pages end.
func writeEnds(g generation, t *tableWriter, ends []int64) error {
	var p packer
	for from := 0; from < len(ends); from += refsAtOnce {
		some := ends[from:min(from+refsAtOnce, len(ends))]
		if err := t.set(numbered(g.key(numberEnds), from), p.page(nil, endFields(&some), len(some))); err != nil {
			return err
		}
	}
	return nil
}

func endFields(ends *[]int64) []schema.Field { return []schema.Field{{Name: "hash", Data: ends}} }

func (b *bucket) load(all []uint64, s *shelf) ([]uint64, error) {
	for k := range b.spilled {
		data, err := s.file.Get(nil, &b.spilled[k], 0)
		if err != nil {
			return nil, err
		}
		for ; len(data) >= 8; data = data[8:] {
			all = append(all, binary.LittleEndian.Uint64(data))
		}
	}
	return append(all, b.held...), nil
}
