package gen

import (
	"os"
	"strconv"
	"testing"
)

func TestZZ(t *testing.T) {
	dir := os.Getenv("GEN_DIR")
	if dir == "" {
		t.Skip()
	}
	seed, _ := strconv.ParseUint(os.Getenv("GEN_SEED"), 10, 64)
	n, _ := strconv.Atoi(os.Getenv("GEN_N"))
	cfg := Config{Seed: seed, Trades: n, Merchants: 3}
	switch os.Getenv("GEN_KIND") {
	case "random":
		cfg = Random(seed)
	case "demo":
		cfg = Demo(seed)
	case "perf":
		cfg = Performance(n, seed)
	case "zips":
		cfg = SmallZips(n, 1000)
	}
	if _, err := Write(t.Context(), dir, cfg); err != nil {
		t.Fatal(err)
	}
}
