package loaders

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"

	"duizhang/engine/schema"
	"duizhang/loaders/inflate"
)

// A container is what a file is outside: told by content, never by name
// (formats 1.1).
type container uint8

const (
	plainFile container = iota + 1
	gzipFile
	zipFile
	xlsxFile
)

// Limits of archives (formats 1.1).
const (
	maxMembers = 100
	// A member may unpack to maxRatio times its size or to freeSize, whichever
	// is more, and never to more than maxUnpacked.
	maxRatio    = 100
	freeSize    = 64 << 20
	maxUnpacked = 64 << 30
)

// sniffContainer judges a file by its first bytes and, for a ZIP, by its members.
func sniffContainer(f *os.File) (container, error) {
	var magic [4]byte
	n, err := f.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	switch {
	case isZip(magic[:n]):
		return zipFile, nil
	case isGzip(magic[:n]):
		return gzipFile, nil
	}
	return plainFile, nil
}

func isZip(b []byte) bool {
	return bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("PK\x05\x06"))
}

func isGzip(b []byte) bool { return bytes.HasPrefix(b, []byte("\x1f\x8b")) }

// A member is one table of an input before it is read: a plain file, a member
// of an archive or a sheet of a workbook.
type member struct {
	name  string // "" for a plain file
	kind  container
	index int // in the archive or workbook

	archive *archive  // of a zipFile
	file    *zip.File // in it
}

// An archive is a ZIP whose directory has been read. Its members are opened one by
// one, mostly twice, and the directory is not read again: of two thousand small bills
// that is a good part of what there is to read.
type archive struct {
	path string

	mu    sync.Mutex
	f     *os.File // open while it has users
	users int
	read  *atomic.Int64 // what is read of it is added here; nil while heads are read
}

// ReadAt reads the open file.
func (a *archive) ReadAt(p []byte, off int64) (int, error) {
	return countingReaderAt{a.f, a.read}.ReadAt(p, off)
}

// open adds a user. All of one time count what they read in the same place, or all do not.
func (a *archive) open(read *atomic.Int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users == 0 {
		f, err := openRegular(a.path)
		if err != nil {
			return err
		}
		a.f, a.read = f, read
	}
	a.users++
	return nil
}

// Close takes a user away.
func (a *archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users--; a.users > 0 {
		return nil
	}
	f := a.f
	a.f, a.read = nil, nil
	return f.Close()
}

// errNotRegular is a folder, a pipe, a device or a socket given as a file.
var errNotRegular = errors.New("not a regular file")

// openRegular opens a file that can be read to its end, more than once. Anything
// else is not even opened: the opening of a pipe waits for a writer.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return os.Open(path)
}

// listMembers lists what is in a file without unpacking anything.
func listMembers(path string) (members []member, encrypted, unsafe string, err error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, "", "", err
	}
	defer func() { _ = f.Close() }()
	kind, err := sniffContainer(f)
	if err != nil {
		return nil, "", "", err
	}
	if kind != zipFile {
		return []member{{kind: kind}}, "", "", nil
	}
	a := &archive{path: path, f: f}
	z, err := openZip(f, a)
	if err != nil {
		return nil, "", "", err
	}
	a.f = nil // listed: from now on whoever reads a member opens it
	files := 0
	for _, m := range z.File {
		if m.Name == "[Content_Types].xml" {
			return []member{{kind: xlsxFile}}, "", "", nil
		}
		if !isFolder(m) {
			files++
		}
	}
	if files > maxMembers {
		return nil, "", itoa(int64(files)), nil
	}
	for i, m := range z.File {
		name := memberName(m)
		if m.Flags&1 != 0 || m.Method == 99 {
			return nil, name, "", nil
		}
		if !isFolder(m) {
			members = append(members, member{name: name, kind: zipFile, index: i, archive: a, file: m})
		}
	}
	return members, "", "", nil
}

func isFolder(m *zip.File) bool { return strings.HasSuffix(m.Name, "/") }

// memberName decodes a member's name: GB18030 where the UTF-8 flag is clear and
// the bytes are no UTF-8. It is a label, never a path on disk.
func memberName(m *zip.File) string {
	if m.Flags&0x800 == 0 && !utf8.ValidString(m.Name) {
		return gb18030Text([]byte(m.Name))
	}
	return strings.ToValidUTF8(m.Name, "�")
}

// openZip reads the directory of a ZIP, the open file; r is how its members are read.
func openZip(f *os.File, r io.ReaderAt) (*zip.Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, info.Size())
	if errors.Is(err, zip.ErrInsecurePath) { // names are labels here
		err = nil
	}
	if err != nil {
		return nil, err
	}
	z.RegisterDecompressor(zip.Deflate, inflate.NewReader)
	return z, nil
}

// countingReaderAt counts what was read of a file, for the progress shown.
type countingReaderAt struct {
	io.ReaderAt
	read *atomic.Int64
}

func (r countingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, off)
	if r.read != nil {
		r.read.Add(int64(n))
	}
	return n, err
}

type countingReader struct {
	io.Reader
	read *atomic.Int64
}

func (r countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.read != nil {
		r.read.Add(int64(n))
	}
	return n, err
}

// errUnsafe is a member that unpacks beyond its limit.
type errUnsafe struct{ limit, packed int64 }

func (e errUnsafe) Error() string {
	return fmt.Sprintf("%d bytes unpack to more than %d", e.packed, e.limit)
}

// unpackLimit is how many bytes a member of the given size may unpack to.
func unpackLimit(packed int64) int64 {
	if packed > maxUnpacked/maxRatio {
		return maxUnpacked
	}
	return max(freeSize, maxRatio*packed)
}

// errNested is an archive in an archive.
var errNested = errors.New("an archive in an archive")

