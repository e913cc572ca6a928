-- The bills, the match, the refunds and the rebates.
SET preserve_insertion_order = true;
CREATE TABLE bill AS
  SELECT f.merchant_pid, trim(b.trade_no, chr(9)) AS trade_no, trim(b.out_trade_no, chr(9)) AS out_trade_no,
    trim(b.kind, chr(9)) = '退款' AS refund, b.finished, trim(b.store_id, chr(9)) AS store_id, trim(b.operator_id, chr(9)) AS operator_id,
    trim(b.terminal_id, chr(9)) AS terminal_id, b.total, b.received, (b.red_packet + b.platform)::DECIMAL(18,2) AS red, b.discount,
    b.voucher, trim(b.merchant_red, chr(9))::DECIMAL(18,2) AS merchant_red, trim(b.request_no, chr(9)) AS request_no, -b.fee AS fee
  FROM read_csv($bills, header = true, auto_detect = false, quote = '"', filename = true,
    columns = {'trade_no': 'VARCHAR', 'out_trade_no': 'VARCHAR', 'kind': 'VARCHAR', 'subject': 'VARCHAR', 'created': 'TIMESTAMP',
      'finished': 'TIMESTAMP', 'store_id': 'VARCHAR', 'store_name': 'VARCHAR', 'operator_id': 'VARCHAR', 'terminal_id': 'VARCHAR',
      'buyer': 'VARCHAR', 'total': 'DECIMAL(18,2)', 'received': 'DECIMAL(18,2)', 'red_packet': 'DECIMAL(18,2)',
      'points': 'DECIMAL(18,2)', 'platform': 'DECIMAL(18,2)', 'discount': 'DECIMAL(18,2)', 'voucher': 'DECIMAL(18,2)',
      'voucher_name': 'VARCHAR', 'merchant_red': 'VARCHAR', 'card': 'VARCHAR', 'request_no': 'VARCHAR', 'fee': 'DECIMAL(18,2)',
      'share': 'DECIMAL(18,2)', 'remark': 'VARCHAR'}) b
  JOIN bill_files f USING (filename);
SET preserve_insertion_order = false;

-- Rows that are there twice, and second payments under one number: few.
CREATE TABLE again AS
  SELECT trade_no, min(rowid) AS first FROM bill WHERE NOT refund GROUP BY trade_no HAVING count(*) > 1;
CREATE TABLE payments AS
  SELECT b.rowid AS bill_id, b.* EXCLUDE (refund, request_no), coalesce(b.rowid > a.first, false) AS duplicate
  FROM bill b LEFT JOIN again a USING (trade_no) WHERE NOT b.refund;
CREATE TABLE twice AS
  SELECT merchant_pid, out_trade_no, min(bill_id) AS first FROM payments WHERE NOT duplicate
  GROUP BY merchant_pid, out_trade_no HAVING count(*) > 1;

-- Refunds: matched by key and number, split over the funding of their order below.
CREATE TABLE bill_refunds AS
  SELECT rowid AS line, merchant_pid, out_trade_no, trade_no, request_no, finished, store_id, -total AS amount, -received AS received,
    -red AS red, -discount AS discount, fee,
    sum(-total) OVER (PARTITION BY trade_no ORDER BY finished, request_no, rowid) AS cumulative
  FROM bill WHERE refund;
DROP TABLE bill;
CREATE TABLE refunded AS
  SELECT trade_no, sum(amount) AS amount, sum(received) AS received FROM bill_refunds GROUP BY trade_no;

-- Both sides by key, what is left by trade_no, and the rows that stand alone.
CREATE TABLE keyed AS
  SELECT o.id, o.merchant_pid, o.out_trade_no, o.trade_no AS pos_trade_no, o.store_id, o.terminal_id, o.order_time, o.status AS pos_status,
    o.total_amount, o.buyer_paid AS pos_buyer, o.red_packet AS pos_red, o.allowance AS pos_allowance, o.coupon AS pos_coupon, o.hb_fq_num,
    o.pid, b.* RENAME (merchant_pid AS bill_merchant, out_trade_no AS bill_number, store_id AS bill_store, terminal_id AS bill_terminal)
  FROM orders o
  FULL JOIN (
    SELECT p.* FROM payments p LEFT JOIN twice t USING (merchant_pid, out_trade_no)
    WHERE NOT p.duplicate AND (t.first IS NULL OR p.bill_id = t.first)) b
  ON o.merchant_pid = b.merchant_pid AND o.out_trade_no = b.out_trade_no;
