package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"duizhang/cmd/duizhang/job"
	"duizhang/engine/schema"
	"duizhang/loaders"
)

// headerNames are names by which columns go in other systems' exports and
// statements, the likelier first: init maps them.
var headerNames = map[schema.InputKind][]struct {
	column string
	names  string
}{
	schema.PosOrders: {
		{"out_trade_no", "小票号 小票编号 小票单号 商户单号 订单号 单号 流水单号"},
		{"trade_no", "交易号 支付流水号 支付宝订单号 第三方单号"},
		{"merchant_pid", "支付宝商户PID 商家PID"},
		{"store_id", "门店号 店号 门店代码 店铺编号 商铺编号"},
		{"terminal_id", "POS机号 POS机编号 收银机号 款台号 终端编号 设备编号"},
		{"operator_id", "收银员 收银员编号 收银员工号 操作员编号 营业员"},
		{"order_time", "下单时间 支付时间 付款时间 销售时间 交易日期 时间"},
		{"status", "支付状态 状态"},
		{"channel", "支付方式 渠道名称 收款方式"},
		{"total_amount", "应收金额 应收 订单总额 订单总金额 总金额 交易金额 合计金额"},
		{"buyer_paid", "实收金额 实收 实付"},
		{"sys_service_provider_id", "系统商PID 返佣PID"},
		{"shift", "班别 班号"},
		{"goods_id", "商品编码 货号 SKU"},
		{"goods_name", "品名 商品"},
		{"quantity", "件数 销售数量"},
		{"price", "售价 零售价"},
	},
	schema.PosRefundsKind: {
		{"out_trade_no", "小票号 小票编号 原单号 原订单号 订单号"},
		{"out_request_no", "退款单号 退款编号 退货单号"},
		{"refund_time", "退货时间 退款日期"},
		{"refund_amount", "应退金额 实退金额 退货金额"},
		{"merchant_pid", "支付宝商户PID 商家PID"},
		{"store_id", "门店号 店号 门店代码"},
	},
	schema.Rebate: {
		{"rebate_amount", "支付宝返佣金额 应结算总金额 commission_settle_amount mchProfit 应返金额 协作费 返佣合计 支付宝间连返佣"},
		{"period", "commission_ym 交易期日 清算日期 结算月份 返佣月份"},
		{"service_provider_pid", "系统商PID"},
		{"merchant_pid", "支付宝商户PID commission_pin_mch_id 商户号"},
		{"product", "返佣产品"},
		{"trade_amount", "支付宝交易金额 commission_total_amount totalAmount 交易金额"},
		{"trade_count", "commission_count_amount 交易笔数"},
		{"rate", "支付宝返佣比例 结算费率 commission_feilv 返佣比例 discountsRatio"},
		{"adjustment", "调账金额 调差金额"},
	},
}

// neededColumns are those without which a file is not of the kind.
var neededColumns = map[schema.InputKind][]string{
	schema.PosOrders:      {"out_trade_no", "order_time", "total_amount"},
	schema.PosRefundsKind: {"out_trade_no", "refund_time", "refund_amount"},
	schema.Rebate:         {"rebate_amount"},
}

// mapped finds the columns of a kind that a header has under other names: those that
// it does not have under their own.
func mapped(kind schema.InputKind, header []string) map[string]string {
	have := map[string]bool{}
	for _, cell := range header {
		have[job.ColumnOf(kind, cell)] = true
	}
	columns := map[string]string{}
	for _, c := range headerNames[kind] {
		if have[c.column] {
			continue
		}
		for _, name := range strings.Fields(c.names) {
			if slices.Contains(header, name) {
				columns[c.column] = name
				break
			}
		}
	}
	return columns
}

// kindOf is the kind that a header fits best with some columns mapped: all that the
// kind needs are there, and more of the cells mean something than known.
func kindOf(header []string, known int) schema.InputKind {
	var best schema.InputKind
	for _, kind := range []schema.InputKind{schema.PosOrders, schema.PosRefundsKind, schema.Rebate} {
		columns := mapped(kind, header)
		n := len(columns)
		for _, cell := range header {
			if job.ColumnOf(kind, cell) != "" {
				n++
			}
		}
		whole := !slices.ContainsFunc(neededColumns[kind], func(need string) bool {
			return columns[need] == "" && !slices.ContainsFunc(header, func(cell string) bool { return job.ColumnOf(kind, cell) == need })
		})
		if whole && n > known && n > 2 {
			best, known = kind, n
		}
	}
	return best
}

// settle decides what needs all files: whose PID is whose, and which files can be
// read once their columns are mapped.
func (d *draft) settle(ctx context.Context) error {
	if err := d.findPIDs(ctx); err != nil {
		return err
	}
	for i := range d.found {
		f := &d.found[i]
		if f.tables != 1 && !f.missing || f.kind == 0 && len(f.header) == 0 {
			continue
		}
		kind := f.kind
		if better := kindOf(f.header, f.known); better != 0 && (kind == 0 || f.refused || better != kind && len(f.header) > 2*f.known) {
			kind = better
		}
		if kind == 0 || !job.Supported(kind) {
			continue
		}
		if err := d.tryColumns(ctx, f, kind); err != nil {
			return err
		}
	}
	return nil
}

