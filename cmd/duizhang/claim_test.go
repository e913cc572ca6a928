package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A generated day with a claim, and its pack.
func dayWithClaim(t *testing.T, args ...string) (dir, pack string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "day")
	must(t, exitDone, append([]string{"generate", "--out", dir, "--trades", "2000", "--seed", "3"}, args...)...)
	must(t, exitDone, "run", filepath.Join(dir, "job.yaml"), "--quiet")
	packs, err := filepath.Glob(filepath.Join(dir, "out", "claim", "*"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("no claim: %v", err)
	}
	return dir, packs[0]
}

// seal puts the sizes and digests of the files into the manifest, as a forger would.
func seal(t *testing.T, pack string) {
	t.Helper()
	name := filepath.Join(pack, "MANIFEST.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	for _, f := range m["files"].([]any) {
		file := f.(map[string]any)
		data, err := os.ReadFile(filepath.Join(pack, file["path"].(string)))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		file["bytes"], file["sha256"] = len(data), hex.EncodeToString(sum[:])
	}
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit changes the first match in a file of the pack.
func edit(t *testing.T, file, pattern, with string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(pattern).FindSubmatchIndex(text)
	if at == nil {
		t.Fatalf("%s: no %s", file, pattern)
	}
	var b []byte
	b = append(b, text[:at[0]]...)
	b = regexp.MustCompile(pattern).Expand(b, []byte(with), text, at)
	b = append(b, text[at[1]:]...)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFolder(t *testing.T, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "pack")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// Whoever forges a pack and its digests is found out by the figures, or by the
// originals.
func TestClaimForged(t *testing.T) {
	dir, pack := dayWithClaim(t)
	must(t, exitDone, "claim", "verify", pack, "--inputs", dir)
	for _, test := range []struct {
		name, file, pattern, with string
		originals                 bool // needed to find it
		want                      string
	}{
		{"a trade's claim", "trades.csv", `,([0-9.]+),statement_missing`, `,99.00,statement_missing`, false, `(claim): the pack says "99.00"`},
		{"a cause", "trades.csv", `,statement_missing`, `,ok`, false, `(cause): the pack says "ok", found "statement_missing"`},
		{"another trade", "trades.csv", `\n1,([^,]*),([^,]*),(\d+),`, "\n1,$1,$2,2026112099999999999999999999,", false, `trades.csv:2 (trade_no)`},
		{"a PID", "trades.csv", `\n1,([^,]*,[^,]*,[^,]*,[^,]*),\d+,`, "\n1,$1,2088000000000000,", false, `trades.csv:2 (sys_service_provider_id)`},
		{"a basis", "evidence.csv", `\n1,bill,(.*),(\d+)\.(\d\d),,,,,,,`, "\n1,bill,$1,9$2.$3,,,,,,,", false, `trades.csv:2 (basis)`},
		{"a rate", "evidence.csv", `(agreement,.*),0\.(\d+),received`, `$1,0.9,received`, false, `(expected): the pack says`},
		{"a total", "MANIFEST.json", `"claim": ?"[0-9.]+"`, `"claim":"12345.00"`, false, `MANIFEST.json (claim): the pack says "12345.00"`},
		{"a group", "groups.csv", `false,(\d+),`, `false,7777,`, false, `groups.csv:2 (trades): the pack says "7777"`},
		{"the statement", "statement.html", `data-claim="[0-9.]+"`, `data-claim="777.00"`, false, `statement.html (claim): the pack says "777.00"`},
		{"a row less", "trades.csv", `\n1,.*\n`, "\n", false, `not a claim pack: trades.csv:2: row 2, want 1`},
		{"a store", "trades.csv", `\n1,(.*),statement`, "\n1,$1,statement", true, ``}, // nothing changed: it holds
		{"a line number", "evidence.csv", `\n1,bill,([^,]*),([^,]*),(\d+),`, "\n1,bill,$1,$2,1$3,", true, `(line`},
		{"a line's digest", "evidence.csv", `\n1,bill,([^,]*),([^,]*),(\d+),[0-9a-f]{8}`, "\n1,bill,$1,$2,$3,00000000", true, `(line_sha256): the pack says "00000000`},
	} {
		t.Run(test.name, func(t *testing.T) {
			forged := copyFolder(t, pack)
			edit(t, filepath.Join(forged, test.file), test.pattern, test.with)
			seal(t, forged)
			args := []string{"claim", "verify", forged, "--lang", "en"}
			if test.originals {
				args = append(args, "--inputs", dir)
			}
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), args, &stdout, &stderr)
			wantStatus := exitBreaks
			switch {
			case test.want == "":
				wantStatus = exitDone
			case strings.HasPrefix(test.want, "not a claim pack"):
				wantStatus = exitInput
			}
			if status != wantStatus || !strings.Contains(stdout.String()+stderr.String(), test.want) {
				t.Errorf("status %d, want %d\n%s%swant %s", status, wantStatus, stdout.String(), stderr.String(), test.want)
			}
		})
	}
}