CREATE TABLE alone AS
  WITH pos AS (SELECT * FROM keyed WHERE bill_id IS NULL), bill AS (SELECT * FROM keyed WHERE id IS NULL)
  SELECT pos.id, pos.merchant_pid, pos.out_trade_no, pos.pos_trade_no, pos.store_id, pos.terminal_id, pos.order_time, pos.pos_status,
    pos.total_amount, pos.pos_buyer, pos.pos_red, pos.pos_allowance, pos.pos_coupon, pos.hb_fq_num, pos.pid,
    bill.* EXCLUDE (id, merchant_pid, out_trade_no, pos_trade_no, store_id, terminal_id, order_time, pos_status,
      total_amount, pos_buyer, pos_red, pos_allowance, pos_coupon, hb_fq_num, pid)
  FROM pos FULL JOIN bill ON pos.pos_trade_no = bill.trade_no;
CREATE TABLE single AS
  SELECT p.* RENAME (merchant_pid AS bill_merchant, out_trade_no AS bill_number, store_id AS bill_store, terminal_id AS bill_terminal),
    CASE WHEN NOT p.duplicate THEN 'paid_twice' END AS reason
  FROM payments p LEFT JOIN twice t USING (merchant_pid, out_trade_no)
  WHERE p.duplicate OR p.bill_id > t.first;
DROP TABLE payments;

CREATE TABLE trades AS
  WITH units AS (
    SELECT *, NULL::VARCHAR AS reason FROM keyed WHERE id IS NOT NULL AND bill_id IS NOT NULL
    UNION ALL BY NAME SELECT * FROM alone
    UNION ALL BY NAME SELECT * FROM single),
  funded AS (
    SELECT u.*,
      CASE WHEN bill_id IS NULL THEN pos_allowance WHEN duplicate THEN NULL
        WHEN pos_allowance + pos_coupon = discount THEN pos_allowance ELSE discount - least(discount, voucher) END::DECIMAL(18,2) AS allowance,
      CASE WHEN bill_id IS NULL THEN pos_coupon WHEN duplicate THEN NULL
        WHEN pos_allowance + pos_coupon = discount THEN pos_coupon ELSE least(discount, voucher) END::DECIMAL(18,2) AS coupon,
      CASE WHEN bill_id IS NULL THEN pos_red WHEN NOT duplicate THEN red END::DECIMAL(18,2) AS red_packet,
      CASE WHEN bill_id IS NULL THEN pos_buyer WHEN NOT duplicate THEN total - red - discount - merchant_red END::DECIMAL(18,2) AS buyer_paid
    FROM units u)
  SELECT f.id, bill_id, coalesce(f.merchant_pid, f.bill_merchant) AS merchant_pid, coalesce(f.out_trade_no, bill_number) AS out_trade_no,
    coalesce(f.trade_no, pos_trade_no) AS trade_no,
    CASE WHEN duplicate THEN 'duplicate' WHEN f.id IS NULL THEN 'bill_only'
      WHEN bill_id IS NULL THEN CASE WHEN pos_status <> 'paid' THEN 'excluded' ELSE 'pos_only' END
      WHEN pos_status <> 'paid' THEN 'status_mismatch' WHEN total <> total_amount THEN 'amount_mismatch' ELSE 'matched' END AS status,
    order_time, finished AS bill_time, coalesce(f.store_id, bill_store) AS store_id, coalesce(f.terminal_id, bill_terminal) AS terminal_id,
    operator_id, total_amount AS pos_amount, total AS bill_amount,
    (coalesce(total, 0) - coalesce(total_amount, 0))::DECIMAL(18,2) AS difference, f.received, buyer_paid, red_packet, allowance, coupon,
    fee AS service_fee,
    CASE WHEN NOT duplicate THEN round(f.received * coalesce(s.fee_rate, m.fee_rate), 2) END::DECIMAL(18,2) AS fee_expected,
    CASE WHEN duplicate IS NOT true THEN coalesce(r.amount, 0) END::DECIMAL(18,2) AS refunded,
    CASE WHEN NOT duplicate THEN coalesce(r.received, 0) END::DECIMAL(18,2) AS given_back,
    pid, hb_fq_num,
    CASE WHEN bill_id IS NULL AND pos_status <> 'paid' THEN 'not_paid' ELSE reason END AS reason
  FROM funded f
  LEFT JOIN refunded r ON r.trade_no = f.trade_no
  LEFT JOIN stores s ON s.store_id = f.bill_store
  LEFT JOIN merchants m ON m.merchant_pid = f.bill_merchant;
