// Command acme-post hands invoices to buyers.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

const version = "0.1.0"

type config struct {
	URL    string `json:"url" doc:"address of Acme's messenger"`
	Sender string `json:"sender" doc:"name under which messages are sent"`
	Token  string `json:"token" secret:"true" doc:"access token"`
}

func main() { sdk.Serve("acme-post", version, parts()...) }

func parts() []sdk.Part {
	return []sdk.Part{sdk.Deliverer(deliver, sdk.ByEmail), sdk.Tracker(track)}
}

// deliver says "sent", "not sent" or "perhaps": the host repeats only what was certainly not sent. Reasons never hold an
// address.
func deliver(ctx context.Context, c config, p sdk.Parcel) (sdk.Receipt, error) {
	body, err := json.Marshal(map[string]string{
		"from": c.Sender, "recipient": p.Recipient.Email, "fapiao": p.Invoice.Number, "amount": p.Invoice.Gross, "page": p.Invoice.PageURL,
	})
	if err != nil {
		return sdk.Rejected(sdk.ContentProblem, "the message cannot be written"), nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/messages", bytes.NewReader(body))
	if err != nil {
		return sdk.Rejected(sdk.CredentialsProblem, "the provider's address cannot be used"), nil
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	req.Header.Set("Idempotency-Key", p.ID)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return sdk.Unknown("", "no answer from the provider"), nil
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusOK:
		var taken struct {
			Ref string `json:"ref"`
		}
		if raw, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20)); err != nil || sdk.DecodeJSON(raw, &taken) != nil {
			return sdk.Unknown("", "the provider's answer cannot be read"), nil
		}
		return sdk.Sent(taken.Ref), nil
	case answer.StatusCode == http.StatusTooManyRequests:
		return sdk.Retry(time.Minute, sdk.RateProblem, answer.Status), nil
	case answer.StatusCode == http.StatusUnauthorized:
		return sdk.Rejected(sdk.CredentialsProblem, answer.Status), nil
	case answer.StatusCode < 500:
		return sdk.Rejected(sdk.RecipientProblem, answer.Status), nil
	}
	return sdk.Unknown("", answer.Status), nil
}

// track answers what the host must know before it sends a parcel of unknown outcome again.
func track(ctx context.Context, c config, p sdk.ParcelRef) (sdk.Standing, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/messages/"+p.ParcelID, nil)
	if err != nil {
		return sdk.Standing{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return sdk.Standing{}, fmt.Errorf("ask the provider: %w", err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return sdk.Standing{State: sdk.TrackSent}, nil
	case http.StatusNotFound:
		return sdk.Standing{State: sdk.TrackNotSent}, nil
	}
	return sdk.Standing{State: sdk.TrackStillUnknown, Reason: answer.Status}, nil
}
