package reports

import (
	"duizhang/engine"
	"duizhang/rules"
)

// accountsInfo is the tie-out of the trade bill with the account bill: the rows of
// the table accounts by status, the trades that are not in it, and the account
// rows beyond the trade bill by 业务类型.
type accountsInfo struct {
	Statuses   countsJSON        `json:"statuses"`
	NotCovered untiedInfo        `json:"not_covered"`
	Indirect   untiedInfo        `json:"indirect"`
	ByType     []accountTypeInfo `json:"by_type"`
}

type accountStatusInfo struct {
	Count    int64  `json:"count"`
	Expected string `json:"expected"`
	Income   string `json:"income"`
	Expense  string `json:"expense"`
}

type untiedInfo struct {
	Count    int64  `json:"count"`
	Expected string `json:"expected"`
}

type accountTypeInfo struct {
	Type    string `json:"type"`
	Count   int64  `json:"count"`
	Income  string `json:"income"`
	Expense string `json:"expense"`
}

func accountsOf(a *engine.AccountResult) accountsInfo {
	untied := func(t *engine.Tally) untiedInfo { return untiedInfo{t.BillCount, t.BillAmount.String2()} }
	info := accountsInfo{NotCovered: untied(&a.NotCovered), Indirect: untied(&a.Indirect), ByType: []accountTypeInfo{}}
	for s := rules.AccountMatched; s <= rules.AccountDuplicate; s++ {
		t := &a.Statuses[s]
		info.Statuses = append(info.Statuses, member{s.String(), accountStatusInfo{
			t.Count, t.Expected.String2(), t.Income.String2(), t.Expense.String2(),
		}})
	}
	for i := range a.Types {
		t := &a.Types[i]
		info.ByType = append(info.ByType, accountTypeInfo{t.Type, t.Count, t.Income.String2(), t.Expense.String2()})
	}
	return info
}
