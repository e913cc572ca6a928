// Package memo writes values of plain data as bytes and reads them again: what a run
// found of a part, so that a later run need not compute it again. Any type of
// numbers, booleans, strings, arrays, slices, maps, structs and pointers to such will
// do, with its unexported fields. Bytes are read by the program that wrote them:
// [Shape] tells types that differ apart.
//
// A field with the tag `memo:"table"`, an int32 or a slice of them, is the number of
// an input table. Numbers change when a file is added; they are renumbered on
// reading. A field with the tag `memo:"-"` is left out.
package memo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unsafe"
)

// ErrShort is the error of bytes that end too early, or that no value gives.
var ErrShort = errors.New("memo: the bytes are damaged")

// Append appends what v points to.
func Append[T any](dst []byte, v *T) []byte {
	c := codecOf(reflect.TypeFor[T]())
	return c.write(dst, unsafe.Pointer(v))
}

// Read reads what v points to, which must be its zero value, and gives the bytes
// behind it. Table numbers that are not negative go through tables, which may be nil.
func Read[T any](src []byte, v *T, tables []int32) (rest []byte, err error) {
	r := reader{data: src, tables: tables}
	codecOf(reflect.TypeFor[T]()).read(&r, unsafe.Pointer(v))
	if r.bad {
		return nil, ErrShort
	}
	return r.data, nil
}

// Shape describes a type down to its last field: bytes written of one are read as one
// of the same shape.
func Shape[T any]() string {
	var b strings.Builder
	shape(&b, reflect.TypeFor[T](), map[reflect.Type]bool{})
	return b.String()
}

func shape(b *strings.Builder, t reflect.Type, within map[reflect.Type]bool) {
	if within[t] {
		b.WriteString(t.String())
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		within[t] = true
		b.WriteByte('{')
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(b, "%s@%d %s ", f.Name, f.Offset, f.Tag)
			shape(b, f.Type, within)
			b.WriteByte(';')
		}
		b.WriteByte('}')
		delete(within, t)
	case reflect.Array:
		fmt.Fprintf(b, "[%d]", t.Len())
		shape(b, t.Elem(), within)
	case reflect.Slice, reflect.Pointer:
		b.WriteString(t.Kind().String() + " ")
		shape(b, t.Elem(), within)
	case reflect.Map:
		b.WriteString("map ")
		shape(b, t.Key(), within)
		b.WriteByte(' ')
		shape(b, t.Elem(), within)
	default:
		b.WriteString(t.Kind().String())
	}
}

// A codec writes and reads values of one type, in place.
type codec struct {
	flat  uintptr // their size, if they are bytes without pointers and tables; else 0
	write func(dst []byte, p unsafe.Pointer) []byte
	read  func(r *reader, p unsafe.Pointer)
}

type reader struct {
	data   []byte
	tables []int32
	bad    bool
}

// take gives the next n bytes, or nil if there are not so many.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) length() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[size:]
	return n
}

// table is the number that a table has now.
func (r *reader) table(n *int32) {
	switch {
	case *n < 0 || r.tables == nil:
	case int(*n) < len(r.tables):
		*n = r.tables[*n]
	default:
		r.bad = true
	}
}

var codecs sync.Map // by reflect.Type

func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec) //nolint:forcetypeassert // nothing else is in it
	}
	c := newCodec(t)
	codecs.Store(t, c)
	return c
}

func newCodec(t reflect.Type) *codec {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return flatCodec(t.Size())
	case reflect.String:
		return stringCodec()
	case reflect.Struct:
		return structCodec(t)
	case reflect.Array:
		return arrayCodec(t)
	case reflect.Slice:
		return sliceCodec(t, codecOf(t.Elem()))
	case reflect.Map:
		return mapCodec(t)
	case reflect.Pointer:
		return pointerCodec(t)
	case reflect.Invalid, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128,
		reflect.Chan, reflect.Func, reflect.Interface, reflect.UnsafePointer:
	}
	panic("memo: " + t.String() + " is no plain data")
}

// flatCodec copies bytes as they are in memory.
func flatCodec(size uintptr) *codec {
	return &codec{
		flat:  size,
		write: func(dst []byte, p unsafe.Pointer) []byte { return append(dst, bytesAt(p, size)...) },
		read:  func(r *reader, p unsafe.Pointer) { copy(bytesAt(p, size), r.take(uint64(size))) },
	}
}

// bytesAt is the memory of a value without pointers.
func bytesAt(p unsafe.Pointer, size uintptr) []byte { return unsafe.Slice((*byte)(p), size) }

func stringCodec() *codec {
	return &codec{
		write: func(dst []byte, p unsafe.Pointer) []byte {
			s := *(*string)(p)
			return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
		},
		read: func(r *reader, p unsafe.Pointer) { *(*string)(p) = string(r.take(r.length())) },
	}
}

// A fieldCodec is that of a field.
type fieldCodec struct {
	offset uintptr
	*codec
}

