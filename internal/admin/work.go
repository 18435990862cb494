package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kaipiao/kaipiao/core"
)

// ProblemRow is a problem with its description in both languages and the command that solves it.
type ProblemRow struct {
	ID       core.ID          `json:"id"`
	Code     core.ProblemCode `json:"code"`
	Sale     core.ID          `json:"sale,omitempty"`
	Order    string           `json:"order,omitempty"`
	Document core.ID          `json:"document,omitempty"`
	Subject  string           `json:"subject,omitempty"`
	Store    core.StoreCode   `json:"store,omitempty"`
	Detail   string           `json:"detail"`
	OpenedAt time.Time        `json:"opened_at"`
	ClosedAt time.Time        `json:"closed_at,omitzero"`
	TitleZH  string           `json:"title_zh"`
	TitleEN  string           `json:"title_en"`
	RemedyZH string           `json:"remedy_zh"`
	RemedyEN string           `json:"remedy_en"`
	Command  string           `json:"command"`
}

func problemRow(p core.Problem, order string) ProblemRow {
	row := ProblemRow{ID: p.ID, Code: p.Code, Sale: p.Sale, Order: order, Document: p.Document, Subject: p.Subject, Store: p.Store,
		Detail: p.Detail, OpenedAt: p.OpenedAt, ClosedAt: p.ClosedAt}
	if r, ok := core.RemedyOf(p.Code); ok {
		row.TitleZH, row.TitleEN, row.RemedyZH, row.RemedyEN, row.Command = r.TitleZH, r.TitleEN, r.RemedyZH, r.RemedyEN, r.CommandFor(p, order)
	}
	return row
}

// ReviewRow is a product on the review list.
type ReviewRow struct {
	ID         core.ID          `json:"id"`
	Store      core.StoreCode   `json:"store"`
	SKU        string           `json:"sku,omitempty"`
	Name       string           `json:"name"`
	Spec       string           `json:"spec,omitempty"`
	Waiting    int              `json:"waiting"`
	Why        string           `json:"why,omitempty"`
	Candidates []core.Candidate `json:"candidates"`
}

func (a *API) work() {
	a.on("GET /v1/problems", a.listProblems)
	a.on("POST /v1/problems/{id}/close", a.act(a.Flow.CloseProblem))
	a.on("GET /v1/reviews", a.listReviews)
	a.on("POST /v1/reviews/{id}/answer", a.answer)
	a.on("GET /v1/codes", func(r *http.Request) (any, error) { return a.Codes.Find(r.URL.Query().Get("q"), limit(r)), nil })
	a.on("POST /v1/replay", a.replay)
	a.on("POST /v1/fetch", a.fetch)
	a.on("POST /v1/reconcile", a.reconcile)
}

func (a *API) listProblems(r *http.Request) (any, error) {
	q := r.URL.Query()
	f := core.ProblemFilter{Store: core.StoreCode(q.Get("store")), Code: core.ProblemCode(q.Get("code")), Sale: core.ID(q.Get("sale")),
		Closed: q.Get("closed") == "true", After: core.ID(q.Get("after")), Limit: limit(r)}
	rows := []ProblemRow{}
	err := a.Store.View(r.Context(), func(v core.View) error {
		problems, err := v.Problems(f)
		if err != nil {
			return err
		}
		rows = rows[:0]
		for _, p := range problems {
			order := ""
			if p.Sale != "" {
				s, err := v.Sale(p.Sale)
				if err != nil {
					return err
				}
				order = s.Name
			}
			rows = append(rows, problemRow(p, order))
		}
		return nil
	})
	return rows, err
}

func (a *API) listReviews(r *http.Request) (any, error) {
	rows := []ReviewRow{}
	err := a.Store.View(r.Context(), func(v core.View) error {
		reviews, err := v.Reviews(r.URL.Query().Get("answered") != "true", limit(r))
		if err != nil {
			return err
		}
		rows = rows[:0]
		for _, x := range reviews {
			rows = append(rows, ReviewRow{x.ID, x.Store, x.Item.SKU, x.Item.Name, x.Item.Spec, x.Waiting, x.Why, x.Candidates})
		}
		return nil
	})
	return rows, err
}

// Released is the answer of a mapped product.
type Released struct {
	Sales int `json:"sales"`
}

func (a *API) answer(r *http.Request) (any, error) {
	var in struct {
		Code       core.ClassificationCode `json:"code"`
		Preference core.Preference         `json:"preference"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if !a.Codes.Known(in.Code) {
		return nil, fmt.Errorf("%w: %s is not a classification code that may be invoiced; look for one with kaipiao map find TEXT", errBad, in.Code)
	}
	n, err := a.Flow.AnswerReview(r.Context(), who(r), core.ID(r.PathValue("id")), in.Code, in.Preference)
	return Released{n}, err
}

func (a *API) replay(r *http.Request) (any, error) {
	var in struct {
		Request core.ID `json:"request"`
		Order   string  `json:"order"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Request != "" {
		return a.Flow.Replay(r.Context(), who(r), in.Request)
	}
	o, err := a.order(r.Context(), core.ID(in.Order))
	if err != nil {
		return nil, err
	}
	return done{true}, a.Flow.Touch(r.Context(), who(r), o.ID)
}

func (a *API) fetch(r *http.Request) (any, error) {
	var in struct {
		Source core.InstanceID `json:"source"`
		Order  string          `json:"order"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Source == "" {
		for _, i := range a.Book.Instances() {
			if i.CanFetch {
				in.Source = i.ID
			}
		}
	}
	if info, ok := a.Book.Instance(in.Source); !ok || !info.CanFetch {
		return nil, fmt.Errorf("%w: source %q can't fetch orders; name one that can", errBad, in.Source)
	}
	return done{true}, a.Flow.FetchNow(r.Context(), who(r), in.Source, in.Order)
}

func (a *API) reconcile(r *http.Request) (any, error) {
	var in struct {
		Days int  `json:"days"`
		Dry  bool `json:"dry"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Days <= 0 {
		in.Days = 35
	}
	return a.Flow.Reconcile(r.Context(), time.Now().AddDate(0, 0, -in.Days), in.Dry)
}
