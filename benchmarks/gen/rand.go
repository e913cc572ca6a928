package gen

import "math/bits"

// mix64 is the finaliser of splitmix64.
func mix64(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// rng is splitmix64: the same stream for the same start, on every machine.
type rng struct{ s uint64 }

// streamOf gives the stream of one record; salt separates independent uses.
func streamOf(seed uint64, i int64, salt uint64) rng {
	return rng{mix64(seed+salt*0x9e3779b97f4a7c15) ^ mix64(uint64(i)*0xd1342543de82ef95+salt)}
}

func (r *rng) next() uint64 {
	r.s += 0x9e3779b97f4a7c15
	return mix64(r.s)
}

// n draws from 0 to k-1.
func (r *rng) n(k int64) int64 {
	hi, _ := bits.Mul64(r.next(), uint64(k))
	return int64(hi)
}

// between draws from lo to hi, both included.
func (r *rng) between(lo, hi int64) int64 {
	if hi <= lo {
		return lo
	}
	return lo + r.n(hi-lo+1)
}

func (r *rng) perMille(share int) bool { return r.n(1000) < int64(share) }

// permutation is a bijection of [0, n) onto itself that holds nothing: four
// Feistel rounds over the next even power of two, walking on while outside.
type permutation struct {
	n    uint64
	half uint
	mask uint64
	keys [4]uint64
}

func newPermutation(n int64, seed uint64) permutation {
	p := permutation{n: uint64(n)}
	p.half = uint(bits.Len64(uint64(max(n-1, 1)))+1) / 2
	p.mask = 1<<p.half - 1
	r := rng{seed}
	for i := range p.keys {
		p.keys[i] = r.next()
	}
	return p
}

func (p *permutation) at(k int64) int64 {
	x := uint64(k)
	for {
		l, r := x>>p.half, x&p.mask
		for _, key := range p.keys {
			l, r = r, l^(mix64(r^key)&p.mask)
		}
		x = l<<p.half | r
		if x < p.n {
			return int64(x)
		}
	}
}