DROP TABLE keyed;
DROP TABLE orders;

-- Refunds.
CREATE TABLE refunds AS
  WITH returned AS (
    SELECT b.*, t.bill_id,
      least(b.cumulative, t.buyer_paid) AS paid, least(b.cumulative - least(b.cumulative, t.buyer_paid), t.red_packet) AS red_all, t.allowance
    FROM bill_refunds b LEFT JOIN trades t ON t.trade_no = b.trade_no AND t.status <> 'duplicate'),
  whole AS (
    SELECT *, CASE WHEN cumulative - paid - red_all >= allowance THEN allowance ELSE 0 END AS allowance_all FROM returned),
  split AS (
    SELECT *, paid - lag(paid, 1, 0) OVER w AS expected_paid, red_all - lag(red_all, 1, 0) OVER w AS expected_red,
      allowance_all - lag(allowance_all, 1, 0) OVER w AS expected_allowance
    FROM whole WINDOW w AS (PARTITION BY trade_no ORDER BY finished, request_no, line))
  SELECT coalesce(p.merchant_pid, b.merchant_pid) AS merchant_pid, coalesce(p.out_trade_no, b.out_trade_no) AS out_trade_no,
    coalesce(p.out_request_no, b.request_no) AS out_request_no, coalesce(b.trade_no, p.trade_no) AS trade_no,
    CASE WHEN b.line IS NULL THEN 'pos_only' WHEN p.out_trade_no IS NULL THEN 'bill_only'
      WHEN p.refund_amount <> b.amount THEN 'amount_mismatch' ELSE 'matched' END AS status,
    coalesce(b.finished, p.refund_time) AS refund_time, coalesce(b.store_id, p.store_id) AS store_id,
    p.refund_amount AS pos_amount, b.amount::DECIMAL(18,2) AS bill_amount, b.cumulative::DECIMAL(18,2) AS cumulative,
    b.expected_paid::DECIMAL(18,2) AS expected_paid, b.expected_red::DECIMAL(18,2) AS expected_red_packet,
    b.expected_allowance::DECIMAL(18,2) AS expected_allowance, 0::DECIMAL(18,2) AS expected_coupon,
    b.received::DECIMAL(18,2) AS actual_received, b.red::DECIMAL(18,2) AS actual_red_packet, b.discount::DECIMAL(18,2) AS actual_allowance,
    b.fee::DECIMAL(18,2) AS service_fee, 0::DECIMAL(18,2) AS fee_expected, coalesce(p.mode, 'prorated') AS mode, NULL::VARCHAR AS reason
  FROM pos_refunds p
  FULL JOIN split b ON p.merchant_pid = b.merchant_pid AND p.out_trade_no = b.out_trade_no AND p.out_request_no = b.request_no;

