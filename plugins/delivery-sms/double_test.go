package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kaipiao/kaipiao/plugins/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKeyID  = "LTAI5tExampleKeyId"
	testSecret = "example-secret-of-nobody"
)

// fault is what the double does wrong with the next call.
type fault string

const (
	hangUpAfterAccept fault = "hang up after accepting"
	silentAfterAccept fault = "accept and say nothing"
	error500Accepted  fault = "accept and answer 500"
	error502          fault = "answer 502 without accepting"
	nonsense          fault = "accept and answer nonsense"
	redirect          fault = "answer with a redirect"
	truncated         fault = "accept and break the answer off"
)

// accepted is an SMS that the double took.
type accepted struct {
	outID, phone, template, param string
	at                            time.Time
	status                        int
}

// aliyunDouble is 阿里云短信服务 as its pages describe it, strict: it recomputes signatures by code of its own, checks the
// time window and nonces, refuses addresses in variables and keeps to limits for each number.
type aliyunDouble struct {
	*httptest.Server
	now      func() time.Time
	perDay   int
	refuse   func(query url.Values) (code, message string)
	released chan struct{} // closed when a silent call may end

	mu     sync.Mutex
	fault  fault
	calls  []string
	nonces map[string]bool
	taken  []accepted
}

func startDouble(t *testing.T, now func() time.Time) *aliyunDouble {
	t.Helper()
	d := &aliyunDouble{now: now, perDay: 50, nonces: map[string]bool{}, released: make(chan struct{})}
	d.Server = httptest.NewServer(d)
	t.Cleanup(func() {
		close(d.released)
		d.Close()
	})
	return d
}

func (d *aliyunDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	f := d.fault
	d.fault = ""
	d.calls = append(d.calls, r.Header.Get("x-acs-action"))
	d.mu.Unlock()
	if code := d.authenticate(r); code != "" {
		reply(w, http.StatusBadRequest, map[string]any{"Code": code, "Message": "refused for " + r.URL.RawQuery, "RequestId": "R"})
		return
	}
	switch f {
	case error502:
		w.WriteHeader(http.StatusBadGateway)
		return
	case redirect:
		http.Redirect(w, r, d.URL+"/elsewhere?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
		return
	}
	query := r.URL.Query()
	if r.Header.Get("x-acs-action") == "QuerySendDetails" {
		d.details(w, query)
		return
	}
	code, message, biz := d.send(query)
	switch f {
	case hangUpAfterAccept:
		panic(http.ErrAbortHandler)
	case silentAfterAccept:
		<-d.released
		panic(http.ErrAbortHandler)
	case error500Accepted:
		w.WriteHeader(http.StatusInternalServerError)
	case nonsense:
		_, _ = w.Write([]byte("<html>" + query.Get("PhoneNumbers")))
		return
	case truncated:
		w.Header().Set("Content-Length", "4000")
	}
	reply(w, 0, map[string]any{"Code": code, "Message": message, "BizId": biz, "RequestId": "R"})
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	if status != 0 {
		w.WriteHeader(status)
	}
	_ = json.NewEncoder(w).Encode(body)
}

// authenticate gives the gateway's code for a request that it would refuse.
func (d *aliyunDouble) authenticate(r *http.Request) string {
	at, err := time.Parse("2006-01-02T15:04:05Z", r.Header.Get("x-acs-date"))
	if err != nil || at.Sub(d.now()).Abs() > 15*time.Minute {
		return "InvalidTimeStamp.Expired"
	}
	d.mu.Lock()
	used := d.nonces[r.Header.Get("x-acs-signature-nonce")]
	d.nonces[r.Header.Get("x-acs-signature-nonce")] = true
	d.mu.Unlock()
	if used {
		return "SignatureNonceUsed"
	}
	var keyID, names, signature string
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 ")
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "Credential":
			keyID = value
		case "SignedHeaders":
			names = value
		case "Signature":
			signature = value
		}
	}
	if keyID != testKeyID {
		return "InvalidAccessKeyId.NotFound"
	}
	if signature != d.signature(r, names) || r.Method != http.MethodPost || r.Header.Get("x-acs-version") != "2017-05-25" {
		return "SignatureDoesNotMatch"
	}
	return ""
}

