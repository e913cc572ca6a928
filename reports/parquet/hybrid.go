package parquet

import (
	"encoding/binary"
	"slices"
)

// minRun is how many equal values are worth a run of their own.
const minRun = 24

// appendHybrid appends values of so many bits, 0 to 32, in Parquet's mixture of
// runs and of groups of eight that are packed.
func appendHybrid(dst []byte, values []uint32, width int) []byte {
	from, i := 0, 0 // values[from:i] wait to be packed
	for i < len(values) {
		end := i + 1
		for end < len(values) && values[end] == values[i] {
			end++
		}
		if end-i < minRun {
			i = min(i+8, len(values))
			continue
		}
		dst = appendGroups(dst, values[from:i], width)
		dst = appendRun(dst, end-i, values[i], width)
		from, i = end, end
	}
	return appendGroups(dst, values[from:], width)
}

// appendRun appends a value that comes n times.
func appendRun(dst []byte, n int, value uint32, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for ; width > 0; width -= 8 {
		dst = append(dst, byte(value))
		value >>= 8
	}
	return dst
}

// appendGroups packs values in groups of eight; the last is filled up with zeros.
func appendGroups(dst []byte, values []uint32, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	at := len(dst)
	dst = slices.Grow(dst, groups*width+8)[:at+groups*width+8]
	whole := len(values) &^ 7
	for i := 0; i < whole; i += 8 {
		pack8(dst[at:], (*[8]uint32)(values[i:]), width)
		at += width
	}
	if whole < len(values) {
		var last [8]uint32
		copy(last[:], values[whole:])
		pack8(dst[at:], &last, width)
		at += width
	}
	return dst[:at]
}

// pack8 packs eight values of so many bits into as many bytes, and may write up
// to 8 bytes beyond.
func pack8(dst []byte, v *[8]uint32, width int) {
	w := uint(width)
	if w <= 8 {
		binary.LittleEndian.PutUint64(dst, uint64(v[0])|uint64(v[1])<<(w&63)|
			uint64(v[2])<<(2*w&63)|uint64(v[3])<<(3*w&63)|uint64(v[4])<<(4*w&63)|
			uint64(v[5])<<(5*w&63)|uint64(v[6])<<(6*w&63)|uint64(v[7])<<(7*w&63))
		return
	}
	var acc uint64
	var n uint
	for _, value := range v {
		acc |= uint64(value) << (n & 63)
		n += w
		for n >= 8 {
			dst[0] = byte(acc)
			dst = dst[1:]
			acc >>= 8
			n -= 8
		}
	}
}
