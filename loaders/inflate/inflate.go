// Package inflate unpacks DEFLATE streams (RFC 1951) at twice the speed of the
// libraries: it keeps 56 bits at hand, decodes two literals with one look-up where
// both fit a table of 11 bits, and copies matches by words. What it accepts, and
// what it makes of it, is exactly what compress/flate does; tests and a fuzz test
// compare the two. BenchmarkInflate pays for it.
package inflate

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// ErrCorrupt is a stream that is no DEFLATE. One that breaks off is
// io.ErrUnexpectedEOF.
var ErrCorrupt = errors.New("inflate: corrupt input")

// Sizes of the buffers.
const (
	history = 32 << 10 // how far back a match may reach
	room    = 128 << 10
	// A step of the fast loop writes at most six literals and a match of 258 bytes,
	// and up to a word more than it says.
	outSlack = 288
	// It takes at most three words from the input.
	inSlack = 32
	inSize  = 32 << 10
	// atOnce is how much is unpacked for one Read: whoever wants the head of a table
	// waits for no more.
	atOnce = 32 << 10
)

type state uint8

const (
	inHeader state = iota // of a block
	inStored
	inCodes
	ended // after the last block, or with an error
)

// A Reader unpacks a stream. It reads ahead of the stream's end.
type Reader struct {
	src    io.Reader
	srcErr error

	in     [inSize]byte
	ip, iq int // input that is left

	bits  uint64
	nbits uint // of bits; those above are 0 between calls

	state  state
	last   bool // the block in hand is the last
	stored int  // bytes left in a stored block
	err    error

	out  [history + room + outSlack]byte
	r, w int // unpacked and not yet given

	lit  *litTable
	dist *distTable

	ownLit  litTable
	ownDist distTable
}

var readers = sync.Pool{New: func() any { return new(Reader) }}

// NewReader gives a reader of the stream in src. Close gives its memory to the
// next one.
func NewReader(src io.Reader) io.ReadCloser {
	z := readers.Get().(*Reader)
	z.src, z.srcErr = src, nil
	z.ip, z.iq, z.bits, z.nbits = 0, 0, 0, 0
	z.state, z.last, z.stored, z.err = inHeader, false, 0, nil
	z.r, z.w = 0, 0
	return &handle{z}
}

// A handle can be closed twice, and read after that, without harm to whoever has
// the memory then.
type handle struct{ z *Reader }

var errClosed = errors.New("inflate: read after close")

func (h *handle) Read(p []byte) (int, error) {
	if h.z == nil {
		return 0, errClosed
	}
	return h.z.Read(p)
}

func (h *handle) Close() error {
	if h.z != nil {
		h.z.src = nil
		readers.Put(h.z)
		h.z = nil
	}
	return nil
}

// Read gives what comes next.
func (z *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for z.r == z.w {
		if z.state == ended {
			return 0, z.err
		}
		if z.w >= history+room-atOnce {
			copy(z.out[:history], z.out[z.w-history:z.w])
			z.r, z.w = history, history
		}
		z.unpack(z.w + min(len(p), atOnce))
	}
	n := copy(p, z.out[z.r:z.w])
	z.r += n
	return n, nil
}

// unpack goes on until the output reaches to, or the stream ends.
func (z *Reader) unpack(to int) {
	for z.w < to && z.state != ended {
		var err error
		switch z.state {
		case inHeader:
			err = z.header()
		case inStored:
			err = z.copyStored(to)
		case inCodes:
			err = z.codes(to)
		case ended:
		}
		if err != nil {
			z.state, z.err = ended, err
		}
	}
}

// endBlock is what follows a block.
func (z *Reader) endBlock() {
	z.state = inHeader
	if z.last {
		z.state, z.err = ended, io.EOF
	}
}

