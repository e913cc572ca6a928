-- Orders and the allocation of their goods (rules 4). It needs no bill, so the
-- bills are unpacked meanwhile. From here on no table's order matters.
SET preserve_insertion_order = false;

CREATE TABLE orders AS
  SELECT p.rowid AS id, p.merchant_pid, p.out_trade_no, p.trade_no, p.store_id, p.terminal_id, p.order_time, p.status,
    p.total_amount, p.buyer_paid, p.red_packet, p.allowance, p.coupon, p.hb_fq_num, trim(p.pid, ' ' || chr(9)) AS pid
  FROM pos p
  JOIN (SELECT min(rowid) AS first FROM pos GROUP BY merchant_pid, out_trade_no) f ON p.rowid = f.first;

-- One row a line, those of one goods_id merged. A price is amount over quantity, half up
-- to the fen; in whole numbers, as / makes floats of decimals.
CREATE MACRO price_of(fen, micro) AS ((2 * fen * 1000000 + micro) // (2 * micro))::DECIMAL(18,0) * 0.01;
CREATE TABLE lines AS
  SELECT id, goods_id, min(line) AS first, any_value(goods_name) AS goods_name, sum(quantity) AS quantity,
    CASE WHEN count(*) = 1 THEN any_value(price) ELSE price_of((sum(amount) * 100)::HUGEINT, (sum(quantity) * 1000000)::HUGEINT) END::DECIMAL(22,6) AS price,
    sum(amount)::DECIMAL(18,2) AS amount, bool_and(tagged) AS tagged
  FROM (
    SELECT o.id, p.rowid AS line, p.goods_id, p.goods_name, p.quantity, coalesce(p.price, g.tag_price) AS price,
      p.price IS NULL AS tagged, round(coalesce(p.price, g.tag_price) * p.quantity, 2)::DECIMAL(18,2) AS amount
    FROM pos p
    JOIN orders o ON o.merchant_pid = p.merchant_pid AND o.out_trade_no = p.out_trade_no AND o.status = 'paid'
    LEFT JOIN goods g ON g.goods_id = p.goods_id)
  GROUP BY id, goods_id;
ALTER TABLE pos RENAME TO pos_read;
DROP TABLE pos_read;

CREATE TABLE shares AS
  WITH sums AS (
    SELECT id, sum(amount)::DECIMAL(18,2) AS total, bool_and(tagged) AS tagged, count(*) AS n FROM lines GROUP BY id),
  scenarios AS (
    SELECT s.id, o.total_amount, s.total, s.n,
      CASE WHEN s.tagged THEN 'tag_price' WHEN o.total_amount = s.total THEN 'equal'
        WHEN o.total_amount < s.total THEN 'below' ELSE 'above' END AS scenario,
      (o.total_amount < s.total OR s.tagged AND o.total_amount <> s.total) AND s.total > 0 AS divided
    FROM sums s JOIN orders o USING (id)),
  numbered AS (
    SELECT l.*, s.total_amount, s.total, s.scenario, s.divided, s.n,
      CASE WHEN s.n = 1 THEN 1 ELSE row_number() OVER (PARTITION BY l.id ORDER BY l.first) END AS line
    FROM lines l JOIN scenarios s USING (id)),
  floors AS (
    SELECT *, (total_amount * 100)::BIGINT * (amount * 100)::BIGINT AS product, (total * 100)::BIGINT AS weight
    FROM numbered WHERE divided),
  ranked AS (
    SELECT *, product // weight AS floor,
      (total_amount * 100)::BIGINT - sum(product // weight) OVER (PARTITION BY id) AS rest,
      row_number() OVER (PARTITION BY id ORDER BY product % weight DESC, line) AS place
    FROM floors)
  SELECT id, line, goods_id, goods_name, quantity, price, amount, amount AS allocated, false AS is_filler, scenario
  FROM numbered WHERE NOT divided
  UNION ALL
  SELECT id, line, goods_id, goods_name, quantity, price, amount,
    ((floor + CASE WHEN place <= rest THEN 1 ELSE 0 END)::DECIMAL(18,0) * 0.01)::DECIMAL(18,2), false, scenario
  FROM ranked
  UNION ALL
  SELECT id, n + 1, NULL, '填充商品', 1, 0, 0, total_amount - total, true, scenario
  FROM scenarios WHERE NOT divided AND total_amount > total;

COPY (
  SELECT o.merchant_pid, o.out_trade_no, s.line, s.goods_id, s.goods_name, s.quantity::DECIMAL(22,6) AS quantity, s.price,
    s.amount AS line_amount, s.allocated, s.is_filler, s.scenario, o.store_id
  FROM shares s JOIN orders o USING (id)
) TO '$out/goods.parquet' (FORMAT parquet, COMPRESSION zstd);

CREATE TABLE goods_sums AS
  SELECT scenario, is_filler, count(DISTINCT id) AS orders, count(*) AS n, sum(allocated) AS allocated
  FROM shares GROUP BY ALL;
DROP TABLE lines;
DROP TABLE shares;
