package sandbox

import (
	"strings"
	"unicode/utf8"
)

// Page measures in points, origin bottom left, as seen on real 数电票: 595.28 by 396.85, eight item rows, more rows
// make the page taller. Coordinates are geometry, not money, so they are floats.
const (
	pageWidth     = 595.28
	pageHeight    = 396.85
	firstRow      = 226.0
	rowPitch      = 12.4
	plainRows     = 8
	tallestGrowth = 13000.0 // PDF readers stop at 14400 points
)

type ink int

const (
	inkLabel ink = iota // dark red, as printed labels are
	inkData
	inkWatermark
)

// pageText is a piece of text on its baseline.
type pageText struct {
	x, y, size float64
	ink        ink
	s          string
}

// pageRule is a line of the form.
type pageRule struct{ x1, y1, x2, y2 float64 }

// page is the printed side of an invoice, drawn once and written as PDF and as OFD.
type page struct {
	height float64
	texts  []pageText
	rules  []pageRule
}

// ems is the width of a text in units of its size: ASCII is half as wide as a Chinese character.
func ems(s string) (n float64) {
	for _, r := range s {
		n += advance(r)
	}
	return n
}

func advance(r rune) float64 {
	if r < utf8.RuneSelf {
		return 0.5
	}
	return 1
}

// put writes text, smaller if it would be wider than room.
func (p *page) put(i ink, x, y, size, room float64, s string) {
	if s == "" {
		return
	}
	p.texts = append(p.texts, pageText{x, y, min(size, room/ems(s)), i, s})
}

func (p *page) putRight(i ink, right, y, size, room float64, s string) {
	if s == "" {
		return
	}
	size = min(size, room/ems(s))
	p.texts = append(p.texts, pageText{right - size*ems(s), y, size, i, s})
}

func (p *page) rule(x1, y1, x2, y2 float64) { p.rules = append(p.rules, pageRule{x1, y1, x2, y2}) }

// drawPage lays an invoice out.
func drawPage(i *invoice) *page {
	pitch, grown := rowPitch, 0.0
	if extra := len(i.Lines) - plainRows; extra > 0 {
		grown = min(float64(extra)*rowPitch, tallestGrowth)
		pitch = min(rowPitch, (grown+plainRows*rowPitch)/float64(len(i.Lines)))
	}
	p := &page{height: pageHeight + grown}
	p.put(inkWatermark, 120, 170+grown/2, 120, 400, "沙箱")
	p.drawHead(i, grown)
	p.drawItems(i, firstRow+grown, pitch)
	p.drawFoot(i)
	return p
}

func (p *page) drawHead(i *invoice, up float64) {
	title := "电子发票（普通发票）"
	if i.Kind == kindSpecial {
		title = "电子发票（增值税专用发票）"
	}
	width := 17 * ems(title)
	x := (pageWidth - width) / 2
	p.put(inkLabel, x, 354+up, 17, width, title)
	p.rule(x-8, 348+up, x+width+8, 348+up)
	p.rule(x-8, 345+up, x+width+8, 345+up)
	p.put(inkLabel, 13, 366+up, 10, 150, "沙箱样票 不得作为凭证")
	if i.Color == red {
		p.put(inkLabel, 13, 352+up, 10, 100, "红字")
	}
	p.put(inkLabel, 438, 357+up, 9, 46, "发票号码：")
	p.put(inkData, 483, 357+up, 9, 105, i.Number)
	p.put(inkLabel, 438, 339+up, 9, 46, "开票日期：")
	p.put(inkData, 483, 339+up, 9, 105, i.IssuedAt.In(beijing).Format("2006年01月02日"))

	buyer := i.Buyer.Name
	if i.Buyer.NaturalPerson == "Y" {
		buyer += "（个人）"
	}
	p.drawParty(13, up, "购买方信息", buyer, i.Buyer.TaxNo)
	p.drawParty(298, up, "销售方信息", i.Seller.Name, i.Seller.TaxNo)
	for _, y := range []float64{312, 248} {
		p.rule(10, y+up, 585, y+up)
	}
	for _, x := range []float64{28, 295, 313} {
		p.rule(x, 248+up, x, 312+up)
	}
	for _, x := range []float64{10, 585} {
		p.rule(x, 36, x, 312+up)
	}
}

