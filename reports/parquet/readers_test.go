package parquet

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Other readers see the same cells: pyarrow and DuckDB.
func TestReaders(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 to read files with")
	}
	if out, err := exec.Command(python, "-c", "import pyarrow, duckdb").CombinedOutput(); err != nil {
		t.Skipf("python3 without pyarrow and duckdb: %s", lastLine(out))
	}
	dir := t.TempDir()
	args := []string{filepath.Join("testdata", "read.py")}
	for _, codec := range []Codec{Zstd, Snappy} {
		for _, rows := range []int{0, 1, 900, 70_000} {
			for _, nulls := range []int{0, 20, 100} {
				if rows == 70_000 && (nulls != 20 || codec != Zstd || testing.Short()) {
					continue
				}
				m := randomModel(7, rows, nulls)
				base := filepath.Join(dir, fmt.Sprintf("%d-%d-%d", codec, rows, nulls))
				write(t, base+".parquet", m.file(t, codec))
				write(t, base+".json", m.json(t))
				args = append(args, base+".parquet", base+".json")
			}
		}
	}
	if out, err := exec.Command(python, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, lastLine(out))
	}
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

var kindNames = map[Kind]string{
	Text: "text", Word: "word", Decimal: "decimal", Timestamp: "timestamp", Int: "int", Bool: "bool",
}

func (m *model) json(t *testing.T) []byte {
	t.Helper()
	type column struct {
		Name  string    `json:"name"`
		Kind  string    `json:"kind"`
		Cells []*string `json:"cells"`
	}
	var columns []column
	for k, f := range m.fields {
		c := column{Name: f.Name, Kind: kindNames[f.Kind]}
		for _, cell := range m.cells[k] {
			if cell == null {
				c.Cells = append(c.Cells, nil)
				continue
			}
			if f.Kind == Decimal {
				cell = pointed(cell, f.Scale)
			}
			c.Cells = append(c.Cells, &cell)
		}
		columns = append(columns, c)
	}
	data, err := json.Marshal(columns)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// pointed puts the point into a decimal.
func pointed(units string, scale int) string {
	sign := ""
	if units[0] == '-' {
		sign, units = "-", units[1:]
	}
	for len(units) <= scale {
		units = "0" + units
	}
	at := len(units) - scale
	return sign + units[:at] + "." + units[at:]
}
