package reports

import (
	"duizhang/engine"
	"duizhang/engine/schema"
	"duizhang/rules"
)

// groupsTable is rebate_groups.
func groupsTable(g []engine.RebateGroup) table {
	stated := sumColumn("stated", schema.RebateType, g, func(g *engine.RebateGroup) rules.Sum { return g.Stated })
	difference := sumColumn("difference", schema.RebateType, g, func(g *engine.RebateGroup) rules.Sum {
		return g.Stated.Sub(g.Expected)
	})
	stated.None = make([]bool, len(g))
	difference.None = make([]bool, len(g))
	for i := range g {
		stated.None[i] = !g[i].HasStated
		// Nothing is missing yet from a statement that has not come.
		difference.None[i] = !g[i].HasStated && g[i].Cause == rules.CauseStatementPending
	}
	return table{name: groupsName, rows: len(g), columns: []column{
		textColumn("provider_pid", g, func(g *engine.RebateGroup) string { return g.Provider }),
		textColumn("merchant_pid", g, func(g *engine.RebateGroup) string { return g.Merchant }),
		textColumn("product", g, func(g *engine.RebateGroup) string { return g.Product }),
		textColumn("period", g, func(g *engine.RebateGroup) string { return g.Period }),
		intColumn("trades", schema.IntType, g, func(g *engine.RebateGroup) int64 { return g.Trades }),
		sumColumn("basis", schema.FenType, g, func(g *engine.RebateGroup) rules.Sum { return g.Basis }),
		intColumn("rate", schema.RateType, g, func(g *engine.RebateGroup) int64 { return g.Rate }),
		sumColumn("expected", schema.RebateType, g, func(g *engine.RebateGroup) rules.Sum { return g.Expected }),
		stated, difference,
		enumColumn("cause", schema.CauseNames, g, func(g *engine.RebateGroup) uint8 { return uint8(g.Cause) }),
		sumColumn("lost", schema.RebateType, g, func(g *engine.RebateGroup) rules.Sum { return g.Lost }),
		sumColumn("claimable", schema.RebateType, g, func(g *engine.RebateGroup) rules.Sum { return g.Claimable }),
	}}
}
