package gen

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/flate"
)

// archive is one ZIP of bills.
type archive struct {
	f  *os.File
	zw *zip.Writer
}

// deflaters are compressors kept for the next member: each holds about a megabyte.
type deflaters struct {
	level int
	idle  []*flate.Writer
	mu    sync.Mutex
}

type deflater struct {
	*flate.Writer
	of *deflaters
}

func (d *deflaters) compressor(w io.Writer) (io.WriteCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.idle); n > 0 {
		fw := d.idle[n-1]
		d.idle = d.idle[:n-1]
		fw.Reset(w)
		return deflater{fw, d}, nil
	}
	fw, err := flate.NewWriter(w, d.level)
	return deflater{fw, d}, err
}

// Close ends the stream and gives the compressor back.
func (d deflater) Close() error {
	err := d.Writer.Close()
	d.of.mu.Lock()
	d.of.idle = append(d.of.idle, d.Writer)
	d.of.mu.Unlock()
	return err
}

func (d *deflaters) create(dir, name string) (*archive, error) {
	f, err := os.OpenFile(filepath.Join(dir, "bills", name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	return d.archive(f), nil
}

// archive begins a ZIP in a file, which goes with it.
func (d *deflaters) archive(f *os.File) *archive {
	zw := zip.NewWriter(f)
	zw.RegisterCompressor(zip.Deflate, d.compressor)
	return &archive{f, zw}
}

func (a *archive) finish() error {
	if a == nil {
		return nil
	}
	err := a.zw.Close()
	if e := a.f.Close(); err == nil {
		err = e
	}
	return err
}

// member begins a member whose name is GBK with the UTF-8 flag clear.
func (a *archive) member(name string) (io.Writer, error) {
	return a.zw.CreateHeader(&zip.FileHeader{
		Name: string(rawCell(name).gbk), NonUTF8: true, Method: zip.Deflate,
	})
}
