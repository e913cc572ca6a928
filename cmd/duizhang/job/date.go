package job

import (
	"strings"
	"time"

	"duizhang/cmd/duizhang/lang"
)

const dayLayout = "2006-01-02"

// parseDay reads a business date.
func parseDay(text string) (time.Time, bool) {
	day, err := time.Parse(dayLayout, text)
	return day, err == nil && day.Year() >= 2000
}

// dayNumber is the date in days since 1970-01-01.
func dayNumber(day time.Time) int32 { return int32(day.Unix() / (24 * 60 * 60)) }

// chosenDay reads the value of --date: a date, today or yesterday, by the wall
// clock of the job's zone.
func chosenDay(text string, now time.Time, zone *time.Location) (time.Time, bool) {
	here := now.In(zone)
	today := time.Date(here.Year(), here.Month(), here.Day(), 0, 0, 0, 0, time.UTC)
	switch text {
	case "today":
		return today, true
	case "yesterday":
		return today.AddDate(0, 0, -1), true
	}
	return parseDay(text)
}

// dated replaces every {date:LAYOUT} of a path by the business date. fault says
// what is wrong with it, or is empty.
func dated(path string, day time.Time, l lang.Lang) (text, fault string) {
	var b strings.Builder
	rest := path
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String(), ""
		}
		inside, after, closed := strings.Cut(after, "}")
		layout, isDate := strings.CutPrefix(inside, "date:")
		switch {
		case !closed || !isDate:
			return "", l.Say("花括号只用于 {date:20060102}", "braces are for {date:20060102} only")
		case day.IsZero():
			return "", l.Say("路径里有 {date:…}，但没有 date；请在作业文件里写 date，或用 --date", "the path has {date:…} and there is no date; give date in the job file, or --date")
		case day.Format(layout) == layout:
			return "", l.Say("{date:%s} 里没有日期；版式写法如 20060102 或 2006-01-02", "{date:%s} holds no date; the layout is written as 20060102 or 2006-01-02", layout)
		}
		b.WriteString(day.Format(layout))
		rest = after
	}
}

// Dated fills the business date in that a path asks for; fault says what is wrong
// with it, if anything is.
func (j *Job) Dated(path string) (text, fault string) { return dated(path, j.Day, j.lang) }
