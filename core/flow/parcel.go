package flow

import (
	"context"
	"regexp"
	"strings"

	"github.com/kaipiao/kaipiao/core"
)

// recipient is what a parcel's sealed value holds.
type recipient struct {
	Email  core.Contact `json:"email,omitempty"`
	Mobile core.Contact `json:"mobile,omitempty"`
	Order  string       `json:"order,omitempty"`
}

// Address grammars. The e-mail grammar is narrow on purpose: quoted local parts have carried SMTP parameters.
var (
	emailShape  = regexp.MustCompile(`^[0-9A-Za-z!#$%&'*+/=?^_{|}~-]+(\.[0-9A-Za-z!#$%&'*+/=?^_{|}~-]+)*@([0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?\.)+[0-9A-Za-z-]{2,63}$`)
	mobileShape = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
)

// ValidEmail says whether an address has a dot-atom local part and a domain, at most 254 characters.
func ValidEmail(s string) bool { return len(s) <= 254 && emailShape.MatchString(s) }

// NormalMobile undoes how people write a mainland mobile number; it returns false for anything else.
func NormalMobile(s string) (string, bool) {
	s = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimSpace(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+86"), "0086")
	return s, mobileShape.MatchString(s)
}

// PersonIndex is the blind index under which a buyer's sales are found by tax number, mobile or e-mail, however that is
// written.
func PersonIndex(v core.Vault, s string) string {
	if strings.Contains(s, "@") {
		return v.Index("email", strings.ToLower(strings.TrimSpace(s)))
	}
	if mobile, ok := NormalMobile(s); ok {
		return v.Index("mobile", mobile)
	}
	return v.Index("tax_no", core.NormalTaxNo(s).Clear())
}

// parcels makes the parcels of an issued invoice: one for each order page, and one for the first e-mail or SMS channel
// that fits the buyer. lacks says that what the buyer left is not usable.
func (f *Flow) parcels(ctx context.Context, d core.DocumentRecord, sale core.SaleRecord) (out []core.ParcelRecord, lacks bool, err error) {
	var body core.SaleBody
	if err := f.open(salePlace(sale.ID), sale.Body, &body); err != nil {
		return nil, false, err
	}
	buyer := d.Content.Invoice().Buyer
	if body.BuyerOverride != nil && body.BuyerOverride.Email+body.BuyerOverride.Mobile != "" {
		buyer.Email, buyer.Mobile = body.BuyerOverride.Email, body.BuyerOverride.Mobile
	}
	direct, wanted := false, false
	for rank, c := range f.Book.Deliveries(d.Store) {
		if c.Kind == core.ByOrder {
			if c.For != sale.Instance {
				continue
			}
		} else if wanted = true; direct {
			continue
		}
		p, ok, err := f.parcel(d, sale, c, rank, buyer)
		if err != nil {
			return nil, false, err
		}
		if !ok {
			continue
		}
		direct = direct || c.Kind != core.ByOrder
		out = append(out, p)
	}
	// A till's anonymous customer left nothing to deliver to; the invoice waits to be picked up.
	return out, wanted && !direct && buyer.Email+buyer.Mobile != "", nil
}

// parcel makes one parcel if the buyer can be reached that way.
func (f *Flow) parcel(d core.DocumentRecord, sale core.SaleRecord, c core.DeliveryChoice, rank int, b core.Buyer) (core.ParcelRecord, bool, error) {
	var to recipient
	var key string
	switch c.Kind {
	case core.ByEmail:
		if !ValidEmail(b.Email.Clear()) {
			return core.ParcelRecord{}, false, nil
		}
		to.Email, key = b.Email, strings.ToLower(b.Email.Clear())
	case core.BySMS:
		mobile, ok := NormalMobile(b.Mobile.Clear())
		if !ok {
			return core.ParcelRecord{}, false, nil
		}
		to.Mobile, key = core.Contact(mobile), mobile
	case core.ByOrder:
		to.Order, key = sale.Name, sale.Name
	}
	p := core.ParcelRecord{ID: f.IDs.New(), Document: d.ID, Sale: sale.ID, Instance: c.Instance, Store: d.Store, Seller: d.Seller,
		Index: f.Vault.Index(string(c.Kind), key), State: core.ParcelPending, Rank: rank}
	var err error
	p.Recipient, err = f.seal(d.Seller, parcelPlace(p.ID), to)
	return p, true, err
}

func (f *Flow) putParcels(tx core.Tx, parcels []core.ParcelRecord) error {
	for _, p := range parcels {
		fresh, err := tx.PutParcel(p)
		if err != nil {
			return err
		}
		if !fresh {
			continue
		}
		if err := tx.Enqueue(f.parcelTask(p, core.TaskDeliver)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Flow) parcelTask(p core.ParcelRecord, kind core.TaskKind) core.Task {
	return core.Task{ID: f.IDs.New(), Kind: kind, Lane: core.DeliveryLane(p.Instance), Key: string(kind) + ":" + string(p.ID),
		Subject: string(p.ID), Store: p.Store, RunAt: f.now(), EnqueuedAt: f.now()}
}

func (f *Flow) deliveryProblem(d core.DocumentRecord, code core.ProblemCode, detail string) core.Problem {
	return core.Problem{ID: f.IDs.New(), Scope: core.ScopeDelivery, Code: code, Sale: d.Sale, Document: d.ID, Subject: string(d.ID),
		Store: d.Store, Detail: detail, OpenedAt: f.now()}
}
