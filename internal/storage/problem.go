package storage

import (
	"fmt"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

const problemColumns = `SELECT id, scope, code, sale, document, subject, store, detail, opened_at, closed_at FROM problem`

func scanProblem(s scanner) (p core.Problem, err error) {
	return p, s.Scan(&p.ID, &p.Scope, &p.Code, &p.Sale, &p.Document, &p.Subject, &p.Store, &p.Detail, timeColumn(&p.OpenedAt),
		timeColumn(&p.ClosedAt))
}

// SetProblems makes the open problems of a sale and scope exactly these.
func (t transaction) SetProblems(sale core.ID, scope core.Scope, at time.Time, problems []core.Problem) error {
	open, err := many(t.view, "open problems", scanProblem, problemColumns+` WHERE sale = ? AND sale <> '' AND scope = ? AND closed_at = 0`,
		sale, scope)
	if err != nil {
		return err
	}
	type name struct {
		code    core.ProblemCode
		subject string
	}
	wanted := map[name]bool{}
	for _, p := range problems {
		wanted[name{p.Code, p.Subject}] = true
	}
	for _, p := range open {
		if wanted[name{p.Code, p.Subject}] {
			continue
		}
		if err := t.CloseProblemID(p.ID, at); err != nil {
			return err
		}
	}
	for _, p := range problems {
		p.Sale, p.Scope = sale, scope
		if p.OpenedAt.IsZero() {
			p.OpenedAt = at
		}
		if err := t.OpenProblem(p); err != nil {
			return err
		}
	}
	return nil
}

// OpenProblem opens a problem unless the same (scope, code, sale, subject) is open.
func (t transaction) OpenProblem(p core.Problem) error {
	return t.do("open problem", `INSERT INTO problem (id, scope, code, sale, document, subject, store, detail, opened_at, closed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (scope, code, subject, sale) WHERE closed_at = 0 DO NOTHING`,
		p.ID, p.Scope, p.Code, p.Sale, p.Document, p.Subject, p.Store, p.Detail, micros(p.OpenedAt))
}

// CloseProblem closes the open problems of a scope, code and subject.
func (t transaction) CloseProblem(scope core.Scope, code core.ProblemCode, subject string, at time.Time) error {
	return t.do("close problem", `UPDATE problem SET closed_at = ? WHERE scope = ? AND code = ? AND subject = ? AND closed_at = 0`,
		micros(at), scope, code, subject)
}

// CloseProblemID closes a problem; one that is closed already keeps its time.
func (t transaction) CloseProblemID(id core.ID, at time.Time) error {
	n, err := t.exec("close problem", `UPDATE problem SET closed_at = ? WHERE id = ? AND closed_at = 0`, micros(at), id)
	if err != nil || n > 0 {
		return err
	}
	_, err = t.Problem(id)
	return err
}

// Problem reads a problem.
func (v view) Problem(id core.ID) (core.Problem, error) {
	return one(v, fmt.Sprintf("problem %s", id), scanProblem, problemColumns+` WHERE id = ?`, id)
}

// Problems lists open problems, or closed ones if the filter says so, newest first.
func (v view) Problems(f core.ProblemFilter) ([]core.Problem, error) {
	var p page
	p.where(!f.Closed, `closed_at = 0`)
	p.where(f.Closed, `closed_at <> 0`)
	p.where(f.Sale != "", `sale = ? AND sale <> ''`, f.Sale)
	p.where(f.Store != "", `store = ?`, f.Store)
	p.where(f.Code != "", `code = ?`, f.Code)
	p.where(f.After != "", `id < ?`, f.After)
	query, args := p.query(problemColumns, f.Limit)
	return many(v, "problems", scanProblem, query, args...)
}
