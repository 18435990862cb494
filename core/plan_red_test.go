package core_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaipiao/kaipiao/core"
)

// issuedBench is a bench whose sale is issued.
func issuedBench(t testing.TB, lines ...core.SaleLine) *bench {
	t.Helper()
	b := newBench(t)
	b.story.Sale = saleOf(lines...)
	b.mapAll(13)
	if d := b.settle(); len(d.Problems) > 0 {
		t.Fatalf("first issue: %v", d.Problems)
	}
	return b
}

func refundOf(no string, portions ...core.Portion) core.Refund {
	r := core.Refund{No: no, State: core.RefundSucceeded, At: noon, Portions: portions}
	for _, p := range portions {
		r.Amount = r.Amount.Add(p.Amount)
	}
	return r
}

func back(line string, n, fen int64) core.Portion {
	return core.Portion{Line: line, Kind: core.GoodsQuantity, Quantity: core.Pieces(n), Amount: core.Fen(fen)}
}

// balanced fails unless what is invoiced is what should be.
func (b *bench) balanced() {
	b.t.Helper()
	if x := core.BalanceOf(b.story); !x.Expected().Equal(x.Actual()) {
		b.t.Errorf("invoiced − reversed is %s, want %s", x.Actual(), x.Expected())
	}
}

func (b *bench) wantProblem(d core.Decision, code core.ProblemCode) {
	b.t.Helper()
	if len(d.Problems) != 1 || d.Problems[0].Code != code {
		b.t.Fatalf("class %s, problems %v, want %s", d.Class, d.Problems, code)
	}
}

// A refund that the platform takes back after its red is a person's to decide; the act to issue makes the books right.
func TestRefundWithdrawnAfterRed(t *testing.T) {
	for name, fen := range map[string]int64{"part": 3000, "all": 10000} {
		t.Run(name, func(t *testing.T) {
			b := issuedBench(t, goods("1", 1, 10000, 10000))
			b.story.Refunds = []core.Refund{refundOf("R1", core.Portion{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(fen)})}
			b.settle()
			made := len(b.story.Documents)
			b.story.Refunds[0].State = core.RefundDeleted
			d := b.settle()
			b.wantProblem(d, core.ProblemRefundWithdrawn)
			if d.Class != core.ClassHeld || len(b.story.Documents) != made {
				t.Fatalf("class %s, %d documents: something was issued without a person", d.Class, len(b.story.Documents))
			}
			b.story.Act = core.ActIssue
			if d = b.settle(); d.Class != core.ClassSettled || len(d.Problems) > 0 {
				t.Fatalf("after the act: class %s, problems %v", d.Class, d.Problems)
			}
			b.balanced()
			b.story.Refunds[0].State = core.RefundSucceeded // and it comes back once more
			if d = b.settle(); len(d.Problems) > 0 {
				t.Fatalf("after its return: %v", d.Problems)
			}
			b.balanced()
		})
	}
}

// A refund that was covered and then grew is reversed for the difference; one that shrank is a problem.
func TestCoveredRefundChanges(t *testing.T) {
	b := issuedBench(t, goods("1", 1, 10000, 10000))
	allowance := func(fen int64) []core.Refund {
		return []core.Refund{refundOf("R1", core.Portion{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(fen)})}
	}
	b.story.Refunds = allowance(3000)
	b.settle()
	b.story.Refunds = allowance(4000)
	if d := b.settle(); d.Class != core.ClassSettled || len(d.Problems) > 0 {
		t.Fatalf("class %s, problems %v", d.Class, d.Problems)
	}
	b.balanced()
	b.story.Refunds = allowance(1000)
	b.wantProblem(b.settle(), core.ProblemRefundWithdrawn)
}

