package parquet

import "math/bits"

// A distinct numbers values in the order of their first appearance. It is reused.
type distinct struct {
	slots  []uint16 // open addressing: a number and 1, or 0
	values []int64
}

// maxDistinct is how many values a distinct holds at most.
const maxDistinct = 1 << 14

// index gives each value its number, and Null -1. It gives up, and reports so, at
// more than limit different values.
func (d *distinct) index(dst []int32, values []int64, limit int) ([]int32, bool) {
	limit = min(limit, maxDistinct)
	size := 4 << bits.Len(uint(limit))
	if len(d.slots) < size {
		d.slots = make([]uint16, size)
	}
	slots := d.slots[:size]
	clear(slots)
	d.values = d.values[:0]
	shift := uint(bits.LeadingZeros64(uint64(size)) + 1)
	last, number := int64(Null), int32(-1)
	for _, v := range values {
		if v != last { // equal values often stand together
			last = v
			if v == Null {
				number = -1
			} else if number = d.number(slots, shift, v, limit); number < 0 {
				return dst, false
			}
		}
		dst = append(dst, number)
	}
	return dst, true
}

// number is the value's number; -1 where it would be beyond the limit.
func (d *distinct) number(slots []uint16, shift uint, v int64, limit int) int32 {
	const golden = 0x9e3779b97f4a7c15
	for at := uint64(v) * golden >> (shift & 63); ; at++ {
		slot := &slots[at&uint64(len(slots)-1)]
		switch {
		case *slot == 0:
			if len(d.values) == limit {
				return -1
			}
			d.values = append(d.values, v)
			*slot = uint16(len(d.values))
			return int32(len(d.values) - 1)
		case d.values[*slot-1] == v:
			return int32(*slot - 1)
		}
	}
}
