package loaders

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestSamples inspects every shared sample: each must be known.
func TestSamples(t *testing.T) {
	dir := os.Getenv("DUIZHANG_SAMPLES")
	if dir == "" {
		t.Skip("DUIZHANG_SAMPLES is not set")
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		switch filepath.Ext(path) {
		case ".csv", ".zip", ".xlsx":
		default:
			return nil
		}
		if filepath.Base(filepath.Dir(path)) == "expected" {
			return nil
		}
		tables, first, err := Inspect(context.Background(), Input{Path: path, Name: rel}, Options{Lang: "zh"}, 2)
		if err != nil {
			return err
		}
		for i, tab := range tables {
			t.Logf("%s: %s %s %s %s rows %d accepted %d rejected %d repairs %v unknown %v", tab.File(), tab.Kind, tab.Format, tab.Dialect, tab.Encoding, tab.Rows, tab.Accepted, tab.Rejected, tab.Repairs, tab.Unknown)
			for _, c := range tab.Controls {
				stated := "-"
				if c.Stated != nil {
					stated = *c.Stated
				}
				t.Logf("    %s stated %s found %s", c.Name, stated, c.Found)
			}
			for _, p := range tab.Problems {
				t.Logf("    problem %+v", p)
			}
			t.Logf("    %q", first[i])
			if tab.Refused || tab.Format == "" || tab.Rejected > 0 {
				t.Errorf("%s: not read", tab.File())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