// An edit that can't be invoiced leaves the good invoice alone until it can.
func TestNothingIsReversedThatCannotBeReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*core.Sale)
		code core.ProblemCode
	}{
		"broken sums": {func(s *core.Sale) { s.Total = core.Fen(1); s.Lines[0].Paid = core.Fen(900) }, core.ProblemSumsDiffer},
		"bad tax no":  {func(s *core.Sale) { s.Buyer = core.Buyer{Title: "某某公司", TaxNo: "91000000MAKP000146"} }, core.ProblemBadTaxNo},
		"points appear": {func(s *core.Sale) {
			s.Lines[0].Paid, s.Total = core.Fen(900), core.Fen(900)
			s.Tenders = []core.Tender{{Kind: core.Points, Amount: core.Fen(100)}}
		}, core.ProblemTender},
	} {
		t.Run(name, func(t *testing.T) {
			b := issuedBench(t, goods("1", 1, 990, 990))
			edited := *b.story.Sale
			edited.Lines = append([]core.SaleLine(nil), edited.Lines...)
			c.edit(&edited)
			b.story.Sale = &edited
			d := b.settle()
			b.wantProblem(d, c.code)
			if d.Class != core.ClassHeld || len(b.story.Documents) != 1 {
				t.Errorf("class %s with %d documents, want the invoice alone", d.Class, len(b.story.Documents))
			}
		})
	}
}

// A buyer who withdraws the request after its invoice was issued keeps the invoice; a new title replaces it, twice.
func TestRequestsAfterIssue(t *testing.T) {
	b := newBench(t)
	b.story.Policy.Issue = core.OnRequest
	b.story.Sale = saleOf(goods("1", 1, 990, 990))
	b.mapAll(13)
	ask := func(id string, state core.RequestState, title string, at time.Time) {
		b.story.Requests = append(b.story.Requests, core.InvoiceRequest{ID: id, State: state, At: at, Buyer: core.Buyer{Title: title}})
	}
	ask("q", core.Requested, "甲", noon)
	b.settle()
	for i, title := range []string{"乙", "丙"} {
		ask("q", core.TitleChanged, title, noon.Add(time.Duration(i+1)*time.Hour))
		if d := b.settle(); d.Class != core.ClassSettled || len(b.story.Documents) != 3+2*i {
			t.Fatalf("title %s: class %s, %d documents", title, d.Class, len(b.story.Documents))
		}
	}
	ask("q", core.RequestOver, "", noon.Add(9*time.Hour))
	if d := b.settle(); d.Class != core.ClassSettled || len(b.story.Documents) != 5 {
		t.Fatalf("after the withdrawal: class %s, %d documents", d.Class, len(b.story.Documents))
	}
	if last := b.story.Documents[4].Content.Invoice(); last.Color != core.Blue || last.Buyer.Title != "丙" {
		t.Errorf("the last invoice is %s to %s", last.Color, last.Buyer.Title)
	}
}

// The states of one request that carry the same time count in any order of arrival; a withdrawal without an id
// withdraws what came before it (case N24).
func TestRequestStatesOfOneTime(t *testing.T) {
	asked := core.InvoiceRequest{ID: "q", State: core.Requested, At: noon, Buyer: core.Buyer{Title: "甲"}}
	over := core.InvoiceRequest{ID: "q", State: core.RequestOver, At: noon}
	nameless := core.InvoiceRequest{State: core.RequestOver, At: noon.Add(time.Hour)}
	later := core.InvoiceRequest{ID: "p", State: core.Requested, At: noon.Add(2 * time.Hour), Buyer: core.Buyer{Title: "乙"}}
	for name, c := range map[string]struct {
		requests []core.InvoiceRequest
		class    core.Class
	}{
		"asked, over":                    {[]core.InvoiceRequest{asked, over}, core.ClassNotAsked},
		"over, asked":                    {[]core.InvoiceRequest{over, asked}, core.ClassNotAsked},
		"withdrawn without an id":        {[]core.InvoiceRequest{nameless, asked}, core.ClassNotAsked},
		"withdrawn, then asked anew":     {[]core.InvoiceRequest{asked, later, nameless}, core.ClassIssuing},
		"asked once, nothing else known": {[]core.InvoiceRequest{asked}, core.ClassIssuing},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.story.Policy.Issue = core.OnRequest
			b.story.Sale, b.story.Requests = saleOf(goods("1", 1, 990, 990)), c.requests
			b.mapAll(13)
			if d := core.Decide(b.story, noon); d.Class != c.class {
				t.Errorf("class %s, want %s", d.Class, c.class)
			}
		})
	}
}

