"""Reconciles a generated day with Polars.

    run.py DATA OUT

Prints the checksums of what it found as JSON. It knows the kinds of trouble that
gen.Performance plants, and no others. Amounts are whole fen and quantities, prices and
rates whole millionths: Polars rounds decimals in a way of its own when it multiplies.
"""

import json
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

import polars as pl  # noqa: E402

from front import Bills  # noqa: E402

c = pl.col
TEXT, TIME, FEN, MICRO = pl.String, pl.Datetime("ms"), pl.Decimal(18, 2), pl.Decimal(18, 6)
KEY = ["merchant_pid", "out_trade_no"]


def read(path, **schema):
    """The table of a CSV file, its decimals as whole numbers of their last place; columns by position."""
    frame = pl.scan_csv(path, schema=schema, has_header=False, skip_rows=1)
    return frame.with_columns(c(name).to_physical().cast(pl.Int64) for name, kind in schema.items() if kind in (FEN, MICRO))


def half_up(product, unit):
    """product / unit in whole numbers, half up away from zero; at Int128 nothing overflows."""
    return (product.sign() * ((2 * product.abs() + unit) // (2 * unit))).cast(pl.Int64)


def money(*names):
    return [(c(n).cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(18, 2)).alias(n) for n in names]


def micro(*names, precision=22):
    return [(c(n).cast(pl.Decimal(38, 6)) / 1_000_000).cast(pl.Decimal(precision, 6)).alias(n) for n in names]


def moment(*names):
    return [c(n).dt.replace_time_zone("Asia/Shanghai").alias(n) for n in names]


def write(frame, out, name):
    frame.write_parquet(os.path.join(out, name + ".parquet"), compression="zstd")


def load_pos(data):
    return read(
        f"{data}/pos/*.csv",
        out_trade_no=TEXT, trade_no=TEXT, merchant_pid=TEXT, store_id=TEXT, terminal_id=TEXT, order_time=TIME, status=TEXT,
        channel=TEXT, total_amount=FEN, buyer_paid=FEN, red_packet=FEN, allowance=FEN, coupon=FEN, hb_fq_num=pl.Int64,
        pid=TEXT, goods_id=TEXT, goods_name=TEXT, quantity=MICRO, price=MICRO,
    ).with_row_index("line").collect()


def allocate(pos, orders, goods, out):
    """Divides every paid order's total over its lines (rules 4), and writes goods."""
    lines = (
        pos.lazy().select(*KEY, "line", "goods_id", "goods_name", "quantity", "price")
        .join(orders.lazy().filter(c("status") == "paid").select(*KEY, "id"), on=KEY)
        .join(goods.lazy().select("goods_id", tag=c("tag_price") * 10_000), on="goods_id", how="left")
        .with_columns(tagged=c("price").is_null(), price=c("price").fill_null(c("tag")))
        .with_columns(amount=half_up(c("price").cast(pl.Int128) * c("quantity"), 10_000_000_000))
        .group_by("id", "goods_id")
        .agg(first=c("line").min(), n=pl.len(), goods_name=c("goods_name").first(), quantity=c("quantity").sum(),
             price=c("price").first(), amount=c("amount").sum(), tagged=c("tagged").all())
        .with_columns(
            price=pl.when(c("n") == 1).then("price")
            .otherwise(half_up(c("amount").cast(pl.Int128) * 1_000_000, c("quantity")) * 10_000))
        .collect()
    )
    sums = (
        lines.lazy().group_by("id").agg(total=c("amount").sum(), tagged=c("tagged").all(), lines=pl.len())
        .join(orders.lazy().select("id", "total_amount"), on="id")
        .with_columns(
            scenario=pl.when("tagged").then(pl.lit("tag_price")).when(c("total_amount") == c("total")).then(pl.lit("equal"))
            .when(c("total_amount") < c("total")).then(pl.lit("below")).otherwise(pl.lit("above")),
            divided=((c("total_amount") < c("total")) | c("tagged") & (c("total_amount") != c("total"))) & (c("total") > 0))
        .collect()
    )
    numbered = (
        lines.drop("tagged", "n").sort("id", "first").with_columns(at=pl.int_range(pl.len()))
        .with_columns(line=c("at") - c("at").min().over("id") + 1).drop("at", "first")
        .join(sums.select("id", "total_amount", "total", "scenario", "divided"), on="id")
    )
    product = c("total_amount").cast(pl.Int128) * c("amount")
    divided = (
        numbered.filter("divided")
        .with_columns(allocated=(product // c("total")).cast(pl.Int64), rest=(product % c("total")).cast(pl.Int64))
        .sort("id", "rest", "line", descending=[False, True, False]).with_columns(at=pl.int_range(pl.len()))
        .with_columns(place=c("at") - c("at").min().over("id"), left=c("total_amount") - c("allocated").sum().over("id"))
        .with_columns(allocated=c("allocated") + (c("place") < c("left")).cast(pl.Int64))
    )
    columns = ["id", "line", "goods_id", "goods_name", "quantity", "price", "amount", "allocated", "is_filler", "scenario"]
    filler = sums.filter(~c("divided") & (c("total_amount") > c("total"))).select(
        "id", line=c("lines").cast(pl.Int64) + 1, goods_id=pl.lit(None, TEXT), goods_name=pl.lit("填充商品"),
        quantity=pl.lit(1_000_000, pl.Int64), price=pl.lit(0, pl.Int64), amount=pl.lit(0, pl.Int64),
        allocated=c("total_amount") - c("total"), is_filler=pl.lit(True), scenario="scenario")
    shares = pl.concat([
        numbered.filter(~c("divided")).with_columns(allocated="amount", is_filler=pl.lit(False)).select(columns),
        divided.with_columns(is_filler=pl.lit(False)).select(columns),
        filler,
    ])
    write(
        shares.lazy().join(orders.lazy().select("id", *KEY, "store_id"), on="id")
        .select(*KEY, "line", "goods_id", "goods_name", *micro("quantity", "price"), *money("amount", "allocated"),
                "is_filler", "scenario", "store_id")
        .rename({"amount": "line_amount"}).collect(), out, "goods")
    return shares.group_by("scenario", "is_filler").agg(orders=c("id").n_unique(), rows=pl.len(), allocated=c("allocated").sum())


def load_bills(files):
    parts = []
    for path, merchant in files:
        text = {n: TEXT for n in ("trade_no", "out_trade_no", "kind", "subject")}
        part = read(
            path, **text, created=TEXT, finished=TIME, store_id=TEXT, store_name=TEXT, operator_id=TEXT, terminal_id=TEXT,
            buyer=TEXT, total=FEN, received=FEN, red_packet=FEN, points=FEN, platform=FEN, discount=FEN, voucher=FEN,
            voucher_name=TEXT, merchant_red=TEXT, card=TEXT, request_no=TEXT, fee=FEN, share=TEXT, remark=TEXT)
        strip = [c(n).str.strip_chars_end("\t") for n in
                 ("trade_no", "out_trade_no", "kind", "store_id", "operator_id", "terminal_id", "request_no", "merchant_red")]
        parts.append(
            part.with_columns(strip).select(
                pl.lit(merchant).alias("merchant_pid"), "trade_no", "out_trade_no", refund=c("kind").str.strip_chars("\t") == "退款",
                finished="finished", store_id="store_id", operator_id="operator_id", terminal_id="terminal_id", total="total",
                received="received", red=c("red_packet") + c("platform"), discount="discount", voucher="voucher",
                merchant_red=c("merchant_red").cast(FEN).to_physical().cast(pl.Int64), request_no="request_no", fee=-c("fee")))
    return pl.concat(parts).with_row_index("bill_id").collect()


def match(orders, bill, refunded, stores, merchants):
    """Pairs by key, then by trade_no, and gives every unit its status (rules 3)."""
    payments = bill.filter(~c("refund")).drop("refund", "request_no")
    again = payments.group_by("trade_no").agg(pl.len(), first=c("bill_id").min()).filter(c("len") > 1).drop("len")
    payments = payments.join(again, on="trade_no", how="left").with_columns(
        duplicate=(c("bill_id") > c("first")).fill_null(False)).drop("first")
    once = payments.filter(~c("duplicate"))
    twice = once.group_by(KEY).agg(pl.len(), first=c("bill_id").min()).filter(c("len") > 1).drop("len")
    once = once.join(twice, on=KEY, how="left").with_columns(second=(c("bill_id") > c("first")).fill_null(False)).drop("first")

    bill_side = {n: "bill_" + n for n in (*KEY, "store_id", "terminal_id")}
    pos_side = {"trade_no": "pos_trade_no", "buyer_paid": "pos_buyer", "red_packet": "pos_red", "allowance": "pos_allowance",
                "coupon": "pos_coupon"}
    pos = orders.rename(pos_side)
    singles = payments.filter("duplicate").with_columns(second=pl.lit(False))
    singles = pl.concat([singles, once.filter("second")], how="diagonal").rename(bill_side)
    key_of_bill = [c(n).alias("bill_" + n) for n in KEY]
    keyed = pos.join(
        once.filter(~c("second")).with_columns(key_of_bill).rename({n: bill_side[n] for n in ("store_id", "terminal_id")}),
        on=KEY, how="full")
    keyed = keyed.drop("merchant_pid_right", "out_trade_no_right")
    pos_left = keyed.filter(c("bill_id").is_null()).select(pos.columns)
    bill_left = keyed.filter(c("id").is_null()).select(singles.columns)
    alone = pos_left.join(bill_left, left_on="pos_trade_no", right_on="trade_no", how="full", coalesce=False)
    units = pl.concat([keyed.filter(c("id").is_not_null() & c("bill_id").is_not_null()), alone, singles], how="diagonal")

    agrees = c("pos_allowance") + c("pos_coupon") == c("discount")
    used = pl.min_horizontal("discount", "voucher")
    no_bill, first = c("bill_id").is_null(), ~c("duplicate")
    return (
        units.lazy()
        .join(refunded.lazy(), on="trade_no", how="left")
        .join(stores.lazy().select(bill_store_id="store_id", own="fee_rate"), on="bill_store_id", how="left")
        .join(merchants.lazy().select(bill_merchant_pid="merchant_pid", contract="fee_rate"), on="bill_merchant_pid", how="left")
        .with_columns(
            status=pl.when("duplicate").then(pl.lit("duplicate")).when(c("id").is_null()).then(pl.lit("bill_only"))
            .when(no_bill & (c("status") != "paid")).then(pl.lit("excluded")).when(no_bill).then(pl.lit("pos_only"))
            .when(c("status") != "paid").then(pl.lit("status_mismatch"))
            .when(c("total") != c("total_amount")).then(pl.lit("amount_mismatch")).otherwise(pl.lit("matched")),
            reason=pl.when("second").then(pl.lit("paid_twice")).when(no_bill & (c("status") != "paid")).then(pl.lit("not_paid")),
            allowance=pl.when(no_bill).then("pos_allowance").when(first).then(
                pl.when(agrees).then("pos_allowance").otherwise(c("discount") - used)),
            coupon=pl.when(no_bill).then("pos_coupon").when(first).then(pl.when(agrees).then("pos_coupon").otherwise(used)),
            red_packet=pl.when(no_bill).then("pos_red").when(first).then("red"),
            buyer_paid=pl.when(no_bill).then("pos_buyer").when(first).then(
                c("total") - c("red") - c("discount") - c("merchant_red")),
            fee_expected=pl.when(first).then(half_up(c("received").cast(pl.Int128) * c("own").fill_null(c("contract")), 1_000_000)),
            refunded=pl.when(no_bill | first).then(c("refund_total").fill_null(0)),
            given_back=c("refund_received").fill_null(0))
        .select(
            "id", "bill_id", *(pl.coalesce(n, "bill_" + n) for n in KEY), pl.coalesce("trade_no", "pos_trade_no").alias("trade_no"),
            "status", "order_time", c("finished").alias("bill_time"),
            *(pl.coalesce(n, "bill_" + n) for n in ("store_id", "terminal_id")), "operator_id",
            c("total_amount").alias("pos_amount"), c("total").alias("bill_amount"),
            (c("total").fill_null(0) - c("total_amount").fill_null(0)).alias("difference"), "received", "buyer_paid",
            "red_packet", "allowance", "coupon", c("fee").alias("service_fee"), "fee_expected", "refunded", "given_back",
            c("pid").alias("sys_service_provider_id"), "hb_fq_num", "reason")
        .collect()
    )


def split_refunds(bill_refunds, pos_refunds, trades):
    """Matches refunds by key and number, and splits them over the funding (rules 5)."""
    funding = trades.filter(c("status") != "duplicate").select("trade_no", "buyer_paid", "red_packet", "allowance")
    paid = pl.min_horizontal("cumulative", "buyer_paid")
    split = bill_refunds.join(funding, on="trade_no", how="left").sort("trade_no", "finished", "request_no", "bill_id")
    split = (
        split.with_columns(paid=paid, red_all=pl.min_horizontal(c("cumulative") - paid, "red_packet"))
        .with_columns(all_back=pl.when(c("cumulative") - c("paid") - c("red_all") >= c("allowance")).then("allowance").otherwise(0))
        .with_columns((c(n) - c(n).shift(1, fill_value=0).over("trade_no")).alias(to) for n, to in (
            ("paid", "expected_paid"), ("red_all", "expected_red_packet"), ("all_back", "expected_allowance")))
        .select(*KEY, c("request_no").alias("out_request_no"), c("trade_no").alias("bill_trade_no"), "finished",
                c("store_id").alias("bill_store_id"), c("amount").alias("bill_amount"), "cumulative", "expected_paid",
                "expected_red_packet", "expected_allowance", c("received").alias("actual_received"),
                c("red").alias("actual_red_packet"), c("discount").alias("actual_allowance"), c("fee").alias("service_fee"))
    )
    both = pos_refunds.join(split, on=[*KEY, "out_request_no"], how="full", coalesce=True)
    pos, bill = c("refund_amount"), c("bill_amount")
    return both.select(
        *KEY, "out_request_no", pl.coalesce("bill_trade_no", "trade_no").alias("trade_no"),
        pl.when(bill.is_null()).then(pl.lit("pos_only")).when(pos.is_null()).then(pl.lit("bill_only"))
        .when(pos != bill).then(pl.lit("amount_mismatch")).otherwise(pl.lit("matched")).alias("status"),
        pl.coalesce("finished", "refund_time").alias("refund_time"), pl.coalesce("bill_store_id", "store_id").alias("store_id"),
        pos.alias("pos_amount"), "bill_amount", "cumulative", "expected_paid", "expected_red_packet", "expected_allowance",
        pl.lit(0, pl.Int64).alias("expected_coupon"), "actual_received", "actual_red_packet", "actual_allowance", "service_fee",
        pl.lit(0, pl.Int64).alias("fee_expected"), c("mode").fill_null("prorated"), pl.lit(None, TEXT).alias("reason"))


def audit(product, trades, agreements, primary, providers, merchants, covered, stated):
    """The rebates of one product (rules 6)."""
    terms = agreements.filter(c("product") == product).with_columns(c("effective_to").fill_null(pl.date(9999, 12, 31)))
    pid = c("sys_service_provider_id")
    day = c("bill_time").dt.date()
    due = trades.filter(c("bill_id").is_not_null() & (c("status") != "duplicate"))
    if product != "face_to_face":
        due = due.filter(c("hb_fq_num") > 0)
    columns = ["rate", "basis_of", "scale", "cap"]
    due = due.join(terms.select("provider_pid", *columns, "effective_from", "effective_to"),
                   left_on="sys_service_provider_id", right_on="provider_pid", how="left")
    right = day.is_between("effective_from", "effective_to").fill_null(False) & c("id").is_not_null()
    # One agreement a provider and product, as in the data; the primary's is in force.
    own = terms.filter(c("provider_pid") == primary).row(0, named=True)
    due = due.with_columns(is_right=right)
    due = due.with_columns(
        agreement_pid=pl.when("is_right").then(pid).otherwise(pl.lit(primary)),
        **{n: pl.when("is_right").then(n).otherwise(pl.lit(own[n], due.schema[n])) for n in columns})
    due = due.with_columns(
        basis=pl.when(c("basis_of") == "order_amount").then(c("bill_amount") - c("refunded")).otherwise(c("received") - c("given_back")))
    unit = pl.lit(10, pl.Int64).pow(6 - c("scale"))
    expected = half_up(pl.max_horizontal("basis", 0).cast(pl.Int128) * c("rate"), 100 * unit) * unit
    due = due.with_columns(expected=pl.min_horizontal(expected, "cap"))
    due = due.join(stated.filter(c("product") == product).select("trade_no", "stated"), on="trade_no", how="left")
    due = due.with_columns(loss=c("expected") - c("stated").fill_null(0))
    is_covered = c("agreement_pid").is_in(covered.filter(c("product") == product)["service_provider_pid"].implode())
    loss, ok = c("loss"), pl.lit("ok")
    cause = (
        pl.when(c("id").is_null()).then(pl.when(loss == 0).then(ok).otherwise(pl.lit("pid_unknown")))
        .when(c("is_right") & ~is_covered).then(pl.lit("statement_pending"))
        .when(c("is_right") & (loss > 0) & c("stated").is_null()).then(pl.lit("statement_missing"))
        .when(c("is_right") & (loss > 0)).then(pl.lit("statement_short"))
        .when(c("is_right") & (loss < 0)).then(pl.lit("statement_over"))
        .when("is_right").then(ok)
        .when(pid.fill_null("") == "").then(pl.lit("pid_missing"))
        .when(~pid.str.contains("^2088[0-9]{12}$")).then(pl.lit("pid_malformed"))
        .when(pid.is_in(merchants["merchant_pid"].implode())).then(pl.lit("pid_is_merchant"))
        .when(pid.is_in(terms["provider_pid"].implode())).then(pl.lit("pid_not_effective"))
        .when(pid.is_in(providers["provider_pid"].implode())).then(pl.lit("pid_unsigned"))
        .otherwise(pl.lit("pid_foreign")))
    return due.select(
        "bill_id", *KEY, "trade_no", pl.lit(product).alias("product"), "sys_service_provider_id", cause.alias("cause"),
        "basis", "rate", "expected", "stated", "loss", c("bill_time").dt.strftime("%Y-%m").alias("period"), "store_id", "terminal_id",
        c("bill_time").alias("trade_time"), "agreement_pid")


def find_breaks(trades, refunds, rebates):
    """The findings; amounts in millionths."""
    names = [*KEY, "trade_no", "out_request_no", "store_id"]
    where = [*names, "code", "severity", "side", "amount"]
    no_request = pl.lit(None, TEXT).alias("out_request_no")

    def rows(frame, code, severity, side, amount):
        return frame.with_columns(code=code, severity=severity, side=side, amount=amount).select(where)

    t = trades.filter(~c("status").is_in(["matched", "excluded"])).with_columns(no_request)
    split = refunds.with_columns(gap=pl.max_horizontal(
        (c("actual_received") - c("expected_paid") - c("expected_red_packet")).abs(),
        (c("actual_red_packet") - c("expected_red_packet")).abs(), (c("actual_allowance") - c("expected_allowance")).abs()))
    one_sided = pl.coalesce("bill_amount", "pos_amount")
    gap = (c("bill_amount") - c("pos_amount")).abs()
    error, warn, both = pl.lit("error"), pl.lit("warn"), pl.lit("both")
    lost = c("cause").str.starts_with("pid_")
    return pl.concat([
        rows(t, c("status"), pl.when(c("status") == "duplicate").then(pl.lit("info")).otherwise(error),
             pl.when(c("bill_id").is_null()).then(pl.lit("pos")).when(c("id").is_null()).then(pl.lit("bill")).otherwise(both),
             pl.when(c("status") == "amount_mismatch").then(gap).otherwise(one_sided) * 10_000),
        rows(trades.with_columns(no_request, off=(c("service_fee") - c("fee_expected")).abs()).filter(c("off") > 1),
             pl.lit("fee_mismatch"), warn, pl.lit("bill"), c("off") * 10_000),
        rows(refunds.filter(c("status") != "matched"), "refund_" + c("status"), error, both,
             pl.when(c("status") == "amount_mismatch").then(gap).otherwise(one_sided) * 10_000),
        rows(split.filter(c("gap") > 0), pl.lit("refund_split"), error, pl.lit("bill"), c("gap") * 10_000),
        rows(rebates.filter(~c("cause").is_in(["ok", "statement_pending"])).with_columns(no_request), c("cause"),
             pl.when(c("cause") == "pid_unknown").then(pl.lit("info")).when(lost | (c("cause") == "statement_over")).then(warn)
             .otherwise(error), pl.when(lost).then(pl.lit("pos")).otherwise(pl.lit("statement")), c("loss").abs()),
    ])


def main(data, out):
    os.makedirs(out, exist_ok=True)
    bills = Bills(data, os.path.join(out, "unpacked"))  # runs while the rest is loaded
    goods = read(f"{data}/ref/goods.csv", goods_id=TEXT, goods_name=TEXT, tag_price=FEN).collect()
    stores = read(f"{data}/ref/stores.csv", store_id=TEXT, merchant_pid=TEXT, name=TEXT, order_sync=TEXT, fee_rate=MICRO).collect()
    merchants = read(f"{data}/ref/merchants.csv", merchant_pid=TEXT, name=TEXT, fee_rate=MICRO).collect()
    providers = pl.read_csv(f"{data}/ref/providers.csv", schema={"provider_pid": TEXT, "name": TEXT, "primary": pl.Boolean})
    agreements = read(
        f"{data}/ref/agreements.csv", provider_pid=TEXT, product=TEXT, rate=MICRO, basis_of=TEXT, effective_from=pl.Date,
        effective_to=pl.Date, scale=pl.Int64, rounding=TEXT, cap=MICRO).collect()
    pos = load_pos(data)
    orders = pos.unique(KEY, keep="first").select(
        *KEY, "trade_no", "store_id", "terminal_id", "order_time", "status", "total_amount", "buyer_paid", "red_packet",
        "allowance", "coupon", "hb_fq_num", c("pid").str.strip_chars(), id="line")
    goods_sums = allocate(pos, orders, goods, out)
    del pos
    statement = read(f"{data}/rebate/*.csv", period=TEXT, service_provider_pid=TEXT, product=TEXT, trade_no=TEXT, trade_amount=FEN,
                     rate=MICRO, rebate_amount=MICRO).select("service_provider_pid", "product", "trade_no", "rebate_amount").collect()
    covered = statement.select("service_provider_pid", "product").unique()
    stated = statement.group_by("trade_no", "product").agg(stated=c("rebate_amount").sum())
    del statement
    bill = load_bills(bills.wait())
    bills.remove()
    bill_refunds = (
        bill.filter("refund").sort("trade_no", "finished", "request_no", "bill_id")
        .with_columns(amount=-c("total"), received=-c("received"), red=-c("red"), discount=-c("discount"))
        .with_columns(cumulative=c("amount").cum_sum().over("trade_no")))
    refunded = bill_refunds.group_by("trade_no").agg(refund_total=c("amount").sum(), refund_received=c("received").sum())
    trades = match(orders, bill, refunded, stores, merchants)
    del bill, orders
    pos_refunds = read(
        f"{data}/refunds/*.csv", out_trade_no=TEXT, trade_no=TEXT, out_request_no=TEXT, merchant_pid=TEXT, store_id=TEXT,
        refund_time=TIME, refund_amount=FEN, mode=TEXT, goods_id=TEXT, quantity=MICRO).collect()
    refunds = split_refunds(bill_refunds, pos_refunds, trades)
    primary = providers.filter("primary")["provider_pid"][0]
    rebates = pl.concat(
        audit(p, trades, agreements, primary, providers, merchants, covered, stated) for p in ("face_to_face", "huabei_instalment"))
    breaks = find_breaks(trades, refunds, rebates)

    causes = rebates.filter(c("product") == "face_to_face").select("bill_id", rebate_cause="cause")
    fen_columns = ["pos_amount", "bill_amount", "difference", "received", "buyer_paid", "red_packet", "allowance", "coupon",
                   "service_fee", "fee_expected", "refunded"]
    write(
        trades.lazy().join(causes.lazy(), on="bill_id", how="left").drop("id", "bill_id", "given_back", "hb_fq_num")
        .with_columns(*money(*fen_columns), *moment("order_time", "bill_time"), carried_days=pl.lit(None, pl.Int64))
        .collect(), out, "trades")
    fen_columns = [n for n in refunds.columns if refunds.schema[n] == pl.Int64]
    write(refunds.with_columns(*money(*fen_columns), *moment("refund_time")), out, "refunds")
    cause = c("cause")
    appeal = (
        pl.when(cause.is_in(["ok", "pid_unknown", "statement_pending"])).then(None).when(cause.str.starts_with("pid_"))
        .then(pl.lit("lost")).when(cause == "statement_over").then(pl.lit("owed")).otherwise(pl.lit("claimable")))
    write(
        rebates.lazy().drop("bill_id").with_columns(
            *money("basis"), *micro("expected", "stated", "loss", precision=20), *micro("rate", precision=9), *moment("trade_time"),
            appeal=appeal)
        .collect(), out, "rebates")
    breaks.with_columns(micro("amount")).sort(*KEY, "out_request_no", "code", "side").write_csv(os.path.join(out, "breaks.csv"))
    with open(os.path.join(out, "rejects.csv"), "w", encoding="utf-8") as f:
        f.write("file,line,kind,code,column,value,message,raw\n")
    print(json.dumps(checksums(trades, refunds, goods_sums, rebates, breaks, stated)))


def checksums(trades, refunds, goods, rebates, breaks, stated):
    def text(v, unit):
        return f"{'-' if v < 0 else ''}{abs(v) // unit}.{abs(v) % unit:0{len(str(unit)) - 1}d}"

    def table(frame, by, amounts, unit, **values):
        rows = frame.group_by(by).agg(**values).iter_rows(named=True)
        return {r[by]: {n: text(r[n], unit) if n in amounts else r[n] for n in values} for r in rows}

    sides = {"pos_count": c("pos_amount").count(), "pos_amount": c("pos_amount").sum(),
             "bill_count": c("bill_amount").count(), "bill_amount": c("bill_amount").sum()}
    filler = goods.filter("is_filler")
    split = {"paid": "expected_paid", "red_packet": "expected_red_packet", "allowance": "expected_allowance"}
    return {
        "trades": table(trades, "status", ("pos_amount", "bill_amount"), 100, **sides),
        "refunds": table(refunds, "status", ("pos_amount", "bill_amount"), 100, **sides),
        "goods": table(goods, "scenario", ("amount",), 100, count=c("orders").max(), amount=c("allocated").sum()),
        "filler": {"count": int(filler["rows"].sum()), "amount": text(filler["allocated"].sum(), 100)},
        "allocated": text(goods["allocated"].sum(), 100),
        "goods_rows": int(goods["rows"].sum()),
        "refund_split": {n: text(refunds[column].sum(), 100) for n, column in split.items()},
        "rebates": table(rebates, "cause", ("expected", "stated", "loss"), 1_000_000, count=pl.len(),
                         expected=c("expected").sum(), stated=c("stated").sum(), loss=c("loss").sum()),
        "out_of_scope": stated.join(trades, on="trade_no", how="anti").height,
        "breaks": table(breaks, "code", ("amount",), 1_000_000, count=pl.len(), amount=c("amount").sum()),
        "rejects": {},
    }


if __name__ == "__main__":
    main(*sys.argv[1:3])
