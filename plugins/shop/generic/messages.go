package generic

import "reflect"

// The types below are the contract: the decoder reads into them, and the published JSON Schema is made from them. A field
// without omitempty is required. Unknown fields are passed over, so that a shop may send more than it has to.

// order is a complete snapshot of an order, as it is now.
type order struct {
	OrderNo          id           `json:"order_no" doc:"number that merchant and buyer know; the same for ever"`
	OrderUID         id           `json:"order_uid,omitempty" doc:"the shop's internal id, if it differs"`
	Aliases          []alias      `json:"aliases,omitempty" doc:"other numbers of the same sale, such as a marketplace's"`
	StoreCode        string       `json:"store_code,omitempty" doc:"store that sold; left out when the shop is one store"`
	UpdatedAt        moment       `json:"updated_at" doc:"when the order last changed; a newer snapshot replaces an older one, whichever comes first"`
	Revision         id           `json:"revision,omitempty" doc:"whole number that grows with each change, where two changes may share one updated_at"`
	Status           orderStatus  `json:"status" doc:"how far the order has come; cancelled does not mean refunded"`
	Currency         string       `json:"currency,omitempty" doc:"ISO 4217; CNY when left out, and nothing else is invoiced"`
	PaidAt           moment       `json:"paid_at,omitempty" doc:"when it was paid in full; required for every status from paid to completed"`
	CompletedAt      moment       `json:"completed_at,omitempty" doc:"when the buyer confirmed or the time for it ended"`
	AftersaleClosed  moment       `json:"aftersale_closed_at,omitempty" doc:"when goods can no longer be returned"`
	Lines            []line       `json:"lines" doc:"goods, shipping and fees; paid_amount of all lines sums to total"`
	Tenders          []tender     `json:"tenders,omitempty" doc:"means of payment; needed for prepaid cards, store credit, points and subsidies"`
	Total            amount       `json:"total" doc:"what the lines' paid amounts sum to; never net of refunds"`
	Buyer            *buyer       `json:"buyer,omitempty" doc:"whom the invoice is for, as far as the shop knows"`
	InvoiceRequested bool         `json:"invoice_requested,omitempty" doc:"the buyer asked for an invoice at checkout"`
	AlreadyInvoiced  *otherIssuer `json:"already_invoiced,omitempty" doc:"an invoice exists that was not issued here"`
}

type alias struct {
	Platform string `json:"platform" doc:"taobao, jd, meituan …"`
	Number   id     `json:"number" doc:"order number there"`
}

// line is one thing sold, or a charge beside the goods.
type line struct {
	LineNo      id         `json:"line_no" doc:"stable over all snapshots; refunds name it"`
	Kind        lineKind   `json:"kind,omitempty" doc:"goods when left out"`
	SKU         string     `json:"sku,omitempty" doc:"article number; the first key to the classification code"`
	Barcode     string     `json:"barcode,omitempty" doc:"EAN or UPC"`
	OuterSKU    string     `json:"outer_sku,omitempty" doc:"the merchant's own article number on a marketplace"`
	Name        string     `json:"name" doc:"as it shall stand on the invoice"`
	Spec        string     `json:"spec,omitempty" doc:"规格型号"`
	Unit        string     `json:"unit,omitempty" doc:"单位: 个, 盒, kg"`
	Quantity    number     `json:"quantity" doc:"number of units"`
	ListAmount  amount     `json:"list_amount,omitempty" doc:"of the whole line before discounts"`
	Discounts   []discount `json:"discounts,omitempty" doc:"this line's shares of all reductions"`
	PaidAmount  amount     `json:"paid_amount" doc:"of the whole line after discounts, tax included, never net of refunds"`
	Category    string     `json:"category,omitempty" doc:"the shop's category; a key for mapping rules"`
	TaxCodeHint string     `json:"tax_code_hint,omitempty" doc:"classification code of 19 digits, if the shop keeps it"`
	TaxRateHint number     `json:"tax_rate_hint,omitempty" doc:"0.13 for 13 %"`
	Flags       []lineFlag `json:"flags,omitempty" doc:"lines that are treated apart"`
}

type discount struct {
	Amount   amount   `json:"amount" doc:"positive"`
	FundedBy fundedBy `json:"funded_by" doc:"who bears it"`
	Kind     string   `json:"kind,omitempty" doc:"the shop's own word: coupon, 满减 …"`
}