// fill reads until there are some words of input, or no more.
func (z *Reader) fill() error {
	if z.iq-z.ip >= inSlack || z.srcErr != nil {
		return nil
	}
	z.iq = copy(z.in[:], z.in[z.ip:z.iq])
	z.ip = 0
	for tries := 0; z.iq < inSlack && z.srcErr == nil; tries++ {
		n, err := z.src.Read(z.in[z.iq:])
		z.iq += n
		z.srcErr = err
		if n > 0 {
			tries = 0
		}
		if tries > 100 {
			z.srcErr = io.ErrNoProgress
		}
	}
	if z.srcErr != nil && z.srcErr != io.EOF { //nolint:errorlint // as io.Reader has it
		return z.srcErr
	}
	return nil
}

// need makes n bits, at most 48, be at hand.
func (z *Reader) need(n uint) error {
	for z.nbits < n {
		if z.ip == z.iq {
			if err := z.fill(); err != nil {
				return err
			}
			if z.ip == z.iq {
				return io.ErrUnexpectedEOF
			}
		}
		z.bits |= uint64(z.in[z.ip]) << z.nbits
		z.ip++
		z.nbits += 8
	}
	return nil
}

// take takes n bits that are at hand.
func (z *Reader) take(n uint) uint {
	v := uint(z.bits & (1<<n - 1))
	z.bits >>= n
	z.nbits -= n
	return v
}

// header reads the head of a block.
func (z *Reader) header() error {
	if err := z.need(3); err != nil {
		return err
	}
	z.last = z.take(1) == 1
	switch z.take(2) {
	case 0:
		z.take(z.nbits & 7)
		if err := z.need(32); err != nil {
			return err
		}
		n := z.take(16)
		if n != ^z.take(16)&0xffff {
			return ErrCorrupt
		}
		z.stored = int(n)
		z.state = inStored
	case 1:
		fixedOnce.Do(makeFixed)
		z.lit, z.dist = &fixedLit, &fixedDist
		z.state = inCodes
	case 2:
		if err := z.dynamic(); err != nil {
			return err
		}
		z.lit, z.dist = &z.ownLit, &z.ownDist
		z.state = inCodes
	default:
		return ErrCorrupt
	}
	return nil
}

// copyStored copies bytes of a stored block.
func (z *Reader) copyStored(to int) error {
	for z.stored > 0 && z.w < to {
		if z.nbits > 0 { // whole bytes
			z.out[z.w] = byte(z.take(8))
			z.w++
			z.stored--
			continue
		}
		if z.ip == z.iq {
			if err := z.fill(); err != nil {
				return err
			}
			if z.ip == z.iq {
				return io.ErrUnexpectedEOF
			}
		}
		n := copy(z.out[z.w:min(to, z.w+z.stored)], z.in[z.ip:z.iq])
		z.w += n
		z.ip += n
		z.stored -= n
	}
	if z.stored == 0 {
		z.endBlock()
	}
	return nil
}

// codeOrder is the order in which the lengths of the code of lengths stand.
var codeOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

const (
	maxLits  = 286
	maxDists = 30
)

// dynamic reads the codes of a block.
func (z *Reader) dynamic() error {
	if err := z.need(14); err != nil {
		return err
	}
	lits, dists, n := int(z.take(5))+257, int(z.take(5))+1, int(z.take(4))+4
	if lits > maxLits || dists > maxDists {
		return ErrCorrupt
	}
	var lengths [19]uint8
	for _, at := range codeOrder[:n] {
		if err := z.need(3); err != nil {
			return err
		}
		lengths[at] = uint8(z.take(3))
	}
	var pre [1 << preBits]uint32
	if !makeTable(pre[:], preBits, lengths[:], preEntry[:]) {
		return ErrCorrupt
	}
	var all [maxLits + maxDists]uint8
	for i := 0; i < lits+dists; {
		symbol, err := z.preSymbol(&pre)
		if err != nil {
			return err
		}
		if symbol < 16 {
			all[i] = uint8(symbol)
			i++
			continue
		}
		extra, base, value := uint(2), 3, uint8(0)
		switch symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value = all[i-1]
		case 17:
			extra = 3
		default:
			extra, base = 7, 11
		}
		if err := z.need(extra); err != nil {
			return err
		}
		count := base + int(z.take(extra))
		if i+count > lits+dists {
			return ErrCorrupt
		}
		for range count {
			all[i] = value
			i++
		}
	}
	if !makeTable(z.ownLit[:], litBits, all[:lits], litEntry[:]) || !makeTable(z.ownDist[:], distBits, all[lits:lits+dists], distEntry[:]) {
		return ErrCorrupt
	}
	pairLiterals(&z.ownLit)
	return nil
}

