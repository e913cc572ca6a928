package reports

import "github.com/xuri/excelize/v2"

// The workbook's styles.
const (
	plainCell   cellStyle = iota
	textCell              // of a list
	idCell                // text that stays text when it is edited
	wordCell              // centred
	amountStyle           // 1,234.00
	signedStyle           // +1,234.00
	rebateStyle           // up to six decimals
	quantityStyle
	rateStyle
	countStyle
	dateStyle
	momentStyle
	errorCell // severities
	warnCell
	infoCell
	inputCell // for people to fill in
	headStyle
	headNumber
	headFill
	titleStyle
	noteStyle
	linkStyle
	totalLabel
	totalCount
	totalAmount
	totalSigned
	totalRebate
	noneStyle
	// Of the overview.
	bigTitle
	rightNote
	goodBanner
	badBanner
	warnBanner
	kpiLabel
	kpiPercent
	kpiCount
	kpiAmount
	kpiText
	kpiNote
	sectionStyle
	sectionNumber
	sectionWord
	stepStyle
	lineText
	lineRight
	lineLink
	lineCount
	lineAmount
	lineRebate
	lineCheck
	lineError
	lineWarn
	lineInfo
	lineTotal
	lineTotalCount
	lineTotalAmount
	lineTyped // a figure that is no formula
	lineTypedCount
	styleCount
)

// The workbook's colours: ink, one accent, and three that mean something.
const (
	inkColor    = "1F2933"
	mutedColor  = "6B7785"
	accentColor = "1F4E79"
	paleColor   = "EAF0F7"
	lineColor   = "D9E0E8"
	inputColor  = "FFF8E1"
	redColor    = "B3261E"
	amberColor  = "9A6700"
	greenColor  = "1B7F4B"
	paleRed     = "FBE9E7"
	paleGreen   = "E6F4EC"
	paleAmber   = "FFF4DC"
)

