// Package loaders reads the files that Alipay and others produce into Arrow
// record batches: trade bills, POS exports, rebate statements and reference
// tables, from plain text, gzip, ZIP and XLSX, in UTF-8 or GB18030.
//
// A file is known by its content, never by its name. Every row is accepted,
// repaired (counted) or rejected (reported with its place); a file that cannot be
// read as a whole is refused, and says why. The formats and their traps are those
// of formats.md; sections are named where they are followed.
package loaders