-- Rebates, by trade (rules 6).
CREATE TABLE stated AS SELECT trade_no, product, sum(rebate_amount)::DECIMAL(20,6) AS amount FROM statement GROUP BY trade_no, product;
DROP TABLE statement;
CREATE MACRO to_scale(v, scale) AS
  CASE scale WHEN 2 THEN round(v, 2) WHEN 3 THEN round(v, 3) WHEN 4 THEN round(v, 4) WHEN 5 THEN round(v, 5) ELSE round(v, 6) END::DECIMAL(20,6);
CREATE MACRO audit(what) AS TABLE
  WITH own AS (
    SELECT t.*, a.provider_pid IS NOT NULL AS is_right,
      CASE WHEN a.provider_pid IS NULL THEN b.provider_pid ELSE a.provider_pid END AS agreement_pid,
      CASE WHEN a.provider_pid IS NULL THEN b.rate ELSE a.rate END AS rate,
      CASE WHEN a.provider_pid IS NULL THEN b.scale ELSE a.scale END AS scale,
      CASE WHEN a.provider_pid IS NULL THEN b.cap_per_trade ELSE a.cap_per_trade END AS cap,
      CASE WHEN CASE WHEN a.provider_pid IS NULL THEN b.basis ELSE a.basis END = 'order_amount'
        THEN bill_amount - refunded ELSE received - given_back END::DECIMAL(18,2) AS basis
    FROM trades t
    LEFT JOIN agreements a ON t.id IS NOT NULL AND a.product = what AND a.provider_pid = t.pid
      AND t.bill_time::DATE BETWEEN a.effective_from AND coalesce(a.effective_to, DATE '9999-12-31')
    LEFT JOIN (SELECT a.* FROM agreements a JOIN providers p USING (provider_pid) WHERE p."primary") b ON b.product = what
      AND t.bill_time::DATE BETWEEN b.effective_from AND coalesce(b.effective_to, DATE '9999-12-31')
    WHERE t.bill_id IS NOT NULL AND t.status <> 'duplicate' AND (what = 'face_to_face' OR t.hb_fq_num > 0)),
  due AS (
    SELECT *, least(to_scale(greatest(basis, 0) * rate, scale), coalesce(cap, 99999999999999)) ::DECIMAL(20,6) AS expected FROM own),
  compared AS (
    SELECT d.*, s.amount AS stated, (d.expected - coalesce(s.amount, 0))::DECIMAL(20,6) AS loss
    FROM due d LEFT JOIN stated s ON s.trade_no = d.trade_no AND s.product = what)
  SELECT c.bill_id, c.merchant_pid, c.out_trade_no, c.trade_no, what AS product, c.pid AS sys_service_provider_id,
    CASE WHEN c.id IS NULL THEN CASE WHEN loss = 0 THEN 'ok' ELSE 'pid_unknown' END
      WHEN is_right THEN CASE WHEN (c.agreement_pid, what) NOT IN (SELECT (provider_pid, product) FROM covered) THEN 'statement_pending'
        WHEN loss > 0 THEN CASE WHEN stated IS NULL THEN 'statement_missing' ELSE 'statement_short' END
        WHEN loss < 0 THEN 'statement_over' ELSE 'ok' END
      WHEN coalesce(c.pid, '') = '' THEN 'pid_missing'
      WHEN NOT regexp_full_match(c.pid, '2088[0-9]{12}') THEN 'pid_malformed'
      WHEN c.pid IN (SELECT merchant_pid FROM merchants) THEN 'pid_is_merchant'
      WHEN c.pid IN (SELECT provider_pid FROM agreements WHERE product = what) THEN 'pid_not_effective'
      WHEN c.pid IN (SELECT provider_pid FROM providers) THEN 'pid_unsigned'
      ELSE 'pid_foreign' END AS cause,
    c.basis, c.rate, c.expected, c.stated, c.loss, strftime(c.bill_time, '%Y-%m') AS period, c.store_id, c.terminal_id,
    c.bill_time AS trade_time, c.agreement_pid
  FROM compared c;
CREATE TABLE rebates AS FROM audit('face_to_face') UNION ALL FROM audit('huabei_instalment');
CREATE MACRO appeal(cause) AS
  CASE WHEN cause IN ('ok', 'pid_unknown', 'statement_pending') THEN NULL WHEN cause LIKE 'pid_%' THEN 'lost'
    WHEN cause = 'statement_over' THEN 'owed' ELSE 'claimable' END;

