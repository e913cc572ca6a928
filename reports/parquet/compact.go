package parquet

import "encoding/binary"

// A compact appends values in Thrift's compact protocol, in which Parquet's
// headers are written. Fields of a struct come in ascending order.
type compact struct {
	b     []byte
	last  int   // the field before, of the struct at hand
	outer []int // the same, of the structs around it
}

// The protocol's types.
const (
	compactTrue   = 1
	compactByte   = 3
	compactI16    = 4
	compactI32    = 5
	compactI64    = 6
	compactBinary = 8
	compactList   = 9
	compactStruct = 12
)

// field begins a field. Ids rise by 15 at most.
func (c *compact) field(id int, kind byte) {
	c.b = append(c.b, byte(id-c.last)<<4|kind)
	c.last = id
}

// yes is a boolean that is true.
func (c *compact) yes(id int) { c.field(id, compactTrue) }

func (c *compact) int8(id int, v int8) {
	c.field(id, compactByte)
	c.b = append(c.b, byte(v))
}

func (c *compact) int16(id int, v int16) {
	c.field(id, compactI16)
	c.b = appendZigzag(c.b, int64(v))
}

func (c *compact) int32(id, v int) {
	c.field(id, compactI32)
	c.b = appendZigzag(c.b, int64(v))
}

func (c *compact) int64(id int, v int64) {
	c.field(id, compactI64)
	c.b = appendZigzag(c.b, v)
}

func (c *compact) string(id int, s string) {
	c.field(id, compactBinary)
	c.element(s)
}

func (c *compact) bytes(id int, s []byte) {
	c.field(id, compactBinary)
	c.b = append(binary.AppendUvarint(c.b, uint64(len(s))), s...)
}

// element is a string of a list.
func (c *compact) element(s string) {
	c.b = append(binary.AppendUvarint(c.b, uint64(len(s))), s...)
}

// list begins a list; its elements follow.
func (c *compact) list(id, n int, kind byte) {
	c.field(id, compactList)
	if n < 15 {
		c.b = append(c.b, byte(n)<<4|kind)
		return
	}
	c.b = binary.AppendUvarint(append(c.b, 0xf0|kind), uint64(n))
}

// begin begins a field that is a struct, and end ends it.
func (c *compact) begin(id int) {
	c.field(id, compactStruct)
	c.beginElement()
}

// beginElement begins a struct of a list.
func (c *compact) beginElement() {
	c.outer = append(c.outer, c.last)
	c.last = 0
}

func (c *compact) end() {
	c.b = append(c.b, 0)
	c.last = c.outer[len(c.outer)-1]
	c.outer = c.outer[:len(c.outer)-1]
}

// empty is a field that is a struct without fields.
func (c *compact) empty(id int) {
	c.begin(id)
	c.end()
}

// appendZigzag appends a signed number: small ones take few bytes.
func appendZigzag(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}