// bookStyles makes the styles, and gives the library's number of each.
func bookStyles(f *excelize.File, lang Lang) ([]int, error) {
	family := lang.pick("Microsoft YaHei", "Calibri")
	const size = 10
	type option func(*excelize.Style)
	font := func(change func(*excelize.Font)) option {
		return func(s *excelize.Style) { change(s.Font) }
	}
	bold := font(func(f *excelize.Font) { f.Bold = true })
	color := func(c string) option { return font(func(f *excelize.Font) { f.Color = c }) }
	sized := func(n float64) option { return font(func(f *excelize.Font) { f.Size = n }) }
	fill := func(c string) option {
		return func(s *excelize.Style) { s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{c}} }
	}
	format := func(text string) option { return func(s *excelize.Style) { s.CustomNumFmt = &text } }
	align := func(horizontal string) option { return func(s *excelize.Style) { s.Alignment.Horizontal = horizontal } }
	indent := func(s *excelize.Style) { s.Alignment.Horizontal, s.Alignment.Indent = "left", 1 }
	wrap := func(s *excelize.Style) { s.Alignment.WrapText = true }
	border := func(side, c string) option {
		return func(s *excelize.Style) { s.Border = append(s.Border, excelize.Border{Type: side, Color: c, Style: 1}) }
	}
	ruled := border("bottom", lineColor)
	boxed := func(s *excelize.Style) {
		for _, side := range []string{"left", "right", "top", "bottom"} {
			border(side, lineColor)(s)
		}
	}
	// The library has no number for the format of text but this.
	asText := func(s *excelize.Style) { s.NumFmt = 49 }
	const (
		amount = `#,##0.00;[Red]-#,##0.00`
		signed = `+#,##0.00;[Red]-#,##0.00;0.00`
		rebate = `#,##0.00####;[Red]-#,##0.00####`
		count  = `#,##0`
	)
	// rows is how many of what is filtered are shown.
	rows := lang.pick(`"共 "#,##0" 行"`, `#,##0" rows"`)
	looks := [styleCount][]option{
		textCell:        {ruled},
		idCell:          {ruled, asText},
		wordCell:        {ruled, align("center")},
		amountStyle:     {ruled, format(amount)},
		signedStyle:     {ruled, format(signed)},
		rebateStyle:     {ruled, format(rebate)},
		quantityStyle:   {ruled, format("#,##0.######")},
		rateStyle:       {ruled, format("0.00####%")},
		countStyle:      {ruled, format(count)},
		dateStyle:       {ruled, format("yyyy-mm-dd"), align("center")},
		momentStyle:     {ruled, format("yyyy-mm-dd hh:mm:ss"), align("center")},
		errorCell:       {ruled, color(redColor), align("center")},
		warnCell:        {ruled, color(amberColor), align("center")},
		infoCell:        {ruled, color(mutedColor), align("center")},
		inputCell:       {boxed, fill(inputColor), asText},
		headStyle:       {bold, color("FFFFFF"), fill(accentColor), wrap, align("center")},
		headNumber:      {bold, color("FFFFFF"), fill(accentColor), wrap, align("center")},
		headFill:        {bold, color(inkColor), fill("FFE7A3"), wrap, align("center")},
		titleStyle:      {bold, sized(14), color(accentColor)},
		noteStyle:       {color(mutedColor)},
		linkStyle:       {color(accentColor), font(func(f *excelize.Font) { f.Underline = "single" })},
		totalLabel:      {bold, fill(paleColor)},
		totalCount:      {bold, fill(paleColor), format(rows), align("left")},
		totalAmount:     {bold, fill(paleColor), format(amount)},
		totalSigned:     {bold, fill(paleColor), format(signed)},
		totalRebate:     {bold, fill(paleColor), format(rebate)},
		noneStyle:       {bold, sized(12), color(greenColor)},
		bigTitle:        {bold, sized(18), color(accentColor)},
		rightNote:       {color(mutedColor), align("right")},
		goodBanner:      {indent, bold, sized(13), color(greenColor), fill(paleGreen)},
		badBanner:       {indent, bold, sized(13), color(redColor), fill(paleRed)},
		warnBanner:      {indent, bold, sized(13), color(amberColor), fill(paleAmber)},
		kpiLabel:        {color(mutedColor), fill(paleColor), align("center")},
		kpiPercent:      {bold, sized(16), color(accentColor), fill(paleColor), align("center"), format("0.00%")},
		kpiCount:        {bold, sized(16), color(accentColor), fill(paleColor), align("center"), format(count)},
		kpiAmount:       {bold, sized(16), color(accentColor), fill(paleColor), align("center"), format("#,##0.00")},
		kpiText:         {bold, sized(13), color(greenColor), fill(paleColor), align("center")},
		kpiNote:         {sized(9), color(mutedColor), fill(paleColor), align("center"), wrap},
		sectionStyle:    {indent, bold, sized(11), color("FFFFFF"), fill(accentColor)},
		sectionNumber:   {bold, sized(11), color("FFFFFF"), fill(accentColor), align("right")},
		sectionWord:     {bold, sized(11), color("FFFFFF"), fill(accentColor), align("center")},
		stepStyle:       {wrap, ruled, indent},
		lineText:        {ruled, indent},
		lineLink:        {ruled, indent, color(accentColor), font(func(f *excelize.Font) { f.Underline = "single" })},
		lineCount:       {ruled, format(count)},
		lineAmount:      {ruled, format(amount)},
		lineRebate:      {ruled, format(rebate)},
		lineRight:       {ruled, align("right")},
		lineCheck:       {ruled, color(greenColor), align("center")},
		lineError:       {ruled, color(redColor), align("center")},
		lineWarn:        {ruled, color(amberColor), align("center")},
		lineInfo:        {ruled, color(mutedColor), align("center")},
		lineTotal:       {indent, bold, ruled, fill(paleColor)},
		lineTotalCount:  {bold, ruled, fill(paleColor), format(count)},
		lineTotalAmount: {bold, ruled, fill(paleColor), format(amount)},
		lineTyped:       {ruled, color(mutedColor), format(rebate)},
		lineTypedCount:  {ruled, color(mutedColor), format(count)},
	}
	ids := make([]int, styleCount)
	for i := range looks {
		s := &excelize.Style{
			Font:      &excelize.Font{Family: family, Size: size, Color: inkColor},
			Alignment: &excelize.Alignment{Vertical: "center"},
		}
		for _, o := range looks[i] {
			o(s)
		}
		id, err := f.NewStyle(s)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}
