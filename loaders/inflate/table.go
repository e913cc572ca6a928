package inflate

import (
	"math/bits"
	"sync"
)

// Tables decode the bits at hand: a table has an entry for each value of the next
// so many bits, and longer codes go on in tables of their own behind it.
//
//	literal   bit 31, one or two bytes and how many
//	subTable  bit 30, where the longer codes go on, and their further bits
//	length    bit 29 clear, the base; the extra bits are part of the total
//	end       bit 29
//
// The lowest bits are how many bits an entry takes in all; a length or distance
// knows beside it how many of them are code.
const (
	literal    = 1 << 31
	subTable   = 1 << 30
	endOfBlock = 1 << 29

	bitsMask    = 0x3f
	firstShift  = 8 // bytes of literals
	secondShift = 16
	countShift  = 24
	countMask   = 3
	codeShift   = 6 // bits of code of a length or distance; of a subTable, its bits
	codeMask    = 0xf
	baseShift   = 12 // base of a length or distance; where a subTable begins
	baseMask    = 0x1ff
	subMask     = 0xfff

	// invalid stands for bits that are no code. It looks like a subTable.
	invalid = subTable | bitsMask
)

// Bits of the tables. Codes have at most 15 bits, those of lengths 7.
const (
	litBits  = 11
	distBits = 8
	preBits  = 7
	maxBits  = 15
)

// Complete codes take at most 2,342 and 402 entries (zlib's enough.c); incomplete
// ones have a single code.
type (
	litTable  [1 << (litBits + 1)]uint32
	distTable [1 << (distBits + 1)]uint32
)

var (
	fixedOnce sync.Once
	fixedLit  litTable
	fixedDist distTable
)

// makeFixed makes the tables of the codes that need not be sent.
func makeFixed() {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	makeTable(fixedLit[:], litBits, lengths[:], litEntry[:])
	pairLiterals(&fixedLit)
	var dists [32]uint8
	for i := range dists {
		dists[i] = 5
	}
	makeTable(fixedDist[:], distBits, dists[:], distEntry[:])
}

// What symbols stand for: without the bits of their codes.
var (
	litEntry  [288]symbol
	distEntry [32]symbol
	preEntry  [19]symbol
)

// A symbol is an entry without bits, and how many extra bits follow the code.
type symbol struct {
	entry uint32
	extra uint8
}

func init() {
	for i := range 256 {
		litEntry[i].entry = literal | 1<<countShift | uint32(i)<<firstShift
	}
	litEntry[256].entry = endOfBlock
	base := uint32(3)
	for i := 257; i < 285; i++ {
		extra := uint8(max(i-261, 0) / 4)
		litEntry[i] = symbol{base << baseShift, extra}
		base += 1 << extra
	}
	litEntry[285].entry = 258 << baseShift
	litEntry[286].entry, litEntry[287].entry = invalid, invalid
	base = 1
	for i := range 30 {
		extra := uint8(max(i-2, 0) / 2)
		distEntry[i] = symbol{base << baseShift, extra}
		base += 1 << extra
	}
	distEntry[30].entry, distEntry[31].entry = invalid, invalid
	for i := range preEntry {
		preEntry[i].entry = uint32(i) << baseShift
	}
}

// with is the entry of a symbol whose code has so many bits.
func (s symbol) with(code uint8) uint32 {
	switch {
	case s.entry == invalid:
		return invalid
	case s.entry&(literal|endOfBlock) != 0:
		return s.entry | uint32(code)
	}
	return s.entry | uint32(code)<<codeShift | uint32(code+s.extra)
}

// makeTable makes the table of a code that is given by the lengths of its symbols.
// It is false for lengths that are no code: too many, or too few, but for a code of
// one symbol of one bit. A code without symbols decodes nothing.
func makeTable(table []uint32, tableBits uint, lengths []uint8, symbols []symbol) bool {
	var count [maxBits + 1]int
	for _, n := range lengths {
		count[n]++
	}
	var next [maxBits + 1]int
	code, most := 0, 0
	for n := 1; n <= maxBits; n++ {
		code <<= 1
		next[n] = code
		code += count[n]
		if count[n] > 0 {
			most = n
		}
	}
	code >>= maxBits - most
	complete := most > 0 && code == 1<<most
	if !complete {
		if most > 1 || code > 1 {
			return false
		}
		for i := range table[:1<<tableBits] {
			table[i] = invalid
		}
	}
	var codes [288]uint16 // as they stand in the stream: the first bit lowest
	var longest [1 << litBits]uint8
	for i, n := range lengths {
		if n == 0 {
			continue
		}
		codes[i] = bits.Reverse16(uint16(next[n])) >> (16 - n)
		next[n]++
		if uint(n) > tableBits {
			prefix := codes[i] & (1<<tableBits - 1)
			longest[prefix] = max(longest[prefix], n)
			table[prefix] = 0 // no table of its own yet
		}
	}
	free := 1 << tableBits // where the next such table begins
	for i, n := range lengths {
		if n == 0 {
			continue
		}
		entry := symbols[i].with(n)
		part, from, size := table[:1<<tableBits], int(codes[i]), uint(n)
		if uint(n) > tableBits {
			prefix := codes[i] & (1<<tableBits - 1)
			further := uint(longest[prefix]) - tableBits
			if table[prefix] == 0 {
				table[prefix] = subTable | uint32(free)<<baseShift | uint32(further)<<codeShift
				free += 1 << further
			}
			at := int(table[prefix] >> baseShift & subMask)
			part, from, size = table[at:at+1<<further], from>>tableBits, size-tableBits
		}
		for ; from < len(part); from += 1 << size {
			part[from] = entry
		}
	}
	return true
}

// pairLiterals lets an entry be two literals where both codes fit the table. It goes
// down, so that what an entry looks at, which is before it, is still one.
func pairLiterals(table *litTable) {
	for i := 1<<litBits - 1; i >= 0; i-- {
		e := table[i]
		if e&literal == 0 {
			continue
		}
		n := e & bitsMask
		second := table[i>>n]
		if second&literal != 0 && n+second&bitsMask <= litBits {
			table[i] = literal | 2<<countShift | e&(0xff<<firstShift) | second&(0xff<<firstShift)<<(secondShift-firstShift) | (n + second&bitsMask)
		}
	}
}
