package reports

import "testing"

// The path of an input stays below a folder, whatever the job's is.
func TestInputPath(t *testing.T) {
	for in, want := range map[string]string{
		"bills/a.zip": "bills/a.zip", "../bills/a.zip": "bills/a.zip", "../../x/../a.zip": "a.zip", "/data/a.zip": "data/a.zip", "./a.zip": "a.zip",
		"../..//data/a.zip": "data/a.zip",
	} {
		if got := inputPath(in); got != want {
			t.Errorf("inputPath(%q) = %q, want %q", in, got, want)
		}
	}
}
