"""Reconciles a generated day with DuckDB: the SQL is in the files beside this one.

    run.py DATA OUT

Prints the checksums of what it found as JSON. It knows the kinds of trouble that
gen.Performance plants, and no others.
"""

import json
import os
import string
import sys
from pathlib import Path

here = Path(__file__).parent
sys.path.append(str(here.parent))

import duckdb  # noqa: E402

from front import Bills  # noqa: E402


def main(data, out):
    os.makedirs(out, exist_ok=True)
    bills = Bills(data, os.path.join(out, "unpacked"))  # runs while the rest is loaded
    con = duckdb.connect(config={"temp_directory": os.path.join(out, "spill")})
    timed = os.environ.get("PEER_TIMES")

    def script(name, **values):
        text = string.Template((here / name).read_text(encoding="utf-8")).safe_substitute(data=data, out=out, **values)
        if not timed:
            con.execute(text)
            return
        import time

        for s in con.extract_statements(text):
            t = time.time()
            con.execute(s)
            if time.time() - t > 0.05:
                print(f"{time.time() - t:6.2f}", " ".join(s.query.split())[:90], file=sys.stderr)

    script("load.sql")
    script("goods.sql")
    files = bills.wait()
    con.execute("CREATE TABLE bill_files (filename VARCHAR, merchant_pid VARCHAR)")
    con.executemany("INSERT INTO bill_files VALUES (?, ?)", files)
    script("match.sql", bills="[" + ", ".join(f"'{path}'" for path, _ in files) + "]")
    bills.remove()
    print(json.dumps(checksums(con), default=str))


def checksums(con):
    def table(sql, *names):
        return {row[0]: dict(zip(names, row[1:])) for row in con.execute(sql).fetchall()}

    sides = "count(pos_amount), coalesce(sum(pos_amount), 0), count(bill_amount), coalesce(sum(bill_amount), 0)"
    sides_names = ("pos_count", "pos_amount", "bill_count", "bill_amount")

    def one(sql, *names):
        return dict(zip(names, con.execute(sql).fetchone()))

    totals = one("SELECT coalesce(sum(n), 0), coalesce(sum(allocated), 0) FROM goods_sums", "rows", "allocated")
    return {
        "trades": table(f"SELECT status, {sides} FROM trades GROUP BY status", *sides_names),
        "refunds": table(f"SELECT status, {sides} FROM refunds GROUP BY status", *sides_names),
        "goods": table(
            "SELECT scenario, max(orders), sum(allocated) FROM goods_sums GROUP BY scenario", "count", "amount"
        ),
        "filler": one(
            "SELECT coalesce(sum(n), 0), coalesce(sum(allocated), 0) FROM goods_sums WHERE is_filler", "count", "amount"
        ),
        "allocated": totals["allocated"],
        "goods_rows": totals["rows"],
        "refund_split": one(
            "SELECT coalesce(sum(expected_paid), 0), coalesce(sum(expected_red_packet), 0), coalesce(sum(expected_allowance), 0) FROM refunds",
            "paid", "red_packet", "allowance",
        ),
        "rebates": table(
            "SELECT cause, count(*), sum(expected), coalesce(sum(stated), 0), sum(loss) FROM rebates GROUP BY cause",
            "count", "expected", "stated", "loss",
        ),
        "out_of_scope": con.execute(
            "SELECT count(*) FROM stated s ANTI JOIN trades t ON t.trade_no = s.trade_no"
        ).fetchone()[0],
        "breaks": table("SELECT code, count(*), sum(amount) FROM breaks GROUP BY code", "count", "amount"),
        "rejects": {},
    }


if __name__ == "__main__":
    main(*sys.argv[1:3])
