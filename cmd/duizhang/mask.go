package main

import (
	"encoding/json"

	"duizhang/engine/schema"
	"duizhang/reports"
)

// masked is text as reports mask it: pay codes and mobiles (rules 10). What is
// masked is decided there alone.
func masked(text string) string {
	info, err := json.Marshal(reports.TableJSON(&schema.Table{Problems: []schema.Problem{{Message: text}}}))
	if err != nil {
		return ""
	}
	var table struct {
		Problems []struct{ Message string }
	}
	if err := json.Unmarshal(info, &table); err != nil || len(table.Problems) != 1 {
		return ""
	}
	return table.Problems[0].Message
}
