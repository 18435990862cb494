package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// smsVersion is the version of 阿里云短信服务 that is spoken here (dysmsapi).
const smsVersion = "2017-05-25"

// aliyun sends by 阿里云短信服务. The service has no key by which it would refuse a repeat: after a send without answer,
// QuerySendDetails is asked for the parcel's id (OutId).
type aliyun struct {
	config config
	client *http.Client
	now    func() time.Time
	nonce  func() string
}

func (a *aliyun) Send(ctx context.Context, m message) sdk.Receipt {
	template := a.config.TemplateCode
	if m.red {
		if template = a.config.TemplateCodeRed; template == "" {
			return sdk.Rejected(sdk.ContentProblem, "there is no template for red invoices")
		}
	}
	variables := map[string]string{"code": m.code}
	if m.amount != "" {
		variables["amount"] = m.amount
	}
	param, err := json.Marshal(variables)
	if err != nil {
		return sdk.Rejected(sdk.ContentProblem, "the template's variables cannot be encoded")
	}
	answer, err := a.call(ctx, "SendSms", map[string]string{
		"PhoneNumbers": string(m.mobile), "SignName": a.config.SignName, "TemplateCode": template,
		"TemplateParam": string(param), "OutId": m.parcelID,
	})
	var failed *callError
	switch {
	case errors.As(err, &failed) && !failed.written:
		return sdk.Retry(time.Minute, sdk.ProviderProblem, "not sent: "+failed.why)
	case err != nil:
		return sdk.Unknown(m.parcelID, err.Error())
	}
	return judgeSend(answer, m.parcelID, a.now())
}

// answer is an HTTP answer of the service.
type answer struct {
	status int
	body   []byte
}

// maxAnswer is more than any page of QuerySendDetails needs.
const maxAnswer = 1 << 20

// callError is a call without a whole answer. It holds no address: the query contains the buyer's number.
type callError struct {
	written bool // the service may have read the request
	why     string
}

func (e *callError) Error() string { return e.why }

func (a *aliyun) call(ctx context.Context, action string, query map[string]string) (answer, error) {
	endpoint, err := url.Parse(a.config.Endpoint)
	if err != nil {
		return answer{}, &callError{why: "the endpoint is no address"}
	}
	// From the moment a connection is there, bytes may be on their way.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	request := acs3Request(endpoint, action, smsVersion, query, a.config.AccessKeyID, a.config.AccessKeySecret, a.nonce(), a.now())
	response, err := a.client.Do(request.WithContext(ctx))
	if err != nil {
		return answer{}, &callError{written: connected.Load(), why: why(err, connected.Load())}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, &callError{written: true, why: why(err, true)}
	}
	return answer{status: response.StatusCode, body: body}, nil
}

func why(err error, written bool) string {
	stage := "connecting to the service: "
	if written {
		stage = "waiting for the service's answer: "
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return stage + "the host name is not found"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return stage + "time ran out"
	case errors.Is(err, syscall.ECONNREFUSED):
		return stage + "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return stage + "the connection was lost"
	}
	return stage + "the connection failed"
}

// sendReply is the answer to SendSms, and of the gateway before it.
type sendReply struct {
	Code  string
	BizID string `json:"BizId"`
}

// judgeSend reads the answer to SendSms. HTTP 200 alone means nothing: Code tells. What can't be read as a refusal may
// have been sent.
func judgeSend(a answer, parcelID string, now time.Time) sdk.Receipt {
	var r sendReply
	err := sdk.DecodeJSON(a.body, &r)
	switch {
	case a.status >= 500 || a.status >= 300 && a.status < 400:
		return sdk.Unknown(parcelID, "the service answers HTTP "+strconv.Itoa(a.status))
	case err != nil || r.Code == "":
		return sdk.Unknown(parcelID, "the service's answer cannot be read (HTTP "+strconv.Itoa(a.status)+")")
	case r.Code == codeOK && a.status == http.StatusOK:
		if providerRef.MatchString(r.BizID) {
			return sdk.Sent(r.BizID)
		}
		return sdk.Sent(parcelID)
	case r.Code == codeOK:
		return sdk.Unknown(parcelID, "the service says OK with HTTP "+strconv.Itoa(a.status))
	}
	return refusal(r.Code, limitOf(a.body), now)
}
