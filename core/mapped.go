package core

import (
	"context"
	"time"
)

// ClassificationCode is a 19-digit 商品和服务税收分类编码.
type ClassificationCode string

// Valid says whether the code has 19 digits.
func (c ClassificationCode) Valid() bool { return len(c) == 19 && digits(string(c)) }

// Item is what a mapper is asked about.
type Item struct {
	Kind     LineKind
	SKU      string
	Barcode  string
	Category string
	Name     string
	Spec     string
	Unit     string
	CodeHint string
	RateHint string
	GiftCard bool
}

// MapQuery asks for the code of an item that a seller's store sells on a date.
type MapQuery struct {
	Seller SellerID
	Type   TaxpayerType
	Store  StoreCode
	Date   time.Time
	// Rules is the version of the rules that the answer must know at least; zero lets the mapper look for itself.
	Rules int64
	Item  Item
}

// Mapped is the confirmed answer: everything that an invoice line needs to know of its code.
type Mapped struct {
	Code       ClassificationCode `json:"code"`
	ShortName  string             `json:"short_name"`
	Rate       Rate               `json:"rate"`
	Preference Preference         `json:"preference,omitempty"`
	// Service marks codes of services: their refunds are "service stopped", not "goods returned".
	Service bool `json:"service,omitempty"`
	// Rule says which rule decided.
	Rule string `json:"rule"`
}

// Candidate is a guess for a person to confirm, with its reason in words.
type Candidate struct {
	Code      ClassificationCode `json:"code"`
	Name      string             `json:"name"`
	ShortName string             `json:"short_name"`
	Rate      string             `json:"rate"`
	Reason    string             `json:"reason"`
}

// MapAnswer is either Mapped or, when Found is false, candidates for the review list.
type MapAnswer struct {
	Found      bool
	Mapped     Mapped
	Candidates []Candidate
	// Why says why a rule or hint that exists was not taken, for a person.
	Why string
}

// Mapper finds classification codes. It must be safe for concurrent use and do no I/O that can block long.
type Mapper interface {
	Map(ctx context.Context, q MapQuery) (MapAnswer, error)
	// Remember makes the rule that a person's answer to a review becomes; what it compares is taken from the item. It
	// refuses a code that can't be printed.
	Remember(r Review, t TaxpayerType, answer MapRule) (MapRule, error)
}

// ItemOf builds the mapper's question from a sale line.
func ItemOf(l SaleLine) Item {
	return Item{Kind: l.Kind, SKU: l.SKU, Barcode: l.Barcode, Category: l.Category, Name: l.Name, Spec: l.Spec,
		Unit: l.Unit, CodeHint: l.CodeHint, RateHint: l.RateHint, GiftCard: l.Has(GiftCardSale)}
}

// GoodsCode is the code of the dearest goods line, if all goods lines are mapped and have one rate: freight that a
// seller charges with its goods is a charge outside the price (价外费用) and is taxed like them [K]. Where the goods
// differ, a rule for shipping has to say.
func GoodsCode(lines []SaleLine, mapped map[string]Mapped) (Mapped, bool) {
	var best Mapped
	var dearest Yuan
	for _, l := range lines {
		if l.Kind != Goods || l.Paid.Sign() <= 0 || l.Has(Gift) {
			continue
		}
		m, ok := mapped[l.No]
		if !ok || (best.Code != "" && (!m.Rate.Equal(best.Rate) || m.Preference != best.Preference)) {
			return Mapped{}, false
		}
		if best.Code == "" || l.Paid.Cmp(dearest) > 0 {
			best, dearest = m, l.Paid
		}
	}
	best.Rule = "follows goods"
	return best, best.Code != ""
}
