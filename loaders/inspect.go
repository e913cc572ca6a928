package loaders

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"

	"duizhang/engine/schema"
)

// Inspect reads one file to the end and says what it is: its tables, as contract 1
// prints them, and the first maxRows rows of each as written. The error is the
// context's; a file that cannot be read is a refused table.
func Inspect(ctx context.Context, in Input, opt Options, maxRows int) ([]*schema.Table, [][]string, error) {
	r := newRun([]Input{in}, opt, nil)
	r.maxRows = maxRows
	if err := r.read(ctx); err != nil {
		return nil, nil, err
	}
	first := make([][]string, len(r.tables))
	for i, t := range r.tables {
		first[i] = t.firstRows
	}
	return r.schemaTables(), first, nil
}

// RawLines reads the given lines of a table as written, decoded. member is the name
// of the archive's member or the workbook's sheet, "" for a plain file. A line that
// is not there is not in the result; one that is very long is cut short.
func RawLines(ctx context.Context, path, name string, lines []int32) (map[int32]string, error) {
	members, _, _, err := listMembers(path)
	if err != nil {
		return nil, err
	}
	if len(members) == 1 && members[0].kind == xlsxFile {
		return rawSheetLines(ctx, path, name, lines)
	}
	i := slices.IndexFunc(members, func(m member) bool { return m.name == name })
	if i < 0 {
		return nil, &FileError{Code: "unreadable", Pos: schema.Pos{File: path + ":" + name}, Detail: "no such member", Lang: "en"}
	}
	src, err := openMember(path, members[i], nil)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return readRawLines(ctx, src, lines)
}

// sniffAhead is a line and the whole lines after it, as far as they decide a charset.
func sniffAhead(b *bufio.Reader, line []byte) []byte {
	ahead, _ := b.Peek(sniffSize) // less at the end, which is as good
	if i := bytes.LastIndexByte(ahead, '\n'); i >= 0 && len(ahead) == sniffSize {
		ahead = ahead[:i+1]
	}
	return append(bytes.Clone(line), ahead...)
}

// readRawLines goes through a table once, without holding it.
func readRawLines(ctx context.Context, src io.Reader, lines []int32) (map[int32]string, error) {
	want := slices.Sorted(slices.Values(lines))
	want = slices.Compact(want)
	raw := make(map[int32][]byte, len(want))
	b := bufio.NewReaderSize(src, 2*sniffSize)
	charset := newCharset(charsetOpen)
	head, err := b.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte(utf8BOM)) {
		charset.state.Store(charsetUTF8)
		_, _ = b.Discard(len(utf8BOM)) // it was just looked at
	} else {
		if len(head) == sniffSize {
			if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
				head = head[:i+1]
			}
		}
		charset.decide(head)
	}
	var line int32 = 1
	var row []byte
	for len(want) > 0 {
		part, err := b.ReadSlice('\n')
		if line == want[0] && len(row) <= maxRaw {
			row = append(row, part...)
		}
		if charset.open() && asciiPrefix(part) < len(part) {
			part = bytes.Clone(part) // looking ahead moves the buffer
			charset.decide(sniffAhead(b, part))
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(part) > 0 && line == want[0] {
			raw[line] = bytes.Clone(shortRaw(bytes.TrimRight(row, "\r\n")))
			want = want[1:]
		}
		row = row[:0]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if line++; line%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	texts := make(map[int32]string, len(raw))
	for line, b := range raw {
		texts[line] = charset.text(b)
	}
	return texts, ctx.Err()
}

// maxHashed bounds a line that is hashed.
const maxHashed = 64 << 20

// HashLines gives SHA-256 of lines of a table, in order: of a text file the bytes as
// they stand in the file or archive member, without the line end; of a workbook's
// sheet the cells of the row joined by commas. A line that is not there is not
// given. The lines are sorted and distinct.
func HashLines(ctx context.Context, path, name string, lines []int32, each func(line int32, sum [sha256.Size]byte) error) error {
	members, _, _, err := listMembers(path)
	if err != nil {
		return err
	}
	if len(members) == 1 && members[0].kind == xlsxFile {
		return hashSheetLines(ctx, path, name, lines, each)
	}
	i := slices.IndexFunc(members, func(m member) bool { return m.name == name })
	if i < 0 {
		return &FileError{Code: "unreadable", Pos: schema.Pos{File: path + ":" + name}, Detail: "no such member", Lang: "en"}
	}
	src, err := openMember(path, members[i], nil)
	if err != nil {
		return err
	}
	defer src.Close()
	b := bufio.NewReaderSize(src, 1<<20)
	var row []byte
	for line := int32(1); len(lines) > 0; line++ {
		if line%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		wanted := line == lines[0]
		row = row[:0]
		for {
			part, err := b.ReadSlice('\n')
			if wanted {
				row = append(row, part...)
			}
			if errors.Is(err, bufio.ErrBufferFull) && len(row) <= maxHashed {
				continue
			}
			if err != nil && (!errors.Is(err, io.EOF) || len(part) == 0 && len(row) == 0) {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			break
		}
		if wanted {
			if err := each(line, sha256.Sum256(bytes.TrimRight(row, "\r\n"))); err != nil {
				return err
			}
			lines = lines[1:]
		}
	}
	return nil
}

func hashSheetLines(ctx context.Context, path, name string, lines []int32, each func(line int32, sum [sha256.Size]byte) error) error {
	const together = 1 << 14 // texts held at a time
	for len(lines) > 0 {
		n := min(len(lines), together)
		texts, err := rawSheetLines(ctx, path, name, lines[:n])
		if err != nil {
			return err
		}
		for _, line := range lines[:n] {
			if text, ok := texts[line]; ok {
				if err := each(line, sha256.Sum256([]byte(text))); err != nil {
					return err
				}
			}
		}
		lines = lines[n:]
	}
	return nil
}
