package storage

import (
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

const reviewColumns = `SELECT id, seller, store, item, candidates, why, answer, answered_by, answered_at, created_at,
	(SELECT COUNT(*) FROM review_sale w WHERE w.review = review.id) AS waiting FROM review`

func scanReview(s scanner) (r core.Review, err error) {
	return r, s.Scan(&r.ID, &r.Seller, &r.Store, jsonColumn(&r.Item), jsonColumn(&r.Candidates), &r.Why, &r.Answer, &r.AnsweredBy,
		timeColumn(&r.AnsweredAt), timeColumn(&r.CreatedAt), &r.Waiting)
}

// identityOf is what makes two products of a seller the same one on the review list.
func identityOf(i core.Item) string {
	if i.SKU != "" {
		return "sku\x1f" + i.SKU
	}
	return "name\x1f" + i.Name + "\x1f" + i.Spec
}

// PutReview records that a sale waits for a product's code and returns the id of the product's open review.
func (t transaction) PutReview(r core.Review, sale core.ID) (core.ID, error) {
	item, err := jsonText("review's item", r.Item)
	if err != nil {
		return "", err
	}
	candidates, err := jsonText("review's candidates", r.Candidates)
	if err != nil {
		return "", err
	}
	identity := identityOf(r.Item)
	fresh, err := t.exec("store review", `INSERT INTO review (id, seller, store, identity, item, candidates, why, answer, answered_by,
		answered_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 0, ?)
		ON CONFLICT (seller, identity) WHERE answered_at = 0 DO NOTHING`,
		r.ID, r.Seller, r.Store, identity, item, candidates, r.Why, micros(r.CreatedAt))
	if err != nil {
		return "", err
	}
	id := r.ID
	if fresh == 0 {
		id, err = one(t.view, "open review", value[core.ID], `SELECT id FROM review WHERE seller = ? AND identity = ? AND answered_at = 0`,
			r.Seller, identity)
		if err != nil {
			return "", err
		}
	}
	return id, t.do("wait for review", `INSERT INTO review_sale (review, sale) VALUES (?, ?) ON CONFLICT DO NOTHING`, id, sale)
}

// AnswerReview closes a review and returns the sales that waited for it; ErrConflict if it is answered already.
func (t transaction) AnswerReview(id core.ID, code core.ClassificationCode, by string, at time.Time) ([]core.ID, error) {
	n, err := t.exec("answer review", `UPDATE review SET answer = ?, answered_by = ?, answered_at = ? WHERE id = ? AND answered_at = 0`,
		code, by, micros(at), id)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		if _, err := t.Review(id); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("answer review %s: it is answered: %w", id, core.ErrConflict)
	}
	sales, err := many(t.view, "waiting sales", value[core.ID], `SELECT sale FROM review_sale WHERE review = ? ORDER BY sale`, id)
	if err != nil {
		return nil, err
	}
	return sales, t.do("end waiting", `DELETE FROM review_sale WHERE review = ?`, id)
}

// Review reads a review.
func (v view) Review(id core.ID) (core.Review, error) {
	return one(v, fmt.Sprintf("review %s", id), scanReview, reviewColumns+` WHERE id = ?`, id)
}

// Reviews lists open reviews, those that most sales wait for first, or answered ones, newest first.
func (v view) Reviews(open bool, limit int) ([]core.Review, error) {
	if limit <= 0 {
		limit = defaultPage
	}
	if open {
		return many(v, "open reviews", scanReview, reviewColumns+` WHERE answered_at = 0 ORDER BY waiting DESC, id LIMIT ?`, limit)
	}
	return many(v, "answered reviews", scanReview, reviewColumns+` WHERE answered_at <> 0 ORDER BY id DESC LIMIT ?`, limit)
}

// PutRule inserts or replaces a rule.
func (t transaction) PutRule(r core.MapRule) error {
	err := t.do("store rule", `INSERT INTO map_rule (id, seller, store, compares, value, code, preference, from_at, to_at, author, confirmed,
		created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seller = excluded.seller, store = excluded.store, compares = excluded.compares,
		value = excluded.value, code = excluded.code, preference = excluded.preference, from_at = excluded.from_at, to_at = excluded.to_at,
		author = excluded.author, confirmed = excluded.confirmed`,
		r.ID, r.Seller, r.Store, r.By, r.Value, r.Code, r.Preference, micros(r.From), micros(r.To), r.Author, flag(r.Confirmed),
		micros(r.CreatedAt))
	if err != nil {
		return err
	}
	return t.do("count rule", `UPDATE counter SET value = value + 1 WHERE name = 'rules'`)
}

// Rules lists a seller's rules, oldest first.
func (v view) Rules(seller core.SellerID) ([]core.MapRule, error) {
	return many(v, "rules", func(s scanner) (r core.MapRule, err error) {
		return r, s.Scan(&r.ID, &r.Seller, &r.Store, &r.By, &r.Value, &r.Code, &r.Preference, timeColumn(&r.From), timeColumn(&r.To),
			&r.Author, flagColumn(&r.Confirmed), timeColumn(&r.CreatedAt))
	}, `SELECT id, seller, store, compares, value, code, preference, from_at, to_at, author, confirmed, created_at FROM map_rule
		WHERE seller = ? ORDER BY id`, seller)
}

// RulesVersion grows with every written rule. It is never 0, which stands for a version that nobody has read.
func (v view) RulesVersion() (int64, error) {
	return one(v, "version of the rules", value[int64], `SELECT value + 1 FROM counter WHERE name = 'rules'`)
}

// PutAct records an act of a person.
func (t transaction) PutAct(a core.ActRecord) error {
	return t.do("store act", `INSERT INTO act (id, at, who, verb, subject, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		a.ID, micros(a.At), a.Who, a.Verb, a.Subject, a.Detail)
}

// Acts lists what persons did to a subject, oldest first.
func (v view) Acts(subject string) ([]core.ActRecord, error) {
	return many(v, "acts", func(s scanner) (a core.ActRecord, err error) {
		return a, s.Scan(&a.ID, timeColumn(&a.At), &a.Who, &a.Verb, &a.Subject, &a.Detail)
	}, `SELECT id, at, who, verb, subject, detail FROM act WHERE subject = ? ORDER BY id`, subject)
}
