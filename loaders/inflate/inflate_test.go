package inflate

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/flate"
)

// bill is text like that of a bill, from a seed.
func bill(rows int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	var b []byte
	for i := range rows {
		b = append(b, "2026112022001"...)
		b = strconv.AppendUint(b, 100000000000000+rng.Uint64N(900000000000000), 10)
		b = append(b, "\t,A2026112000"...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, "\t,\xbd\xbb\xd2\xd7,,2026-11-20 1"...)
		b = strconv.AppendUint(b, rng.Uint64N(10), 10)
		b = append(b, ":22:33,2026-11-20 11:22:33,S0"...)
		b = strconv.AppendUint(b, rng.Uint64N(200), 10)
		b = append(b, ",0.00,0.00,0.00,"...)
		b = strconv.AppendUint(b, rng.Uint64N(30000), 10)
		b = append(b, ".00\t\r\n"...)
	}
	return b
}

func deflated(tb testing.TB, data []byte, level int) []byte {
	tb.Helper()
	var packed bytes.Buffer
	w, err := stdflate.NewWriter(&packed, level)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return packed.Bytes()
}

// samples are data of many kinds of codes and distances.
func samples() map[string][]byte {
	rng := rand.New(rand.NewPCG(3, 3))
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	skewed := make([]byte, 300_000)
	for i := range skewed { // codes of up to 15 bits
		skewed[i] = byte(min(int(rng.ExpFloat64()*6), 255))
	}
	periods := []byte{}
	for period := 1; period < 40; period++ {
		for i := range 700 {
			periods = append(periods, byte(i%period))
		}
	}
	far := append(bytes.Clone(noise[:32<<10]), noise[:32<<10]...)
	return map[string][]byte{
		"empty": {}, "one": {7}, "zeros": make([]byte, 500_000), "noise": noise, "skewed": skewed, "periods": periods,
		"far": far, "bill": bill(5000, 1),
	}
}

func TestInflate(t *testing.T) {
	for name, data := range samples() {
		for level := stdflate.HuffmanOnly; level <= 9; level++ {
			packed := deflated(t, data, level)
			for how, src := range map[string]io.Reader{
				"whole": bytes.NewReader(packed), "byte by byte": iotest.OneByteReader(bytes.NewReader(packed)),
				"error with data": iotest.DataErrReader(bytes.NewReader(packed)),
			} {
				r := NewReader(src)
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s, level %d, read %s: %d bytes, %v, want %d", name, level, how, len(got), err, len(data))
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// Reads of any size give the same.
func TestInflateReads(t *testing.T) {
	data := bill(20_000, 2)
	packed := deflated(t, data, 6)
	for _, size := range []int{1, 7, 1000, 32 << 10, 1 << 20} {
		r := NewReader(bytes.NewReader(packed))
		var got []byte
		buf := make([]byte, size)
		for {
			n, err := r.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				break
			}
		}
		if !bytes.Equal(got, data) {
			t.Errorf("reads of %d bytes give other data", size)
		}
		_ = r.Close()
		if _, err := r.Read(buf); !errors.Is(err, errClosed) {
			t.Errorf("Read after Close = %v", err)
		}
		_ = r.Close() // twice is once
	}
}

// An error of the source comes through.
func TestInflateSourceError(t *testing.T) {
	failed := errors.New("the disk is gone")
	packed := deflated(t, bill(5000, 3), 6)
	src := io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), iotest.ErrReader(failed))
	if _, err := io.ReadAll(NewReader(src)); !errors.Is(err, failed) {
		t.Errorf("error = %v, want %v", err, failed)
	}
}

// compare unpacks with both libraries and this package: the same bytes, or an error
// wherever they have one.
func compare(t *testing.T, packed []byte) {
	t.Helper()
	const most = 4 << 20
	read := func(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, most)) }
	want, wantErr := read(stdflate.NewReader(bytes.NewReader(packed)))
	other, otherErr := read(flate.NewReader(bytes.NewReader(packed)))
	r := NewReader(bytes.NewReader(packed))
	got, err := read(r)
	_ = r.Close()
	if (err != nil) != (wantErr != nil) || (err != nil) != (otherErr != nil) {
		t.Fatalf("error %v, compress/flate has %v, klauspost %v", err, wantErr, otherErr)
	}
	if err == nil && (!bytes.Equal(got, want) || !bytes.Equal(got, other)) {
		t.Fatalf("%d bytes, compress/flate has %d, klauspost %d: they differ", len(got), len(want), len(other))
	}
	if n := min(len(got), len(want)); !bytes.Equal(got[:n], want[:n]) {
		t.Fatal("the bytes before the error differ")
	}
}

// Streams with bytes changed, cut off or put together.
func TestInflateDamaged(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var packed [][]byte
	for _, data := range samples() {
		for _, level := range []int{stdflate.HuffmanOnly, 0, 1, 6} {
			packed = append(packed, deflated(t, data[:min(len(data), 3000)], level))
		}
	}
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	for range rounds {
		p := bytes.Clone(packed[rng.IntN(len(packed))])
		switch rng.IntN(3) {
		case 0:
			p = p[:rng.IntN(len(p))]
			if _, err := io.ReadAll(NewReader(bytes.NewReader(p))); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("a stream that breaks off: %v", err)
			}
		case 1:
			for range 1 + rng.IntN(3) {
				p[rng.IntN(len(p))] ^= 1 << rng.IntN(8)
			}
		default:
			for i := range min(len(p), 12) {
				p[i] = byte(rng.Uint32())
			}
		}
		compare(t, p)
	}
}

func FuzzInflate(f *testing.F) {
	for _, data := range samples() {
		data = data[:min(len(data), 2000)]
		for _, level := range []int{stdflate.HuffmanOnly, 0, 1, 9} {
			f.Add(deflated(f, data, level))
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte) { compare(t, packed) })
}

// BenchmarkInflate unpacks a bill with this package and with the library.
func BenchmarkInflate(b *testing.B) {
	data := bill(200_000, 4)
	packed := deflated(b, data, 6)
	buf := make([]byte, 1<<20)
	for _, c := range []struct {
		name string
		open func(io.Reader) io.ReadCloser
	}{
		{"ours", NewReader},
		{"klauspost", flate.NewReader},
		{"standard", stdflate.NewReader},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				r := c.open(bytes.NewReader(packed))
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, buf); err != nil || n != int64(len(data)) {
					b.Fatal(n, err)
				}
				_ = r.Close()
			}
		})
	}
}
