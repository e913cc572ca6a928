package state

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// The layout of the database. A key begins with a byte that says what it is; dates
// and numbers are big-endian, so that they sort.
//
//	a                                        the format: which version wrote the database (version.go)
//	g                                        the number of the next generation
//	d date                                   which generations of the date's rows count (pointer)
//	h date revision                          the record of a run, JSON
//	x date revision                          what the caller recorded with it
//	b date generation kind …                 the rows of one run, written once and never changed
//	i break-id date generation what row      where a break was reported, or closed
//	m trade-hash date generation row         a refund of a trade
//	n trade-hash date generation row         a refund without trade_no, by merchant and out_trade_no
//	s subject-hash date generation row       the breaks about a subject
//
// The keys that a run commits, d to h and x, lie in no range that its tables cover, b and i to
// s: pebble takes the tables over without a new log, in which a full disk would end
// the process.
//
// A generation is one attempt to write a run, and never used again: keys of i, m, n
// and s count if their generation is the one that d names. What no d names was left by a
// process that died, and goes when the database is opened.
const (
	formatKey   = 'a'
	nextKey     = 'g'
	dayKey      = 'd'
	runKey      = 'h'
	detailKey   = 'x'
	bulkKey     = 'b'
	breakKey    = 'i'
	refundedKey = 'm'
	unnamedKey  = 'n'
	subjectKey  = 's'
)

// The kinds of rows of a run, in the order in which they are written.
const (
	tradePages   = iota + 1 // number → page; sorted by ref
	tradeRefs               // number of a page → refs of the last trades of 1,024 pages
	numberPages             // number → page: hash of out_trade_no and row, sorted
	numberEnds              // number of a page → the last hashes of 1,024 pages
	refundPages             // number → page; sorted by ref, time
	askedPages              // number → page: what was looked up, and what the answer was
	breakPages              // number → page; sorted by id
	closedPages             // number → page; the breaks that the run closed
	subjectPages            // number → page: hashes of what the run asked for open breaks about
	carriedRows             // 0 → tables, JSON; 1… → pages, one for each table of rows
	wordPages               // number → page: the words of the run, by code
	headKey                 // JSON: how many there are of each, which columns pages have
	tallyPages              // number → page: counts and sums by part
)

// refs name trades: 1 and the trade_no; without one 2, the merchant's length, the
// merchant, the out_trade_no.
const (
	refByTrade  = 1
	refByNumber = 2
)

// refAnyMerchant, of what is looked for: an out_trade_no, whoever's it is.
const refAnyMerchant = 3

// appendRef appends the name of a trade.
func appendRef(dst []byte, merchant string, outTradeNo, tradeNo []byte) []byte {
	if len(tradeNo) > 0 {
		return append(append(dst, refByTrade), tradeNo...)
	}
	dst = binary.AppendUvarint(append(dst, refByNumber), uint64(len(merchant)))
	return append(append(dst, merchant...), outTradeNo...)
}

// tradeNoOf is the trade_no in a ref, blank if it has none.
func tradeNoOf(ref []byte) []byte {
	if len(ref) == 0 || ref[0] != refByTrade {
		return nil
	}
	return ref[1:]
}

// datePrefix are the first characters of a trade_no, which are the day it was made
// on; days remember which they have.
const datePrefix = 8

// A generation names the rows of one run.
type generation struct {
	Date int32
	Gen  uint32
}

func appendDate(dst []byte, date int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(date)^1<<31)
}

func dateOf(b []byte) int32 { return int32(binary.BigEndian.Uint32(b) ^ 1<<31) }

// append appends the date and the number, as keys have them.
func (g generation) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(appendDate(dst, g.Date), g.Gen)
}

// generationLength is the length of what append appends.
const generationLength = 8

func generationOf(b []byte) generation {
	return generation{dateOf(b), binary.BigEndian.Uint32(b[4:])}
}

// key begins the key of rows of a kind.
func (g generation) key(kind byte) []byte {
	return append(g.append([]byte{bulkKey}), kind)
}

// bounds are the first key of the generation, and the first behind it.
func (g generation) bounds() (start, end []byte) {
	start = g.append([]byte{bulkKey})
	return start, after(start)
}

// after is the first key that does not begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

func dateKey(date int32) []byte { return appendDate([]byte{dayKey}, date) }

func recordKey(date int32, revision int) []byte { return revisionKey(runKey, date, revision) }

func revisionKey(what byte, date int32, revision int) []byte {
	return binary.BigEndian.AppendUint32(appendDate([]byte{what}, date), uint32(revision))
}

func numbered(prefix []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(prefix, uint32(n))
}

// hashBits are those of the hash of an out_trade_no that are kept.
const hashBits = 38

// numberHash is what trades are found by if their trade_no is not known.
func numberHash(outTradeNo []byte) uint64 { return xxh3.Hash(outTradeNo) >> (64 - hashBits) }

// A global is a key that names a generation: 8 bytes of hash or a break's id, the
// generation, and what follows.
func globalKey(space byte, subject []byte, g generation, rest ...byte) []byte {
	key := append(make([]byte, 0, 1+len(subject)+generationLength+len(rest)), space)
	return append(g.append(append(key, subject...)), rest...)
}

func appendBig(dst []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(dst, v) }

func hashed(subject []byte) []byte { return appendBig(nil, xxh3.Hash(subject)) }

func rowBytes(row int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(row)) }

func rowOf(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
