package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// cursor is where a reading of changed orders stands. Pages are not numbered, since an order that changes meanwhile
// moves to the end and lets another slip through the gap: each page begins where the last one ended. Only within one
// second that holds more orders than a page there is nothing else to go by.
type cursor struct {
	// Seen is the newest date of change that was read; it is the shop's clock, never ours.
	Seen time.Time `json:"seen,omitzero"`
	// After and Page are where to go on within a reading that is under way; zero between readings.
	After time.Time `json:"after,omitzero"`
	Page  int       `json:"page,omitempty"`
	// Swept is when the last reading began that looked back by the whole backfill.
	Swept time.Time `json:"swept,omitzero"`
}

const (
	// overlap catches orders that were stored with an earlier date of change than they became visible.
	overlap = 30 * time.Minute
	// sweepEvery is how often the longer backfill is read again, for what webhooks and overlaps have missed.
	sweepEvery = 24 * time.Hour
	// maxPage is the most orders that wc/v3 lists at once. Each makes one event here.
	maxPage = 100

	wooTime = "2006-01-02T15:04:05"
)

// Pull reads orders by their date of change, oldest first. Repeats cost nothing: an order that has not changed has the
// same event id as before.
func (c *Config) Pull(ctx context.Context, r sdk.PullRequest) (sdk.Page, error) {
	if c.client == nil {
		return sdk.Page{Cursor: r.Cursor}, nil
	}
	var at cursor
	if len(r.Cursor) > 0 {
		if err := json.Unmarshal(r.Cursor, &at); err != nil {
			return sdk.Page{}, sdk.Permanent(fmt.Errorf("cursor of the order feed: %w", err))
		}
	}
	now := time.Now().UTC()
	c.begin(&at, now)
	size := max(1, min(maxPage, r.Limit))
	query := url.Values{
		"modified_after": {at.After.Format(wooTime)}, "dates_are_gmt": {"true"}, "orderby": {"modified"}, "order": {"asc"},
		"per_page": {strconv.Itoa(size)}, "page": {strconv.Itoa(at.Page)},
	}
	var orders []order
	if err := c.client.get(ctx, query, &orders, "orders"); err != nil {
		return sdk.Page{}, instructed(err)
	}
	var page sdk.Page
	for _, o := range orders {
		page.Events = append(page.Events, c.listed(o)...)
	}
	page.More = len(orders) == size
	at.advance(orders, page.More)
	if !page.More {
		page.NextAfter = time.Duration(c.API.PollEvery)
	}
	var err error
	page.Cursor, err = json.Marshal(at)
	return page, err
}

// begin sets where a new reading starts; one under way goes on.
func (c *Config) begin(at *cursor, now time.Time) {
	if !at.After.IsZero() {
		return
	}
	at.Page = 1
	at.After = at.Seen.Add(-overlap)
	if now.Sub(at.Swept) < sweepEvery && !at.Seen.IsZero() {
		return
	}
	at.Swept = now
	at.After = now.Add(-time.Duration(c.API.Backfill))
	if !at.Seen.IsZero() && at.Seen.Before(now) {
		at.After = at.Seen.Add(-time.Duration(c.API.Backfill))
	}
}

// listed makes events of an order in a list. One that can't be read is pointed at, so that its fault becomes a problem of
// that order and doesn't stop the feed.
func (c *Config) listed(o order) []sdk.Event {
	events, err := c.pushed(o)
	if err != nil && o.ID != "" {
		return []sdk.Event{{ID: "ref/" + string(o.ID) + "/" + o.revision(), Body: sdk.OrderRef{OrderNo: o.no()}}}
	}
	return events
}

// advance moves on to where the page ended.
func (at *cursor) advance(orders []order, more bool) {
	var last time.Time
	for _, o := range orders {
		var r reader
		if t := r.moment("date_modified_gmt", o.Modified); t.After(last) {
			last = t
		}
	}
	if last.After(at.Seen) {
		at.Seen = last
	}
	// modified_after excludes its own second, and a page may have ended within one.
	next := last.Add(-time.Second)
	switch {
	case !more:
		at.After, at.Page = time.Time{}, 0
	case next.After(at.After):
		at.After, at.Page = next, 1
	default:
		at.Page++
	}
}
