package core

import "time"

// ProblemCode names a kind of problem that a person can solve. docs/problems.md lists each with cause and remedy; a
// test keeps the two alike.
type ProblemCode string

// Problem codes.
const (
	ProblemUnmapped            ProblemCode = "unmapped_product"
	ProblemBadTaxNo            ProblemCode = "bad_tax_no"
	ProblemBadTitle            ProblemCode = "bad_title"
	ProblemBadText             ProblemCode = "bad_text"
	ProblemBadRate             ProblemCode = "bad_rate"
	ProblemBadNumber           ProblemCode = "bad_number"
	ProblemMalformed           ProblemCode = "malformed_event"
	ProblemKindNotAllowed      ProblemCode = "kind_not_allowed"
	ProblemSellerTaxNo         ProblemCode = "seller_tax_no"
	ProblemSumsDiffer          ProblemCode = "sums_differ"
	ProblemTooLarge            ProblemCode = "too_large"
	ProblemCurrency            ProblemCode = "foreign_currency"
	ProblemTender              ProblemCode = "tender_needs_decision"
	ProblemUnknownStore        ProblemCode = "unknown_store"
	ProblemWaitingForOrder     ProblemCode = "waiting_for_order"
	ProblemRevisionConflict    ProblemCode = "revision_conflict"
	ProblemEventConflict       ProblemCode = "event_conflict"
	ProblemAliasConflict       ProblemCode = "alias_conflict"
	ProblemRefundExceeds       ProblemCode = "red_exceeds_blue"
	ProblemRefundWithdrawn     ProblemCode = "refund_withdrawn_after_red"
	ProblemRefundElsewhere     ProblemCode = "refund_of_external_invoice"
	ProblemRefundSums          ProblemCode = "refund_sums_differ"
	ProblemRedReason           ProblemCode = "red_reason"
	ProblemRedManual           ProblemCode = "red_needs_person"
	ProblemRefused             ProblemCode = "bureau_refused"
	ProblemRedRefused          ProblemCode = "red_refused"
	ProblemConfirmationDead    ProblemCode = "confirmation_refused"
	ProblemConfirmationExpired ProblemCode = "confirmation_expired"
	ProblemNotTaken            ProblemCode = "bureau_busy"
	ProblemUnsure              ProblemCode = "outcome_unknown"
	ProblemStillRunning        ProblemCode = "issue_takes_long"
	ProblemOtherAnswer         ProblemCode = "answer_differs"
	ProblemQuota               ProblemCode = "quota_exhausted"
	ProblemLogin               ProblemCode = "login_needed"
	ProblemLanePaused          ProblemCode = "channel_paused"
	ProblemFiles               ProblemCode = "files_missing"
	ProblemNoRecipient         ProblemCode = "no_recipient"
	ProblemDelivery            ProblemCode = "delivery_failed"
	ProblemDeliveryUnknown     ProblemCode = "delivery_unknown"
	ProblemReconcile           ProblemCode = "reconcile_difference"
	ProblemForeignInvoice      ProblemCode = "invoice_unknown_here"
	ProblemDayClose            ProblemCode = "day_close_differs"
	ProblemFetch               ProblemCode = "fetch_failed"
	ProblemPlugin              ProblemCode = "plugin_down"
	ProblemTask                ProblemCode = "task_failing"
)

// Scope says which use case owns a problem: it opens and closes those of its scope and no others.
type Scope string

// Scopes of problems.
const (
	ScopePlan      Scope = "plan"      // derived from the story of a sale at every look
	ScopeIngest    Scope = "ingest"    // found when an event came in
	ScopeIssue     Scope = "issue"     // found while sending
	ScopeDelivery  Scope = "delivery"  // found while delivering
	ScopeReconcile Scope = "reconcile" // found by comparing
	ScopeFeed      Scope = "feed"      // found while fetching or pulling
)

// Problem is something that a person can solve. Its detail is masked text.
type Problem struct {
	ID    ID
	Scope Scope
	Code  ProblemCode
	// Sale, Document and Subject say what it is about; Subject makes problems of one scope and code distinct.
	Sale     ID
	Document ID
	Subject  string
	Store    StoreCode
	Detail   string
	OpenedAt time.Time
	ClosedAt time.Time
}
