package rules

import (
	"fmt"
	"strings"
)

const (
	pidDigits     = 16
	pidPrefix     = "2088"
	accountSuffix = "0156" // which some account numbers have after the PID
)

// IsPID reports whether s is an Alipay account number: 16 digits beginning 2088.
func IsPID(s string) bool {
	return len(s) == pidDigits && strings.HasPrefix(s, pidPrefix) && digitsOnly(s)
}

// TrimPID drops spaces and tabs around s, and the account suffix 0156 after 16
// digits. It is for accounts in headers, file names and merchant columns; a PID
// that a trade carried is judged as it was sent.
func TrimPID(s string) string {
	s = strings.Trim(s, " \t")
	if rest, ok := strings.CutSuffix(s, accountSuffix); ok && IsPID(rest) {
		return rest
	}
	return s
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// OpenEnd is the To of an agreement without an end.
const OpenEnd int32 = 0x7fffffff

// Agreement is a signed rebate agreement of a provider PID for one product.
// Days count from 1970-01-01 on the wall clock of the job.
type Agreement struct {
	Provider, Product string
	Rate              Micro
	Basis             Basis
	From, To          int32 // To is the last day in force; OpenEnd: no end
	Scale             int   // decimals of the rebate, 0 to 6
	Rounding          Rounding
	Cap               Micro // the most for one trade, where HasCap
	HasCap            bool
}

func (a *Agreement) inForce(day int32) bool { return a.From <= day && day <= a.To }

// PIDBook knows whose PID is whose. It is built once and only read then, by any
// number of goroutines.
type PIDBook struct {
	pids    map[string]pidEntry
	damaged map[string]struct{} // first 15 digits of own PIDs that do not end in 0
	primary string
}

type pidEntry struct {
	own, merchant bool
	agreements    []Agreement // of this provider
}

// NewPIDBook makes the book from the agreements, the PIDs of the providers, those
// of the registered merchants, and the primary provider ("" where there is none:
// then nothing is expected of a wrong PID). The ISV's own PIDs are those of the
// agreements, the providers and the primary.
//
// Where agreements of one PID and product overlap, the one that began last holds,
// among equals the first given: a new rate need not close the old one's dates.
// An agreement that cannot hold is an error that names its number from 1.
func NewPIDBook(agreements []Agreement, providers, merchants []string, primary string) (*PIDBook, error) {
	b := &PIDBook{
		pids:    make(map[string]pidEntry, len(merchants)+len(providers)+len(agreements)+1),
		damaged: make(map[string]struct{}),
		primary: primary,
	}
	for i := range agreements {
		if err := agreements[i].check(); err != nil {
			return nil, fmt.Errorf("agreement %d: %w", i+1, err)
		}
		b.addOwn(agreements[i].Provider)
		entry := b.pids[agreements[i].Provider]
		entry.agreements = append(entry.agreements, agreements[i])
		b.pids[agreements[i].Provider] = entry
	}
	for _, pid := range providers {
		b.addOwn(pid)
	}
	if primary != "" {
		b.addOwn(primary)
	}
	for _, pid := range merchants {
		entry := b.pids[pid]
		entry.merchant = true
		b.pids[pid] = entry
	}
	return b, nil
}

func (a *Agreement) check() error {
	switch {
	case !IsPID(a.Provider):
		return fmt.Errorf("provider_pid %q: not a PID", a.Provider)
	case a.Rate < 0:
		return fmt.Errorf("rate %v: negative", a.Rate)
	case a.Scale < 0 || a.Scale > 6:
		return fmt.Errorf("scale %d: not 0 to 6", a.Scale)
	case a.HasCap && a.Cap < 0:
		return fmt.Errorf("cap_per_trade %v: negative", a.Cap)
	case a.To < a.From:
		return fmt.Errorf("effective_to before effective_from")
	}
	return nil
}

func (b *PIDBook) addOwn(pid string) {
	entry := b.pids[pid]
	entry.own = true
	b.pids[pid] = entry
	if len(pid) == pidDigits && pid[pidDigits-1] != '0' {
		b.damaged[pid[:pidDigits-1]] = struct{}{}
	}
}

// Own reports whether x is a PID of the ISV itself.
func (b *PIDBook) Own(x string) bool { return b.pids[x].own }

// Primary is the primary provider's agreement for the product on that day, by
// which a trade with a wrong PID is measured; nil where there is none.
func (b *PIDBook) Primary(product string, day int32) *Agreement {
	agreement, _ := b.pids[b.primary].agreement(product, day)
	return agreement
}

// agreement is the agreement for the product in force on day. signed: there is
// one for the product, whatever its dates.
func (e pidEntry) agreement(product string, day int32) (found *Agreement, signed bool) {
	for i := range e.agreements {
		a := &e.agreements[i]
		if a.Product != product {
			continue
		}
		signed = true
		if a.inForce(day) && (found == nil || a.From > found.From) {
			found = a
		}
	}
	return found, signed
}

// Judge says whether x, the PID that a trade of the merchant carried, earns the
// rebate for the product on that day: CauseOK and the agreement, or the cause of
// the loss. A trade without a POS order (pid_unknown) is the caller's.
//
// wrongKey: x is empty and the message carried a PID under another key. Spaces
// and tabs around x do not count.
func (b *PIDBook) Judge(x, merchant, product string, day int32, wrongKey bool) (Cause, *Agreement) {
	x = strings.Trim(x, " \t")
	entry := b.pids[x]
	agreement, signed := entry.agreement(product, day)
	switch {
	case agreement != nil:
		return CauseOK, agreement
	case x == "" && wrongKey:
		return CausePIDWrongKey, nil
	case x == "":
		return CausePIDMissing, nil
	case b.isDamaged(x):
		return CausePIDDamaged, nil
	case !IsPID(x):
		return CausePIDMalformed, nil
	case x == merchant, entry.merchant:
		return CausePIDIsMerchant, nil
	case signed:
		return CausePIDNotEffective, nil
	case entry.own:
		return CausePIDUnsigned, nil
	}
	return CausePIDForeign, nil
}

// isDamaged reports whether a spreadsheet ate x: it shows 2.08873E+15, or kept
// 15 digits of an own PID and made the last one 0.
func (b *PIDBook) isDamaged(x string) bool {
	if scientific(x) {
		return true
	}
	if len(x) != pidDigits || x[pidDigits-1] != '0' || !digitsOnly(x) {
		return false
	}
	_, ok := b.damaged[x[:pidDigits-1]]
	return ok
}

// scientific reports whether x is a number in E+ notation.
func scientific(x string) bool {
	at := strings.IndexAny(x, "eE")
	if at <= 0 || !strings.HasPrefix(x[at+1:], "+") {
		return false
	}
	exponent := x[at+2:]
	whole, decimals, point := strings.Cut(x[:at], ".")
	return exponent != "" && digitsOnly(exponent) && whole != "" && digitsOnly(whole) &&
		digitsOnly(decimals) && point == (decimals != "")
}