// A sale of two invoices: a refund in one leaves the other alone, also where whole invoices are reversed.
func TestRefundInOneOfTwoParts(t *testing.T) {
	for _, way := range []core.RefundWay{core.PartialRed, core.FullRedAndReissue} {
		t.Run(string(way), func(t *testing.T) {
			b := newBench(t)
			b.story.Policy.MaxGross, b.story.Policy.Refunds = core.Fen(10000), way
			b.story.Sale = saleOf(goods("1", 2, 9000, 9000), goods("2", 1, 8000, 8000))
			b.mapAll(13)
			b.settle()
			b.story.Refunds = []core.Refund{refundOf("R1", back("1", 1, 4500))}
			if d := b.settle(); d.Class != core.ClassSettled || len(d.Problems) > 0 {
				t.Fatalf("class %s, problems %v", d.Class, d.Problems)
			}
			for _, d := range b.story.Documents {
				if d.Part == 1 && d.Color == core.Red {
					t.Error("the other invoice was reversed")
				}
			}
			b.balanced()
		})
	}
}

// An edit moves a line from one invoice to another: it is in one live invoice at any time.
func TestLineMovesBetweenParts(t *testing.T) {
	b := newBench(t)
	b.story.Policy.MaxGross = core.Fen(10000)
	b.story.Sale = saleOf(goods("1", 1, 9000, 9000), goods("2", 1, 8000, 8000))
	b.mapAll(13)
	b.settle()
	b.story.Sale = saleOf(goods("1", 1, 1000, 1000), goods("2", 1, 8000, 8000)) // now one invoice holds both
	for range 20 {
		d := core.Decide(b.story, noon)
		if len(d.New) == 0 {
			break
		}
		d.New = d.New[:1] // the bureau is slow: one document at a time, the first part's first
		b.apply(d)
		if left := b.left()["2"][0]; left.Cmp(core.Fen(8000)) > 0 {
			t.Fatalf("line 2 is invoiced with %s at once", left)
		}
	}
	if d := b.settle(); d.Class != core.ClassSettled {
		t.Errorf("class %s, problems %v", d.Class, d.Problems)
	}
	b.balanced()
}

// An external invoice holds the whole sale, whatever our own limits would split; what is refunded is reversed from it.
func TestExternalInvoiceIsOnePart(t *testing.T) {
	b := newBench(t)
	b.story.Policy.MaxGross = core.Fen(100000)
	b.story.Sale = saleOf(goods("1", 2, 9000, 9000), goods("2", 1, 8000, 8000))
	b.story.Sale.InvoicedElsewhere = "26000000000000000001"
	b.mapAll(13)
	b.story.Refunds = []core.Refund{refundOf("R1", back("2", 1, 8000)), refundOf("R0", back("1", 1, 4500))}
	if d := core.Decide(b.story, noon); d.Class != core.ClassElsewhere || len(d.Problems) != 2 {
		t.Fatalf("before it is registered: class %s, problems %v", d.Class, d.Problems)
	}
	n, err := core.ExternalDraft(b.story)
	if err != nil {
		t.Fatal(err)
	}
	b.story.Documents = []core.Document{{ID: b.id(), Color: core.Blue, Kind: core.GeneralInvoice, State: core.DocIssued, Number: b.story.Sale.InvoicedElsewhere,
		Content: n.Draft, Digest: n.Digest, Basis: n.Basis, External: true}}
	b.story.Policy.MaxGross = core.Fen(10000)
	if d := b.settle(); d.Class != core.ClassSettled || len(d.Problems) > 0 {
		t.Fatalf("class %s, problems %v", d.Class, d.Problems)
	}
	b.balanced()
	b.story.Refunds = append(b.story.Refunds, refundOf("R2", back("1", 1, 4500)))
	if d := b.settle(); d.Class != core.ClassNothing || len(d.Problems) > 0 {
		t.Fatalf("all refunded: class %s, problems %v", d.Class, d.Problems)
	}
	b.balanced()
}

// A return whose quantity can't be printed is an allowance: the law wants a quantity on returned goods.
func TestReturnWithoutQuantityIsAllowance(t *testing.T) {
	b := issuedBench(t, goods("1", 1, 10000, 10000))
	b.story.Refunds = []core.Refund{refundOf("R1", back("1", 1, 3000))}
	b.settle()
	b.story.Refunds = append(b.story.Refunds, refundOf("R2", back("1", 1, 2000)))
	b.settle()
	var reasons []core.RedReason
	for _, d := range b.story.Documents[1:] {
		inv := d.Content.Invoice()
		reasons = append(reasons, inv.Reason)
		if (inv.Reason == core.Allowance) != inv.Lines[0].Quantity.IsZero() {
			t.Errorf("%s with quantity %q", inv.Reason, inv.Lines[0].Quantity)
		}
	}
	if fmt.Sprint(reasons) != "[goods_returned allowance]" {
		t.Errorf("reasons %v", reasons)
	}
}

