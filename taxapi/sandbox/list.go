package sandbox

import (
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// listPage is the most invoices in one answer of `list`.
const listPage = 500

var cursorShape = regexp.MustCompile(`^\d{1,15}\.\d{1,15}$`)

// listRequest is the JSON of `list`: invoices issued in [from, to).
type listRequest struct {
	unexamined
	TaxNo  string `json:"tax_no"`
	From   string `json:"from"`
	To     string `json:"to"`
	Cursor string `json:"cursor"`
}

type listResult struct {
	Invoices []listed `json:"invoices"`
	Cursor   string   `json:"cursor"`
	More     bool     `json:"more"`
}

type listed struct {
	Serial     string      `json:"serial"`
	Number     string      `json:"number"`
	Color      color       `json:"color"`
	BlueNumber string      `json:"blue_number"`
	Kind       invoiceKind `json:"kind"`
	IssuedAt   string      `json:"issued_at"`
	BuyerName  string      `json:"buyer_name"`
	Net        yuan        `json:"net"`
	Tax        yuan        `json:"tax"`
	Gross      yuan        `json:"gross"`
}

func (r *listRequest) traits() traits { return traits{seller: r.TaxNo} }

func (r *listRequest) run(c *call, t *tx) (any, error) {
	if s := c.bureau.registry.seller(r.TaxNo); s == nil || !s.allows(c.app.ID) {
		return nil, refuse(codeSeller, "销售方未在本应用登记")
	}
	from, err := time.Parse(time.RFC3339, r.From)
	if err != nil {
		return nil, refuse(codeField, "from：时间格式错误")
	}
	to, err := time.Parse(time.RFC3339, r.To)
	if err != nil {
		return nil, refuse(codeField, "to：时间格式错误")
	}
	// The cursor is time and id of the last invoice shown; the page after it starts behind both.
	afterTime, afterID := from.UnixMilli()-1, int64(1)<<62
	if r.Cursor != "" {
		if !cursorShape.MatchString(r.Cursor) {
			return nil, refuse(codeField, "cursor：格式错误")
		}
		ms, id, _ := strings.Cut(r.Cursor, ".")
		afterTime, _ = strconv.ParseInt(ms, 10, 64)
		afterID, _ = strconv.ParseInt(id, 10, 64)
	}
	until := min(to.UnixMilli(), c.now.UnixMilli()+1)
	result := listResult{Invoices: []listed{}, Cursor: r.Cursor}
	err = t.each(selectInvoice+`WHERE seller = ?1 AND (issued_at, id) > (?2, ?3) AND issued_at < ?4 AND failed = 0
		AND taken_at <= ?5 ORDER BY issued_at, id LIMIT ?6`,
		[]any{r.TaxNo, afterTime, afterID, until, c.visibleUntil().UnixMilli(), listPage + 1},
		func(rows *sql.Rows) error { return result.add(rows) })
	return result, err
}

func (r *listResult) add(rows *sql.Rows) error {
	if len(r.Invoices) == listPage {
		r.More = true
		return nil
	}
	var doc, content string
	if err := rows.Scan(&doc, &content); err != nil {
		return err
	}
	i, err := readInvoice(doc, content)
	if err != nil {
		return err
	}
	r.Cursor = fmt.Sprintf("%d.%d", i.IssuedAt.UnixMilli(), i.ID)
	r.Invoices = append(r.Invoices, listed{i.Serial, i.Number, i.Color, i.BlueNumber, i.Kind, wireTime(i.IssuedAt),
		i.Buyer.Name, i.Net, i.Tax, i.Gross})
	return nil
}