// tryColumns reads the file again as the kind, with its columns mapped.
func (d *draft) tryColumns(ctx context.Context, f *foundFile, kind schema.InputKind) error {
	columns := mapped(kind, f.header)
	if len(columns) == 0 && !f.refused {
		return nil
	}
	opt := loaders.Options{
		Words: schema.NewWords(), Lang: d.app.lang.String(), StatementPID: d.provider, DefaultMerchant: d.merchant,
		Columns: map[schema.InputKind]map[string][]string{kind: {}},
	}
	for column, name := range columns {
		opt.Columns[kind][column] = []string{name}
	}
	in := loaders.Input{Kind: kind, Path: filepath.Join(d.dir, filepath.FromSlash(f.name)), Name: f.name}
	tables, _, err := loaders.Inspect(ctx, in, opt, 0)
	if err != nil {
		return err
	}
	rows, unknown, ok := readAs(tables, kind)
	if !ok {
		if f.refused && f.missing { // it would only stop the run: a person must look
			f.kind = 0
		}
		return nil
	}
	f.kind, f.rows, f.unknown, f.why, f.columns = kind, rows, unknown, "", columns
	d.statements = d.statements || kind == schema.Rebate && !slices.ContainsFunc(f.header, func(cell string) bool {
		return job.ColumnOf(kind, cell) == "service_provider_pid"
	}) && columns["service_provider_pid"] == ""
	return nil
}

// readAs tells whether all tables of a file are of the kind, but for sheets that are no
// data.
func readAs(tables []*schema.Table, kind schema.InputKind) (rows int64, unknown []string, ok bool) {
	for _, t := range tables {
		stranger := len(tables) > 1 && t.Kind == 0 && t.Format == "" && !t.Refused
		switch {
		case t.Refused, t.Kind != kind && !stranger:
			return 0, nil, false
		case t.Kind == kind:
			rows, unknown, ok = rows+t.Rows, append(unknown, t.Unknown...), true
		}
	}
	return rows, unknown, ok
}

// findPIDs finds the provider to whom statements without a PID belong, and the
// merchant of rows without one, where there is just one.
func (d *draft) findPIDs(ctx context.Context) error {
	var inputs []loaders.Input
	for _, f := range d.found {
		switch f.kind { //nolint:exhaustive // whose PID is whose stands in these
		case schema.AgreementsKind, schema.ProvidersKind, schema.MerchantsKind:
			inputs = append(inputs, loaders.Input{Kind: f.kind, Path: filepath.Join(d.dir, filepath.FromSlash(f.name)), Name: f.name})
		}
	}
	reg := &schema.Registry{}
	if len(inputs) > 0 {
		result, err := loaders.Load(ctx, inputs, loaders.Options{Words: schema.NewWords(), Lang: d.app.lang.String()}, discard{})
		if err != nil {
			return err
		}
		reg = result.Registry
	}
	var own []string
	for _, p := range reg.Providers {
		if p.Primary && d.provider == "" {
			d.provider = p.PID
		}
	}
	for i := range reg.Agreements {
		own = append(own, reg.Agreements[i].Provider)
	}
	slices.Sort(own)
	if own = slices.Compact(own); d.provider == "" && len(own) == 1 {
		d.provider = own[0]
	}
	merchants := slices.Clone(d.accounts)
	if len(merchants) == 0 {
		for _, m := range reg.Merchants {
			merchants = append(merchants, m.PID)
		}
	}
	slices.Sort(merchants)
	if merchants = slices.Compact(merchants); len(merchants) == 1 {
		d.merchant = merchants[0]
	}
	return nil
}

// writeSettings writes what settle found out: whose rows those without a PID are,
// and the mapped columns.
func (d *draft) writeSettings(b *strings.Builder) {
	say := d.app.say
	if d.merchant != "" {
		fmt.Fprintf(b, "default_merchant: \"%s\"   # %s\n", d.merchant, say("没有写商户 PID 的行归它：只有这一个商户", "whose rows without a merchant PID are: there is this one merchant"))
	}
	if d.statements && d.provider != "" {
		fmt.Fprintf(b, "rebate: {statement_pid: \"%s\"}   # %s\n", d.provider, say("没有服务商 PID 列的返佣账单归它；请核对", "whose the statements without a provider PID are; check it"))
	}
	lines := d.columnLines()
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "columns:   # %s\n%s", say("文件里的列名对应的列；请核对", "which columns the files' own names stand for; check them"), strings.Join(lines, ""))
}

// columnLines are the mapped columns, a line a kind. A name that two files give to
// different columns stays with the first.
func (d *draft) columnLines() []string {
	var lines []string
	for _, kind := range schema.InputKinds() {
		names := map[string][]string{}
		given := map[string]bool{}
		for _, f := range d.found {
			if f.kind != kind {
				continue
			}
			for _, c := range headerNames[kind] {
				if name := f.columns[c.column]; name != "" && !given[name] {
					given[name] = true
					names[c.column] = append(names[c.column], quotedYAML(name))
				}
			}
		}
		var parts []string
		for _, c := range headerNames[kind] {
			if len(names[c.column]) > 0 {
				parts = append(parts, c.column+": ["+strings.Join(names[c.column], ", ")+"]")
			}
		}
		if len(parts) > 0 {
			lines = append(lines, "  "+kind.String()+": {"+strings.Join(parts, ", ")+"}\n")
		}
	}
	return lines
}
