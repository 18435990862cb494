package core

import "strings"

// Remedy describes a kind of problem to people. Command is the command line that solves it, with {sale}, {order},
// {document}, {subject} and {problem} as places to fill.
type Remedy struct {
	Code               ProblemCode
	TitleZH, TitleEN   string
	CauseZH, CauseEN   string
	RemedyZH, RemedyEN string
	Command            string
}

// Remedies is the table behind docs/problems.md, the CLI and the console.
var Remedies = []Remedy{
	{ProblemUnmapped, "商品没有税收分类编码", "product has no classification code", "没有规则匹配该商品", "no rule matches the product", "为该商品选定编码, 相关订单会自动继续", "choose the code; every waiting order goes on by itself", "kaipiao map answer {subject} --code CODE"},
	{ProblemBadTaxNo, "购买方税号有误", "buyer's tax number is wrong", "税号长度、字符或校验位不符, 或企业抬头缺少税号", "length, alphabet or check digit fails, or a company has none", "向购买方核对后更正", "ask the buyer and correct it", "kaipiao orders buyer {sale} --tax-no TAXNO"},
	{ProblemBadTitle, "发票抬头有误", "buyer title is wrong", "抬头为空、过长或含税局拒收的字符", "the title is empty, too long or has characters the bureau refuses", "更正抬头", "correct the title", "kaipiao orders buyer {sale} --title TITLE"},
	{ProblemBadText, "打印内容有误", "printed text is wrong", "商品名称、规格、单位或备注为空或过长", "name, spec, unit or remark is empty or too long", "在店铺更正后重新推送, 或重放该订单", "correct it in the shop and send it again", "kaipiao replay --order {order}"},
	{ProblemBadRate, "税率不适用", "rate does not fit", "税率与编码、日期或纳税人类型不符", "the rate does not fit code, date or taxpayer type", "更正映射规则后重新处理", "correct the mapping rule, then look again", "kaipiao replay --order {order}"},
	{ProblemBadNumber, "数字格式有误", "number malformed", "平台推送的金额或数量不是普通十进制数", "an amount or quantity is not a plain decimal", "在平台或插件更正后重放", "correct it at the source, then replay", "kaipiao replay --event {subject}"},
	{ProblemMalformed, "推送内容无法读取", "event can't be read", "签名有效, 但内容不符合约定", "the signature is good, the content is not as agreed", "查看原文, 升级插件后重放", "look at the body, update the plugin, replay", "kaipiao replay --event {subject}"},
	{ProblemKindNotAllowed, "不允许的票种", "invoice kind not allowed", "门店策略或购买方类型不允许该票种", "the store's policy or the buyer's kind forbids it", "改开普票或调整策略", "issue a general invoice or change the policy", "kaipiao orders buyer {sale} --kind general"},
	{ProblemSellerTaxNo, "销售方税号有误", "seller's tax number is wrong", "配置中的销售方税号不合规", "the configured tax number has no lawful shape", "更正配置后重启", "correct the configuration and restart", "kaipiao check"},
	{ProblemSumsDiffer, "金额不平", "amounts do not add up", "明细之和与合计不一致", "lines and total differ", "核对来源数据, 更正后重放", "check the source's data, then replay", "kaipiao replay --order {order}"},
	{ProblemTooLarge, "超过单张限额", "too large for one invoice", "行数、金额或税额误差超过单张上限", "lines, amount or tax error exceed what one invoice holds", "在税局手工拆分开具后标记", "issue it in pieces at the bureau, then say so", "kaipiao orders elsewhere {sale}"},
	{ProblemCurrency, "非人民币订单", "not in CNY", "发票只能以人民币开具", "invoices are in CNY only", "标记为另行处理", "mark it as handled elsewhere", "kaipiao orders elsewhere {sale}"},
	{ProblemTender, "支付方式待确认", "a tender needs a decision", "积分、储值或补贴是否计入开票金额需由人决定", "whether points, credit or subsidies are invoiced is a person's decision", "选择计入或不计入", "say whether it counts", "kaipiao orders tender {sale} --kind KIND --rule counts|excluded"},
	{ProblemUnknownStore, "未知门店", "unknown store", "订单的门店编码不在配置中", "the sale's store is not configured", "补充门店配置后重放", "configure the store, then replay", "kaipiao replay --order {order}"},
	{ProblemWaitingForOrder, "退款先到, 订单未到", "refund without its order", "收到退款但 24 小时内没有收到订单", "a refund came, its order did not within 24 hours", "从平台拉取该订单", "fetch the order from the platform", "kaipiao orders fetch {subject}"},
	{ProblemRevisionConflict, "同一版本内容不同", "same revision, other content", "来源用同一版本号推送了不同内容", "the source pushed other content under the same revision", "核对后选择保留哪一份", "decide which one holds", "kaipiao orders accept {sale} --event {subject}"},
	{ProblemEventConflict, "同一编号内容不同", "same event id, other content", "同一事件编号再次出现但内容不同", "an event id came again with other content", "核对两份原文", "compare the two bodies", "kaipiao problems close {problem}"},
	{ProblemAliasConflict, "一单多源", "one order from two sources", "同一平台单号被两个来源上报", "two sources report the same platform order", "确认由哪个来源开票", "decide which source invoices it", "kaipiao orders elsewhere {sale}"},
	{ProblemRefundExceeds, "退款超过可红冲金额", "refund exceeds what can be reversed", "累计退款大于订单或蓝票余额", "refunds exceed the sale or what remains of the invoice", "核对重复退款", "check for refunds recorded twice", "kaipiao orders drop-refund {sale} --refund {subject}"},
	{ProblemRefundWithdrawn, "红冲后退款被撤销", "refund withdrawn after the red", "平台删除或关闭了已红冲的退款", "the platform deleted a refund that is already reversed", "补开蓝票", "issue the amount again", "kaipiao orders issue {sale}"},
	{ProblemRefundElsewhere, "外部发票的退款", "refund of an invoice issued elsewhere", "该订单的发票不是由本系统开具", "the invoice of this order was issued elsewhere", "登记外部发票后自动红冲, 或确认已处理", "register the invoice, or say it is done", "kaipiao invoices external {sale} --number NUMBER"},
	{ProblemRefundSums, "退款明细不平", "refund's portions do not sum", "退款明细之和与退款金额不一致", "the portions do not sum to the refund", "在来源更正后重放", "correct it at the source, then replay", "kaipiao replay --order {order}"},
	{ProblemRedReason, "红冲原因不适用", "red reason does not fit", "开票有误只能整张红冲", "wrong data reverses whole invoices only", "整张红冲后重开", "reverse the whole invoice and issue it anew", "kaipiao orders show {sale}"},
	{ProblemRedManual, "待人工红冲", "red flush needs a person", "策略关闭了自动红冲", "automatic red flush is switched off", "确认红冲", "apply the red", "kaipiao red apply {sale}"},
	{ProblemRefused, "税局拒绝开具", "bureau refused", "税局返回业务错误", "the bureau answered with a business error", "按返回信息更正后重试", "correct what the answer names, then try again", "kaipiao orders retry {sale}"},
	{ProblemRedRefused, "税局拒绝红冲", "bureau refused the red", "税局返回业务错误", "the bureau answered with a business error", "按返回信息更正后重试", "correct what the answer names, then try again", "kaipiao orders retry {sale}"},
	{ProblemConfirmationDead, "确认单被拒或撤销", "confirmation refused or withdrawn", "红字信息确认单未通过", "the red confirmation ended without effect", "与对方协商后重新申请", "agree with the other side, then apply again", "kaipiao orders retry {sale}"},
	{ProblemConfirmationExpired, "确认单超时", "confirmation expired", "对方 72 小时内两次未确认", "the other side did not answer within 72 hours, twice", "联系对方后重新申请", "call the other side, then apply again", "kaipiao orders retry {sale}"},
	{ProblemNotTaken, "税局持续繁忙", "bureau busy for long", "30 分钟内税局一直未受理, 仍在自动重试", "the bureau has taken nothing for 30 minutes; retries go on", "无需处理; 可联系服务商", "nothing to do; call the vendor if it lasts", "kaipiao doctor"},
	{ProblemUnsure, "开票结果未知", "outcome unknown", "请求已发出但结果未知, 正在查询", "the request left, its outcome is being asked for", "无需处理; 通道恢复后自动继续", "nothing to do; it goes on when the channel answers", "kaipiao doctor"},
	{ProblemStillRunning, "开具时间过长", "issuing takes long", "税局受理后 30 分钟仍未出票", "accepted, but not issued for 30 minutes", "联系服务商; 仍在自动查询", "call the vendor; polling goes on", "kaipiao invoices show {document}"},
	{ProblemOtherAnswer, "税局返回的发票与请求不符", "answer differs from the request", "按流水号查到的发票金额或购买方不同", "the invoice found under our serial differs in amount or buyer", "核对税局台账", "compare with the bureau's ledger", "kaipiao invoices show {document}"},
	{ProblemQuota, "授信额度不足", "quota used up", "本月发票总额度已用完", "this month's quota is used up", "申请提额; 额度恢复后自动继续", "ask for more; it goes on by itself", "kaipiao doctor"},
	{ProblemLogin, "需要登录电子税局", "a person must log in", "通道要求人工登录或认证", "the channel wants a person to log in", "完成登录后恢复通道", "log in, then resume the channel", "kaipiao doctor --resume {subject}"},
	{ProblemLanePaused, "通道已暂停", "channel paused", "连续三次查询无有效答复, 自动探测中", "three queries got no usable answer; it is probed each minute", "无需处理; 恢复后自动继续", "nothing to do; it resumes by itself", "kaipiao doctor"},
	{ProblemFiles, "版式文件未就绪", "files are late", "发票已开具, 文件尚不可下载, 仍在自动重试", "issued, but its files can't be had yet; retries go on", "无需处理; 可手动重取", "nothing to do; or fetch them now", "kaipiao invoices files {document}"},
	{ProblemNoRecipient, "没有交付地址", "nowhere to deliver", "没有有效的邮箱或手机号", "no usable e-mail address or mobile number", "补充接收方式", "give an address", "kaipiao deliver {document} --to ADDRESS"},
	{ProblemDelivery, "交付失败", "delivery failed", "所有交付渠道均失败", "every channel failed for good", "更正地址后重发", "correct the address and send again", "kaipiao deliver {document} --to ADDRESS"},
	{ProblemDeliveryUnknown, "交付结果未知", "delivery outcome unknown", "服务商未答复, 策略不允许自动重发", "the provider did not answer and the policy forbids a resend", "确认未收到后重发", "send again if it did not arrive", "kaipiao deliver {document}"},
	{ProblemReconcile, "对账差异", "books differ", "开票净额与实付减退款不一致", "invoiced − reversed is not paid − refunded", "查看明细并处理", "look at the rows and settle them", "kaipiao orders show {sale}"},
	{ProblemForeignInvoice, "税局有未知发票", "the bureau has an invoice we don't know", "税局台账中的发票本地没有记录", "an invoice in the bureau's ledger has no record here", "核实来源, 登记为外部发票", "find out whose it is, register it", "kaipiao problems close {problem}"},
	{ProblemDayClose, "日结不符", "day close differs", "小票合计与日结单不一致", "receipts do not sum to the day close", "补传缺失小票", "upload what is missing", "kaipiao problems close {problem}"},
	{ProblemFetch, "拉取失败", "fetch failed", "平台拒绝提供该订单", "the platform refuses the order", "检查店铺授权", "check the shop's authorisation", "kaipiao orders fetch {subject}"},
	{ProblemPlugin, "插件不可用", "plugin is down", "插件多次异常退出, 每分钟自动重试", "the plugin died too often; it is tried once a minute", "查看插件日志", "look at the plugin's last words", "kaipiao plugin list"},
	{ProblemTask, "后台任务反复失败", "a task keeps failing", "程序或配置有误, 仍在自动重试", "the program or its configuration is at fault; it is tried again and again", "查看日志与诊断", "look at the log and the diagnosis", "kaipiao doctor"},
}

// RemedyOf finds the description of a code.
func RemedyOf(code ProblemCode) (Remedy, bool) {
	for _, r := range Remedies {
		if r.Code == code {
			return r, true
		}
	}
	return Remedy{}, false
}

// CommandFor fills the command that solves a problem.
func (r Remedy) CommandFor(p Problem, order string) string {
	return strings.NewReplacer("{sale}", string(p.Sale), "{order}", order, "{document}", string(p.Document),
		"{subject}", p.Subject, "{problem}", string(p.ID)).Replace(r.Command)
}