func (p *page) drawParty(x, up float64, label, name, taxNo string) {
	for n, r := range []rune(label) {
		p.put(inkLabel, x, 300+up-float64(n)*11.5, 9, 9, string(r))
	}
	p.put(inkLabel, x+20, 291+up, 9, 40, "名称：")
	p.put(inkData, x+47, 291+up, 9, 218, name)
	p.put(inkLabel, x+20, 263+up, 8, 142, "统一社会信用代码/纳税人识别号：")
	p.put(inkData, x+146, 263+up, 8, 120, taxNo)
}

func (p *page) drawItems(i *invoice, y, pitch float64) {
	size := min(8, pitch*0.7)
	for _, h := range []struct {
		x float64
		s string
	}{{46, "项目名称"}, {160, "规格型号"}, {225, "单位"}, {275, "数量"}, {335, "单价"}, {402, "金额"},
		{455, "税率/征收率"}, {550, "税额"}} {
		p.put(inkLabel, h.x, y+11, 8, 60, h.s)
	}
	for _, l := range i.Lines {
		percent, tax := l.Rate.percent(), l.Tax.String()
		switch l.Policy {
		case policyExempt:
			percent, tax = "免税", "***"
		case policyNotTaxed:
			percent, tax = "不征税", "***"
		}
		p.put(inkData, 13, y, size, 140, "*"+l.ShortName+"*"+l.Name)
		p.put(inkData, 157, y, size, 62, oneLine(l.Spec))
		p.put(inkData, 225, y, size, 30, oneLine(l.Unit))
		p.putRight(inkData, 305, y, size, 48, l.Quantity.String())
		p.putRight(inkData, 368, y, size, 60, l.Price.String())
		p.putRight(inkData, 440, y, size, 68, l.Net.String())
		p.put(inkData, 470, y, size, 40, percent)
		p.putRight(inkData, 580, y, size, 68, tax)
		y -= pitch
	}
}

func (p *page) drawFoot(i *invoice) {
	p.put(inkLabel, 58, 127, 9, 60, "合    计")
	p.putRight(inkData, 440, 127, 9, 90, "￥"+i.Net.String())
	p.putRight(inkData, 580, 127, 9, 90, "￥"+i.Tax.String())
	p.put(inkLabel, 48, 108, 9, 80, "价税合计（大写）")
	p.put(inkData, 160, 108, 9, 260, amountInWords(i.Gross))
	p.put(inkLabel, 430, 108, 9, 45, "（小写）")
	p.put(inkData, 470, 108, 9, 110, "￥"+i.Gross.String())
	p.put(inkLabel, 15, 75, 9, 9, "备")
	p.put(inkLabel, 15, 55, 9, 9, "注")
	remark := wrap(i.Remark, 60)
	pitch := min(11, 50/float64(max(len(remark), 1)))
	for n, s := range remark {
		p.put(inkData, 32, 86-float64(n)*pitch, min(8, pitch*0.8), 548, s)
	}
	p.put(inkLabel, 56, 20, 9, 50, "开票人：")
	p.put(inkData, 93, 20, 9, 200, i.Drawer)
	for _, y := range []float64{120, 100, 36} {
		p.rule(10, y, 585, y)
	}
	p.rule(28, 36, 28, 100)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// wrap breaks a text at its own line ends and after width ems.
func wrap(s string, width float64) (lines []string) {
	if s == "" {
		return nil
	}
	for part := range strings.SplitSeq(s, "\n") {
		start, used := 0, 0.0
		for at, r := range part {
			if used+advance(r) > width {
				lines = append(lines, part[start:at])
				start, used = at, 0
			}
			used += advance(r)
		}
		lines = append(lines, part[start:])
	}
	return lines
}
