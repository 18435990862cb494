package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/kaipiao/kaipiao/core"
	"github.com/kaipiao/kaipiao/internal/config"
)

// book answers the flow's questions from the configuration. It never changes after newBook.
type book struct {
	cfg       *config.Config
	sellers   map[string]core.Seller
	list      []core.Seller
	stores    map[core.StoreCode]config.Store
	sources   map[core.InstanceID]config.Source
	canFetch  func(core.InstanceID) bool
	buyerPage string
}

func newBook(cfg *config.Config, canFetch func(core.InstanceID) bool) (*book, error) {
	b := &book{cfg: cfg, sellers: map[string]core.Seller{}, stores: map[core.StoreCode]config.Store{},
		sources: map[core.InstanceID]config.Source{}, canFetch: canFetch, buyerPage: cfg.Buyer.URL}
	if b.buyerPage == "" {
		b.buyerPage = "http://" + cfg.Buyer.Listen + "/"
	}
	for _, s := range cfg.Sellers {
		seller := core.Seller{ID: core.SellerID(s.ID), Name: s.Name, TaxNo: core.NormalTaxNo(s.TaxNo), Type: core.TaxpayerType(s.Type),
			Address: s.Address, Phone: s.Phone, Bank: s.Bank, Account: s.Account, Drawer: s.Drawer, Payee: s.Payee,
			Reviewer: s.Reviewer, Channel: core.ChannelID(s.Channel)}
		if v := core.CheckTaxNo(seller.TaxNo, false); v != core.TaxNoValid {
			return nil, fmt.Errorf("seller %s: the tax number fails the rule %q: 15, 17, 18 or 20 digits and capital letters", s.ID, v)
		}
		b.sellers[s.ID] = seller
		b.list = append(b.list, seller)
	}
	for _, s := range cfg.Stores {
		b.stores[core.StoreCode(s.Code)] = s
	}
	for _, s := range cfg.Sources {
		b.sources[core.InstanceID(s.ID)] = s
	}
	for _, s := range cfg.Sources { // every policy is built once, so that a bad amount is found at start
		if _, err := b.policy(b.sellerIDFor(core.StoreCode(s.Store), time.Now()), core.StoreCode(s.Store), core.InstanceID(s.ID), time.Now()); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *book) Instance(id core.InstanceID) (core.InstanceInfo, bool) {
	s, ok := b.sources[id]
	if !ok {
		return core.InstanceInfo{}, false
	}
	store := core.StoreCode(s.Store)
	return core.InstanceInfo{ID: id, Store: store, Seller: b.sellerIDFor(store, time.Now()), CanFetch: b.canFetch(id)}, true
}

func (b *book) Instances() []core.InstanceInfo {
	var out []core.InstanceInfo
	for _, s := range b.cfg.Sources {
		info, _ := b.Instance(core.InstanceID(s.ID))
		out = append(out, info)
	}
	return out
}

func (b *book) Store(code core.StoreCode) (core.StoreInfo, bool) {
	s, ok := b.stores[code]
	return core.StoreInfo{Code: code, Name: s.Name}, ok
}

func (b *book) Sellers() []core.Seller { return b.list }

func (b *book) SellerFor(store core.StoreCode, at time.Time) (core.Seller, bool) {
	s, ok := b.sellers[string(b.sellerIDFor(store, at))]
	return s, ok
}

// sellerIDFor is the store's seller on a date: the last period that began by then, else the plain one.
func (b *book) sellerIDFor(store core.StoreCode, at time.Time) core.SellerID {
	s := b.stores[store]
	id := s.Seller
	if len(s.Sellers) == 0 {
		return core.SellerID(id)
	}
	periods := append([]config.SellerPeriod(nil), s.Sellers...)
	sort.SliceStable(periods, func(i, j int) bool { return periods[i].From.Before(periods[j].From.Time) })
	for _, p := range periods {
		if !at.Before(p.From.Time) {
			id = p.Seller
		}
	}
	return core.SellerID(id)
}

// PolicyFor layers seller < store < source on a date.
func (b *book) PolicyFor(seller core.SellerID, store core.StoreCode, instance core.InstanceID, at time.Time) core.Policy {
	p, err := b.policy(seller, store, instance, at)
	if err != nil { // checked at start for every source; a store that only sales name keeps the defaults
		return core.DefaultPolicy()
	}
	return p
}

func (b *book) policy(seller core.SellerID, store core.StoreCode, instance core.InstanceID, at time.Time) (core.Policy, error) {
	p := core.DefaultPolicy()
	source := b.sources[instance]
	if source.Terminals {
		p.Issue = core.OnRequest
	}
	var layers []config.Layer
	for _, s := range b.cfg.Sellers {
		if s.ID == string(seller) {
			layers = append(layers, s.Policies...)
		}
	}
	layers = append(layers, b.stores[store].Policies...)
	layers = append(layers, source.Policies...)
	for _, l := range layers {
		if l.From.After(at) {
			continue
		}
		if err := applyLayer(&p, l); err != nil {
			return p, fmt.Errorf("policy of store %s: %w", store, err)
		}
	}
	j, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("encode policy: %w", err)
	}
	sum := sha256.Sum256(j)
	p.Version = hex.EncodeToString(sum[:8])
	return p, nil
}

func applyLayer(p *core.Policy, l config.Layer) error {
	if l.Issue != nil {
		p.Issue = core.IssueTime(*l.Issue)
	}
	if l.Refunds != nil {
		p.Refunds = core.RefundWay(*l.Refunds)
	}
	if len(l.Kinds) > 0 {
		p.Kinds = nil
		for _, k := range l.Kinds {
			p.Kinds = append(p.Kinds, core.InvoiceKind(k))
		}
	}
	for t, rule := range l.Tenders {
		p.Tenders[core.TenderKind(t)] = core.TenderRule(rule)
	}
	set(&p.AutoRed, l.AutoRed)
	set(&p.RollOut, l.RollOut)
	set(&p.StrictTaxNo, l.StrictTaxNo)
	set(&p.ShowDiscounts, l.ShowDiscounts)
	set(&p.MaxLines, l.MaxLines)
	if l.GoLive != nil {
		p.GoLive = l.GoLive.Time
	}
	if l.ShippingReason != nil {
		p.ShippingReason = core.RedReason(*l.ShippingReason)
	}
	if l.MaxGross != nil {
		y, err := core.ParseYuan(*l.MaxGross)
		if err != nil {
			return fmt.Errorf("max_gross: %w", err)
		}
		p.MaxGross = y
	}
	return nil
}

func set[T any](dst *T, v *T) {
	if v != nil {
		*dst = *v
	}
}

// Deliveries are a store's channels in order: its own list, else all.
func (b *book) Deliveries(store core.StoreCode) []core.DeliveryChoice {
	wanted := b.stores[store].Deliveries
	var out []core.DeliveryChoice
	add := func(d config.Delivery) {
		resend := d.Kind == string(core.ByEmail)
		set(&resend, d.ResendUnknown)
		out = append(out, core.DeliveryChoice{Instance: core.InstanceID(d.ID), Kind: core.DeliveryKind(d.Kind), ResendUnknown: resend, For: core.InstanceID(d.For)})
	}
	if len(wanted) == 0 {
		for _, d := range b.cfg.Deliveries {
			add(d)
		}
		return out
	}
	for _, id := range wanted {
		for _, d := range b.cfg.Deliveries {
			if d.ID == id {
				add(d)
			}
		}
	}
	return out
}

func (b *book) PageURL() string { return b.buyerPage }
