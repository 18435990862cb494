package main

import "github.com/kaipiao/kaipiao/plugins/sdk"

// document is one line of a batch: a receipt, or a closing report when kind is DAY_CLOSE. Figures are text; a number with
// the same characters is taken too. docs/pos-receipt.schema.json holds the same fields.
type document struct {
	Kind        string       `json:"kind"`
	Status      string       `json:"status"`
	Store       string       `json:"store"`
	Terminal    string       `json:"terminal"`
	BusinessDay string       `json:"business_day"`
	Number      sdk.Text     `json:"number"`
	Seq         sdk.Text     `json:"seq"`
	Epoch       sdk.Text     `json:"epoch"`
	Revision    sdk.Text     `json:"revision"`
	SoldAt      string       `json:"sold_at"`
	UpdatedAt   string       `json:"updated_at"`
	Links       []link       `json:"links"`
	Lines       []line       `json:"lines"`
	Adjustments []adjustment `json:"adjustments"`
	Tenders     []tender     `json:"tenders"`
	Payable     sdk.Text     `json:"payable"`
	Invoice     *invoice     `json:"invoice"`
	Platforms   []platformNo `json:"platform_orders"`
	DayClose    *dayClose    `json:"day_close"`
}

// link ties a receipt to an earlier one. Store, terminal and business day are this receipt's own when left out.
type link struct {
	Type        string   `json:"type"`
	Store       string   `json:"store"`
	Terminal    string   `json:"terminal"`
	BusinessDay string   `json:"business_day"`
	Number      sdk.Text `json:"number"`
	Epoch       sdk.Text `json:"epoch"`
	Line        sdk.Text `json:"line"`
}

// line is one row. Gross is quantity times price before discounts; discount lowers it in the same sign.
type line struct {
	LineNo       sdk.Text `json:"line_no"`
	ParentLineNo sdk.Text `json:"parent_line_no"`
	SKU          sdk.Text `json:"sku"`
	Barcode      sdk.Text `json:"barcode"`
	Name         string   `json:"name"`
	Spec         string   `json:"spec"`
	Category     string   `json:"category"`
	Unit         string   `json:"unit"`
	Qty          sdk.Text `json:"qty"`
	Gross        sdk.Text `json:"gross"`
	Discount     sdk.Text `json:"discount"`
	PaidAmount   sdk.Text `json:"paid_amount"`
	TaxRate      sdk.Text `json:"tax_rate"`
	TaxCode      sdk.Text `json:"tax_code"`
	OriginalLine sdk.Text `json:"original_line"`
	Flags        []string `json:"flags"`
}

// adjustment changes the whole receipt: discounts are negative, charges positive (the other way round in a return).
type adjustment struct {
	Kind     string   `json:"kind"`
	Amount   sdk.Text `json:"amount"`
	FundedBy string   `json:"funded_by"`
}

// tender is a means of payment; with change set it is money given back.
type tender struct {
	Kind          string   `json:"kind"`
	Amount        sdk.Text `json:"amount"`
	Change        bool     `json:"change"`
	TransactionNo sdk.Text `json:"transaction_no"`
}

// invoice is what the till knows of the buyer, or of an invoice that it issued itself.
type invoice struct {
	AlreadyInvoiced bool     `json:"already_invoiced"`
	Number          sdk.Text `json:"number"`
	Title           string   `json:"title"`
	TaxNo           sdk.Text `json:"tax_no"`
}

// platformNo is the order's number at a delivery platform, which may be invoiced there too.
type platformNo struct {
	Platform string   `json:"platform"`
	Number   sdk.Text `json:"number"`
}

type dayClose struct {
	ZNumber      sdk.Text `json:"z_number"`
	OpenedAt     string   `json:"opened_at"`
	ClosedAt     string   `json:"closed_at"`
	CountSales   sdk.Text `json:"count_sales"`
	CountReturns sdk.Text `json:"count_returns"`
	CountVoid    sdk.Text `json:"count_void"`
	Gross        sdk.Text `json:"gross"`
	Discount     sdk.Text `json:"discount"`
	Returns      sdk.Text `json:"returns"`
	Net          sdk.Text `json:"net"`
	ByTender     []tender `json:"by_tender"`
	FirstNo      sdk.Text `json:"first_no"`
	LastNo       sdk.Text `json:"last_no"`
	Status       string   `json:"status"`
}