-- Breaks.
CREATE TABLE breaks AS
  SELECT status AS code, CASE status WHEN 'duplicate' THEN 'info' ELSE 'error' END AS severity, merchant_pid, out_trade_no, trade_no,
    NULL::VARCHAR AS out_request_no, store_id,
    CASE status WHEN 'amount_mismatch' THEN abs(difference) ELSE coalesce(bill_amount, pos_amount) END::DECIMAL(20,6) AS amount,
    CASE WHEN bill_id IS NULL THEN 'pos' WHEN id IS NULL THEN 'bill' ELSE 'both' END AS side
  FROM trades WHERE status NOT IN ('matched', 'excluded')
  UNION ALL
  SELECT 'fee_mismatch', 'warn', merchant_pid, out_trade_no, trade_no, NULL, store_id, abs(service_fee - fee_expected), 'bill'
  FROM trades WHERE abs(service_fee - fee_expected) > 0.01
  UNION ALL
  SELECT 'refund_' || status, 'error', merchant_pid, out_trade_no, trade_no, out_request_no, store_id,
    CASE status WHEN 'amount_mismatch' THEN abs(bill_amount - pos_amount) ELSE coalesce(bill_amount, pos_amount) END,
    CASE status WHEN 'pos_only' THEN 'pos' WHEN 'bill_only' THEN 'bill' ELSE 'both' END
  FROM refunds WHERE status <> 'matched'
  UNION ALL
  SELECT 'refund_split', 'error', merchant_pid, out_trade_no, trade_no, out_request_no, store_id, gap, 'bill'
  FROM (SELECT *, greatest(abs(actual_received - expected_paid - expected_red_packet), abs(actual_red_packet - expected_red_packet),
    abs(actual_allowance - expected_allowance)) AS gap FROM refunds) WHERE gap > 0
  UNION ALL
  SELECT cause, CASE WHEN appeal(cause) = 'lost' OR cause = 'statement_over' THEN 'warn' WHEN cause = 'pid_unknown' THEN 'info' ELSE 'error' END,
    merchant_pid, out_trade_no, trade_no, NULL, store_id, abs(loss), CASE WHEN cause LIKE 'pid_%' THEN 'pos' ELSE 'statement' END
  FROM rebates WHERE cause NOT IN ('ok', 'statement_pending');

-- The results.
COPY (
  SELECT t.merchant_pid, t.out_trade_no, t.trade_no, t.status, t.order_time, t.bill_time, t.store_id, t.terminal_id, t.operator_id,
    t.pos_amount, t.bill_amount, t.difference, t.received, t.buyer_paid, t.red_packet, t.allowance, t.coupon, t.service_fee,
    t.fee_expected, t.refunded, t.pid AS sys_service_provider_id, r.cause AS rebate_cause, NULL::BIGINT AS carried_days, t.reason
  FROM trades t LEFT JOIN rebates r ON r.bill_id = t.bill_id AND r.product = 'face_to_face'
) TO '$out/trades.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY refunds TO '$out/refunds.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (
  SELECT merchant_pid, out_trade_no, trade_no, product, sys_service_provider_id, cause, appeal(cause) AS appeal, basis, rate, expected,
    stated, loss, period, store_id, terminal_id, trade_time, agreement_pid
  FROM rebates
) TO '$out/rebates.parquet' (FORMAT parquet, COMPRESSION zstd);
COPY (SELECT * REPLACE (amount::DECIMAL(18,2) AS amount) FROM breaks ORDER BY merchant_pid, out_trade_no, out_request_no, code, side)
  TO '$out/breaks.csv' (FORMAT csv, HEADER);
COPY (SELECT '' AS file, 0 AS line, '' AS kind, '' AS code, '' AS "column", '' AS value, '' AS message, '' AS raw WHERE false)
  TO '$out/rejects.csv' (FORMAT csv, HEADER);
