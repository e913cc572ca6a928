package rules

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func mustMonth(t testing.TB, s string) Month {
	t.Helper()
	at, err := time.Parse("2006-01", s)
	if err != nil {
		t.Fatal(err)
	}
	return MonthOf(int32(at.Unix() / daySeconds))
}

func TestDevice(t *testing.T) {
	check(t, "device.txt", func(t *testing.T, left string) string {
		device := Device{Standing: DeviceOK}
		var got []string
		for field := range strings.FieldsSeq(left) {
			month, reward, _ := strings.Cut(field, "=")
			r := device.Next(mustMonth(t, month), mustFen(t, reward))
			cause := r.Cause.String()
			if r.AboveTotal != 0 && r.Cause != DeviceTotalCap {
				cause += "+" + r.AboveTotal.String()
			}
			got = append(got, fmt.Sprintf("%v %s %d %v %v", r.Allowed, cause, r.MonthsUsed, r.TotalUsed, r.StillToCome))
		}
		return strings.Join(got, "; ")
	})
}

// TestDeviceAmounts: allowed and excess add up to what was paid, the total never
// exceeds its cap, and what is still to come comes when every month pays its cap.
func TestDeviceAmounts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		policy := DevicePolicy{To: OpenEnd, MonthCap: Fen(r.IntN(500)), Months: r.IntN(7), TotalCap: Fen(r.IntN(2000))}
		device := Device{Standing: DeviceOK + DeviceCause(r.IntN(2)*r.IntN(3)), Policies: DevicePolicies{policy}}
		if r.IntN(3) == 0 {
			device.Policies = append(device.Policies, DevicePolicy{From: 20_000, To: 20_100, MonthCap: 300, Months: 3, TotalCap: 900})
		}
		month := MonthOf(int32(19_900 + r.IntN(300)))
		for range 9 {
			stated := Fen(r.IntN(700) - 100)
			got := device.Next(month, stated)
			of := device.Policies.Of(month)
			if got.Allowed+got.Excess != stated || got.Excess < 0 || got.AboveTotal > got.Excess {
				t.Fatalf("Next(%v, %v) = %+v: does not add up", month, stated, got)
			}
			if device.Standing == DeviceOK && len(device.Policies) == 1 && (got.TotalUsed > of.TotalCap || got.Allowed > of.MonthCap) {
				t.Fatalf("Next(%v, %v) = %+v: above %+v", month, stated, got, of)
			}
			if (got.Excess == 0) != (got.Cause == DeviceOK) {
				t.Fatalf("Next(%v, %v) = %+v: cause and excess disagree", month, stated, got)
			}
			if got.StillToCome < 0 || device.Standing != DeviceOK && got.Allowed > 0 {
				t.Fatalf("Next(%v, %v) = %+v", month, stated, got)
			}
			if device.Standing == DeviceOK && len(device.Policies) == 1 {
				if all := payAll(device, month+1, of.MonthCap); all != got.StillToCome {
					t.Fatalf("Next(%v, %v) = %+v: the months after it bring %v", month, stated, got, all)
				}
			}
			month += Month(r.IntN(2))
			month++
		}
	}
}

// payAll pays the device so much in each month from one on, and adds up what is allowed.
func payAll(d Device, from Month, reward Fen) (all Fen) {
	for k := range Month(20) {
		all += d.Next(from+k, reward).Allowed
	}
	return all
}

func TestMonth(t *testing.T) {
	for text, first := range map[string]string{"2026-11": "2026-11-01", "1969-12": "1969-12-01", "2000-01": "2000-01-01", "9999-12": "9999-12-01"} {
		m := mustMonth(t, text)
		if got := time.Unix(int64(m.FirstDay())*daySeconds, 0).UTC().Format(time.DateOnly); got != first || m.String() != text {
			t.Errorf("%s: %s begins on %s, want %s", text, m, got, first)
		}
	}
	if got := MonthOf(mustMonth(t, "2026-12").FirstDay() - 1); got.String() != "2026-11" {
		t.Errorf("the day before December is in %s", got)
	}
}

func TestDevicePolicies(t *testing.T) {
	day := func(text string) int32 {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return int32(at.Unix() / daySeconds)
	}
	policies := DevicePolicies{
		{From: day("2026-01-01"), To: day("2026-03-31"), Months: 1},
		{From: day("2026-02-01"), To: day("2026-02-01"), Months: 2},
		{From: day("2026-02-01"), To: OpenEnd, Months: 3},
		{From: day("2025-11-20"), To: day("2025-11-20"), Months: 4},
		{From: day("2025-11-05"), To: day("2025-11-06"), Months: 6},
	}
	for month, want := range map[string]int{
		"2025-10": 5, "2025-11": 6, "2025-12": 5, "2026-01": 1, "2026-02": 2, "2026-03": 3, "2027-01": 3,
	} {
		if got := policies.Of(mustMonth(t, month)); got.Months != want {
			t.Errorf("Of(%s) is policy %d, want %d", month, got.Months, want)
		}
	}
	if got := DevicePolicies(nil).Of(0); got != BuiltInDevicePolicy() {
		t.Errorf("without policies: %+v", got)
	}
}