// A limitedReader unpacks a member and stops where the limits of archives do.
type limitedReader struct {
	io.Reader
	packed   int64
	limit    int64
	unpacked int64
	closers  []io.Closer
}

// newLimitedReader is for a member of the given size that says what it unpacks
// to, 0 if it does not. One that says too much is not begun: of a member that is
// no table only the head is read, which is within any limit. One that says too
// little is stopped while it is read.
func newLimitedReader(r io.Reader, packed int64, stated uint64, closers ...io.Closer) (*limitedReader, error) {
	l := &limitedReader{Reader: r, packed: packed, limit: unpackLimit(packed), closers: closers}
	if stated > uint64(l.limit) {
		return nil, errUnsafe{l.limit, packed}
	}
	return l, nil
}

func (r *limitedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.unpacked += int64(n)
	if r.unpacked > r.limit {
		return 0, errUnsafe{r.limit, r.packed}
	}
	return n, err
}

func (r *limitedReader) Close() error {
	var errs []error
	for _, c := range r.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// openMember opens the bytes of a plain file, a gzip file or a member of a ZIP.
// What is read of the file itself is added to read.
func openMember(path string, m member, read *atomic.Int64) (io.ReadCloser, error) {
	if m.kind == zipFile {
		return unzip(m, read)
	}
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	r, err := unpack(f, m, read)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

// unpack is openMember of the open file, which the result closes; it is no ZIP.
func unpack(f *os.File, m member, read *atomic.Int64) (io.ReadCloser, error) {
	switch m.kind {
	case gzipFile:
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		z, err := gzip.NewReader(countingReader{f, read})
		if err != nil {
			return nil, err
		}
		return newLimitedReader(z, info.Size(), 0, z, f) // what a gzip says of its size is modulo 2^32
	case plainFile, xlsxFile, zipFile:
	}
	return struct {
		io.Reader
		io.Closer
	}{countingReader{f, read}, f}, nil
}

// unzip opens a member of a ZIP.
func unzip(m member, read *atomic.Int64) (io.ReadCloser, error) {
	if err := m.archive.open(read); err != nil {
		return nil, err
	}
	r, err := m.file.Open()
	if err != nil {
		_ = m.archive.Close()
		return nil, err
	}
	l, err := newLimitedReader(r, int64(m.file.CompressedSize64), m.file.UncompressedSize64, r, m.archive)
	if err != nil {
		_ = errors.Join(r.Close(), m.archive.Close())
		return nil, err
	}
	return l, nil
}

// openError says why a file or a member cannot be read.
func openError(t *schema.Table, err error, lang string) *FileError {
	e := &FileError{Code: "unreadable", Pos: schema.Pos{File: t.File()}, Lang: lang, Cause: err}
	var unsafe errUnsafe
	switch {
	case errors.As(err, &unsafe):
		e.Code, e.Cause = "archive_unsafe", nil
		e.Detail = say(lang,
			fmt.Sprintf("%d 字节展开后超过 %d 字节", unsafe.packed, unsafe.limit), unsafe.Error())
	case errors.Is(err, errNested):
		e.Code, e.Cause = "archive_unsafe", nil
		e.Detail = say(lang, "压缩包里还有压缩包", err.Error())
		e.Advice = say(lang, "请先解开内层文件", "unpack the inner file first")
	case errors.Is(err, os.ErrNotExist):
		e.Detail = say(lang, "文件不存在", "no such file")
	case errors.Is(err, os.ErrPermission):
		e.Detail = say(lang, "没有读取权限", "permission denied")
	case errors.Is(err, errNotRegular):
		e.Detail = say(lang, "不是普通文件", err.Error())
	case errors.Is(err, zip.ErrAlgorithm):
		e.Detail = say(lang, "压缩包用了不支持的压缩方法", "the archive is compressed in a way that is not supported")
		e.Advice = say(lang, "请解压后重新打包为普通 ZIP", "unpack it and pack it again as a plain ZIP")
	case damaged(err):
		e.Detail = say(lang, "压缩包损坏或没有下载完整，请重新下载", "the archive is damaged or was not downloaded whole; download it again")
	default:
		e.Detail = plainCause(err)
	}
	return e
}

// damaged tells an archive that breaks off or whose bytes make no sense.
func damaged(err error) bool {
	for _, cause := range []error{
		io.ErrUnexpectedEOF, zip.ErrFormat, zip.ErrChecksum, gzip.ErrHeader, gzip.ErrChecksum, inflate.ErrCorrupt,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt
}

// plainCause is the text of an error without the path, which the place has.
func plainCause(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// say chooses the language of a text.
func say(lang, zh, en string) string {
	if lang == "en" {
		return en
	}
	return zh
}

// hashBuffer is what is hashed at once.
const hashBuffer = 256 << 10

// A fileHash is the SHA-256 and the size of one input file, taken beside the
// reading.
type fileHash struct {
	sum   string
	bytes int64
}

func hashFile(ctx context.Context, path string, buf []byte) (fileHash, error) {
	f, err := openRegular(path)
	if err != nil {
		return fileHash{}, err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	n, err := io.CopyBuffer(h, ctxReader{ctx, f}, buf)
	return fileHash{hex.EncodeToString(h.Sum(nil)), n}, err
}

// Digest is the SHA-256 of a file, as tables have it.
func Digest(ctx context.Context, path string) (string, error) {
	buf := digestBuffers.Get().(*[hashBuffer]byte) //nolint:forcetypeassert // nothing else is in it
	defer digestBuffers.Put(buf)
	hash, err := hashFile(ctx, path, buf[:])
	return hash.sum, err
}

var digestBuffers = sync.Pool{New: func() any { return new([hashBuffer]byte) }}

// ctxReader gives up when the context does.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