// preSymbol reads a symbol of the code of lengths. Of the last bits of a stream
// there may be fewer than the table's.
func (z *Reader) preSymbol(pre *[1 << preBits]uint32) (int, error) {
	for {
		e := pre[z.bits&(1<<preBits-1)]
		if length := uint(e & bitsMask); e != invalid && length <= z.nbits {
			z.take(length)
			return int(e >> baseShift), nil
		}
		if e == invalid && z.nbits >= preBits {
			return 0, ErrCorrupt
		}
		if err := z.need(z.nbits + 1); err != nil {
			return 0, err
		}
	}
}

// codes decodes literals and matches: fast while there is input enough, and then
// one by one.
func (z *Reader) codes(to int) error {
	if err := z.fill(); err != nil {
		return err
	}
	if z.iq-z.ip >= inSlack {
		return z.fast(to)
	}
	return z.slow(to)
}

// slow decodes one symbol at a time, near the end of the input.
func (z *Reader) slow(to int) error {
	for z.w < to {
		// 48 bits are enough for a length and a distance; at the end there are fewer.
		if err := z.need(48); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		e := z.lit[z.bits&(1<<litBits-1)]
		if e&subTable != 0 && e != invalid {
			e = z.lit[uint(e>>baseShift&subMask)+uint(z.bits>>litBits)&(1<<(e>>codeShift&codeMask)-1)]
		}
		if e == invalid {
			return z.invalidCode()
		}
		total := uint(e & bitsMask)
		if total > z.nbits {
			return io.ErrUnexpectedEOF
		}
		if e&literal != 0 {
			z.take(total)
			z.out[z.w], z.out[z.w+1] = byte(e>>firstShift), byte(e>>secondShift)
			z.w += int(e >> countShift & countMask)
			continue
		}
		if e&endOfBlock != 0 {
			z.take(total)
			z.endBlock()
			return nil
		}
		length := int(e>>baseShift&baseMask) + int(z.bits&(1<<total-1)>>(e>>codeShift&codeMask))
		z.take(total)
		e = z.dist[z.bits&(1<<distBits-1)]
		if e&subTable != 0 && e != invalid {
			e = z.dist[uint(e>>baseShift&subMask)+uint(z.bits>>distBits)&(1<<(e>>codeShift&codeMask)-1)]
		}
		if e == invalid {
			return z.invalidCode()
		}
		total = uint(e & bitsMask)
		if total > z.nbits {
			return io.ErrUnexpectedEOF
		}
		distance := int(e>>baseShift) + int(z.bits&(1<<total-1)>>(e>>codeShift&codeMask))
		z.take(total)
		if distance > z.w {
			return ErrCorrupt
		}
		for range length {
			z.out[z.w] = z.out[z.w-distance]
			z.w++
		}
	}
	return nil
}

// invalidCode is the error of bits that are no code: near the end of the input the
// stream may break off within one.
func (z *Reader) invalidCode() error {
	if z.nbits < 15 {
		return io.ErrUnexpectedEOF
	}
	return ErrCorrupt
}