// signature recomputes what the client should have signed, from the request as it arrived.
func (d *aliyunDouble) signature(r *http.Request, names string) string {
	for _, needed := range []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"} {
		if !strings.Contains(";"+names+";", ";"+needed+";") {
			return "unsigned " + needed
		}
	}
	var pairs []string
	for name, values := range r.URL.Query() {
		pairs = append(pairs, percent(name)+"="+percent(values[0]))
	}
	sort.Strings(pairs)
	canonical := r.Method + "\n" + r.URL.Path + "\n" + strings.Join(pairs, "&") + "\n"
	for name := range strings.SplitSeq(names, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + value + "\n"
	}
	canonical += "\n" + names + "\n" + r.Header.Get("x-acs-content-sha256")
	mac := hmac.New(sha256.New, []byte(testSecret))
	fmt.Fprintf(mac, "ACS3-HMAC-SHA256\n%x", sha256.Sum256([]byte(canonical)))
	return fmt.Sprintf("%x", mac.Sum(nil))
}

func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (d *aliyunDouble) send(q url.Values) (code, message, biz string) {
	if d.refuse != nil {
		if code, message := d.refuse(q); code != "" {
			return code, message, ""
		}
	}
	var param map[string]string
	if json.Unmarshal([]byte(q.Get("TemplateParam")), &param) != nil || param["code"] == "" {
		return "isv.TEMPLATE_MISSING_PARAMETERS", "模板缺少变量", ""
	}
	for _, v := range param {
		if strings.Contains(v, "://") || strings.Contains(v, "www.") || strings.Contains(v, "/") {
			return "isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入URL", ""
		}
	}
	phone := q.Get("PhoneNumbers")
	if len(phone) != 11 || phone[0] != '1' {
		return "isv.MOBILE_NUMBER_ILLEGAL", phone + "invalid mobile number", ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	today := 0
	for _, a := range d.taken {
		if a.phone == phone && beijingDay(a.at) == beijingDay(d.now()) {
			today++
		}
	}
	if today >= d.perDay {
		return "isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:" + strconv.Itoa(d.perDay), ""
	}
	d.taken = append(d.taken, accepted{q.Get("OutId"), phone, q.Get("TemplateCode"), q.Get("TemplateParam"), d.now(), 1})
	return "OK", "OK", fmt.Sprintf("%018d^0", len(d.taken))
}

func beijingDay(t time.Time) string { return t.In(sdk.Beijing).Format("20060102") }

func (d *aliyunDouble) details(w http.ResponseWriter, q url.Values) {
	size, _ := strconv.Atoi(q.Get("PageSize"))
	page, _ := strconv.Atoi(q.Get("CurrentPage"))
	if size < 1 || size > 50 || page < 1 {
		reply(w, 0, map[string]any{"Code": "isv.INVALID_PARAMETERS"})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []map[string]any
	for _, a := range d.taken {
		if a.phone == q.Get("PhoneNumber") && beijingDay(a.at) == q.Get("SendDate") {
			all = append(all, map[string]any{
				"OutId": a.outID, "PhoneNum": a.phone, "SendStatus": a.status, "ErrCode": "DELIVERED", "TemplateCode": a.template,
				"Content": "【青禾茶铺】您的发票已开具，取票码" + a.param, "SendDate": a.at.In(sdk.Beijing).Format(time.DateTime),
				"ReceiveDate": a.at.In(sdk.Beijing).Add(3 * time.Second).Format(time.DateTime),
			})
		}
	}
	first := min((page-1)*size, len(all))
	reply(w, 0, map[string]any{
		"Code": "OK", "Message": "OK", "RequestId": "R", "TotalCount": len(all),
		"SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": all[first:min(first+size, len(all))]},
	})
}

// count says how many SMS a parcel caused: more than one is a double in somebody's hand.
func (d *aliyunDouble) count(outID string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.taken {
		if a.outID == outID {
			n++
		}
	}
	return n
}

func (d *aliyunDouble) next(f fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}