type tender struct {
	Kind          tenderKind `json:"kind" doc:"means of payment"`
	Amount        amount     `json:"amount" doc:"share of the total"`
	TransactionNo id         `json:"transaction_no,omitempty" doc:"the payment provider's number"`
}

type buyer struct {
	TitleType    titleType `json:"title_type,omitempty" doc:"unknown when left out"`
	Title        string    `json:"title,omitempty" doc:"抬头"`
	TaxNo        string    `json:"tax_no,omitempty" doc:"纳税人识别号; companies need it"`
	Address      string    `json:"address,omitempty" doc:"registered address, for special invoices"`
	Phone        string    `json:"phone,omitempty" doc:"registered phone, for special invoices"`
	Bank         string    `json:"bank,omitempty" doc:"开户行"`
	Account      string    `json:"account,omitempty" doc:"银行账号"`
	Email        string    `json:"email,omitempty" doc:"where the invoice goes"`
	Mobile       string    `json:"mobile,omitempty" doc:"where a short message goes"`
	MobileMasked bool      `json:"mobile_masked,omitempty" doc:"the number is masked, virtual or encrypted"`
}

type otherIssuer struct {
	Number id `json:"number,omitempty" doc:"the invoice's number, if known"`
}

// refund is money on its way back. Its state is the event's type.
type refund struct {
	RefundID    id         `json:"refund_id" doc:"one refund, one id, through all its states"`
	OrderNo     id         `json:"order_no" doc:"the order's order_no; the refund may come before the order"`
	Kind        refundKind `json:"kind" doc:"why money goes back"`
	Amount      amount     `json:"amount" doc:"what the buyer gets back"`
	UpdatedAt   moment     `json:"updated_at" doc:"when the refund last changed"`
	SucceededAt moment     `json:"succeeded_at,omitempty" doc:"when the money went; required for refund.succeeded"`
	Portions    []portion  `json:"portions,omitempty" doc:"what the amount is for; what they leave over counts as money that names no line"`
	Tender      tenderKind `json:"tender,omitempty" doc:"means of payment it went back to"`
	Reason      string     `json:"reason,omitempty" doc:"for people"`
}

type portion struct {
	Kind     portionKind `json:"kind" doc:"goods_quantity: goods came back; goods_amount: their price falls; shipping; money: no line named"`
	LineNo   id          `json:"line_no,omitempty" doc:"the order's line; required for goods_quantity and goods_amount"`
	Quantity number      `json:"quantity,omitempty" doc:"required for goods_quantity"`
	Amount   amount      `json:"amount" doc:"positive"`
}

// request is a buyer's wish for an invoice, with an id and a life of its own.
type request struct {
	RequestID   id          `json:"request_id" doc:"one wish, one id, through all its changes"`
	OrderNo     id          `json:"order_no" doc:"the order's order_no"`
	Kind        invoiceKind `json:"kind,omitempty" doc:"general (普通发票) when left out, or special (增值税专用发票)"`
	Buyer       *buyer      `json:"buyer,omitempty" doc:"the title; required unless the wish is cancelled"`
	RequestedAt moment      `json:"requested_at" doc:"when the buyer asked"`
	UpdatedAt   moment      `json:"updated_at" doc:"when the wish last changed"`
}

type (
	orderStatus string
	lineKind    string
	lineFlag    string
	fundedBy    string
	tenderKind  string
	titleType   string
	refundKind  string
	portionKind string
	invoiceKind string
)

// words are the values of each enumeration. In upper case they are the SDK's words.
var words = map[reflect.Type][]string{
	reflect.TypeFor[orderStatus](): {"unpaid", "paid", "partly_shipped", "shipped", "completed", "closed", "cancelled"},
	reflect.TypeFor[lineKind]():    {"goods", "shipping", "fee"},
	reflect.TypeFor[lineFlag]():    {"gift", "gift_card", "virtual", "service", "tip", "deposit", "weighed"},
	reflect.TypeFor[fundedBy]():    {"shop", "platform", "other"},
	reflect.TypeFor[tenderKind](): {"cash", "card", "wechat", "alipay", "unionpay", "prepaid_card", "store_credit", "points",
		"voucher", "platform_subsidy", "gov_subsidy", "on_account", "other"},
	reflect.TypeFor[titleType]():   {"unknown", "personal", "company"},
	reflect.TypeFor[refundKind]():  {"return", "amount_only", "price_protection", "compensation", "exchange"},
	reflect.TypeFor[portionKind](): {"goods_quantity", "goods_amount", "shipping", "money"},
	reflect.TypeFor[invoiceKind](): {"general", "special"},
}