func structCodec(t reflect.Type) *codec {
	var fields []fieldCodec
	flat := true
	for i := range t.NumField() {
		f := t.Field(i)
		var c *codec
		switch f.Tag.Get("memo") {
		case "-":
			flat = false
			continue
		case "table":
			c = tableCodec(f.Type)
		default:
			c = codecOf(f.Type)
		}
		flat = flat && (c.flat > 0 || f.Type.Size() == 0)
		fields = append(fields, fieldCodec{f.Offset, c})
	}
	if flat && t.Size() > 0 {
		return flatCodec(t.Size())
	}
	return &codec{
		write: func(dst []byte, p unsafe.Pointer) []byte {
			for i := range fields {
				dst = fields[i].write(dst, unsafe.Add(p, fields[i].offset))
			}
			return dst
		},
		read: func(r *reader, p unsafe.Pointer) {
			for i := range fields {
				fields[i].read(r, unsafe.Add(p, fields[i].offset))
			}
		},
	}
}

// tableCodec is that of table numbers: one, or a slice of them.
func tableCodec(t reflect.Type) *codec {
	number := flatCodec(unsafe.Sizeof(int32(0)))
	one := &codec{write: number.write, read: func(r *reader, p unsafe.Pointer) {
		number.read(r, p)
		r.table((*int32)(p))
	}}
	switch {
	case t.Kind() == reflect.Int32:
		return one
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Int32:
		plain := sliceCodec(t, number)
		return &codec{write: plain.write, read: func(r *reader, p unsafe.Pointer) {
			plain.read(r, p)
			for i := range *(*[]int32)(p) {
				r.table(&(*(*[]int32)(p))[i])
			}
		}}
	}
	panic("memo: " + t.String() + " is no table number")
}

func arrayCodec(t reflect.Type) *codec {
	elem, size, n := codecOf(t.Elem()), t.Elem().Size(), t.Len()
	if elem.flat > 0 && n > 0 {
		return flatCodec(t.Size())
	}
	return &codec{
		write: func(dst []byte, p unsafe.Pointer) []byte {
			for i := range n {
				dst = elem.write(dst, unsafe.Add(p, uintptr(i)*size))
			}
			return dst
		},
		read: func(r *reader, p unsafe.Pointer) {
			for i := range n {
				elem.read(r, unsafe.Add(p, uintptr(i)*size))
			}
		},
	}
}

func sliceCodec(t reflect.Type, elem *codec) *codec {
	size := t.Elem().Size()
	return &codec{
		write: func(dst []byte, p unsafe.Pointer) []byte {
			s := reflect.NewAt(t, p).Elem()
			n := s.Len()
			dst = binary.AppendUvarint(dst, uint64(n))
			if n == 0 {
				return dst
			}
			first := s.UnsafePointer()
			if elem.flat > 0 {
				return append(dst, bytesAt(first, uintptr(n)*size)...)
			}
			for i := range n {
				dst = elem.write(dst, unsafe.Add(first, uintptr(i)*size))
			}
			return dst
		},
		read: func(r *reader, p unsafe.Pointer) {
			n := r.length()
			// An element takes a byte at least, so that a damaged length asks for no memory.
			if n == 0 || n > uint64(len(r.data)) || elem.flat > 0 && n > uint64(len(r.data))/uint64(elem.flat) {
				r.bad = r.bad || n != 0
				return
			}
			s := reflect.NewAt(t, p).Elem()
			s.Set(reflect.MakeSlice(t, int(n), int(n)))
			first := s.UnsafePointer()
			if elem.flat > 0 {
				copy(bytesAt(first, uintptr(n)*size), r.take(n*uint64(size)))
				return
			}
			for i := 0; i < int(n) && !r.bad; i++ {
				elem.read(r, unsafe.Add(first, uintptr(i)*size))
			}
		},
	}
}

func mapCodec(t reflect.Type) *codec {
	key, elem := codecOf(t.Key()), codecOf(t.Elem())
	return &codec{
		write: func(dst []byte, p unsafe.Pointer) []byte {
			m := reflect.NewAt(t, p).Elem()
			dst = binary.AppendUvarint(dst, uint64(m.Len()))
			k, v := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			for it := m.MapRange(); it.Next(); {
				k.SetIterKey(it)
				v.SetIterValue(it)
				dst = elem.write(key.write(dst, k.Addr().UnsafePointer()), v.Addr().UnsafePointer())
			}
			return dst
		},
		read: func(r *reader, p unsafe.Pointer) {
			n := r.length()
			if n > uint64(len(r.data)) { // a key takes a byte at least
				r.bad = true
				return
			}
			m := reflect.NewAt(t, p).Elem()
			m.Set(reflect.MakeMapWithSize(t, int(n)))
			for i := 0; i < int(n) && !r.bad; i++ {
				k, v := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
				key.read(r, k.Addr().UnsafePointer())
				elem.read(r, v.Addr().UnsafePointer())
				m.SetMapIndex(k, v)
			}
		},
	}
}

func pointerCodec(t reflect.Type) *codec {
	var elem *codec
	var once sync.Once // a type may hold pointers to itself
	find := func() { elem = codecOf(t.Elem()) }
	return &codec{
		write: func(dst []byte, p unsafe.Pointer) []byte {
			once.Do(find)
			at := *(*unsafe.Pointer)(p)
			if at == nil {
				return append(dst, 0)
			}
			return elem.write(append(dst, 1), at)
		},
		read: func(r *reader, p unsafe.Pointer) {
			once.Do(find)
			if b := r.take(1); len(b) == 0 || b[0] == 0 {
				return
			}
			v := reflect.New(t.Elem())
			elem.read(r, v.UnsafePointer())
			reflect.NewAt(t, p).Elem().Set(v)
		},
	}
}
