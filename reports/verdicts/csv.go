package verdicts

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// ReadText takes the rows of a list as a spreadsheet saves it: UTF-8 or GB18030
// with commas, semicolons or tabs, or UTF-16.
func (c *Collector) ReadText(data []byte) error {
	text, err := decode(data)
	if err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	r.Comma = delimiter(text)
	var cells []Cell
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		cells = cells[:0]
		for _, field := range record {
			cells = append(cells, Cell{Text: field})
		}
		c.Row("", line, cells)
	}
}

func decode(data []byte) ([]byte, error) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		from = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	case utf8.Valid(data):
		return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
	default:
		from = simplifiedchinese.GB18030
	}
	return from.NewDecoder().Bytes(data)
}

// delimiter is the one that the header, the first line with letters, has most of.
func delimiter(text []byte) rune {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if strings.TrimSpace(strings.Trim(line, ",;\t")) == "" {
			continue
		}
		best := ','
		for _, d := range []rune{';', '\t'} {
			if strings.Count(line, string(d)) > strings.Count(line, string(best)) {
				best = d
			}
		}
		return best
	}
	return ','
}
