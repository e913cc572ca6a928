package schema

import "duizhang/rules"

// The words of the enum columns, by value; 0 is the blank.
var (
	StatusNames   = names(rules.StatusDuplicate, rules.StatusPOSOnly)
	ReasonNames   = names(rules.ReasonO2OPassport, rules.ReasonPOSRejected)
	CauseNames    = names(rules.CauseOK, rules.CauseStatementOver)
	AppealNames   = names(rules.AppealLost, rules.AppealOwed)
	ScenarioNames = names(rules.Equal, rules.TagPrice)
	ModeNames     = names(rules.ModeWhole, rules.ModeReorder)
	AccountNames  = names(rules.AccountMatched, rules.AccountDuplicate)
)

func names[T interface {
	~uint8
	String() string
}](first, last T) []string {
	all := make([]string, int(last)+1)
	for v := first; v <= last; v++ {
		all[v] = v.String()
	}
	return all
}
