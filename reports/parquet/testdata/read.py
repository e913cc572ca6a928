"""Reads Parquet files with pyarrow and DuckDB and compares their cells.

    read.py FILE.parquet FILE.json ...

The JSON file beside each has its columns: name, kind, and cells, null or text.
"""

import json
import sys

import duckdb
import pyarrow
import pyarrow.parquet


def compare(reader, path, name, got, want):
    if len(got) != len(want):
        sys.exit(f"{path}: {reader}: {name} has {len(got)} rows, want {len(want)}")
    for i, (g, w) in enumerate(zip(got, want)):
        if g != w:
            sys.exit(f"{path}: {reader}: {name}[{i}] = {g!r:.100}, want {w!r:.100}")


for path, cells in zip(sys.argv[1::2], sys.argv[2::2]):
    with open(cells, encoding="utf-8") as f:
        columns = json.load(f)
    table = pyarrow.parquet.read_table(path)
    table.validate(full=True)
    if table.column_names != [c["name"] for c in columns]:
        sys.exit(f"{path}: columns {table.column_names}")
    duck = duckdb.connect()
    for c in columns:
        name, kind, want = c["name"], c["kind"], c["cells"] or []
        column, sql = table.column(name), f'"{name}"::varchar'
        if kind == "timestamp":
            column, sql = column.cast("int64"), f'epoch_ms("{name}")::varchar'
        got = column.to_pylist()
        if kind == "decimal":
            got = [None if v is None else format(v, "f") for v in got]
        elif kind == "bool":
            got = [None if v is None else str(v).lower() for v in got]
        elif kind in ("int", "timestamp"):
            got = [None if v is None else str(v) for v in got]
        compare("pyarrow", path, name, got, want)
        got = [row[0] for row in duck.sql(f"select {sql} from '{path}'").fetchall()]
        compare("DuckDB", path, name, got, want)
        # A filter makes use of the ranges and the dictionaries.
        present = [w for w in want if w is not None]
        if present and kind != "timestamp":
            value = present[len(present) // 2].replace("'", "''")
            n = duck.sql(f"select count(*) from '{path}' where {sql} = '{value}'").fetchall()[0][0]
            typed = duck.sql(f"select count(*) from '{path}' where \"{name}\" = '{value}'").fetchall()[0][0]
            if n != want.count(present[len(present) // 2]) or typed != n:
                sys.exit(f"{path}: DuckDB: filter on {name} finds {typed} and {n}")
        nulls = duck.sql(f"select count(*) from '{path}' where \"{name}\" is null").fetchall()[0][0]
        if nulls != len(want) - len(present):
            sys.exit(f"{path}: DuckDB: {name} has {nulls} nulls")
