package storage

import (
	"fmt"

	"github.com/kaipiao/kaipiao/core"
)

// PutRefund inserts or replaces a refund of a sale.
func (t transaction) PutRefund(sale core.ID, r core.Refund) error {
	body, err := jsonText("refund", r)
	if err != nil {
		return err
	}
	return t.do("store refund", `INSERT INTO refund (sale, no, body) VALUES (?, ?, ?)
		ON CONFLICT (sale, no) DO UPDATE SET body = excluded.body`, sale, r.No, body)
}

// Refunds lists the refunds of a sale by number.
func (v view) Refunds(sale core.ID) ([]core.Refund, error) {
	return many(v, "refunds", func(s scanner) (r core.Refund, err error) { return r, s.Scan(jsonColumn(&r)) },
		`SELECT body FROM refund WHERE sale = ? ORDER BY no`, sale)
}

// PutCovers accounts for portions of refunds. A portion that another document accounts for already is ErrConflict.
func (t transaction) PutCovers(sale core.ID, covers []core.CoverRecord) error {
	for _, c := range covers {
		what := fmt.Sprintf("cover portion %d of a refund", c.Index)
		fresh, err := t.exec(what, `INSERT INTO cover (sale, part, refund, portion, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			sale, c.Part, c.Refund, c.Index, c.Document)
		if err != nil {
			return err
		}
		if fresh == 1 {
			continue
		}
		by, err := one(t.view, "cover", value[core.ID], `SELECT document FROM cover WHERE sale = ? AND part = ? AND refund = ? AND portion = ?`,
			sale, c.Part, c.Refund, c.Index)
		if err != nil {
			return err
		}
		if by != c.Document {
			return fmt.Errorf("%s: document %q accounts for it: %w", what, by, core.ErrConflict)
		}
	}
	return nil
}

// Covers lists what is accounted for of a sale's refunds.
func (v view) Covers(sale core.ID) ([]core.CoverRecord, error) {
	return many(v, "covers", func(s scanner) (c core.CoverRecord, err error) {
		return c, s.Scan(&c.Part, &c.Refund, &c.Index, &c.Document)
	}, `SELECT part, refund, portion, document FROM cover WHERE sale = ? ORDER BY part, refund, portion`, sale)
}

// Uncover frees the portions that a document accounts for.
func (t transaction) Uncover(document core.ID) error {
	return t.do("uncover", `DELETE FROM cover WHERE sale = (SELECT sale FROM document WHERE id = ?) AND document = ?`, document, document)
}
