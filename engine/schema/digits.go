package schema

import "encoding/binary"

// Digits are read eight at a time: a word of eight of them is checked and added
// up in a few operations, where digit by digit each waits for the last. The plain
// versions are in the test.

const (
	zeros = 0x3030303030303030
	highs = 0x8080808080808080
)

// eightDigits: no byte is above '9' nor below '0'. The one shows in the highest bit
// of the sum, the other in that of the difference.
func eightDigits(x uint64) bool {
	return ((x+0x4646464646464646)|(x-zeros))&highs == 0
}

// digitsValue is the number that b[from:to], of at most 16 digits, is; ok is false
// if there is something else in it.
func digitsValue(b []byte, from, to int) (v uint64, ok bool) {
	if to-from > 8 {
		high, highOK := upToEight(b, from, to-8)
		low, lowOK := upToEight(b, to-8, to)
		return high*1_0000_0000 + low, highOK && lowOK
	}
	return upToEight(b, from, to)
}

func upToEight(b []byte, from, to int) (v uint64, ok bool) {
	if to < 8 {
		for _, c := range b[from:to] {
			if c < '0' || c > '9' {
				return 0, false
			}
			v = v*10 + uint64(c-'0')
		}
		return v, true
	}
	// The eight bytes up to the last digit, those before the first made zeros.
	x := binary.LittleEndian.Uint64(b[to-8 : to])
	before := uint(8 * (8 - (to - from)))
	x = x>>before<<before | zeros>>(64-before)
	return eightValue(x), eightDigits(x)
}

// eightValue is the number of eight digits, the first in the lowest byte: pairs
// are added up, then pairs of pairs.
func eightValue(x uint64) uint64 {
	x -= zeros
	x = x*10 + x>>8
	const pair = 0x000000ff000000ff
	return ((x&pair)*(100+1000000<<32) + (x>>16&pair)*(1+10000<<32)) >> 32
}

// putDigits writes v with as many digits as dst has bytes.
func putDigits(dst []byte, v uint64) {
	for len(dst) >= 2 {
		pair := v % 100 * 2
		v /= 100
		dst[len(dst)-1], dst[len(dst)-2] = pairs[pair+1], pairs[pair]
		dst = dst[:len(dst)-2]
	}
	if len(dst) == 1 {
		dst[0] = '0' + byte(v%10)
	}
}

const pairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"
