package reports

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/xuri/excelize/v2"
)

// bookMembers takes a package from the library, member by member, and writes it:
// with the members in a fixed order, and with the rows of the sheets, which the
// library does not have.
type bookMembers struct {
	members map[string]*bytes.Buffer
	rows    map[string]func(io.Writer) error // by member
	order   []string                         // of the sheets
}

// Create implements excelize.ZipWriter.
func (m *bookMembers) Create(name string) (io.Writer, error) {
	if m.members == nil {
		m.members = make(map[string]*bytes.Buffer)
	}
	member := &bytes.Buffer{}
	m.members[name] = member
	return member, nil
}

// AddFS implements excelize.ZipWriter; the library does not call it.
func (m *bookMembers) AddFS(fs.FS) error { return errors.ErrUnsupported }

// Close implements excelize.ZipWriter.
func (m *bookMembers) Close() error { return nil }

// take gets the package from the library.
func (m *bookMembers) take(f *excelize.File) error {
	f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return m })
	_, err := f.WriteToBuffer()
	return err
}

// contentTypes is the member that readers look for first.
const contentTypes = "[Content_Types].xml"

// write writes the package: the list of types, the other parts by name, the sheets
// in their order.
func (m *bookMembers) write(out io.Writer) error {
	z := zip.NewWriter(out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		const level = 3 // a tenth larger than 6, in half the time
		return flate.NewWriter(w, level)
	})
	names := []string{contentTypes}
	for name := range m.members {
		if name != contentTypes && m.rows[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	for _, name := range append(names, m.order...) {
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		if err := m.member(w, name); err != nil {
			return err
		}
	}
	return z.Close()
}

func (m *bookMembers) member(w io.Writer, name string) error {
	member := m.members[name]
	if member == nil {
		return fmt.Errorf("%s: no such member", name)
	}
	rows := m.rows[name]
	if name == contentTypes {
		_, err := w.Write(sortedTypes(member.Bytes()))
		return err
	}
	if rows == nil {
		_, err := w.Write(member.Bytes())
		return err
	}
	const empty, begin, end = "<sheetData></sheetData>", "<sheetData>", "</sheetData>"
	before, after, ok := strings.Cut(member.String(), empty)
	if !ok {
		return fmt.Errorf("%s: its rows have no place", name)
	}
	if _, err := io.WriteString(w, before+begin); err != nil {
		return err
	}
	if err := rows(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, end+after)
	return err
}

var contentType = regexp.MustCompile(`<(?:Default|Override) [^>]*></(?:Default|Override)>`)

// sortedTypes is the list of types in a fixed order: the library goes through a
// map.
func sortedTypes(list []byte) []byte {
	types := contentType.FindAll(list, -1)
	at := contentType.FindIndex(list)
	if at == nil {
		return list
	}
	slices.SortFunc(types, bytes.Compare)
	sorted := append([]byte(nil), list[:at[0]]...)
	sorted = append(sorted, bytes.Join(types, nil)...)
	return append(sorted, contentType.ReplaceAll(list[at[0]:], nil)...)
}
