package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// The comparison itself: ours and the plain peer find the same in the same
// files, and the figures are there.
func TestCompareWithPlain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs and runs them")
	}
	dir := t.TempDir()
	args := []string{
		"-n", "20000", "-runs", "1", "-peers", "plain",
		"-data", filepath.Join(dir, "data"), "-json", filepath.Join(dir, "result.json"),
	}
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), args, &stdout, &stderr); err != nil {
		t.Fatalf("run(%v) = %v\n%s", args, err, stderr.Bytes())
	}
	b, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Programs) != 2 || r.Programs[0].Name != ours || r.Programs[1].Name != "plain" {
		t.Fatalf("programs = %+v, want %s and plain", r.Programs, ours)
	}
	for _, p := range r.Programs {
		if p.Median.Wall <= 0 || p.Median.CPU <= 0 {
			t.Errorf("%s took %+v, want figures above 0", p.Name, p.Median)
		}
	}
	if r.Checked.Checksums < 60 || r.Checked.OfTruth < 60 || r.Checked.Columns < 60 {
		t.Errorf("checked = %+v, want at least 60 of each", r.Checked)
	}
}

func TestDifferences(t *testing.T) {
	want, err := printed([]byte(`{"trades": {"matched": {"pos_count": 2, "pos_amount": "3.50"}}, "rows": 0}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, json string
		want       int
	}{
		{"same", `{"trades": {"matched": {"pos_count": 2, "pos_amount": "3.5"}}}`, 0},
		{"another sum", `{"trades": {"matched": {"pos_count": 2, "pos_amount": "3.51"}}}`, 1},
		{"missing", `{}`, 2},
		{"unexpected", `{"trades": {"matched": {"pos_count": 2, "pos_amount": 3.5}, "bill_only": {"bill_count": 1}}}`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := printed([]byte(test.json))
			if err != nil {
				t.Fatal(err)
			}
			if found := got.differences(want, union(got, want)); len(found) != test.want {
				t.Errorf("differences = %q, want %d", found, test.want)
			}
		})
	}
}

func TestMedians(t *testing.T) {
	got := medians([]sample{{3, 1, 7, 10}, {1, 2, 5, 30}, {2, 9, 6, 20}})
	if want := (sample{2, 2, 6, 20}); got != want {
		t.Errorf("medians = %v, want %v", got, want)
	}
	if got := medians([]sample{{Wall: 1}, {Wall: 2}}).Wall; got != 1.5 {
		t.Errorf("median of 1 and 2 = %v, want 1.5", got)
	}
}

func TestFlags(t *testing.T) {
	for _, test := range []struct{ arg, want string }{
		{"-peers=pandas", `-peers: "pandas": must be among duckdb, plain, polars, one-core, one-zip`},
		{"-n=0", "-n and -runs must be at least 1, -zips not negative"},
		{"x", `"x": compare takes no arguments`},
	} {
		if _, err := parse([]string{test.arg}, io.Discard); err == nil || err.Error() != test.want {
			t.Errorf("parse(%s) = %v, want %s", test.arg, err, test.want)
		}
	}
}

// Another number of trades never overwrites data that is there.
func TestOtherData(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		trades int
		fails  bool
	}{{50, false}, {50, false}, {60, true}} {
		_, err := prepare(t.Context(), options{trades: test.trades, seed: 1, data: dir}, io.Discard)
		if (err != nil) != test.fails {
			t.Errorf("prepare(%d) = %v, want an error: %v", test.trades, err, test.fails)
		}
	}
}
