package generic

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// id is text or a whole number; its characters are kept.
type id = sdk.Text

// moment is a time with its zone.
type moment string

// amount is money in yuan and number any other figure. Both keep their token as it came, so that a fault can be told with
// its place: a null, a JSON number and a wrong text are all no amount.
type (
	amount struct{ token string }
	number struct{ token string }
)

// UnmarshalJSON implements json.Unmarshaler.
func (a *amount) UnmarshalJSON(data []byte) error { a.token = string(data); return nil }

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error { n.token = string(data); return nil }

// reader collects the first fault of a document.
type reader struct{ sdk.Check }

// amount reads money of at most two decimals.
func (r *reader) amount(path string, a amount) string {
	s := r.figure(path, a.token)
	if _, fraction, _ := strings.Cut(s, "."); len(fraction) > 2 {
		r.Fail(sdk.BadNumber, path, "more than two decimals")
	}
	return s
}

func (r *reader) optionalAmount(path string, a amount) string {
	if a.token == "" {
		return ""
	}
	return r.amount(path, a)
}

func (r *reader) number(path string, n number) string { return r.figure(path, n.token) }

func (r *reader) optionalNumber(path string, n number) string {
	if n.token == "" {
		return ""
	}
	return r.number(path, n)
}

func (r *reader) figure(path, token string) string {
	if token == "" {
		r.Fail(sdk.MissingField, path, "")
		return ""
	}
	var s string
	if token[0] != '"' || json.Unmarshal([]byte(token), &s) != nil {
		r.Fail(sdk.BadNumber, path, `a text such as "12.30" is wanted`)
		return ""
	}
	return r.Amount(path, json.Number(s))
}

func (r *reader) moment(path string, m moment) time.Time {
	if m == "" {
		r.Fail(sdk.MissingField, path, "")
	}
	return r.optionalMoment(path, m)
}

func (r *reader) optionalMoment(path string, m moment) time.Time {
	return r.Time(path, time.RFC3339, string(m))
}

func (r *reader) id(path string, v id) string { return r.Required(path, string(v)) }

// word turns a word of the contract into the SDK's. An empty one gives the fallback; without fallback it is missing.
func word[S, W ~string](r *reader, path string, w W, fallback S) S {
	switch {
	case w == "" && fallback != "":
		return fallback
	case w == "":
		r.Fail(sdk.MissingField, path, "")
	case !slices.Contains(words[reflect.TypeFor[W]()], string(w)):
		r.Fail(sdk.BadField, path, "must be one of "+strings.Join(words[reflect.TypeFor[W]()], ", "))
	}
	return S(strings.ToUpper(string(w)))
}

func at(list string, i int, field string) string { return fmt.Sprintf("data.%s.%d.%s", list, i, field) }
