package rules

// The identities that the amounts of one payment keep. Each function gives the
// gap, what stands there less what should: 0 where the identity holds.

// BillGap is the gap of 商家实收 = 订单金额 − 商家优惠 − 商家红包消费金额.
func BillGap(order, received, merchantDiscount, merchantRed Fen) Fen {
	return received - (order - merchantDiscount - merchantRed)
}

// OrderGap is the gap of total_amount = buyer_paid + red_packet + allowance +
// coupon.
func OrderGap(total, paid, red, allowance, coupon Fen) Fen {
	return total - (paid + red + allowance + coupon)
}

// ReceiptGap is the gap of receipt_amount = total_amount − merchant discount.
func ReceiptGap(total, merchantDiscount, receipt Fen) Fen {
	return receipt - (total - merchantDiscount)
}

// BuyerPayGap is the gap of buyer_pay_amount = receipt_amount − platform discount.
func BuyerPayGap(receipt, platformDiscount, buyerPay Fen) Fen {
	return buyerPay - (receipt - platformDiscount)
}

// InvoiceGap is the gap of invoice_amount = buyer_pay_amount − point_amount.
func InvoiceGap(buyerPay, point, invoice Fen) Fen {
	return invoice - (buyerPay - point)
}
