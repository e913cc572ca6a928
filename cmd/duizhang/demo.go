package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"duizhang/benchmarks/gen"
)

func (a *app) demoCommand() *cobra.Command {
	var f runFlags
	var force bool
	cmd := &cobra.Command{
		Use:   "demo [DIR]",
		Short: a.say("写一份真实感的小数据并对账", "write a small realistic data set and reconcile it"),
		Long: a.say(`在 DIR（默认 duizhang-demo）写一份演示数据：三家商户、十二个门店、约三千笔订单，
有一台收银机下午丢了服务商 PID，有一小时的订单没有到支付宝；然后对账，结果在 DIR/out。`,
			`Writes a data set to DIR (duizhang-demo by default): three merchants, twelve stores, some three
thousand orders, a till that lost the provider's PID in the afternoon and an hour of orders that
never reached Alipay; then reconciles it. The results are in DIR/out.`),
		Example: "  duizhang demo\n  duizhang demo /tmp/demo --force",
		Args:    a.atMost(1, "至多给出一个文件夹", "give one folder at most"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "duizhang-demo"
			if len(args) > 0 {
				dir = args[0]
			}
			if _, err := a.sizing(f); err != nil {
				return err
			}
			if _, err := a.generate(cmd.Context(), dir, gen.Demo(1), force); err != nil {
				return err
			}
			file := filepath.Join(dir, jobName)
			if err := a.runJob(cmd.Context(), file, f); err != nil {
				return err
			}
			a.note(a.say("作业文件在 %s；再跑一次：duizhang run %s", "the job file is %s; run it again with duizhang run %s", file, file))
			return nil
		},
	}
	a.sizeFlags(cmd, &f)
	cmd.Flags().BoolVar(&force, "force", false, a.say("替换以前的演示数据", "replace an earlier demo"))
	return cmd
}
