package webhooks

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
)

//go:embed pages/pickup.html
var pageSource string

//go:embed pages/pickup.css
var pageStyle string

var pageTemplate = template.Must(template.New("pickup").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(pageStyle) },
}).Parse(pageSource))

// contentSecurityPolicy allows our one style sheet and sending our form, and nothing else.
var contentSecurityPolicy = func() string {
	digest := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

// texts are the words of the buyer's page.
type texts struct {
	Page, Heading, Code, CodeHint, Amount, AmountHint, Submit, OtherLanguage string
	Number, Date, Seller, Title, Total, Left, Files, Back                    string
	Red, Reversed, NoFiles, LinkNote                                         string
	NoFit, NoPage, TooMany, Later                                            string
}

var chinese = texts{
	Page: "领取电子发票", Heading: "领取电子发票", Code: "提取码", CodeHint: "11 位，见短信、邮件或小票", Amount: "价税合计（元）",
	AmountHint: "例如 113.00", Submit: "查询发票", OtherLanguage: "English",
	Number: "发票号码", Date: "开票日期", Seller: "销售方", Title: "购买方", Total: "价税合计", Left: "部分红冲后余额", Files: "下载", Back: "查询另一张",
	Red: "红字发票", Reversed: "已红冲：本发票已全额红冲作废，不再提供下载。", NoFiles: "版式文件正在生成，请稍后再来。",
	LinkNote: "下载链接 10 分钟内有效。",
	NoFit:    "没有找到：提取码或金额不正确，或提取码已过期。请核对后重试。", NoPage: "页面不存在，或链接已失效。请重新查询。",
	TooMany: "查询过于频繁，请稍后再试。", Later: "系统暂时繁忙，请稍后再试。",
}

var english = texts{
	Page: "Pick up an e-invoice", Heading: "Pick up an e-invoice", Code: "Pick-up code", CodeHint: "11 characters, from the message, e-mail or receipt",
	Amount: "Total amount (CNY)", AmountHint: "such as 113.00", Submit: "Find the invoice", OtherLanguage: "中文",
	Number: "Number", Date: "Date", Seller: "Seller", Title: "Buyer", Total: "Total", Left: "Left after partial reversal", Files: "Download", Back: "Find another",
	Red: "Red invoice", Reversed: "Reversed: red invoices took all of this invoice back; its files are no longer offered.",
	NoFiles: "The files are being made; please come back later.", LinkNote: "Links work for 10 minutes.",
	NoFit:   "Nothing found: code or amount do not fit, or the code has expired. Please check both.",
	NoPage:  "There is no such page, or the link has expired. Please look the invoice up again.",
	TooMany: "Too many attempts; please try again later.", Later: "Busy at the moment; please try again later.",
}
