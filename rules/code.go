package rules

import "errors"

// Code says why an input row was rejected. Its words are those of the rejects
// sheet and of the contract.
type Code uint8

// The reject codes.
const (
	CodeColumnCount Code = iota + 1
	CodeEncoding
	CodeMissingValue
	CodeAmountSyntax
	CodeAmountPrecision
	CodeAmountRange
	CodeNumberSyntax
	CodeTimeSyntax
	CodeEnumValue
	CodeIDDamaged
	CodeMerchantUnknown
	CodeOrderConflict
	CodeNegativeGoods
)

var codeWords = []string{
	CodeColumnCount:     "column_count",
	CodeEncoding:        "encoding",
	CodeMissingValue:    "missing_value",
	CodeAmountSyntax:    "amount_syntax",
	CodeAmountPrecision: "amount_precision",
	CodeAmountRange:     "amount_range",
	CodeNumberSyntax:    "number_syntax",
	CodeTimeSyntax:      "time_syntax",
	CodeEnumValue:       "enum_value",
	CodeIDDamaged:       "id_damaged",
	CodeMerchantUnknown: "merchant_unknown",
	CodeOrderConflict:   "order_conflict",
	CodeNegativeGoods:   "negative_goods",
}

func (c Code) String() string { return word(codeWords, uint8(c), "Code") }

// ParseCode is the inverse of String.
func ParseCode(s string) (Code, bool) { return parseWord[Code](codeWords, s) }

// Error is an error of this package with the reject code that goes with it. The
// errors below are its only values, so that they compare with errors.Is.
type Error struct {
	code Code
	text string
}

func (e *Error) Error() string { return e.text }

// Code is the reject code of a row that failed with e, or 0 where the failure
// is no reject (ErrPriceUnknown is a break).
func (e *Error) Code() Code { return e.code }

// What parsing and allocating may say.
var (
	ErrEmpty        = &Error{CodeMissingValue, "empty"}
	ErrSyntax       = &Error{CodeAmountSyntax, "not an amount"}
	ErrPrecision    = &Error{CodeAmountPrecision, "more decimals than the column has"}
	ErrRange        = &Error{CodeAmountRange, "amount out of range"}
	ErrNegative     = &Error{CodeNegativeGoods, "negative, or a quantity of 0"}
	ErrPriceUnknown = &Error{0, "a line has neither price nor tag price"}
	ErrNoWeight     = &Error{0, "no weight to allocate by"}
)

// CodeOf returns the code of the Error inside err, and 0 when there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.code
	}
	return 0
}

// NumberCodeOf is CodeOf for a column that holds a number and not an amount
// (a quantity, a rate): its ErrSyntax is number_syntax.
func NumberCodeOf(err error) Code {
	c := CodeOf(err)
	if c == CodeAmountSyntax {
		return CodeNumberSyntax
	}
	return c
}
