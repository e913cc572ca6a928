package reports

// The heads of the workbook's columns.
const (
	headSeverity = iota
	headKind
	headOrder
	headTrade
	headRequest
	headTime
	headStore
	headTerminal
	headOperator
	headPos
	headBill
	headPosDue
	headBillIs
	headGap
	headStake
	headWhat
	headDue
	headIs
	headIsGap
	headPID
	headProduct
	headExpected
	headPaid
	headLoss
	headLost
	headClaim
	headLevel
	headDetail
	headDo
	headFirst
	headAge
	headMerchant
	headSource
	headSide
	headCode
	headUnit
	headClass
	headReason
	headCarried
	headPosSource
	headBillSource
	headCandidate
	headLineNo
	headGoods
	headGoodsName
	headQuantity
	headPrice
	headLineAmount
	headAllocated
	headAllocGap
	headFiller
	headScenario
	headOverpaid
	headCumulative
	headMode
	headBy
	headWhich
	headTrades
	headSince
	headAppeal
	headProvider
	headPeriod
	headBasis
	headRate
	headStated
	headCause
	headFile
	headInput
	headColumn
	headValue
	headMessage
	headRaw
	headMember
	headFormat
	headEncoding
	headAccount
	headFrom
	headTo
	headRows
	headAccepted
	headRejected
	headControls
	headBytes
	headSHA
	headControl
	headFound
	headHolds
	headSubject
	headItem
	headMeaning
	headHour
	headCredit
	headIncome
	headExpense
	headTieGap
	headAccountSource
	headCount
)

var headTexts = [headCount][2]string{
	headSeverity:      {"级别", "Severity"},
	headKind:          {"类别", "Kind"},
	headOrder:         {"商户订单号", "Order number"},
	headTrade:         {"支付宝交易号", "Trade number"},
	headRequest:       {"退款请求号", "Request number"},
	headTime:          {"时间", "Time"},
	headStore:         {"门店", "Store"},
	headTerminal:      {"终端", "Terminal"},
	headOperator:      {"操作员", "Operator"},
	headPos:           {"POS 金额", "POS amount"},
	headBill:          {"支付宝金额", "Alipay amount"},
	headPosDue:        {"POS（或应为）", "POS (or due)"},
	headBillIs:        {"支付宝（或实为）", "Alipay (or found)"},
	headGap:           {"差额（支付宝−POS）", "Difference (Alipay − POS)"},
	headStake:         {"涉及金额", "At stake"},
	headWhat:          {"项目", "Item"},
	headDue:           {"应为", "Due"},
	headIs:            {"实为", "Found"},
	headIsGap:         {"差额（实为−应为）", "Difference (found − due)"},
	headPID:           {"交易所带 PID", "PID on the trade"},
	headProduct:       {"产品", "Product"},
	headExpected:      {"应得返佣", "Expected"},
	headPaid:          {"已付返佣", "Paid"},
	headLoss:          {"损失（应得−已付）", "Loss (expected − paid)"},
	headLost:          {"其中不可申诉", "Of it lost for good"},
	headClaim:         {"其中可申诉", "Of it claimable"},
	headLevel:         {"口径", "Level"},
	headDetail:        {"说明", "Detail"},
	headDo:            {"处理建议", "What to do"},
	headFirst:         {"首次发现", "First seen"},
	headAge:           {"天数", "Days"},
	headMerchant:      {"商户 PID", "Merchant PID"},
	headSource:        {"来源（文件:行）", "Source (file:line)"},
	headSide:          {"所在一侧", "Side"},
	headCode:          {"代码", "Code"},
	headUnit:          {"交易/退款", "Unit"},
	headClass:         {"去向", "Class"},
	headReason:        {"原因", "Reason"},
	headCarried:       {"已结转天数", "Days carried"},
	headPosSource:     {"POS 来源", "POS source"},
	headBillSource:    {"账单来源", "Bill source"},
	headCandidate:     {"可能对应", "Candidate"},
	headLineNo:        {"行", "Line"},
	headGoods:         {"商品编号", "Goods"},
	headGoodsName:     {"商品名称", "Name"},
	headQuantity:      {"数量", "Quantity"},
	headPrice:         {"单价", "Price"},
	headLineAmount:    {"行金额", "Line amount"},
	headAllocated:     {"分摊金额", "Allocated"},
	headAllocGap:      {"分摊差（分摊−行金额）", "Allocated − line"},
	headFiller:        {"填充行", "Filler"},
	headScenario:      {"情形", "Scenario"},
	headOverpaid:      {"资损（多退）", "Overpaid"},
	headCumulative:    {"累计退款", "Cumulative"},
	headMode:          {"退款方式", "Mode"},
	headBy:            {"维度", "By"},
	headWhich:         {"对象", "Which"},
	headTrades:        {"笔数", "Trades"},
	headSince:         {"出错始于", "Wrong since"},
	headAppeal:        {"能否追回", "Can it be won back"},
	headProvider:      {"服务商 PID", "Provider PID"},
	headPeriod:        {"账期", "Period"},
	headBasis:         {"基数", "Basis"},
	headRate:          {"费率", "Rate"},
	headStated:        {"账单已付", "Stated"},
	headCause:         {"原因", "Cause"},
	headFile:          {"文件", "File"},
	headInput:         {"输入", "Input"},
	headColumn:        {"列", "Column"},
	headValue:         {"原值", "Value"},
	headMessage:       {"说明", "Message"},
	headRaw:           {"原始行", "Row as it is"},
	headMember:        {"包内文件", "Member"},
	headFormat:        {"格式", "Format"},
	headEncoding:      {"编码", "Encoding"},
	headAccount:       {"账号", "Account"},
	headFrom:          {"起始", "From"},
	headTo:            {"终止（不含）", "To (exclusive)"},
	headRows:          {"行数", "Rows"},
	headAccepted:      {"采用", "Accepted"},
	headRejected:      {"拒收", "Rejected"},
	headControls:      {"控制总额", "Control totals"},
	headBytes:         {"字节", "Bytes"},
	headSHA:           {"SHA-256", "SHA-256"},
	headControl:       {"控制项", "Control total"},
	headFound:         {"实际读到", "Found"},
	headHolds:         {"相符", "Holds"},
	headSubject:       {"分类", "Subject"},
	headItem:          {"项", "Item"},
	headMeaning:       {"说明", "Meaning"},
	headHour:          {"小时", "Hour"},
	headCredit:        {"应入账", "Expected"},
	headIncome:        {"收入", "Income"},
	headExpense:       {"支出", "Expense"},
	headTieGap:        {"差额（实际−应入账）", "Difference (actual − expected)"},
	headAccountSource: {"账务来源", "Account source"},
}

// head is a column's head.
func (b *book) head(which int) string { return headTexts[which][b.lang.index()] }
