package storage

import (
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

const saleColumns = `SELECT id, instance, name, seller, store, version, has_sale, paid_at, first_seen, total, class, policy, roll_out,
	selected, buyer_tax, buyer_mobile, buyer_email, body FROM sale`

func scanSale(s scanner) (r core.SaleRecord, err error) {
	return r, s.Scan(&r.ID, &r.Instance, &r.Name, &r.Seller, &r.Store, &r.Version, flagColumn(&r.HasSale), timeColumn(&r.PaidAt),
		timeColumn(&r.FirstSeen), fenColumn(&r.Total), &r.Class, &r.Policy, &r.RollOut, flagColumn(&r.Selected), &r.BuyerTax,
		&r.BuyerMobile, &r.BuyerEmail, blobColumn(&r.Body))
}

// PutSale inserts or updates a sale and bumps its version; ErrConflict if somebody else wrote it since it was read.
func (t transaction) PutSale(s core.SaleRecord) error {
	what := fmt.Sprintf("store sale %s", s.ID)
	if s.Version == 0 {
		return t.must(what, `INSERT INTO sale (id, instance, name, seller, store, version, has_sale, paid_at, first_seen, total, class,
			policy, roll_out, selected, buyer_tax, buyer_mobile, buyer_email, body)
			VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			s.ID, s.Instance, s.Name, s.Seller, s.Store, flag(s.HasSale), micros(s.PaidAt), micros(s.FirstSeen), s.Total.Fen(), s.Class,
			s.Policy, s.RollOut, flag(s.Selected), s.BuyerTax, s.BuyerMobile, s.BuyerEmail, blob(s.Body))
	}
	return t.must(what, `UPDATE sale SET seller = ?, store = ?, version = version + 1, has_sale = ?, paid_at = ?, first_seen = ?,
		total = ?, class = ?, policy = ?, roll_out = ?, selected = ?, buyer_tax = ?, buyer_mobile = ?, buyer_email = ?, body = ?
		WHERE id = ? AND version = ?`,
		s.Seller, s.Store, flag(s.HasSale), micros(s.PaidAt), micros(s.FirstSeen), s.Total.Fen(), s.Class, s.Policy, s.RollOut,
		flag(s.Selected), s.BuyerTax, s.BuyerMobile, s.BuyerEmail, blob(s.Body), s.ID, s.Version)
}

// FindSale finds a sale by the name that its source gives it.
func (v view) FindSale(instance core.InstanceID, name string) (core.ID, error) {
	return one(v, "sale by name", value[core.ID], `SELECT id FROM sale WHERE name = ? AND instance = ?`, name, instance)
}

// Sale reads a sale.
func (v view) Sale(id core.ID) (core.SaleRecord, error) {
	return one(v, fmt.Sprintf("sale %s", id), scanSale, saleColumns+` WHERE id = ?`, id)
}

// Sales lists sales, newest first. A name is matched with the names that platforms give as well.
func (v view) Sales(f core.SaleFilter) ([]core.SaleRecord, error) {
	var p page
	p.where(f.Store != "", `store = ?`, f.Store)
	p.where(f.Instance != "", `instance = ?`, f.Instance)
	p.where(f.Class != "", `class = ?`, f.Class)
	p.where(f.Name != "", `id IN (SELECT id FROM sale WHERE name = ? UNION SELECT sale FROM sale_alias WHERE number = ?)`, f.Name, f.Name)
	// The indexes are partial: they serve only where their own condition is repeated.
	p.where(f.Person != "", `id IN (SELECT id FROM sale WHERE buyer_tax = ? AND buyer_tax <> ''
		UNION SELECT id FROM sale WHERE buyer_mobile = ? AND buyer_mobile <> ''
		UNION SELECT id FROM sale WHERE buyer_email = ? AND buyer_email <> '')`, f.Person, f.Person, f.Person)
	p.where(f.After != "", `id < ?`, f.After)
	query, args := p.query(saleColumns, f.Limit)
	return many(v, "sales", scanSale, query, args...)
}

// NameSale records a platform's name of a sale and returns the sale that has it.
func (t transaction) NameSale(sale core.ID, a core.Alias) (core.ID, error) {
	fresh, err := t.exec("name sale", `INSERT INTO sale_alias (number, platform, sale) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		a.Number, a.Platform, sale)
	if err != nil || fresh == 1 {
		return sale, err
	}
	return t.SaleByPlatform(a)
}

// SaleByPlatform finds a sale by a platform's order number.
func (v view) SaleByPlatform(a core.Alias) (core.ID, error) {
	return one(v, "sale by platform number", value[core.ID], `SELECT sale FROM sale_alias WHERE number = ? AND platform = ?`, a.Number, a.Platform)
}

// PutPolicy stores a version of a policy; a version never changes.
func (t transaction) PutPolicy(version string, json []byte) error {
	return t.do("store policy", `INSERT INTO policy (version, body) VALUES (?, ?) ON CONFLICT DO NOTHING`, version, string(json))
}

// PolicyJSON reads a version of a policy.
func (v view) PolicyJSON(version string) ([]byte, error) {
	body, err := one(v, "policy", value[string], `SELECT body FROM policy WHERE version = ?`, version)
	if err != nil {
		return nil, err
	}
	return []byte(body), nil
}
