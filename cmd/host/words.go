package main

import (
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/config"
)

// words are what people read in place of a name in data: Chinese, English.
type words[K ~string] map[K][2]string

// of is the word for a name, or the name itself.
func (w words[K]) of(a *app, k K) string {
	if t, ok := w[k]; ok {
		return a.text(t[0], t[1])
	}
	return string(k)
}

var classWords = words[core.Class]{
	core.ClassSettled: {"已开具", "settled"}, core.ClassNothing: {"无需开具", "nothing to invoice"}, core.ClassUnpaid: {"未付款", "unpaid"},
	core.ClassNotAsked: {"买家未申请", "not asked"}, core.ClassNotYet: {"未到开票时间", "not yet"}, core.ClassManual: {"待人工", "manual"},
	core.ClassElsewhere: {"已在别处开具", "issued elsewhere"}, core.ClassCancelled: {"已取消待退款", "cancelled"}, core.ClassHeld: {"待处理", "held"},
	core.ClassIssuing: {"开具中", "issuing"}, core.ClassReversing: {"红冲中", "reversing"}, core.ClassWaitingBuyer: {"待对方确认", "waiting for the buyer"},
	core.ClassWaitingOrder: {"等待订单", "waiting for the order"},
}

var colorWords = words[core.Color]{core.Blue: {"蓝票", "blue"}, core.Red: {"红票", "red"}}

var documentWords = words[core.DocumentState]{
	core.DocDraft: {"草稿", "draft"}, core.DocReady: {"待开具", "ready"}, core.DocSending: {"发送中", "sending"}, core.DocUnsure: {"结果待查", "unsure"},
	core.DocAccepted: {"税局受理", "accepted"}, core.DocIssued: {"已开具", "issued"}, core.DocRefused: {"被拒", "refused"}, core.DocDropped: {"已放弃", "dropped"},
}

var parcelWords = words[core.ParcelState]{
	core.ParcelPending: {"待发送", "pending"}, core.ParcelSending: {"发送中", "sending"}, core.ParcelUnknown: {"结果待查", "unknown"},
	core.ParcelSent: {"已发送", "sent"}, core.ParcelDelivered: {"已送达", "delivered"}, core.ParcelFailed: {"失败", "failed"},
}

var refundWords = words[core.RefundState]{
	core.RefundOpened: {"申请中", "opened"}, core.RefundSucceeded: {"已退款", "succeeded"}, core.RefundClosed: {"已关闭", "closed"}, core.RefundDeleted: {"已作废", "deleted"},
}

var pluginWords = words[string]{
	"starting": {"启动中", "starting"}, "ready": {"就绪", "ready"}, "dead": {"已退出, 将重启", "dead, to be restarted"},
	"quarantined": {"多次退出, 每分钟重试", "dies often, tried each minute"}, "draining": {"结束中", "draining"}, "stopped": {"已停止", "stopped"},
}

// clock writes a time as the trade reads it: Beijing time, to the second.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(config.Beijing).Format("2006-01-02 15:04:05")
}
