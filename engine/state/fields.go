package state

import (
	"slices"

	"duizhang/engine/schema"
)

// appendAll adds all values of src to dst; both are fields of one kind of table.
func appendAll(dst, src []schema.Field) {
	for k, f := range dst {
		switch to := f.Data.(type) {
		case *[]int64:
			*to = append(*to, *src[k].Data.(*[]int64)...)
		case *[]int32:
			*to = append(*to, *src[k].Data.(*[]int32)...)
		case *[]uint32:
			*to = append(*to, *src[k].Data.(*[]uint32)...)
		case *[]uint8:
			*to = append(*to, *src[k].Data.(*[]uint8)...)
		case *schema.Text:
			from := src[k].Data.(*schema.Text)
			for i := range from.Len() {
				to.Append(from.At(i))
			}
		}
	}
}

// appendPicked adds the given rows.
func appendPicked(dst, src []schema.Field, rows []int32) {
	for k, f := range dst {
		switch to := f.Data.(type) {
		case *[]int64:
			*to = pickRows(*to, *src[k].Data.(*[]int64), rows)
		case *[]int32:
			*to = pickRows(*to, *src[k].Data.(*[]int32), rows)
		case *[]uint32:
			*to = pickRows(*to, *src[k].Data.(*[]uint32), rows)
		case *[]uint8:
			*to = pickRows(*to, *src[k].Data.(*[]uint8), rows)
		case *schema.Text:
			from := src[k].Data.(*schema.Text)
			for _, row := range rows {
				to.Append(from.At(int(row)))
			}
		}
	}
}

func pickRows[T any](to, from []T, rows []int32) []T {
	for _, row := range rows {
		to = append(to, from[row])
	}
	return to
}

// resetFields empties the fields and keeps their memory.
func resetFields(fields []schema.Field) {
	for _, f := range fields {
		switch data := f.Data.(type) {
		case *[]int64:
			*data = (*data)[:0]
		case *[]int32:
			*data = (*data)[:0]
		case *[]uint32:
			*data = (*data)[:0]
		case *[]uint8:
			*data = (*data)[:0]
		case *schema.Text:
			data.Offsets, data.Data = data.Offsets[:0], data.Data[:0]
		}
	}
}

func names(fields []schema.Field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name)
	}
	return all
}

// places are, for each field, its place among the columns that a page was written
// with; -1 for a field that pages did not have yet.
func places(fields []schema.Field, columns []string) []int {
	at := make([]int, len(fields))
	for k, f := range fields {
		at[k] = slices.Index(columns, f.Name)
	}
	return at
}
