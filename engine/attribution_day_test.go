package engine_test

import (
	"slices"
	"testing"
	"time"

	"duizhang/benchmarks/gen"
	"duizhang/engine"
	"duizhang/rules"
)

// The till that lost its PID and the hour whose orders never reached Alipay are
// named, with their beginning, wherever they are planted in a day.
func TestCausesOfADay(t *testing.T) {
	for _, test := range []struct {
		seed   uint64
		till   gen.LostPID
		outage gen.Cluster
		causes map[rules.BreakCode][]engine.Facet
	}{
		{
			1,
			gen.LostPID{Merchant: 0, Store: 1, Terminal: 1, From: 15*time.Hour + 40*time.Minute},
			gen.Cluster{Merchant: 1, Store: 2, Hour: 18, Share: 600},
			map[rules.BreakCode][]engine.Facet{
				rules.BreakPIDMissing: {{engine.DimensionStore, "S1001"}, {engine.DimensionTerminal, "T2"}},
				rules.BreakPOSOnly:    {{engine.DimensionStore, "S2002"}, {engine.DimensionHour, "18"}},
			},
		},
		{
			2,
			gen.LostPID{Merchant: 2, Store: 0, Terminal: 2, From: 12 * time.Hour},
			gen.Cluster{Merchant: 0, Store: 3, Hour: 15, Share: 900},
			map[rules.BreakCode][]engine.Facet{
				rules.BreakPIDMissing: {{engine.DimensionStore, "S3000"}, {engine.DimensionTerminal, "T3"}},
				rules.BreakPOSOnly:    {{engine.DimensionStore, "S1003"}, {engine.DimensionHour, "15"}},
			},
		},
	} {
		cfg := gen.Demo(test.seed)
		cfg.LostPID, cfg.Cluster = &test.till, &test.outage
		dir := t.TempDir()
		if _, err := gen.Write(t.Context(), dir, cfg); err != nil {
			t.Fatal(err)
		}
		_, result := dayRun{dir: dir, partitions: 4, workers: 2, change: jobOf(t, cfg)}.run(t)
		for i := range result.Attributions {
			a := &result.Attributions[i]
			want, planted := test.causes[a.Code]
			if !planted {
				continue
			}
			delete(test.causes, a.Code)
			if !slices.Equal(a.Segment, want) {
				t.Errorf("seed %d: %v is said to come from %v, want %v", test.seed, a.Code, a.Segment, want)
			}
			if a.Code == rules.BreakPIDMissing {
				from := time.Unix(a.First, 0).UTC()
				if since := time.Duration(from.Hour())*time.Hour + time.Duration(from.Minute())*time.Minute; since < test.till.From || since > test.till.From+time.Hour {
					t.Errorf("seed %d: since %v, want %v: %+v", test.seed, since, test.till.From, a)
				}
			}
		}
		for code := range test.causes {
			t.Errorf("seed %d: no cause of %v is named", test.seed, code)
		}
	}
}
