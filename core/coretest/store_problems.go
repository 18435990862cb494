package coretest

import (
	"time"

	"github.com/kaipiao/kaipiao/core"
)

var problemTests = []storeTest{
	{"the problems of a sale and scope become exactly the given ones", setProblems},
	{"the same problem is open once", openProblems},
	{"problems close by what they are about, or by id", closeProblems},
	{"lists select and turn pages", problemLists},
}

func (b *bench) problem(code core.ProblemCode, sale core.ID, subject string) core.Problem {
	return core.Problem{ID: b.ids.New(), Scope: core.ScopePlan, Code: code, Sale: sale, Document: "document", Subject: subject, Store: Store,
		Detail: "detail", OpenedAt: T0}
}

// open lists what is open, oldest first.
func (b *bench) open(f core.ProblemFilter) []core.Problem {
	b.Helper()
	got := read(b, func(v core.View) ([]core.Problem, error) { return v.Problems(f) })
	for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
		got[i], got[j] = got[j], got[i]
	}
	return got
}

func setProblems(b *bench) {
	stays, goes := b.problem(core.ProblemBadTaxNo, "sale", "buyer"), b.problem(core.ProblemUnmapped, "sale", "line 1")
	otherScope, otherSale := b.problem(core.ProblemRefused, "sale", "document"), b.problem(core.ProblemBadTaxNo, "other sale", "")
	otherScope.Scope = core.ScopeIssue
	b.do(func(tx core.Tx) error {
		if err := tx.OpenProblem(otherScope); err != nil {
			return err
		}
		if err := tx.SetProblems("other sale", core.ScopePlan, T0, []core.Problem{otherSale}); err != nil {
			return err
		}
		return tx.SetProblems("sale", core.ScopePlan, T0, []core.Problem{stays, goes})
	})
	b.same("after the first look", b.open(core.ProblemFilter{}), []core.Problem{stays, goes, otherScope, otherSale})

	repeated, fresh := b.problem(core.ProblemBadTaxNo, "sale", "buyer"), b.problem(core.ProblemUnmapped, "sale", "line 2")
	repeated.Detail = "told again"
	twin := fresh
	twin.ID = b.ids.New()
	later := after(time.Hour)
	b.do(func(tx core.Tx) error {
		return tx.SetProblems("sale", core.ScopePlan, later, []core.Problem{repeated, fresh, twin})
	})
	b.same("after the second look", b.open(core.ProblemFilter{}), []core.Problem{stays, otherScope, otherSale, fresh})
	goes.ClosedAt = later
	b.same("what vanished", read(b, func(v core.View) (core.Problem, error) { return v.Problem(goes.ID) }), goes)

	again := b.problem(core.ProblemUnmapped, "sale", "line 1") // it comes back as a new one
	b.do(func(tx core.Tx) error { return tx.SetProblems("sale", core.ScopePlan, later, []core.Problem{again}) })
	b.same("after the third look", b.open(core.ProblemFilter{Sale: "sale"}), []core.Problem{otherScope, again})
	b.do(func(tx core.Tx) error { return tx.SetProblems("sale", core.ScopePlan, later, nil) })
	b.same("after the last look", b.open(core.ProblemFilter{}), []core.Problem{otherScope, otherSale})
}

func openProblems(b *bench) {
	p := b.problem(core.ProblemLanePaused, "", "lane")
	twin := b.problem(core.ProblemLanePaused, "", "lane")
	other := b.problem(core.ProblemLanePaused, "", "another lane")
	b.do(func(tx core.Tx) error {
		for _, p := range []core.Problem{p, twin, other} {
			if err := tx.OpenProblem(p); err != nil {
				return err
			}
		}
		return nil
	})
	b.same("open", b.open(core.ProblemFilter{}), []core.Problem{p, other})
	b.do(func(tx core.Tx) error { return tx.CloseProblemID(p.ID, after(time.Hour)) })
	b.do(func(tx core.Tx) error { return tx.OpenProblem(twin) })
	b.same("open again", b.open(core.ProblemFilter{}), []core.Problem{twin, other})
}

func closeProblems(b *bench) {
	one, two := b.problem(core.ProblemRefused, "sale 1", "subject"), b.problem(core.ProblemRefused, "sale 2", "subject")
	other := b.problem(core.ProblemRefused, "sale 1", "another subject")
	b.do(func(tx core.Tx) error {
		for _, p := range []core.Problem{one, two, other} {
			if err := tx.OpenProblem(p); err != nil {
				return err
			}
		}
		return tx.CloseProblem(core.ScopeIssue, core.ProblemRefused, "subject", after(time.Hour)) // another scope
	})
	b.same("open", b.open(core.ProblemFilter{}), []core.Problem{one, two, other})
	b.do(func(tx core.Tx) error {
		return tx.CloseProblem(core.ScopePlan, core.ProblemRefused, "subject", after(time.Hour))
	})
	b.same("left", b.open(core.ProblemFilter{}), []core.Problem{other})
	for _, at := range []time.Duration{time.Hour, 2 * time.Hour} {
		b.do(func(tx core.Tx) error { return tx.CloseProblemID(other.ID, after(at)) })
	}
	other.ClosedAt = after(time.Hour)
	b.same("closed once", read(b, func(v core.View) (core.Problem, error) { return v.Problem(other.ID) }), other)
	b.fails(core.ErrNotFound, func(tx core.Tx) error { return tx.CloseProblemID("none", T0) })
}

func problemLists(b *bench) {
	var open, closed []core.ID
	for i := range 15 {
		p := b.problem(core.ProblemUnmapped, core.ID(numbered("sale", i%4)), numbered("line", i))
		if i%3 == 0 {
			p.Code, p.Store = core.ProblemBadTaxNo, "S002"
		}
		b.do(func(tx core.Tx) error { return tx.OpenProblem(p) })
		if i%5 == 0 {
			b.do(func(tx core.Tx) error { return tx.CloseProblemID(p.ID, after(time.Hour)) })
			closed = append(closed, p.ID)
			continue
		}
		open = append(open, p.ID)
	}
	list := func(f core.ProblemFilter) []core.ID {
		return pages(b, 4, func(v core.View, after core.ID, limit int) ([]core.Problem, error) {
			f.After, f.Limit = after, limit
			return v.Problems(f)
		}, func(p core.Problem) core.ID { return p.ID })
	}
	b.same("open", list(core.ProblemFilter{}), newestFirst(open))
	b.same("closed", list(core.ProblemFilter{Closed: true}), newestFirst(closed))
	if got := list(core.ProblemFilter{Code: core.ProblemBadTaxNo}); len(got) != 4 { // 3, 6, 9, 12
		b.Errorf("by code: %v", got)
	}
	if got := list(core.ProblemFilter{Store: "S002", Closed: true}); len(got) != 1 { // 0
		b.Errorf("by store: %v", got)
	}
	if got := list(core.ProblemFilter{Sale: "sale-001"}); len(got) != 3 { // 1, 9, 13
		b.Errorf("by sale: %v", got)
	}
}
