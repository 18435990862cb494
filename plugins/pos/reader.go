package main

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// reader collects the first fault of a document.
type reader struct{ sdk.Check }

func (r *reader) figure(path string, raw sdk.Text) sdk.Decimal {
	return r.Number(path, json.Number(raw))
}

func (r *reader) optional(path string, raw sdk.Text) sdk.Decimal {
	if raw == "" {
		return sdk.Decimal{}
	}
	return r.figure(path, raw)
}

// money reads an amount of at most two decimals.
func (r *reader) money(path string, raw sdk.Text) fen {
	n := r.figure(path, raw)
	if !n.Equal(n.Round(2)) {
		r.Fail(sdk.BadNumber, path, "more than two decimals")
	}
	return round(n)
}

// count reads a whole number; without one it is the fallback.
func (r *reader) count(path string, raw sdk.Text, fallback uint64) uint64 {
	if raw == "" {
		return fallback
	}
	n, err := strconv.ParseUint(string(raw), 10, 63)
	if err != nil {
		r.Fail(sdk.BadNumber, path, "a whole number is wanted")
	}
	return n
}

// layouts of tills; those without zone are local time.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime}

func (r *reader) moment(path, raw string) time.Time {
	if raw == "" {
		return time.Time{}
	}
	for _, layout := range layouts {
		if t, err := sdk.Time(path, layout, raw); err == nil {
			return t
		}
	}
	r.Fail(sdk.BadTime, path, "")
	return time.Time{}
}

func (r *reader) day(path, raw string) string {
	if _, err := time.Parse(time.DateOnly, raw); err != nil {
		r.Fail(sdk.BadTime, path, "a day like 2026-11-22 is wanted")
	}
	return raw
}

// oneOf turns a till's word into the SDK's.
func oneOf[S any](r *reader, path, word string, words map[string]S) S {
	s, ok := words[word]
	if !ok {
		reason := sdk.BadField
		if word == "" {
			reason = sdk.MissingField
		}
		r.Fail(reason, path, "")
	}
	return s
}

// key is a receipt's natural key, the one name under which a till's paper is unique: the number alone never is. Parts are
// escaped, so that none can reach into the next.
func key(store, terminal, day, number string, epoch uint64) string {
	parts := []string{url.PathEscape(store), url.PathEscape(terminal), url.PathEscape(day), url.PathEscape(number)}
	k := strings.Join(parts, "/")
	if epoch > 0 {
		k += "#" + strconv.FormatUint(epoch, 10)
	}
	return k
}
