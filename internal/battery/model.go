// Package battery proves the product from outside: it starts real processes, sends signed events over HTTP, kills the host
// at every failpoint, and compares what is left with an arithmetic of its own. It shares no code with what it judges but
// the names of failpoints and seeded bugs.
package battery

// Order is what a shop sold and paid back, as its own traffic says. Amounts are in fen, rates in per cent.
type Order struct {
	No       string
	Asked    bool // an invoice is wanted
	Lines    []Line
	Refunded []Portion
}

// Line is a line as the shop last told it. Its name is its own within the order, so an invoice's lines can be found.
type Line struct {
	No, Name, Code             string
	Goods                      bool
	Rate, Quantity, Paid, List int64
}

// Portion is money paid back: for a line, for shipping, or (neither) for the order as a whole.
type Portion struct {
	Line             string
	Shipping         bool
	Quantity, Amount int64
}

// Invoice is an issued blue or red invoice in one of the two ledgers. A red's amounts are negative.
type Invoice struct {
	Order, Serial, Number, Blue string // Blue is the number of the invoice that a red reverses
	Net, Tax, Gross             int64
	Lines                       []InvoiceLine // only the bureau's ledger shows them
}

// InvoiceLine is a printed line. A discount line follows the line that it belongs to.
type InvoiceLine struct {
	No, BlueNo      int
	Name            string
	Discount        bool
	Net, Tax, Gross int64
}

func (o *Order) total() (sum int64) {
	for _, l := range o.Lines {
		sum += l.Paid
	}
	return sum
}

func (o *Order) refunded() (sum int64) {
	for _, p := range o.Refunded {
		sum += p.Amount
	}
	return sum
}
