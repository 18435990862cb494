package core

// Balance compares a sale's documents with what its policy computes (promise 3).
type Balance struct {
	Paid        Yuan
	Invoiceable Yuan
	// Refunded is the invoiceable share of what was refunded.
	Refunded Yuan
	// Invoiced and Reversed sum the issued blue and red invoices that are live; Tax likewise, blue − red.
	Invoiced Yuan
	Reversed Yuan
	Tax      Yuan
}

// Expected is what should remain invoiced.
func (b Balance) Expected() Yuan { return b.Invoiceable.Sub(b.Refunded) }

// Actual is what remains invoiced.
func (b Balance) Actual() Yuan { return b.Invoiced.Sub(b.Reversed) }

// BalanceOf computes a sale's balance from its story.
func BalanceOf(s Story) Balance {
	var b Balance
	if s.Sale != nil {
		a, _ := s.invoiceable()
		portions, _ := s.portions(a)
		t := a.take(portions)
		for i, l := range a.lines {
			b.Paid, b.Invoiceable = b.Paid.Add(l.paid), b.Invoiceable.Add(l.inv)
			b.Refunded = b.Refunded.Add(t.gross[i])
		}
	}
	for _, d := range s.Documents {
		if d.State != DocIssued {
			continue
		}
		inv := d.Content.inv
		b.Tax = b.Tax.Add(inv.Tax)
		if d.Color == Blue {
			b.Invoiced = b.Invoiced.Add(inv.Gross)
		} else {
			b.Reversed = b.Reversed.Sub(inv.Gross)
		}
	}
	return b
}
