package main

import (
	"regexp"
	"strings"
	"time"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

// codeOK is the code of success.
const codeOK = "OK"

// providerRef is a BizId as the service makes them.
var providerRef = regexp.MustCompile(`^[0-9A-Za-z^_-]{1,64}$`)

// remedy is what a refusal's code asks for. All of them mean that nothing was sent.
type remedy struct {
	class  sdk.ReasonClass
	after  time.Duration // 0: never again as it stands
	reason string
}

// Waits: for the service to recover, and for a person to mend the account, signature or template.
const (
	soon      = time.Minute
	hour      = time.Hour
	forPerson = time.Hour
)

// remedies by code: help.aliyun.com/document_detail/101346.html; the gateway's codes are those of its signature pages.
var remedies = map[string]remedy{
	"isp.SYSTEM_ERROR":  {sdk.ProviderProblem, soon, "the service is broken"},
	"isp.UNKNOWN_ERROR": {sdk.ProviderProblem, soon, "the service is broken"},

	"isv.DAY_LIMIT_CONTROL":   {sdk.RateProblem, hour, "the account's limit for the day is reached"},
	"isv.MONTH_LIMIT_CONTROL": {sdk.RateProblem, 24 * hour, "the account's limit for the month is reached"},

	"isv.OUT_OF_SERVICE":         {sdk.BalanceProblem, forPerson, "the account is out of service"},
	"isv.AMOUNT_NOT_ENOUGH":      {sdk.BalanceProblem, forPerson, "the account's balance is used up"},
	"isv.PRODUCT_UN_SUBSCRIPT":   {sdk.BalanceProblem, forPerson, "the account has not opened the SMS service"},
	"isv.PRODUCT_UNSUBSCRIBE":    {sdk.BalanceProblem, forPerson, "the account has not opened the SMS service"},
	"isv.ACCOUNT_NOT_EXISTS":     {sdk.CredentialsProblem, forPerson, "the account does not exist"},
	"isv.ACCOUNT_ABNORMAL":       {sdk.CredentialsProblem, forPerson, "the account is not in order"},
	"isp.RAM_PERMISSION_DENY":    {sdk.CredentialsProblem, forPerson, "the RAM user may not send SMS"},
	"isv.DENY_IP_RANGE":          {sdk.CredentialsProblem, forPerson, "this host's IP address is outside the mainland"},
	"isv.INTERFACE_OFFLINE":      {sdk.CredentialsProblem, forPerson, "the interface is switched off for the account"},
	"InvalidAccessKeyId":         {sdk.CredentialsProblem, forPerson, "the AccessKey is unknown"},
	"Forbidden":                  {sdk.CredentialsProblem, forPerson, "the AccessKey may not do this"},
	"NoPermission":               {sdk.CredentialsProblem, forPerson, "the AccessKey may not do this"},
	"SignatureDoesNotMatch":      {sdk.CredentialsProblem, forPerson, "the AccessKey secret is wrong"},
	"IncompleteSignature":        {sdk.CredentialsProblem, forPerson, "the AccessKey secret is wrong"},
	"InvalidTimeStamp":           {sdk.CredentialsProblem, forPerson, "this host's clock is off by more than 15 minutes"},
	"SignatureNonceUsed":         {sdk.ProviderProblem, soon, "the nonce was used before"},
	"isv.SMS_SIGNATURE_ILLEGAL":  {sdk.ContentProblem, forPerson, "the signature is not approved"},
	"isv.SMS_SIGN_ILLEGAL":       {sdk.ContentProblem, forPerson, "the signature is not approved"},
	"isv.SIGN_STATE_ILLEGAL":     {sdk.ContentProblem, forPerson, "the signature is not approved"},
	"isv.SIGN_NAME_ILLEGAL":      {sdk.ContentProblem, forPerson, "the signature is not approved"},
	"isv.SMS_TEMPLATE_ILLEGAL":   {sdk.ContentProblem, forPerson, "the template is not approved"},
	"isv.TEMPLATE_STATE_ILLEGAL": {sdk.ContentProblem, forPerson, "the template is not approved"},
	"isv.SMS_CONTENT_ILLEGAL":    {sdk.ContentProblem, forPerson, "the text holds forbidden content"},

	"isv.SMS_SIGNATURE_SCENE_ILLEGAL": {sdk.ContentProblem, forPerson, "the signature does not fit the template's kind"},

	"isv.MOBILE_NUMBER_ILLEGAL":         {sdk.RecipientProblem, 0, "the number does not exist"},
	"isv.MOBILE_COUNT_OVER_LIMIT":       {sdk.ContentProblem, 0, "too many numbers"},
	"isv.DOMESTIC_NUMBER_NOT_SUPPORTED": {sdk.RecipientProblem, 0, "the template is not for numbers of the mainland"},
	"isv.BLACK_KEY_CONTROL_LIMIT":       {sdk.ContentProblem, 0, "a variable holds a forbidden word"},
	"isv.PARAM_NOT_SUPPORT_URL":         {sdk.ContentProblem, 0, "a variable holds an address"},
	"isv.PARAM_LENGTH_LIMIT":            {sdk.ContentProblem, 0, "a variable is too long"},
	"isv.TEMPLATE_PARAMS_ILLEGAL":       {sdk.ContentProblem, 0, "a variable does not fit the template"},
	"isv.TEMPLATE_MISSING_PARAMETERS":   {sdk.ContentProblem, 0, "the template has variables other than code and amount"},
	"isv.INVALID_PARAMETERS":            {sdk.ContentProblem, 0, "a parameter is wrong"},
	"isv.EXTEND_CODE_ERROR":             {sdk.ContentProblem, 0, "the extension code is wrong"},
}

// limit is the span of a flow control, which only the answer's text tells.
type limit string

const (
	perMinute limit = "分钟级"
	perHour   limit = "小时级"
	perDay    limit = "天级"
	unstated  limit = ""
)

func limitOf(body []byte) limit {
	for _, l := range []limit{perMinute, perHour, perDay} {
		if strings.Contains(string(body), string(l)) {
			return l
		}
	}
	return unstated
}

// refusal turns a code other than OK into a receipt. A code that is not in the table was not sent either.
func refusal(code string, l limit, now time.Time) sdk.Receipt {
	known, ok := remedies[code]
	family, _, _ := strings.Cut(code, ".")
	switch {
	case code == "isv.BUSINESS_LIMIT_CONTROL":
		return sdk.Retry(l.wait(now), sdk.RateProblem, "not sent: "+code+": too many SMS to this number ("+l.english()+")")
	case code == "isv.DAY_LIMIT_CONTROL":
		return sdk.Retry(perDay.wait(now), known.class, "not sent: "+code+": "+known.reason)
	case strings.HasPrefix(code, "Throttling"):
		return sdk.Retry(soon, sdk.RateProblem, "not sent: Throttling: too many calls")
	case !ok:
		known, ok = remedies[family] // of the gateway, such as InvalidAccessKeyId.NotFound
	}
	switch {
	case !ok:
		return sdk.Retry(hour, sdk.OtherProblem, "not sent: the service answers "+plainCode(code))
	case known.after == 0:
		return sdk.Rejected(known.class, plainCode(code)+": "+known.reason)
	}
	return sdk.Retry(known.after, known.class, "not sent: "+plainCode(code)+": "+known.reason)
}

func (l limit) wait(now time.Time) time.Duration {
	switch l {
	case perMinute:
		return time.Minute
	case perHour:
		return time.Hour
	case perDay:
		year, month, day := now.In(sdk.Beijing).Date()
		return time.Date(year, month, day+1, 0, 5, 0, 0, sdk.Beijing).Sub(now)
	}
	return 10 * time.Minute
}

func (l limit) english() string {
	switch l {
	case perMinute:
		return "minute"
	case perHour:
		return "hour"
	case perDay:
		return "day"
	}
	return "span not stated"
}

var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z_.-]{0,79}$`)

// plainCode keeps a code out of the reason unless it looks like one: it comes from outside.
func plainCode(code string) string {
	if codeForm.MatchString(code) {
		return code
	}
	return "an unknown code"
}
