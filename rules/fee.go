package rules

// ExpectedFee is the service fee of a payment, 商家实收 × rate rounded half up to
// the fen. For what was received back by a refund it is the fee that comes back.
//
//	received 100.00, rate 0.0038  ->  0.38
func ExpectedFee(received Fen, rate Micro) Fen { return MulRate(received, rate) }
