package loaders

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duizhang/engine/schema"
)

// seeds are the fixtures, by a suffix of their names.
func seeds(f *testing.F, suffix string) {
	f.Helper()
	for name, data := range makeFixtures() {
		if strings.HasSuffix(name, suffix) && len(data) < 8<<10 {
			f.Add(data)
		}
	}
}

// loadBytes loads bytes as a bill and checks what holds of every input: rows are
// accepted or rejected, and a table that is not refused has a format or is a
// stranger.
func loadBytes(t *testing.T, data []byte, opt Options) (*billSink, []*schema.Table) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "20881234567890120156.bin")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, tables := loadBills(t, opt, Input{Kind: schema.AlipayBill, Path: path, Name: filepath.Base(path)})
	for _, tab := range tables {
		accepted := tab.Rows - tab.Rejected
		if tab.Refused {
			accepted = 0
		}
		if accepted < 0 || tab.Rejected < 0 || tab.Accepted != accepted {
			t.Fatalf("%d rows, %d accepted, %d rejected", tab.Rows, tab.Accepted, tab.Rejected)
		}
		if tab.Refused && len(tab.Problems) == 0 {
			t.Fatal("refused without a reason")
		}
	}
	return s, tables
}

// FuzzBill reads anything as a bill, whole and in small chunks, with one result.
func FuzzBill(f *testing.F) {
	seeds(f, ".csv")
	f.Fuzz(func(t *testing.T, data []byte) {
		if isZip(data) || isGzip(data) {
			t.Skip()
		}
		whole, a := loadBytes(t, data, Options{Workers: 1, chunkSize: 1 << 15})
		parts, b := loadBytes(t, data, Options{Workers: 2, chunkSize: 97})
		if len(whole.rows) != len(parts.rows) || len(whole.rejects) != len(parts.rejects) || a[0].Rows != b[0].Rows {
			t.Fatalf("whole: %s, in parts: %s", outcome(a[0]), outcome(b[0]))
		}
	})
}

// FuzzDetect inspects anything.
func FuzzDetect(f *testing.F) {
	seeds(f, ".csv")
	seeds(f, ".zip")
	f.Add([]byte(`{"trades_sold_get_response":{}}`))
	f.Add([]byte("out_trade_no,order_time,total_amount\n1,2026-11-20 10:00:00,\"1\n.00\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		tables, first, err := Inspect(context.Background(), Input{Path: path, Name: "x"}, Options{chunkSize: 1 << 12}, 3)
		if err != nil || len(tables) == 0 || len(first) != len(tables) {
			t.Fatalf("Inspect = %d tables, %v", len(tables), err)
		}
	})
}

// FuzzZip reads anything as an archive.
func FuzzZip(f *testing.F) {
	seeds(f, ".zip")
	f.Fuzz(func(t *testing.T, data []byte) {
		if !isZip(data) {
			data = append([]byte("PK\x03\x04"), data...)
		}
		loadBytes(t, data, Options{Workers: 2, chunkSize: 1 << 12})
	})
}
