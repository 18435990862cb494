package mapping

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kaipiao/kaipiao/core"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "",
		"【限时秒杀】蓝牙耳机 新款 包邮":        "蓝牙耳机",
		"［官方］ＵＳＢ数据线２条装":           "usb数据线 装",
		"农夫山泉 550ml*24瓶":          "农夫山泉",
		"长袖海魂衫（男婴童）":              "长袖海魂衫 男婴童",
		"100%纯棉T恤":                "纯棉t恤",
		"【不闭合 手机壳":                "不闭合 手机壳",
		"a\u200bb\x00c":           "abc",
		strings.Repeat("米", 1000): strings.Repeat("米", maxTitle),
		"\xff大米":                  "大米",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%.40q) = %q, want %q", in, got, want)
		}
	}
}

// Titles as shops write them, with the name of the code that a person would choose.
var titles = []struct{ title, category, want string }{
	{"【现货】Apple iPhone 17 Pro 256GB 5G手机", "", "移动通信手持机（手机）"},
	{"真无线蓝牙耳机 降噪", "", "电声器件"},
	{"20000mAh 大容量充电宝 22.5W", "", "锂离子蓄电池"},
	{"氮化镓65W充电头", "", "静止式变流器"},
	{"透明防摔手机壳", "", "其他塑料制品"},
	{"14寸轻薄笔记本电脑 i7", "", "电子计算机整机"},
	{"A5 加厚笔记本 60页", "文具", "用于书写本册"},
	{"1TB移动硬盘", "", "外存储设备及部件"},
	{"Wi-Fi7 路由器", "", "网络连接设备"},
	{"一次性医用口罩 50只/盒", "", "卫生材料及敷料"},
	{"五常稻花香大米 5kg", "", "大米"},
	{"一级压榨花生油 5L", "", "其他食用植物油"},
	{"新鲜土鸡蛋 30枚", "", "鸡蛋"},
	{"冷鲜五花肉 500g", "", "猪、牛、羊、鸡、鸭、鹅鲜、冷、冻肉"},
	{"烟台红富士 12颗", "水果", "苹果"},
	{"有机番茄", "", "番茄等茄果类蔬菜"},
	{"纯牛奶 250ml*24", "", "液体乳"},
	{"无糖可乐 330ml", "", "碳酸型饮料（汽水）"},
	{"明前龙井 100g", "", "精制茶"},
	{"冷萃即饮咖啡", "", "咖啡饮料"},
	{"53度酱香酒 500ml", "", "白酒"},
	{"牛奶巧克力礼盒", "", "巧克力"},
	{"手工蛋黄酥 6枚", "", "糕点"},
	{"每日坚果 750g", "", "焙、炒加工坚果及果仁"},
	{"红烧牛肉方便面 5包", "", "即食方便食品"},
	{"女士碎花连衣裙 夏季", "", "裙子"},
	{"男士纯棉短袖T恤", "", "男Ｔ恤衫"},
	{"女式纯棉内裤 3条装", "", "女内衣"},
	{"90白鹅绒羽绒服", "", "防寒服"},
	{"婴童连体衣", "", "婴幼儿服装"},
	{"中筒袜 5双", "", "针织袜"},
	{"减震跑鞋 男", "", "纺织面鞋"},
	{"24寸拉杆箱 万向轮", "", "衣箱、提箱及类似容器"},
	{"真皮钱包", "", "钱包及类似物品"},
	{"全棉四件套", "", "被罩"},
	{"空调被", "", "寝具及类似填充用品"},
	{"遮光窗帘", "", "窗帘及类似品"},
	{"实木餐桌", "家具", "木质家具"},
	{"抽纸 3层100抽*24包", "", "卫生用纸制品"},
	{"《三体》科幻小说", "图书", "其他有刊号图书、报纸、期刊类印刷品"},
	{"0.5中性笔 12支", "", "圆珠笔"},
	{"儿童积木 500粒", "", "塑胶玩具"},
	{"全价成猫粮 10kg", "", "饲料"},
	{"猫砂盆 封闭式", "", "宠物专用品"},
	{"氨基酸洗面奶 120g", "", "清洁类化妆品"},
	{"补水面膜 10片", "", "护肤用化妆品"},
	{"去屑洗发水", "", "护发用化妆品"},
	{"哑光口红", "", "美容、修饰类化妆品"},
	{"洗衣液 3kg", "", "合成洗涤剂"},
	{"连花清瘟胶囊", "", "中成药胶囊"},
	{"304不锈钢保温杯", "", "玻璃保温容器"},
	{"麦饭石炒锅 30cm", "", "金属制烹饪炊具"},
	{"1.5匹变频空调", "", "房间空气调节器"},
	{"滚筒洗衣机 10kg", "", "家用洗衣机"},
	{"4L电饭煲", "", "家用电热烹调器具"},
	{"扫地机器人", "", "家用电清洁器具"},
	{"负离子吹风机", "", "家用理发、吹风电器具"},
	{"LED护眼台灯", "", "室内照明灯具"},
	{"双人火锅套餐", "", "餐饮服务"},
	{"豪华大床房 住宿一晚", "", "住宿服务"},
	{"外卖配送费", "", "派送服务"},
	{"年度会员", "", "信息系统增值服务"},
	{"少儿编程网课 24课时", "", "非学历教育服务"},
	{"iPhone换屏维修", "", "修理修配服务"},
	{"剪发 美发", "", "其他居民日常服务"},
	{"100元储值卡", "", "预付卡销售和充值"},
}