// fast decodes as slow does, as long as there is input for a step without looking.
// The function is one loop told in order.
func (z *Reader) fast(to int) error {
	in, out := z.in[:z.iq], &z.out
	lit, dist := z.lit, z.dist
	ip, w, bits, nbits := z.ip, z.w, z.bits, z.nbits
	last := len(in) - inSlack
	var err error
	for ip <= last && w < to {
		// Now 56 bits or more are at hand. Bits above nbits are those that come next
		// anyway.
		bits |= binary.LittleEndian.Uint64(in[ip:]) << (nbits & 63)
		ip += int((63 - nbits) >> 3 & 7)
		nbits |= 56
		e := lit[bits&(1<<litBits-1)]
		if e&literal != 0 {
			// Three look-ups take 33 bits.
			binary.LittleEndian.PutUint16(out[w:], uint16(e>>firstShift))
			w += int(e >> countShift & countMask)
			bits >>= e & bitsMask
			nbits -= uint(e & bitsMask)
			e = lit[bits&(1<<litBits-1)]
			if e&literal != 0 {
				binary.LittleEndian.PutUint16(out[w:], uint16(e>>firstShift))
				w += int(e >> countShift & countMask)
				bits >>= e & bitsMask
				nbits -= uint(e & bitsMask)
				e = lit[bits&(1<<litBits-1)]
				if e&literal != 0 {
					binary.LittleEndian.PutUint16(out[w:], uint16(e>>firstShift))
					w += int(e >> countShift & countMask)
					bits >>= e & bitsMask
					nbits -= uint(e & bitsMask)
					continue
				}
			}
			bits |= binary.LittleEndian.Uint64(in[ip:]) << (nbits & 63)
			ip += int((63 - nbits) >> 3 & 7)
			nbits |= 56
		}
		if e&(subTable|endOfBlock) != 0 {
			if e&subTable != 0 && e != invalid {
				e = lit[uint(e>>baseShift&subMask)+uint(bits>>litBits)&(1<<(e>>codeShift&codeMask)-1)]
			}
			if e == invalid {
				err = ErrCorrupt
				break
			}
			if e&literal != 0 {
				out[w] = byte(e >> firstShift)
				w++
				bits >>= e & bitsMask
				nbits -= uint(e & bitsMask)
				continue
			}
			if e&endOfBlock != 0 {
				bits >>= e & bitsMask
				nbits -= uint(e & bitsMask)
				z.endBlock()
				break
			}
		}
		// A length and a distance take at most 48 bits.
		total := e & bitsMask
		length := int(e>>baseShift&baseMask) + int(bits&(1<<total-1)>>(e>>codeShift&codeMask))
		bits >>= total
		nbits -= uint(total)
		e = dist[bits&(1<<distBits-1)]
		if e&subTable != 0 {
			if e != invalid {
				e = dist[uint(e>>baseShift&subMask)+uint(bits>>distBits)&(1<<(e>>codeShift&codeMask)-1)]
			}
			if e == invalid {
				err = ErrCorrupt
				break
			}
		}
		total = e & bitsMask
		distance := int(e>>baseShift) + int(bits&(1<<total-1)>>(e>>codeShift&codeMask))
		bits >>= total
		nbits -= uint(total)
		if distance > w {
			err = ErrCorrupt
			break
		}
		from, end := w-distance, w+length
		switch {
		case distance >= 8:
			if length > 64 && distance >= length {
				copy(out[w:end], out[from:from+length])
				break
			}
			for {
				binary.LittleEndian.PutUint64(out[w:], binary.LittleEndian.Uint64(out[from:]))
				binary.LittleEndian.PutUint64(out[w+8:], binary.LittleEndian.Uint64(out[from+8:]))
				if w += 16; w >= end {
					break
				}
				from += 16
			}
		case distance == 1:
			same := uint64(out[from]) * 0x0101010101010101
			for ; w < end; w += 8 {
				binary.LittleEndian.PutUint64(out[w:], same)
			}
		default:
			// Each word brings distance bytes that are right, and the next begins there.
			for ; w < end; w += distance {
				binary.LittleEndian.PutUint64(out[w:], binary.LittleEndian.Uint64(out[from:]))
				from += distance
			}
		}
		w = end
	}
	nbits &= 63
	z.ip, z.w, z.nbits = ip, w, nbits
	z.bits = bits & (1<<nbits - 1)
	return err
}