// The pack has the same bytes whatever the number of workers and the memory.
func TestClaimSameBytes(t *testing.T) {
	dir, pack := dayWithClaim(t)
	must(t, exitDone, "run", filepath.Join(dir, "job.yaml"), "--quiet", "--workers", "5", "--memory", "64MiB", "--out", filepath.Join(dir, "other"))
	again := filepath.Join(dir, "other", "claim", filepath.Base(pack))
	entries, err := os.ReadDir(pack)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		a, err := os.ReadFile(filepath.Join(pack, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(again, e.Name()))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v", e.Name(), err)
		}
	}
}

// A pack that somebody made to do harm: rows that never end, numbers beyond any.
func TestClaimHostile(t *testing.T) {
	_, pack := dayWithClaim(t)
	for name, text := range map[string]string{
		"a row without end": "row," + strings.Repeat("x", 3<<20),
		"a quote":           "row,\"",
		"numbers":           "row,merchant_pid,out_trade_no,trade_no,product,sys_service_provider_id,store_id,trade_time,agreement,basis,expected,paid,claim,cause\n99999999999999999999,,,,,,,,,,,,,\n",
		"amounts":           "row,merchant_pid,out_trade_no,trade_no,product,sys_service_provider_id,store_id,trade_time,agreement,basis,expected,paid,claim,cause\n1,,,,,,,2026-11-20 10:00:00,," + strings.Repeat("9", 400) + ",1e9,,0.00,ok\n",
		"empty":             "",
	} {
		forged := copyFolder(t, pack)
		if err := os.WriteFile(filepath.Join(forged, "trades.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		seal(t, forged)
		_, stderr := must(t, exitInput, "claim", "verify", forged, "--lang", "en")
		if !strings.Contains(stderr, "refused: not a claim pack: trades.csv") {
			t.Errorf("%s: %s", name, stderr)
		}
	}
	forged := copyFolder(t, pack)
	if err := os.WriteFile(filepath.Join(forged, "claim.xlsx"), []byte("PK\x03\x04 no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	seal(t, forged)
	must(t, exitInput, "claim", "verify", forged)
}

// What the packs claim is the run's claimable loss, provider by provider.
func TestClaimSum(t *testing.T) {
	dir, _ := dayWithClaim(t)
	text, err := os.ReadFile(filepath.Join(dir, "out", "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Claims []struct{ Amount string }
		Losses struct{ Provider []struct{ Claimable string } }
	}
	if err := json.Unmarshal(text, &summary); err != nil {
		t.Fatal(err)
	}
	cents := func(s string) (n int64) {
		whole, part, _ := strings.Cut(s, ".")
		n, _ = strconv.ParseInt(whole+(part + "000000")[:6], 10, 64)
		return n
	}
	var packs, losses int64
	for _, c := range summary.Claims {
		packs += cents(c.Amount)
	}
	for _, l := range summary.Losses.Provider {
		losses += cents(l.Claimable)
	}
	if packs != losses || packs == 0 {
		t.Errorf("packs claim %d, the losses are %d", packs, losses)
	}
}
