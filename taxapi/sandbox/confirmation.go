package sandbox

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// confirmationState is the bureau's state of a red confirmation (红字发票信息确认单).
type confirmationState string

const (
	confirmNotNeeded    confirmationState = "01" // the buyer booked nothing: the seller may issue at once
	confirmWaitBuyer    confirmationState = "02" // the seller entered it
	confirmWaitSeller   confirmationState = "03" // the buyer entered it
	confirmBoth         confirmationState = "04"
	confirmBuyerNo      confirmationState = "05"
	confirmSellerNo     confirmationState = "06"
	confirmExpired      confirmationState = "07" // 72 hours without an answer
	confirmWithdrawn    confirmationState = "08" // by who entered it, before confirmation
	confirmWithdrawn2   confirmationState = "09" // after confirmation
	confirmAbnormal     confirmationState = "10" // abnormal voucher
	confirmTaxpayer     confirmationState = "11" // taxpayer's state abnormal
	confirmPersonNo     confirmationState = "12" // a natural person refused
	confirmRefundExists confirmationState = "13" // a refund application exists

	// confirmationLife is how long the other side has to answer (公告2024年第11号).
	confirmationLife = 72 * time.Hour
)

// act is something done to a confirmation.
type act string

const (
	actAgree        act = "agree"
	actRefuse       act = "refuse"
	actWithdraw     act = "withdraw" // by the side that entered it
	actExpire       act = "expire"
	actAbnormal     act = "abnormal"
	actTaxpayer     act = "taxpayer_abnormal"
	actPersonRefuse act = "person_refuse"
	actRefundExists act = "refund_exists"
)

// transitions is the whole machine: what is not listed is refused with 6003. A confirmation whose red was issued is
// frozen whatever its state.
var transitions = map[confirmationState]map[act]confirmationState{
	confirmNotNeeded: {actWithdraw: confirmWithdrawn,
		actAbnormal: confirmAbnormal, actTaxpayer: confirmTaxpayer, actRefundExists: confirmRefundExists},
	confirmWaitBuyer: {actAgree: confirmBoth, actRefuse: confirmBuyerNo, actPersonRefuse: confirmPersonNo,
		actWithdraw: confirmWithdrawn, actExpire: confirmExpired,
		actAbnormal: confirmAbnormal, actTaxpayer: confirmTaxpayer, actRefundExists: confirmRefundExists},
	confirmWaitSeller: {actAgree: confirmBoth, actRefuse: confirmSellerNo, actWithdraw: confirmWithdrawn,
		actExpire: confirmExpired, actAbnormal: confirmAbnormal, actTaxpayer: confirmTaxpayer,
		actRefundExists: confirmRefundExists},
	confirmBoth: {actWithdraw: confirmWithdrawn2,
		actAbnormal: confirmAbnormal, actTaxpayer: confirmTaxpayer, actRefundExists: confirmRefundExists},
}

// live says whether the amounts are reserved on the blue invoice.
func (s confirmationState) live() bool { _, ok := transitions[s]; return ok }

// confirmation is an application for a red invoice and what became of it.
type confirmation struct {
	ID          int64             `json:"id"`
	App         string            `json:"app_id"`
	Application string            `json:"application"` // empty if the buyer entered it
	UUID        string            `json:"uuid"`
	Number      string            `json:"confirmation_no"`
	State       confirmationState `json:"state"`
	SellerTaxNo string            `json:"seller_tax_no"`
	BlueNumber  string            `json:"blue_number"`
	Reason      reason            `json:"reason"`
	Lines       []line            `json:"lines"`
	Net         yuan              `json:"net"`
	Tax         yuan              `json:"tax"`
	Gross       yuan              `json:"gross"`
	AppliedAt   time.Time         `json:"applied_at"`
	ExpiresAt   time.Time         `json:"expires_at"` // zero if nobody has to answer
	RedSerial   string            `json:"red_serial"`
	RedNumber   string            `json:"red_number"`
	RedIssuedAt time.Time         `json:"red_issued_at"`

	content string
}

// expire makes the state what it is at this time. It is called wherever a confirmation is read, so nothing has to run
// when the 72 hours are over.
func (c *confirmation) expire(now time.Time) {
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(now) {
		if next, ok := transitions[c.State][actExpire]; ok {
			c.State = next
		}
	}
}

// apply changes the state or refuses.
func (c *confirmation) apply(a act) error {
	next, ok := transitions[c.State][a]
	if !ok || c.RedSerial != "" {
		return refuse(codeConfirmationState, "确认单状态%s不允许此操作", c.State)
	}
	c.State = next
	return nil
}

// name draws uuid and number from the row id: tests see the same ones in every run. 000000 is the impossible area.
func (c *confirmation) name() {
	sum := sm3.Sum(fmt.Appendf(nil, "kaipiao sandbox confirmation %d", c.ID))
	c.UUID = fmt.Sprintf("%x", sum[:16])
	c.Number = fmt.Sprintf("000000%s%010d", c.AppliedAt.In(beijing).Format("0601"), c.ID)
}

const selectConfirmation = `SELECT doc, content FROM confirmations `

func (t *tx) confirmations(now time.Time, where string, args ...any) (all []*confirmation, err error) {
	err = t.each(selectConfirmation+where, args, func(rows *sql.Rows) error {
		c, err := scanConfirmation(rows, now)
		all = append(all, c)
		return err
	})
	return all, err
}

// confirmation returns the first match, or nil.
func (t *tx) confirmation(now time.Time, where string, args ...any) (*confirmation, error) {
	all, err := t.confirmations(now, where, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func scanConfirmation(rows *sql.Rows, now time.Time) (*confirmation, error) {
	var doc string
	c := &confirmation{}
	if err := rows.Scan(&doc, &c.content); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(doc), c); err != nil {
		return nil, fmt.Errorf("reading a stored confirmation: %w", err)
	}
	c.expire(now)
	return c, nil
}

func (t *tx) putConfirmation(c *confirmation) error {
	doc, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding confirmation %d: %w", c.ID, err)
	}
	return t.exec(`INSERT INTO confirmations (id, app, application, uuid, blue_number, content, doc)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET doc = ?7`,
		c.ID, c.App, c.Application, c.UUID, c.BlueNumber, []byte(c.content), string(doc))
}
