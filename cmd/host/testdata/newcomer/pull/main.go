// Command acme-feed reads sales from a feed, page by page.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const version = "0.1.0"

type config struct {
	URL   string `json:"url" doc:"address of Acme's export"`
	Shop  string `json:"shop" doc:"number of the shop at Acme"`
	Token string `json:"token" secret:"true" doc:"access token"`
}

func main() { sdk.Serve("acme-feed", version, parts()...) }

func parts() []sdk.Part { return []sdk.Part{sdk.Puller(pull)} }

// page is what the feed answers.
type page struct {
	Rows []struct {
		Bill  sdk.Text    `json:"bill"`
		Fen   json.Number `json:"fen"`
		Goods string      `json:"goods"`
		At    sdk.Text    `json:"at"`
	} `json:"rows"`
	Position string `json:"position"`
	End      bool   `json:"end"`
}

// pull reads what follows the cursor. The host stores events and cursor together: to be given a cursor means that all
// before it is safe.
func pull(ctx context.Context, c config, r sdk.PullRequest) (sdk.Page, error) {
	var in page
	query := url.Values{"shop": {c.Shop}, "from": {string(r.Cursor)}, "n": {strconv.Itoa(r.Limit)}}
	if err := get(ctx, c, "/export?"+query.Encode(), &in); err != nil {
		return sdk.Page{}, err
	}
	out := sdk.Page{Cursor: []byte(in.Position), More: !in.End}
	for _, s := range in.Rows {
		var check sdk.Check
		at := check.UnixTime("at", string(s.At))
		paid := check.Fen("fen", s.Fen)
		sale := sdk.SaleSnapshot{
			OrderNo: check.Required("bill", string(s.Bill)), Kind: sdk.ReceiptSale, Status: sdk.Paid, Revision: "1", RevisionTime: at, PaidAt: at,
			Total: paid, Lines: []sdk.Line{{LineNo: "1", Name: s.Goods, Quantity: "1", PaidAmount: paid}},
		}
		if err := check.Err(); err != nil {
			return sdk.Page{}, err
		}
		out.Events = append(out.Events, sdk.Event{ID: "sale/" + sale.OrderNo + "/1", OccurredAt: at, Body: sale})
	}
	return out, nil
}

// maxAnswer bounds what is read from a stranger.
const maxAnswer = 8 << 20

func get(ctx context.Context, c config, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return sdk.Permanent(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the feed: %w", err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusTooManyRequests:
		return sdk.RetryAfter(time.Minute, errors.New("the feed asks for quiet"))
	case http.StatusUnauthorized:
		return sdk.Permanent(errors.New("the feed refuses the token"))
	default:
		return fmt.Errorf("the feed answers %s", answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the feed: %w", err)
	}
	return sdk.DecodeJSON(body, into)
}
