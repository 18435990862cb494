package sandbox

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fields reads wire strings into values and keeps the first refusal, which names the field.
type fields struct {
	prefix  string // "buyer." or "lines[3]."
	refused *refusal
}

func (f *fields) refuse(c code, field, format string, args ...any) {
	if f.refused == nil {
		r := refuse(c, format, args...)
		r.message = f.prefix + field + "：" + r.message
		f.refused = r
	}
}

// in returns to fields of the i-th line, counted from 1 as the merchant counts.
func (f *fields) in(i int) { f.prefix = "lines[" + strconv.Itoa(i+1) + "]." }

func (f *fields) yuan(field, s string) yuan {
	y, ok := parseYuan(s)
	if !ok {
		f.refuse(codeField, field, "金额应为两位小数、整数部分不超过12位")
	}
	return y
}

func (f *fields) measure(field, s string) measure {
	m, ok := parseMeasure(s)
	if !ok {
		f.refuse(codeField, field, "数量或单价格式错误，小数不超过8位")
	}
	return m
}

func (f *fields) rate(field, s string) rate {
	r, ok := parseRate(s)
	if !ok {
		f.refuse(codeField, field, "税率格式错误，应如0.13")
	}
	return r
}

// text checks a printed text; limit is in bytes of UTF-8, as in the field list of 乐企 base ability V5.001.
func (f *fields) text(field, s string, limit int, required bool) {
	switch {
	case required && strings.TrimSpace(s) == "":
		f.refuse(codeField, field, "不能为空")
	case len(s) > limit:
		f.refuse(codeField, field, "超过%d字节", limit)
	case !printable(s):
		f.refuse(codeField, field, "含有不可打印字符")
	}
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || (unicode.IsControl(r) && r != '\n') || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

func (f *fields) party(prefix string, p party) {
	f.prefix = prefix
	f.text("name", p.Name, 300, true)
	f.text("address", p.Address, 300, false)
	f.text("phone", p.Phone, 60, false)
	f.text("bank", p.Bank, 120, false)
	f.text("account", p.Account, 50, false)
	f.prefix = ""
}
