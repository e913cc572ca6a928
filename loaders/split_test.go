package loaders

import (
	"bytes"
	"testing"
)

// FuzzSplitPlain compares the split by words with bytes.Split.
func FuzzSplitPlain(f *testing.F) {
	for _, s := range []string{"", ",", "a,b", "1,-2,-3.00,,x", "0123456,01234567,,-,-,-,", "\xac\x2c\xac\x2d,\x00,\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, want := splitPlain(nil, raw, ','), bytes.Split(raw, []byte{','})
		if len(got) != len(want) {
			t.Fatalf("splitPlain(%q) = %q, want %q", raw, got, want)
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("splitPlain(%q) = %q, want %q", raw, got, want)
			}
		}
	})
}
