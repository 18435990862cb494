package mapping

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxTitle bounds the runes of a text that is looked at; longer titles repeat themselves.
const maxTitle = 128

// fold makes texts comparable: one width, lower case, single spaces, no control characters, at most maxTitle runes.
func fold(s string) string {
	if len(s) > 16*maxTitle {
		s = s[:16*maxTitle]
	}
	// Unprintable runes go first: they would keep apart what the normal form composes.
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	s = norm.NFKC.String(strings.ToLower(norm.NFKC.String(s)))
	s = strings.Join(strings.Fields(s), " ")
	n := 0
	for i := range s {
		if n++; n > maxTitle {
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}

// promo is what stands in square brackets (【…】 folds to itself, ［…］ to […]): shop talk, never the goods.
var promo = regexp.MustCompile(`【[^】]*】|\[[^\]]*\]`)

// measure is a number with its unit: sizes and counts say nothing about the kind of goods.
var measure = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?(?:万条|毫升|英寸|千克|公斤|mah|升|克|斤|寸|米|片|枚|入|只|个|包|袋|盒|瓶|支|条|双|颗|根|罐|码|kg|ml|cm|mm|gb|tb|g|l|m|w|v|%)?`)

// noise is words of selling.
var noise = strings.NewReplacer("官方旗舰店", " ", "旗舰店", " ", "官方", " ", "正品", " ", "新款", " ", "包邮", " ", "热销", " ", "热卖", " ",
	"爆款", " ", "升级款", " ", "升级版", " ", "设计师款", " ", "加厚款", " ", "舒适款", " ", "秋冬", " ", "春夏", " ", "加厚", " ", "特价", " ", "促销", " ",
	"限时", " ", "秒杀", " ", "现货", " ", "顺丰", " ", "送礼", " ", "礼盒", " ", "组合装", " ", "家庭装", " ", "独立包装", " ", "网红", " ", "同款", " ", "专用", " ")

// Clean reduces a shop's title to the words that name the goods: width and case folded, without promotion in square
// brackets, measures, words of selling and punctuation. Words are divided by single spaces.
func Clean(title string) string {
	s := fold(title)
	s = promo.ReplaceAllString(s, " ")
	s = measure.ReplaceAllString(s, " ")
	s = noise.Replace(s)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }), " ")
}