func TestFiveCandidatesHoldTheRightOne(t *testing.T) {
	m := NewMatcher(shipped(t))
	first, missed := 0, 0
	for _, x := range titles {
		got := m.Candidates(query(core.Item{Name: x.title, Category: x.category}))
		if len(got) > maxCandidates {
			t.Errorf("%s: %d candidates", x.title, len(got))
		}
		at := -1
		for i, c := range got {
			if c.Name == x.want {
				at = i
			}
			if c.Reason == "" || c.Rate == "" || c.ShortName == "" || !c.Code.Valid() {
				t.Errorf("%s: incomplete candidate %+v", x.title, c)
			}
		}
		switch at {
		case 0:
			first++
		case -1:
			missed++
			t.Logf("%s: %s is not among %+v", x.title, x.want, got)
		}
	}
	t.Logf("%d titles: right one first %d times, missed %d times", len(titles), first, missed)
	if missed > len(titles)/20 || first < len(titles)*8/10 {
		t.Errorf("candidates got worse: first %d, missed %d of %d", first, missed, len(titles))
	}
}

func TestCandidatesSayWhy(t *testing.T) {
	m := NewMatcher(shipped(t))
	for _, x := range []struct {
		item   core.Item
		reason string
	}{
		{core.Item{Name: "蓝牙耳机"}, "“蓝牙耳机” → 别名“蓝牙耳机” → 电声器件"},
		{core.Item{Name: "头戴耳机"}, "“头戴耳机” → 别名“耳机” → 电声器件"},
		{core.Item{Name: "XQ-7", Category: "数码/耳机"}, "“数码 耳机” → 别名“耳机” → 电声器件"},
		{core.Item{Name: "护肤品"}, "“护肤品” → 字词相近“护肤” → 护肤用化妆品"},
		{core.Item{Kind: core.Shipping, Name: "运费"}, "运费行 → 派送服务"},
		{core.Item{Name: "全价狗粮"}, "“全价狗粮” → 别名“狗粮” → 饲料（适用税率待核）"},
	} {
		got := m.Candidates(query(x.item))
		if len(got) == 0 || got[0].Reason != x.reason {
			t.Errorf("%+v: %+v, want first %s", x.item, got, x.reason)
		}
	}
	if got := m.Candidates(query(core.Item{})); len(got) != 0 {
		t.Errorf("nothing known, yet candidates %+v", got)
	}
	q := query(core.Item{Name: "短信费"})
	for day, want := range map[string]core.ClassificationCode{"2025-12-31": messages, "2026-01-01": messages2} {
		q.Date = on(day)
		if got := m.Candidates(q); len(got) == 0 || got[0].Code != want {
			t.Errorf("%s: %+v, want %s", day, got, want)
		}
	}
	q.Type, q.Date = core.SmallScale, on("2026-01-01")
	if got := m.Candidates(q); len(got) == 0 || got[0].Rate != "1%" {
		t.Errorf("small-scale: %+v", got)
	}
}

var nasty = []string{"", "【", "[[[]", "１２３ｍｌ", "\xff\xfe", "e\u200d\u0301", "ﷺﷺﷺ", "İSTANBUL 手机", "新【x】款", "re:(", "=", "= ", "居家>>餐厨/", "㎏㎖", "K歌", "a\u00a8b", strings.Repeat("𠮷", 300)}

func FuzzClean(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	m := NewMatcher(shipped(f))
	f.Fuzz(func(t *testing.T, s string) {
		if once := fold(s); fold(once) != once {
			t.Fatalf("fold(%q) = %q, again %q", s, once, fold(once))
		}
		got := Clean(s)
		if !utf8.ValidString(got) || strings.Contains(got, "  ") || got != strings.TrimSpace(got) || utf8.RuneCountInString(got) > 2*maxTitle {
			t.Fatalf("Clean(%q) = %q", s, got)
		}
		if p := categoryPath(s); categoryPath(p) != p {
			t.Fatalf("categoryPath(%q) = %q, again %q", s, p, categoryPath(p))
		}
		if n := len(m.Candidates(query(core.Item{Name: s, Category: s}))); n > maxCandidates {
			t.Fatalf("%d candidates", n)
		}
	})
}

func FuzzRule(f *testing.F) {
	for _, s := range nasty {
		f.Add("text", s, s)
		f.Add("category", s, s)
	}
	f.Add("text", "re:(a+)+$", strings.Repeat("a", 200))
	f.Add("default", "goods", "")
	m := New(shipped(f), FixedRules{}, quiet)
	f.Fuzz(func(t *testing.T, by, value, title string) {
		r := rule1("r1", by, value, phone)
		q := query(core.Item{SKU: title, Barcode: title, Category: title, Name: title})
		if m.answer(compile([]core.MapRule{r}), q).Found && m.CheckRule(core.GeneralTaxpayer, r) != nil {
			t.Fatal("a rule that does not pass the check decided")
		}
		// An answer given for a title must be found again under the same title.
		q = query(core.Item{Name: title})
		r, err := m.Remember(core.Review{Seller: q.Seller, Item: q.Item}, q.Type, core.MapRule{ID: "d", Code: phone, Author: "amy", CreatedAt: q.Date})
		if err == nil && !m.answer(compile([]core.MapRule{r}), q).Found {
			t.Fatalf("the answer for %q was remembered as %q and is not found again", title, r.Value)
		}
	})
}

func BenchmarkCandidates(b *testing.B) {
	m := NewMatcher(shipped(b))
	q := query(core.Item{Name: "【官方正品】魔兽世界 雷霆之怒逐风者的祝福之剑 雨伞 折叠伞 晴雨两用 加厚 8骨 大号 双人", Category: "志趣>魔兽世界>雨伞"})
	for range b.N {
		m.Candidates(q)
	}
}
