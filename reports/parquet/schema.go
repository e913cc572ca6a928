package parquet

// A Kind is what a column's values are.
type Kind uint8

// The kinds of column. All are optional: a value may be null.
const (
	Text      Kind = iota + 1 // UTF-8, of many different values
	Word                      // UTF-8, of few
	Decimal                   // Field.Precision digits, Field.Scale of them decimals
	Timestamp                 // an instant, in milliseconds
	Int                       // 64 bits
	Bool
)

// A Field is a column of a schema.
type Field struct {
	Name      string
	Kind      Kind
	Precision int  // of a decimal, up to 22
	Scale     int  // of a decimal
	Range     bool // write the least and the greatest value, by which readers skip; not of decimals beyond 18 digits
}

// A KeyValue is an entry of a file's metadata.
type KeyValue struct{ Key, Value string }

// A Schema is what all files of a table have in common.
type Schema struct {
	fields []Field
	head   []byte // of the footer: up to the schema
	tail   []byte // of the footer: from the metadata on
}

// physical is how Parquet stores a value.
type physical uint8

const (
	physicalBool  physical = 0
	physicalInt32 physical = 1
	physicalInt64 physical = 2
	physicalBytes physical = 6
	physicalFixed physical = 7 // so many bytes
)

// physical is how the field's values are stored, and, of physicalFixed, in how
// many bytes.
func (f *Field) physical() (physical, int) {
	switch f.Kind {
	case Text, Word:
		return physicalBytes, 0
	case Decimal:
		switch {
		case f.Precision <= 9:
			return physicalInt32, 0
		case f.Precision <= 18:
			return physicalInt64, 0
		case f.Precision <= 20:
			return physicalFixed, 9 // 20 digits need 68 bits
		case f.Precision <= 22:
			return physicalFixed, 10 // and 22 need 75
		}
		panic("parquet: field " + f.Name + " has too many digits")
	case Timestamp, Int:
		return physicalInt64, 0
	case Bool:
		return physicalBool, 0
	}
	panic("parquet: field " + f.Name + " has no kind")
}

// Parquet's older names of what values mean.
const (
	convertedUTF8      = 0
	convertedDecimal   = 5
	convertedTimestamp = 9
	convertedInt64     = 18
)

// NewSchema gives the schema of a table. The metadata is written to every file.
func NewSchema(fields []Field, metadata ...KeyValue) *Schema {
	c := &compact{}
	c.int32(1, 2) // the format's version
	c.list(2, len(fields)+1, compactStruct)
	c.beginElement() // the root
	c.string(4, "schema")
	c.int32(5, len(fields))
	c.end()
	for i := range fields {
		fields[i].append(c)
	}
	s := &Schema{fields: fields, head: c.b}

	c = &compact{last: 4}
	if len(metadata) > 0 {
		c.list(5, len(metadata), compactStruct)
		for _, kv := range metadata {
			c.beginElement()
			c.string(1, kv.Key)
			c.string(2, kv.Value)
			c.end()
		}
	}
	c.string(6, "duizhang")
	c.list(7, len(fields), compactStruct)
	for range fields {
		c.beginElement()
		c.empty(1) // ranges are in the order of the type
		c.end()
	}
	s.tail = append(c.b, 0)
	return s
}

// append appends a schema element.
func (f *Field) append(c *compact) {
	kind, size := f.physical()
	c.beginElement()
	defer c.end()
	c.int32(1, int(kind))
	if kind == physicalFixed {
		c.int32(2, size)
	}
	c.int32(3, 1) // optional
	c.string(4, f.Name)
	switch f.Kind {
	case Text, Word:
		c.int32(6, convertedUTF8)
		c.begin(10)
		c.empty(1)
		c.end()
	case Decimal:
		c.int32(6, convertedDecimal)
		c.int32(7, f.Scale)
		c.int32(8, f.Precision)
		c.begin(10)
		c.begin(5)
		c.int32(1, f.Scale)
		c.int32(2, f.Precision)
		c.end()
		c.end()
	case Timestamp:
		c.int32(6, convertedTimestamp)
		c.begin(10)
		c.begin(8)
		c.yes(1) // adjusted to UTC
		c.begin(2)
		c.empty(1) // milliseconds
		c.end()
		c.end()
		c.end()
	case Int:
		c.int32(6, convertedInt64)
		c.begin(10)
		c.begin(10)
		c.int8(1, 64)
		c.yes(2) // signed
		c.end()
		c.end()
	case Bool:
	}
}
