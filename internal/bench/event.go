//go:build linux

package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"
)

// eventSize is the size of a webhook's body in bytes.
const eventSize = 2048

// Types of events. The second is one that no source knows: it is verified and answered like the first and never stored.
const (
	orderPaid  = "order.paid"
	notOurs    = "basket.viewed"
	orderLines = 4
)

// article is what every line of an order sells. Its classification code comes from the shop, so that nobody has to map it.
const article = `{"line_no":"%d","sku":"TEA-%04d","barcode":"69012345%05d","name":"精制茶 %d 号","spec":"250g","unit":"盒","quantity":"2",` +
	`"list_amount":"128.00","discounts":[{"amount":"15.00","funded_by":"shop","kind":"满减"}],"paid_amount":"113.00","category":"茶叶",` +
	`"tax_code_hint":"1030308010000000000"}`

// template is an order paid by a person with a mobile number, up to the note that fills the body.
const template = `{"type":"%s","timestamp":"%[2]s","data":{"order_no":"B%09[3]d","updated_at":"%[2]s","revision":"1","status":"paid",` +
	`"currency":"CNY","paid_at":"%[2]s","lines":[%[4]s],"tenders":[{"kind":"wechat","amount":"452.00","transaction_no":"42%012[3]d"}],` +
	`"total":"452.00","buyer":{"title_type":"personal","title":"李雷","mobile":"139%08[5]d"},"shop_note":"`

const ending = `"}}`

// events makes numbered events of one type, each of a sale of its own.
type events struct {
	kind, at, lines string
	// first is the number of piece 0.
	first int64
}

func newEvents(kind string, first int64) *events {
	e := &events{kind: kind, at: time.Now().Format(time.RFC3339), first: first}
	for i := range orderLines {
		if i > 0 {
			e.lines += ","
		}
		e.lines += fmt.Sprintf(article, i+1, i+1, i+1, i+1)
	}
	return e
}

// body appends the body of a numbered event: exactly eventSize bytes, the rest of which a note fills.
func (e *events) body(dst []byte, n int64) []byte {
	from := len(dst)
	dst = fmt.Appendf(dst, template, e.kind, e.at, n, e.lines, n%1e8)
	for len(dst)-from < eventSize-len(ending) {
		dst = append(dst, '.')
	}
	return append(dst, ending...)
}

// request appends a whole signed HTTP request by Standard Webhooks.
func (e *events) request(dst []byte, host, path string, key []byte, n int64) []byte {
	body := e.body(make([]byte, 0, eventSize), n)
	id, now := fmt.Sprintf("msg_%s_%09d", e.kind, n), strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + now + "."))
	mac.Write(body)
	dst = fmt.Appendf(dst, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nwebhook-id: %s\r\n"+
		"webhook-timestamp: %s\r\nwebhook-signature: v1,%s\r\n\r\n", path, host, len(body), id, now, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return append(dst, body...)
}
