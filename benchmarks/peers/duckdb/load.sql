-- Loads everything but the bills. rowid is the order of the lines.
SET preserve_insertion_order = true;

CREATE TABLE goods AS FROM read_csv('$data/ref/goods.csv', header = true, auto_detect = false,
  columns = {'goods_id': 'VARCHAR', 'goods_name': 'VARCHAR', 'tag_price': 'DECIMAL(18,2)'});
CREATE TABLE stores AS FROM read_csv('$data/ref/stores.csv', header = true, auto_detect = false,
  columns = {'store_id': 'VARCHAR', 'merchant_pid': 'VARCHAR', 'name': 'VARCHAR', 'order_sync': 'BOOLEAN', 'fee_rate': 'DECIMAL(9,6)'});
CREATE TABLE merchants AS FROM read_csv('$data/ref/merchants.csv', header = true, auto_detect = false,
  columns = {'merchant_pid': 'VARCHAR', 'name': 'VARCHAR', 'fee_rate': 'DECIMAL(9,6)'});
CREATE TABLE providers AS FROM read_csv('$data/ref/providers.csv', header = true, auto_detect = false,
  columns = {'provider_pid': 'VARCHAR', 'name': 'VARCHAR', 'primary': 'BOOLEAN'});
CREATE TABLE agreements AS FROM read_csv('$data/ref/agreements.csv', header = true, auto_detect = false,
  columns = {'provider_pid': 'VARCHAR', 'product': 'VARCHAR', 'rate': 'DECIMAL(9,6)', 'basis': 'VARCHAR',
    'effective_from': 'DATE', 'effective_to': 'DATE', 'scale': 'INTEGER', 'rounding': 'VARCHAR', 'cap_per_trade': 'DECIMAL(20,6)'});

CREATE TABLE pos AS FROM read_csv('$data/pos/*.csv', header = true, auto_detect = false, quote = '"',
  columns = {'out_trade_no': 'VARCHAR', 'trade_no': 'VARCHAR', 'merchant_pid': 'VARCHAR', 'store_id': 'VARCHAR',
    'terminal_id': 'VARCHAR', 'order_time': 'TIMESTAMP', 'status': 'VARCHAR', 'channel': 'VARCHAR',
    'total_amount': 'DECIMAL(18,2)', 'buyer_paid': 'DECIMAL(18,2)', 'red_packet': 'DECIMAL(18,2)',
    'allowance': 'DECIMAL(18,2)', 'coupon': 'DECIMAL(18,2)', 'hb_fq_num': 'INTEGER', 'pid': 'VARCHAR',
    'goods_id': 'VARCHAR', 'goods_name': 'VARCHAR', 'quantity': 'DECIMAL(18,6)', 'price': 'DECIMAL(18,6)'});

CREATE TABLE pos_refunds AS FROM read_csv('$data/refunds/*.csv', header = true, auto_detect = false,
  columns = {'out_trade_no': 'VARCHAR', 'trade_no': 'VARCHAR', 'out_request_no': 'VARCHAR', 'merchant_pid': 'VARCHAR',
    'store_id': 'VARCHAR', 'refund_time': 'TIMESTAMP', 'refund_amount': 'DECIMAL(18,2)', 'mode': 'VARCHAR',
    'goods_id': 'VARCHAR', 'quantity': 'DECIMAL(18,6)'});

CREATE TABLE covered AS SELECT NULL::VARCHAR provider_pid, NULL::VARCHAR product WHERE false;
CREATE TABLE statement AS
  SELECT service_provider_pid, product, trade_no, rebate_amount
  FROM read_csv('$data/rebate/*.csv', header = true, auto_detect = false,
    columns = {'period': 'VARCHAR', 'service_provider_pid': 'VARCHAR', 'product': 'VARCHAR', 'trade_no': 'VARCHAR',
      'trade_amount': 'DECIMAL(18,2)', 'rate': 'DECIMAL(9,6)', 'rebate_amount': 'DECIMAL(20,6)'});
INSERT INTO covered SELECT DISTINCT service_provider_pid, product FROM statement;
