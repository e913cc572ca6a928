package gen

var defaultHours = [24]int{7: 3, 8: 6, 9: 5, 10: 5, 11: 8, 12: 10, 13: 7, 14: 5, 15: 5, 16: 5, 17: 8, 18: 10, 19: 9, 20: 7, 21: 5, 22: 2}

var providerNames = [providerCount]string{"主体", "二部", "旧主体", "未签约", "三部", "新主体"}

var surnames = []string{"明", "伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "艳", "勇", "杰", "涛", "超", "霞", "平"}

var subjectNames = []string{"门店消费", "当面付-条码支付", "扫码点单", "茶饮", "便利店购物", "餐饮消费", "咖啡", "会员日消费"}

var goodsNames = []string{
	"鲜榨橙汁", "水果拼盘", "美式咖啡", "拿铁咖啡", "珍珠奶茶", "柠檬红茶", "羊肉串（10串）", "牛肉拉面",
	"宫保鸡丁饭", "鱼香肉丝饭", "小笼包", "豆浆", "油条", "茶叶蛋", "关东煮", "三明治", "饭团", "矿泉水",
	"可乐,330ml", "啤酒", "薯片", "巧克力", "口香糖", "纸巾", "“特价”面包", "衬衫 L码", "A&B set", "龘靐套餐",
	"12\" 披萨", "酸奶", "纯牛奶", "鸡蛋", "苹果", "香蕉", "五花肉", "速冻水饺", "方便面", "牙膏", "洗发水", "电池",
}

var goodsSizes = []string{"", "（小）", "（中）", "（大）", " 250g", " 500g", " 1kg", "×2", "×6", "(促销)"}

// The believable day's merchants.
var demoProfiles = []Profile{
	{
		Name:   "春溪茶饮",
		Stores: []string{"春溪茶饮万象城店", "春溪茶饮地铁口店", "春溪茶饮大学城店", "春溪茶饮步行街店"},
		Hours:  [24]int{10: 3, 11: 5, 12: 9, 13: 8, 14: 7, 15: 9, 16: 8, 17: 7, 18: 8, 19: 9, 20: 8, 21: 5},
		Goods: []Article{
			{Name: "珍珠奶茶（中杯）", Price: 1300},
			{Name: "珍珠奶茶（大杯）", Price: 1600},
			{Name: "杨枝甘露", Price: 1900},
			{Name: "芝士葡萄", Price: 2100},
			{Name: "柠檬红茶", Price: 1100},
			{Name: "冰鲜柠檬水", Price: 600},
			{Name: "茉莉奶绿", Price: 1400},
			{Name: "桂花乌龙", Price: 1200},
			{Name: "黑糖波波牛乳", Price: 1700},
			{Name: "草莓酸奶昔", Price: 1800},
			{Name: "加料：椰果", Price: 200},
			{Name: "加料：波霸", Price: 300},
			{Name: "加料：芝士奶盖", Price: 400},
			{Name: "手提保温袋", Price: 150},
		},
	},
	{
		Name:   "邻里便利店",
		Stores: []string{"邻里便利店一店", "邻里便利店二店", "邻里便利店医院店", "邻里便利店园区店", "邻里便利店高铁站店"},
		Hours:  [24]int{6: 2, 7: 8, 8: 10, 9: 5, 10: 4, 11: 6, 12: 9, 13: 6, 14: 4, 15: 4, 16: 5, 17: 8, 18: 9, 19: 7, 20: 6, 21: 5, 22: 3},
		Goods: []Article{
			{Name: "农家矿泉水 550ml", Price: 200},
			{Name: "可乐,330ml", Price: 350},
			{Name: "鲜肉包", Price: 250},
			{Name: "茶叶蛋", Price: 200},
			{Name: "关东煮（串）", Price: 300},
			{Name: "金枪鱼饭团", Price: 650},
			{Name: "火腿三明治", Price: 1180},
			{Name: "美式咖啡", Price: 900},
			{Name: "拿铁咖啡", Price: 1200},
			{Name: "酸奶 200g", Price: 690},
			{Name: "薯片 70g", Price: 780},
			{Name: "牛肉方便面（桶）", Price: 550},
			{Name: "口香糖", Price: 1050},
			{Name: "纸巾（三包）", Price: 690},
			{Name: "雨伞", Price: 2990},
			{Name: "充电线", Price: 3900},
			{Name: "散装苹果", Price: 1298, Weighed: true},
			{Name: "散装坚果", Price: 6980, Weighed: true},
			{Name: "“特价”面包", Price: 450},
			{Name: "啤酒 500ml", Price: 600},
		},
	},
	{
		Name:   "老街坊餐饮",
		Stores: []string{"老街坊面馆总店", "老街坊面馆东门店", "老街坊烧烤南湖店"},
		Hours:  [24]int{10: 1, 11: 8, 12: 12, 13: 6, 14: 1, 16: 1, 17: 7, 18: 12, 19: 11, 20: 8, 21: 5, 22: 2},
		Goods: []Article{
			{Name: "招牌牛肉面", Price: 2800},
			{Name: "番茄鸡蛋面", Price: 1800},
			{Name: "红烧排骨饭", Price: 3200},
			{Name: "宫保鸡丁饭", Price: 2600},
			{Name: "羊肉串（10串）", Price: 5800},
			{Name: "烤茄子", Price: 1600},
			{Name: "凉拌黄瓜", Price: 1200},
			{Name: "小笼包（笼）", Price: 1800},
			{Name: "酸梅汤（扎）", Price: 2200},
			{Name: "啤酒 500ml", Price: 1000},
			{Name: "米饭", Price: 200},
			{Name: "打包盒", Price: 100},
			{Name: "双人套餐", Price: 9800},
			{Name: "12\" 大盘鸡", Price: 8800},
			{Name: "时令鲜鱼（斤）", Price: 5680, Weighed: true},
		},
	},
}
