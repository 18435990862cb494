package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// Limits of QuerySendDetails, and ours.
const (
	detailsPage   = 50
	detailsPages  = 10                  // a number gets at most 50 notices a day
	detailsKept   = 30 * 24 * time.Hour // by the service
	settleTime    = 5 * time.Minute     // until an accepted SMS certainly shows
	detailsDay    = "20060102"
	detailsMoment = time.DateTime // Beijing time, without zone
)

// sendStatus is how far an SMS came.
type sendStatus string

const (
	waiting  sendStatus = "1" // handed to the operator, no report yet
	failed   sendStatus = "2"
	received sendStatus = "3"
)

// detail is one SMS as the service remembers it. PhoneNum and Content are not read.
type detail struct {
	OutID       string   `json:"OutId"`
	SendStatus  sdk.Text `json:"SendStatus"`
	ReceiveDate string   `json:"ReceiveDate"`
}

// detailsReply is an answer to QuerySendDetails.
type detailsReply struct {
	Code  string
	Total sdk.Text `json:"TotalCount"`
	List  struct {
		Details []detail `json:"SmsSendDetailDTO"`
	} `json:"SmsSendDetailDTOs"`
}

// Track looks for the parcel's id among the SMS to its number. "Not there" counts only when every page was read and the
// send is some minutes old.
func (a *aliyun) Track(ctx context.Context, p sent) sdk.Standing {
	unknown := sdk.Standing{State: sdk.TrackStillUnknown, ProviderRef: p.providerRef, Class: sdk.ProviderProblem}
	if p.at.IsZero() || a.now().Sub(p.at) > detailsKept {
		unknown.Reason = "the service no longer knows SMS of that time"
		return unknown
	}
	var best *detail
	for _, day := range days(p.at) {
		found, reason := a.find(ctx, p, day)
		if reason != "" {
			unknown.Reason = reason
			return unknown
		}
		if found != nil && (best == nil || rank(found.SendStatus) > rank(best.SendStatus)) {
			best = found
		}
	}
	if best == nil {
		if a.now().Sub(p.at) < settleTime {
			unknown.Reason = "the service does not know it yet"
			return unknown
		}
		return sdk.Standing{State: sdk.TrackNotSent, Reason: "the service does not know it"}
	}
	standing := sdk.Standing{ProviderRef: p.providerRef}
	standing.At, _ = sdk.Time("ReceiveDate", detailsMoment, best.ReceiveDate) // zero while there is no report
	switch sendStatus(best.SendStatus) {
	case waiting:
		standing.State = sdk.TrackSent
	case received:
		standing.State = sdk.TrackDelivered
	case failed:
		standing.State, standing.Class, standing.Reason = sdk.TrackFailed, sdk.RecipientProblem, "the operator could not deliver it"
	default:
		unknown.Reason = "the service gives a status that is not known here"
		return unknown
	}
	return standing
}

// days are the Beijing days under which the service may have filed an SMS: one accepted just after midnight belongs to
// the next.
func days(sent time.Time) []string {
	first, last := sent.In(sdk.Beijing).Format(detailsDay), sent.Add(settleTime).In(sdk.Beijing).Format(detailsDay)
	if first == last {
		return []string{first}
	}
	return []string{first, last}
}

func (a *aliyun) find(ctx context.Context, p sent, day string) (found *detail, reason string) {
	seen := 0
	for page := 1; page <= detailsPages; page++ {
		reply, reason := a.details(ctx, p.mobile, day, page)
		if reason != "" {
			return nil, reason
		}
		for _, d := range reply.List.Details {
			if d.OutID == p.parcelID && (found == nil || rank(d.SendStatus) > rank(found.SendStatus)) {
				found = &d
			}
		}
		seen += len(reply.List.Details)
		total, err := strconv.Atoi(string(reply.Total))
		switch {
		case err != nil || total < 0:
			return nil, "the service does not say how many SMS there are"
		case seen >= total:
			return found, ""
		case len(reply.List.Details) == 0:
			return nil, "the service left out some SMS"
		}
	}
	return nil, "there are more SMS to this number than can be read"
}

// details reads one page. The reason tells why there is none, and holds no number.
func (a *aliyun) details(ctx context.Context, to mobile, day string, page int) (detailsReply, string) {
	answer, err := a.call(ctx, "QuerySendDetails", map[string]string{
		"PhoneNumber": string(to), "SendDate": day, "PageSize": strconv.Itoa(detailsPage), "CurrentPage": strconv.Itoa(page),
	})
	if err != nil {
		return detailsReply{}, err.Error()
	}
	return readDetails(answer)
}

func readDetails(a answer) (detailsReply, string) {
	var r detailsReply
	switch err := sdk.DecodeJSON(a.body, &r); {
	case err != nil || r.Code == "":
		return r, "the service's answer cannot be read (HTTP " + strconv.Itoa(a.status) + ")"
	case r.Code != codeOK:
		return r, "the service answers " + plainCode(r.Code)
	case a.status != http.StatusOK:
		return r, "the service answers HTTP " + strconv.Itoa(a.status)
	}
	return r, ""
}

// rank orders what the service says of one parcel: one delivered part outweighs the rest.
func rank(s sdk.Text) int {
	switch sendStatus(s) {
	case received:
		return 3
	case waiting:
		return 2
	case failed:
		return 1
	}
	return 0
}

// probeNumber belongs to nobody's parcel: asking for its SMS proves the key and the right to ask.
const probeNumber mobile = "13000000000"

// Probe asks for the SMS of a number that was never written to. It sends nothing.
func (a *aliyun) Probe(ctx context.Context) *sdk.Problem {
	_, reason := a.details(ctx, probeNumber, a.now().In(sdk.Beijing).Format(detailsDay), 1)
	if reason == "" {
		return nil
	}
	return &sdk.Problem{Pointer: "/access_key_id", Message: "the service cannot be used: " + reason}
}