// What the platform gives back to a card that is not invoiced takes nothing from the invoice, while it lasts; what it
// gives back in money takes all of itself.
func TestRefundToANamedTender(t *testing.T) {
	b := newBench(t)
	b.story.Sale = saleOf(goods("1", 1, 10000, 10000))
	b.story.Sale.Tenders = []core.Tender{{Kind: core.PrepaidCard, Amount: core.Fen(4000)}, {Kind: core.Cash, Amount: core.Fen(6000)}}
	b.mapAll(13)
	b.settle()
	for i, c := range []struct {
		tender core.TenderKind
		fen    int64
		left   int64
	}{{core.PrepaidCard, 3000, 6000}, {core.Cash, 2000, 4000}, {"", 1000, 3200}, {core.PrepaidCard, 4000, 0}} {
		r := refundOf(fmt.Sprint("R", i), core.Portion{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(c.fen)})
		r.At, r.Tender = noon.Add(time.Duration(i)*time.Hour), c.tender
		b.story.Refunds = append(b.story.Refunds, r)
		if d := b.settle(); len(d.Problems) > 0 {
			t.Fatalf("refund %d: %v", i, d.Problems)
		}
		if got := b.left()["1"][0]; !got.Equal(core.Fen(c.left)) {
			t.Errorf("after refund %d of %s by %q: %s left, want %s", i, core.Fen(c.fen), c.tender, got, core.Fen(c.left))
		}
		b.balanced()
	}
}

// Refunds to named and unnamed tenders, in any order: never more than the invoice, nothing at the end, no problem.
func TestNamedTendersInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		paid := rapid.Int64Range(100, 99999).Draw(rt, "paid")
		card := rapid.Int64Range(0, paid).Draw(rt, "card")
		b.story.Sale = saleOf(goods("1", 1, paid, paid))
		b.story.Sale.Tenders = []core.Tender{{Kind: core.PrepaidCard, Amount: core.Fen(card)}, {Kind: core.Cash, Amount: core.Fen(paid - card)}}
		b.mapAll(13)
		b.settle()
		for i, left := 0, paid; left > 0; i++ {
			fen := left
			if i < 5 {
				fen = rapid.Int64Range(1, left).Draw(rt, "refund")
			}
			left -= fen
			r := refundOf(fmt.Sprint("R", i), core.Portion{Line: "1", Kind: core.GoodsAmount, Amount: core.Fen(fen)})
			r.Tender = rapid.SampledFrom([]core.TenderKind{"", core.PrepaidCard, core.Cash}).Draw(rt, "tender")
			r.At = noon.Add(-time.Duration(rapid.IntRange(0, 9).Draw(rt, "at")) * time.Hour)
			b.story.Refunds = append(b.story.Refunds, r)
			if d := b.settle(); len(d.Problems) > 0 {
				rt.Fatalf("refund %d: %v", i, d.Problems)
			}
			if x := core.BalanceOf(b.story); !x.Expected().Equal(x.Actual()) {
				rt.Fatalf("refund %d: invoiced %s, want %s", i, x.Actual(), x.Expected())
			}
		}
		if x := core.BalanceOf(b.story); !x.Actual().IsZero() || !x.Tax.IsZero() {
			rt.Fatalf("%s with %s tax are left", x.Actual(), x.Tax)
		}
	})
}

// A sale that waits to be paid is unpaid, also in a store that is not live yet.
func TestUnpaidBeforeGoLive(t *testing.T) {
	b := newBench(t)
	b.story.Policy.GoLive = noon
	b.story.Sale = saleOf(goods("1", 1, 990, 990))
	b.story.Sale.PaidAt, b.story.Sale.Status = time.Time{}, core.Unpaid
	if d := core.Decide(b.story, noon); d.Class != core.ClassUnpaid {
		t.Errorf("class %s, want unpaid", d.Class)
	}
}

// A confirmation that is confirmed and withdrawn between two looks is seen withdrawn.
func TestConfirmationWithdrawnUnseen(t *testing.T) {
	for _, from := range []core.ConfirmationState{core.ConfWaitsForBuyer, core.ConfWaitsForSeller} {
		if _, err := from.See(core.ConfWithdrawnLater); err != nil {
			t.Error(err)
		}
	}
}
